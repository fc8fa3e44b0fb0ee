//! The network in a model file: weights as hexadecimal digits of their two's complement, two a weight, so that a row of
//! weights is one short line.

use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::model::OUTPUT_COUNT;

use super::HIDDEN;

/// No scale or offset of a fitted network is beyond this.
const NUMBER_MAX: f64 = 1e6;

/// The network of a model file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkFit {
    /// By feature, state features first: its weights for the hidden units.
    first_weights: Vec<String>,
    /// By hidden unit: what is added to its sum.
    hidden_bias: Vec<i32>,
    /// By hidden unit: steps of its activation per unit of its sum.
    hidden_scale: Vec<f32>,
    /// By output: its weights of the hidden units.
    output_weights: Vec<String>,
    /// By output: its unit per unit of its sum.
    output_scale: Vec<f64>,
    /// By output: its value where all hidden units rest.
    output_offset: Vec<f64>,
}

/// The readout of one output.
#[derive(Clone, Copy, Debug)]
pub struct NetworkOutput {
    /// Its unit per unit of its sum.
    pub scale: f64,
    /// Its value where all hidden units rest.
    pub offset: f64,
    /// Weights of the hidden units.
    pub weights: [i8; HIDDEN],
}

impl NetworkFit {
    /// Puts a network into the form of the file: first layer by feature, state features first, and one readout an output.
    #[cfg(any(test, feature = "train"))]
    pub(crate) fn new(
        first: &[[i8; HIDDEN]],
        hidden_bias: &[i32; HIDDEN],
        hidden_scale: &[f32; HIDDEN],
        outputs: &[NetworkOutput],
    ) -> NetworkFit {
        NetworkFit {
            first_weights: first.iter().map(digits).collect(),
            hidden_bias: hidden_bias.to_vec(),
            hidden_scale: hidden_scale.to_vec(),
            output_weights: outputs.iter().map(|output| digits(&output.weights)).collect(),
            output_scale: outputs.iter().map(|output| output.scale).collect(),
            output_offset: outputs.iter().map(|output| output.offset).collect(),
        }
    }

    pub(super) fn first_layer(&self, features: usize) -> Result<Vec<[i8; HIDDEN]>, ModelError> {
        if self.first_weights.len() != features {
            return Err(ModelError::corrupt("the network is for other features"));
        }
        self.first_weights.iter().map(|text| weights(text)).collect()
    }

    /// Bias and scale of the hidden units.
    pub(super) fn hidden(&self) -> Result<([i32; HIDDEN], [f32; HIDDEN]), ModelError> {
        let corrupt = || ModelError::corrupt("the network's hidden units have no usable numbers");
        let bias: [i32; HIDDEN] = self.hidden_bias.as_slice().try_into().map_err(|_| corrupt())?;
        let scale: [f32; HIDDEN] = self.hidden_scale.as_slice().try_into().map_err(|_| corrupt())?;
        // With biases up to 2^23, sums stay exact in single precision.
        let usable = bias.iter().all(|bias| bias.unsigned_abs() <= 1 << 23)
            && scale.iter().all(|scale| scale.is_finite() && *scale >= 0.0);
        usable.then_some((bias, scale)).ok_or_else(corrupt)
    }

    pub(super) fn outputs(&self) -> Result<[NetworkOutput; OUTPUT_COUNT], ModelError> {
        let corrupt = || ModelError::corrupt("the network's outputs have no usable numbers");
        let lengths = [self.output_weights.len(), self.output_scale.len(), self.output_offset.len()];
        let mut numbers = self.output_scale.iter().chain(&self.output_offset);
        if lengths != [OUTPUT_COUNT; 3] || numbers.any(|n| n.is_nan() || n.abs() > NUMBER_MAX) {
            return Err(corrupt());
        }
        let mut outputs = [NetworkOutput { scale: 0.0, offset: 0.0, weights: [0; HIDDEN] }; OUTPUT_COUNT];
        for (index, output) in outputs.iter_mut().enumerate() {
            *output = NetworkOutput {
                scale: self.output_scale[index],
                offset: self.output_offset[index],
                weights: weights(&self.output_weights[index])?,
            };
        }
        Ok(outputs)
    }
}

#[cfg(any(test, feature = "train"))]
fn digits(weights: &[i8; HIDDEN]) -> String {
    weights.iter().map(|weight| format!("{weight:02x}")).collect()
}

/// Weights lie between −127 and 127.
fn weights(text: &str) -> Result<[i8; HIDDEN], ModelError> {
    let corrupt = || ModelError::corrupt("a row of the network's weights cannot be read");
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != HIDDEN || !rest.is_empty() {
        return Err(corrupt());
    }
    let mut weights = [0; HIDDEN];
    for (weight, pair) in weights.iter_mut().zip(pairs) {
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or_else(corrupt);
        *weight = ((digit(pair[0])? * 16 + digit(pair[1])?) as u8).cast_signed();
        if *weight == i8::MIN {
            return Err(corrupt());
        }
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_back() {
        let row: [i8; HIDDEN] = std::array::from_fn(|i| (i as i8 - 16) * 7);
        assert_eq!(weights(&digits(&row)).unwrap(), row);
        for bad in ["", "0g", &"80".repeat(HIDDEN), &"00".repeat(HIDDEN + 1)] {
            assert!(weights(bad).unwrap_err().is_corrupt(), "{bad}");
        }
    }
}
