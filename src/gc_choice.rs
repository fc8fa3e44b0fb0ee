//! Which policy sets the collector's knobs.

use std::path::PathBuf;
use std::sync::Arc;
use tenure_advisor::{Advisor, Counters, Goal};
use tenure_gc::policy::{Adaptive, Adversarial, Explore, Overrides, Policy, Ratio, SquareRoot, Static, Survey};

/// A choice of policy, for a new heap or a running one.
///
/// ```
/// use tenure::{FixedKnobs, Gc};
/// let small_regions = Gc::fixed(FixedKnobs { old_region_bytes: Some(64 << 10), ..FixedKnobs::default() });
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Gc {
    choice: Choice,
}

#[derive(Debug, Clone, PartialEq)]
enum Choice {
    Static(Overrides),
    Adaptive,
    Advisor(AdvisorChoice),
    SquareRoot(f64),
    Ratio(f64),
    Explore(u64),
    Survey(u64),
    Adversarial(u64),
}

/// How the advisor is to be.
#[derive(Debug, Clone, PartialEq, Default)]
struct AdvisorChoice {
    /// The shipped one if none.
    model: Option<PathBuf>,
    goal: Goal,
    frozen: Overrides,
    shadow: bool,
}

/// A policy with what its owner wants to keep.
pub(crate) struct Chosen {
    pub(crate) policy: Box<dyn Policy>,
    /// The advisor's decisions, by reason.
    pub(crate) counters: Option<Arc<Counters>>,
    /// Something the user should hear about.
    pub(crate) warning: Option<String>,
}

impl Gc {
    /// The learned policy with the shipped model. The default.
    pub fn advisor() -> Gc {
        Gc { choice: Choice::Advisor(AdvisorChoice::default()) }
    }

    /// The learned policy with a model from a file. If the model can't be used, the adaptive policy decides, which is
    /// counted in the statistics, and the [`Vm`](crate::Vm) has a warning.
    pub fn advisor_from(model: impl Into<PathBuf>) -> Gc {
        Gc { choice: Choice::Advisor(AdvisorChoice { model: Some(model.into()), ..AdvisorChoice::default() }) }
    }

    fn with_advisor(mut self, set: impl FnOnce(&mut AdvisorChoice)) -> Gc {
        if let Choice::Advisor(advisor) = &mut self.choice {
            set(advisor);
        }
        self
    }

    /// What the advisor is to be cheap in; throughput if nothing is said. Other policies have no goal but that of pauses.
    pub fn goal(self, goal: Goal) -> Gc {
        self.with_advisor(|advisor| advisor.goal = goal)
    }

    /// Knobs that the advisor leaves at these values. Other policies are as they are.
    pub fn frozen(self, knobs: Overrides) -> Gc {
        self.with_advisor(|advisor| advisor.frozen = knobs)
    }

    /// The advisor decides and is recorded, but the adaptive policy's knobs come into force. Other policies are as they are.
    pub fn in_shadow(self) -> Gc {
        self.with_advisor(|advisor| advisor.shadow = true)
    }

    /// G1's formulas.
    pub fn adaptive() -> Gc {
        Gc { choice: Choice::Adaptive }
    }

    /// Fixed knobs; what is not given has a sound value, what is not legal in the heap becomes the nearest that is.
    pub fn fixed(knobs: Overrides) -> Gc {
        Gc { choice: Choice::Static(knobs) }
    }

    /// The square-root rule of heap size (MemBalancer), to compare with. `price_per_mib` is the share of a CPU that a MiB of
    /// memory is worth, 0.0005 if nothing is known.
    ///
    /// # Panics
    /// If the price is not above 0 and finite.
    pub fn square_root(price_per_mib: f64) -> Gc {
        assert!(price_per_mib > 0.0 && price_per_mib.is_finite(), "{price_per_mib} is no price");
        Gc { choice: Choice::SquareRoot(price_per_mib) }
    }

    /// A heap that may grow by a constant share of what lives before it is collected (Go's GOGC), to compare with; 1 is usual.
    ///
    /// # Panics
    /// If the ratio is not above 0 and finite.
    pub fn ratio(room_per_live: f64) -> Gc {
        assert!(room_per_live > 0.0 && room_per_live.is_finite(), "{room_per_live} is no ratio");
        Gc { choice: Choice::Ratio(room_per_live) }
    }

    /// Random legal knobs, held for a few cycles each: makes the journals that `tenure train` learns from.
    pub fn explore(seed: u64) -> Gc {
        Gc { choice: Choice::Explore(seed) }
    }

    /// Knobs that let a journal tell how long objects live, for the simulator of the heap.
    pub fn survey(seed: u64) -> Gc {
        Gc { choice: Choice::Survey(seed) }
    }

    /// Random knobs, legal or not, among them NaN and infinities. For tests: no program's output may depend on it.
    pub fn adversarial(seed: u64) -> Gc {
        Gc { choice: Choice::Adversarial(seed) }
    }

    /// A policy of this choice, for a host that runs it over snapshots of its own.
    pub fn policy(&self) -> Box<dyn Policy> {
        self.choose().policy
    }

    pub(crate) fn choose(&self) -> Chosen {
        let plain = |policy: Box<dyn Policy>| Chosen { policy, counters: None, warning: None };
        let advised = |(advisor, warning): (Advisor, Option<tenure_advisor::Warning>)| Chosen {
            counters: Some(advisor.counters()),
            policy: Box::new(advisor),
            warning: warning.map(|w| w.to_string()),
        };
        match &self.choice {
            Choice::Static(knobs) => plain(Box::new(Static::new(*knobs))),
            Choice::Adaptive => plain(Box::new(Adaptive::new())),
            Choice::Advisor(choice) => {
                let (advisor, warning) = match &choice.model {
                    None => (Advisor::shipped(), None),
                    Some(path) => Advisor::or_adaptive(Advisor::from_file(path)),
                };
                let advisor = advisor.with_goal(choice.goal).with_frozen(choice.frozen);
                advised((if choice.shadow { advisor.in_shadow() } else { advisor }, warning))
            }
            Choice::SquareRoot(price_per_mib) => plain(Box::new(SquareRoot::new(*price_per_mib))),
            Choice::Ratio(room_per_live) => plain(Box::new(Ratio::new(*room_per_live))),
            Choice::Explore(seed) => plain(Box::new(Explore::new(*seed))),
            Choice::Survey(seed) => plain(Box::new(Survey::new(*seed))),
            Choice::Adversarial(seed) => plain(Box::new(Adversarial::new(*seed))),
        }
    }
}

impl Default for Gc {
    fn default() -> Gc {
        Gc::advisor()
    }
}
