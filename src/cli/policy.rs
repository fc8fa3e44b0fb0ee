//! A policy as it is written on the command line: `NAME` or `NAME:SETTING`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use tenure_gc::policy::{Ratio, SquareRoot};

/// A policy with its setting.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyChoice {
    /// Knobs fixed by options, or by a file.
    Static(Option<PathBuf>),
    /// G1's formulas.
    Adaptive,
    /// A model fitted to measured runs.
    Advisor,
    /// The square-root rule; percent of a CPU that a MiB is worth.
    SquareRoot(f64),
    /// A constant ratio; room over live bytes in percent.
    Ratio(f64),
    /// Random legal knobs held for some cycles; makes training data.
    Explore,
    /// Knobs that let a journal tell how long objects live.
    Survey,
    /// Random knobs, legal or not; for tests.
    Adversarial,
}

impl PolicyChoice {
    /// Its name, without the setting.
    pub fn name(&self) -> &'static str {
        match self {
            PolicyChoice::Static(_) => "static",
            PolicyChoice::Adaptive => "adaptive",
            PolicyChoice::Advisor => "advisor",
            PolicyChoice::SquareRoot(_) => "sqrt",
            PolicyChoice::Ratio(_) => "ratio",
            PolicyChoice::Explore => "explore",
            PolicyChoice::Survey => "survey",
            PolicyChoice::Adversarial => "adversarial",
        }
    }
}

/// As it can be written.
impl fmt::Display for PolicyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            PolicyChoice::Static(Some(path)) => write!(f, ":{}", path.display()),
            PolicyChoice::SquareRoot(percent) | PolicyChoice::Ratio(percent) => write!(f, ":{percent}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for PolicyChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<PolicyChoice, String> {
        let (name, setting) = text.split_once(':').map_or((text, None), |(name, setting)| (name, Some(setting)));
        let percent = |usual: f64| match setting {
            None => Ok(usual),
            Some(setting) => setting
                .parse::<f64>()
                .ok()
                .filter(|percent| (1e-6..=1e6).contains(percent))
                .ok_or_else(|| format!("`{setting}` is no percentage, as in {name}:{usual}")),
        };
        let plain = |choice: PolicyChoice| match setting {
            None => Ok(choice),
            Some(_) => Err(format!("{name} takes no setting")),
        };
        match name {
            "static" => Ok(PolicyChoice::Static(setting.map(PathBuf::from))),
            "adaptive" => plain(PolicyChoice::Adaptive),
            "advisor" => plain(PolicyChoice::Advisor),
            "sqrt" => percent(SquareRoot::PRICE_PER_MIB * 100.0).map(PolicyChoice::SquareRoot),
            "ratio" => percent(Ratio::ROOM_PER_LIVE * 100.0).map(PolicyChoice::Ratio),
            "explore" => plain(PolicyChoice::Explore),
            "survey" => plain(PolicyChoice::Survey),
            "adversarial" => plain(PolicyChoice::Adversarial),
            _ => Err("there are static, adaptive, advisor, sqrt and ratio".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_written_with_or_without_a_setting() {
        for text in [
            "static",
            "static:best.knobs",
            "adaptive",
            "advisor",
            "sqrt:0.2",
            "ratio:50",
            "explore",
            "survey",
            "adversarial",
        ] {
            assert_eq!(text.parse::<PolicyChoice>().map(|choice| choice.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("sqrt".parse(), Ok(PolicyChoice::SquareRoot(0.05)));
        assert_eq!("ratio".parse(), Ok(PolicyChoice::Ratio(100.0)));
        for text in ["magic", "", "sqrt:", "sqrt:-1", "sqrt:nan", "ratio:0", "adaptive:1"] {
            assert!(text.parse::<PolicyChoice>().is_err(), "{text}");
        }
    }
}
