//! The policy beneath the advisor.

use tenure_gc::policy::{Decision, Envelope, Knobs, Outcome, Policy, Reason, Snapshot};

/// The policy that the advisor is measured against and falls back to.
pub(crate) fn level0() -> Box<dyn Policy> {
    Box::new(Initial(None))
}

/// The heap's own starting knobs, held.
struct Initial(Option<Knobs>);

impl Policy for Initial {
    fn name(&self) -> &'static str {
        "initial"
    }

    fn decide(&mut self, snapshot: &Snapshot, _current: &Knobs, envelope: &Envelope) -> Decision {
        let knobs = *self.0.get_or_insert_with(|| envelope.initial(snapshot));
        Decision::plain(knobs, Reason::Adaptive)
    }

    fn observe(&mut self, _outcome: &Outcome) {}
}
