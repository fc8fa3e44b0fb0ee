//! From the collector's options to a heap: applies them, and refuses combinations that mean nothing.

use super::args::{AdvisorArgs, AdvisorMode, Cli, HeapArgs};
use super::policy::PolicyChoice;
use super::report;
use clap::CommandFactory;
use clap::error::ErrorKind;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use tenure::{FixedKnobs, Gc, InstanceBuilder, OnError, WorkClock};
use tenure_gc::policy::KnobError;

/// Ends the process with status 2.
pub fn usage_error(message: &str) -> ! {
    Cli::command().error(ErrorKind::ValueValidation, message).exit()
}

impl HeapArgs {
    /// The policy that was asked for.
    pub fn policy(&self) -> PolicyChoice {
        self.gc.clone().unwrap_or(PolicyChoice::Advisor)
    }

    /// The policy, with its settings. Ends the process on options that contradict each other, so it is called before
    /// anything is compiled.
    pub fn gc(&self) -> Gc {
        let policy = self.policy();
        let fixed = [
            ("--region-size", self.region_size.is_some()),
            ("--eden-region-size", self.eden_region_size.is_some()),
            ("--ihop", self.ihop.is_some()),
            ("--young-size", self.young_size.is_some()),
        ];
        if !matches!(policy, PolicyChoice::Static(_))
            && let Some((name, _)) = fixed.iter().find(|(_, given)| *given)
        {
            usage_error(&format!("{name} fixes a knob that the {} policy sets; add --gc=static", policy.name()));
        }
        if self.model.is_some() && policy != PolicyChoice::Advisor {
            usage_error(&format!("--model is for the advisor, not for --gc={}", policy.name()));
        }
        if policy != PolicyChoice::Advisor
            && let Some(name) = self.advisor.given()
        {
            usage_error(&format!("{name} is for the advisor, not for --gc={}", policy.name()));
        }
        if !matches!(policy, PolicyChoice::Static(_)) {
            return self.advisor.applied(gc(&policy, self.model.as_deref(), self.gc_seed));
        }
        let knobs = knobs(&policy);
        Gc::fixed(FixedKnobs {
            old_region_bytes: self.region_size.or(knobs.old_region_bytes),
            eden_region_bytes: self.eden_region_size.or(self.region_size).or(knobs.eden_region_bytes),
            concurrent_start_share: self.ihop.or(knobs.concurrent_start_share),
            young_bytes: self.young_size.or(knobs.young_bytes),
            ..knobs
        })
    }

    /// The instance with these settings; an error is one line for the user.
    pub fn apply(&self, gc: Gc, mut instance: InstanceBuilder) -> Result<InstanceBuilder, String> {
        instance = instance.gc(gc).verify(self.gc_verify);
        if let Some(goal) = self.pause_goal {
            instance = instance.pause_goal(goal);
        }
        if let Some(bytes) = self.max_heap {
            instance = instance.max_heap(bytes);
        }
        instance = instance.census_on_out_of_memory(self.gc_census_on_oom);
        if let Some(every_bytes) = self.gc_sample {
            instance = instance.sample_allocations(every_bytes);
        }
        if self.gc_work_clock {
            instance = instance.clock(Box::new(WorkClock::default()));
        }
        if let Some(zeal) = self.gc_zeal {
            instance = instance.zeal(zeal);
        }
        if let Some(path) = &self.gc_log {
            instance = instance.gc_log(Box::new(create(path)?), on_error(path));
        }
        if let Some(path) = &self.gc_journal {
            instance = instance.gc_journal(Box::new(create(path)?), on_error(path));
        }
        Ok(instance)
    }
}

impl AdvisorArgs {
    /// One of the options, if any is given.
    fn given(&self) -> Option<&'static str> {
        let options = [
            ("--goal", self.goal.is_some()),
            ("--advisor", self.mode.is_some()),
            ("--advisor-freeze", !self.freeze.is_empty()),
        ];
        options.into_iter().find_map(|(name, given)| given.then_some(name))
    }

    /// The policy with these options. Ends the process if a knob to be frozen is none.
    pub fn applied(&self, gc: Gc) -> Gc {
        let frozen: Result<FixedKnobs, KnobError> = self.freeze.join("\n").parse();
        let frozen = frozen.unwrap_or_else(|why| usage_error(&format!("can't use --advisor-freeze: {why}")));
        let gc = gc.goal(self.goal.unwrap_or_default()).frozen(frozen);
        if self.mode == Some(AdvisorMode::Shadow) { gc.in_shadow() } else { gc }
    }
}

/// The policy of a choice. Ends the process if its file can't be used.
pub fn gc(policy: &PolicyChoice, model: Option<&Path>, seed: u64) -> Gc {
    match policy {
        PolicyChoice::Static(_) => Gc::fixed(knobs(policy)),
        PolicyChoice::Adaptive => Gc::adaptive(),
        PolicyChoice::Advisor => model.map_or_else(Gc::advisor, Gc::advisor_from),
        PolicyChoice::SquareRoot(percent) => Gc::square_root(percent / 100.0),
        PolicyChoice::Ratio(percent) => Gc::ratio(percent / 100.0),
        PolicyChoice::Explore => Gc::explore(seed),
        PolicyChoice::Survey => Gc::survey(seed),
        PolicyChoice::Adversarial => Gc::adversarial(seed),
    }
}

/// The knobs that a static policy's file sets; one that can't be used is a wrong option.
fn knobs(policy: &PolicyChoice) -> FixedKnobs {
    let PolicyChoice::Static(Some(path)) = policy else { return FixedKnobs::default() };
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string());
    let knobs = text.and_then(|text| text.parse().map_err(|e: KnobError| e.to_string()));
    knobs.unwrap_or_else(|why| usage_error(&format!("can't use the knobs in `{}`: {why}", path.display())))
}

fn create(path: &Path) -> Result<BufWriter<File>, String> {
    File::create(path).map(BufWriter::new).map_err(|e| format!("can't write `{}`: {e}", path.display()))
}

/// The run goes on without its record.
fn on_error(path: &Path) -> OnError {
    let path = path.to_owned();
    Box::new(move |error| report::warning(&format!("can't write `{}`: {error}", path.display()), false))
}
