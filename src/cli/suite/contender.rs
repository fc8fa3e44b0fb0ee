//! What is compared: the policies of the suite, each with its constant.

use std::fmt;

/// Constants of the square-root rule: percent of a CPU that a MiB is worth.
pub const SQUARE_ROOT_PERCENT: [f64; 6] = [0.002, 0.01, 0.05, 0.25, 1.25, 6.0];
/// Constants of the constant-ratio rule: room in percent of what lives.
pub const RATIO_PERCENT: [f64; 5] = [25.0, 50.0, 100.0, 200.0, 400.0];

/// A part in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// The static policy as it is.
    Default,
    /// The static setting that is best over the families other than the program's own.
    Best,
    /// The static setting that is best for the program.
    Oracle,
    /// G1's formulas.
    Adaptive,
    /// The same again: what differs from it is noise.
    Control,
    /// The advisor with a model fitted to other families.
    Advisor,
    /// The same, told to save memory.
    AdvisorMemory,
    /// MemBalancer's rule with the constant of this number.
    SquareRoot(usize),
    /// Go's rule with the constant of this number.
    Ratio(usize),
    /// A static setting in the search for the oracle.
    Search(usize),
    /// The advisor with the planned knob of this number frozen at the best single static value.
    Frozen(usize),
}

impl Contender {
    /// Those that every cell has.
    pub const EVERYWHERE: [Contender; 5] =
        [Contender::Default, Contender::Best, Contender::Adaptive, Contender::Control, Contender::Advisor];

    /// The rules with all their constants.
    pub fn swept() -> impl Iterator<Item = Contender> {
        let roots = (0..SQUARE_ROOT_PERCENT.len()).map(Contender::SquareRoot);
        roots.chain((0..RATIO_PERCENT.len()).map(Contender::Ratio))
    }

    /// Whether a model decides.
    pub fn is_advised(self) -> bool {
        matches!(self, Contender::Advisor | Contender::AdvisorMemory | Contender::Frozen(_))
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contender::Default => f.write_str("static"),
            Contender::Best => f.write_str("best-static"),
            Contender::Oracle => f.write_str("oracle"),
            Contender::Adaptive => f.write_str("adaptive"),
            Contender::Control => f.write_str("adaptive-again"),
            Contender::Advisor => f.write_str("advisor"),
            Contender::AdvisorMemory => f.write_str("advisor-memory"),
            Contender::SquareRoot(number) => write!(f, "sqrt:{}", SQUARE_ROOT_PERCENT[*number]),
            Contender::Ratio(number) => write!(f, "ratio:{}", RATIO_PERCENT[*number]),
            Contender::Search(number) => write!(f, "search:{number}"),
            Contender::Frozen(number) => write!(f, "frozen:{number}"),
        }
    }
}
