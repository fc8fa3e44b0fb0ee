//! The policy seam on a real heap: one snapshot, one decision, one outcome a cycle, and what observers make of them.

mod support;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use support::{Double, FakeClock, Operation, Random};
use tenure_gc::journal::{Journal, JournalWriter};
use tenure_gc::log::LogWriter;
use tenure_gc::policy::{
    Adaptive, Adversarial, Decision, Envelope, Knobs, Outcome, Overrides, Policy, Reason, Snapshot, Static,
};
use tenure_gc::{Collect, Cycle, Heap, HeapConfig, MarkEvent, MarkReport, Observer, PauseReport};

const MIB: u64 = 1 << 20;

fn config(zeal: &str) -> HeapConfig {
    HeapConfig { zeal: zeal.parse().unwrap(), clock: Box::new(FakeClock::default()), ..HeapConfig::new(64 * MIB) }
}

fn run(double: &mut Double, seed: u64, operations: usize) {
    let mut random = Random::new(seed);
    (0..operations).for_each(|_| double.run(&Operation::random(&mut random)));
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What happened at the seam, in order.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    Decide(&'static str, u64),
    Observe(&'static str, u64, bool),
}

#[derive(Clone)]
struct Witness {
    name: &'static str,
    events: Arc<Mutex<Vec<Event>>>,
    inner: Adaptive,
}

impl Policy for Witness {
    fn name(&self) -> &'static str {
        self.name
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        self.events.lock().unwrap().push(Event::Decide(self.name, snapshot.cycle));
        self.inner.decide(snapshot, current, envelope)
    }

    fn observe(&mut self, outcome: &Outcome) {
        self.events.lock().unwrap().push(Event::Observe(self.name, outcome.cycle, outcome.unfinished));
    }
}

#[test]
fn every_decision_gets_one_outcome_over_a_switch_and_to_the_end() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let witness = |name| Box::new(Witness { name, events: events.clone(), inner: Adaptive::new() });
    let mut double = Double::new(config(""), witness("first"));
    double.collect(Collect::Young);
    double.heap.set_policy(witness("second"));
    assert_eq!(double.heap.policy_name(), "second");
    double.collect(Collect::Mark);
    double.collect(Collect::Full);
    drop(double);
    use Event::{Decide, Observe};
    let wanted = [
        Decide("first", 0),
        Observe("first", 1, false),
        Decide("first", 1),
        Observe("first", 2, false),
        Decide("second", 2),
        Observe("second", 3, false),
        Decide("second", 3),
        Observe("second", 4, true),
    ];
    assert_eq!(*events.lock().unwrap(), wanted);
}

#[test]
fn knobs_are_clamped_whatever_a_policy_says() {
    #[derive(Default)]
    struct Check(Option<Envelope>);
    impl Observer for Check {
        fn cycle(&mut self, cycle: &Cycle) {
            let knobs = &cycle.decision.knobs;
            if let Some(envelope) = &self.0 {
                assert_eq!(envelope.clamp(knobs, knobs), *knobs);
            }
            assert!(knobs.concurrent_start_share.is_finite() && knobs.mixed_live_share.is_finite());
            assert!(knobs.old_region_bytes.is_power_of_two() && knobs.eden_region_bytes.is_power_of_two());
        }
    }
    let mut double = Double::new(config("young:64K"), Box::new(Adversarial::new(9)));
    let envelope = *double.heap.envelope();
    double.heap.add_observer(Box::new(Check(Some(envelope))));
    run(&mut double, 1, 1500);
    assert!(double.heap.stats().pauses() > 50);
}

#[test]
fn the_journal_of_a_run_holds_every_cycle_and_is_the_same_each_time() {
    let record = || {
        let out = Shared::default();
        let mut double = Double::new(config("young:128K,mark:1M"), Box::new(Adaptive::new()));
        let writer =
            JournalWriter::new(Box::new(out.clone()), "seam", Box::new(|error| panic!("cannot write: {error}")));
        double.heap.add_observer(Box::new(writer));
        run(&mut double, 2, 1500);
        let pauses = double.heap.stats().pauses();
        drop(double);
        (out.bytes(), pauses)
    };
    let (bytes, pauses) = record();
    assert!(bytes == record().0, "the same run wrote another journal");
    let (journal, error) = Journal::salvage(&bytes, "seam.tgj").unwrap();
    assert!(error.is_none());
    assert_eq!(journal.cycles.len() as u64, pauses + 1);
    for (at, cycle) in journal.cycles.iter().enumerate() {
        assert_eq!(cycle.snapshot.cycle, at as u64);
        assert_eq!(cycle.outcome.cycle, at as u64 + 1);
        assert_eq!(cycle.outcome.unfinished, at as u64 == pauses);
        assert_eq!(cycle.decision.reason, Reason::Adaptive);
    }
    for pair in journal.cycles.windows(2) {
        let (outcome, next) = (&pair[0].outcome, &pair[1].snapshot);
        assert_eq!((outcome.pause_ns, outcome.kind), (next.pause_ns, next.kind));
        assert_eq!(outcome.allocated_bytes, next.allocated_bytes + next.large_allocated_bytes);
        assert!(next.uptime_ns > pair[0].snapshot.uptime_ns);
    }
}

#[test]
fn snapshots_add_up_to_the_statistics() {
    #[derive(Clone, Default)]
    struct Sum(Arc<Mutex<[u64; 4]>>);
    impl Observer for Sum {
        fn marking(&mut self, report: &MarkReport) {
            if matches!(report.event, MarkEvent::Remark | MarkEvent::Cleanup) {
                self.0.lock().unwrap()[0] += report.length_ns;
            }
        }

        fn pause(&mut self, report: &PauseReport) {
            let mut sum = self.0.lock().unwrap();
            let snapshot = &report.snapshot;
            let values = [
                snapshot.pause_ns,
                snapshot.allocated_bytes + snapshot.large_allocated_bytes,
                snapshot.survived_bytes + snapshot.promoted_bytes + snapshot.compacted_bytes,
                snapshot.barrier_slow_paths,
            ];
            *sum = std::array::from_fn(|i| sum[i] + values[i]);
            assert!(report.after.used_bytes <= report.after.committed_bytes);
            assert_eq!(report.after.eden_bytes, 0);
            assert!(report.number + 1 >= snapshot.cycle, "concurrent cycles have numbers too");
        }
    }
    let sum = Sum::default();
    let mut double = Double::new(config("young:256K"), Box::<Static>::default());
    double.heap.add_observer(Box::new(sum.clone()));
    run(&mut double, 3, 1500);
    double.collect(Collect::Young);
    let stats = double.heap.stats();
    let [pause_ns, allocated, copied, slow_paths] = *sum.0.lock().unwrap();
    assert_eq!(stats.pause_ns_total, pause_ns);
    assert_eq!(stats.allocated_bytes, allocated);
    assert_eq!(stats.copied_bytes, copied);
    assert_eq!(stats.barrier_slow_paths, slow_paths);
    assert!(stats.pause_ns_p50() <= stats.pause_ns_p99() && stats.pause_ns_p99() <= stats.pause_ns_max);
    assert!(stats.pause_ns_p50() > 0);
}

#[test]
fn log_lines_are_those_that_analysers_read() {
    let out = Shared::default();
    let mut double = Double::new(config(""), Box::new(Adaptive::new()));
    double.heap.add_observer(Box::new(LogWriter::new(Box::new(out.clone()), Box::new(|_| {}))));
    double.run(&Operation::List { root: 0, length: 2000 });
    for kind in [Collect::Young, Collect::Mark, Collect::Full] {
        double.collect(kind);
    }
    drop(double);
    let text = String::from_utf8(out.bytes()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("][info][gc] Using G1"));
    assert!(lines[1].ends_with("][info][gc,init] Heap Region Size: 1M"));
    let starts = ["Pause Young (Normal)", "Pause Young (Concurrent Start)", "Pause Full"];
    // The concurrent cycle has a number of its own.
    for (number, name) in [0, 1, 3].into_iter().zip(starts) {
        let of_pause: Vec<_> = lines.iter().filter(|line| line.contains(&format!("GC({number}) "))).collect();
        assert!(of_pause[0].contains(&format!("[info][gc,start    ] GC({number}) {name} (")), "{}", of_pause[0]);
        for role in ["Eden", "Survivor", "Old", "Humongous"] {
            let wanted = format!("[info][gc,heap     ] GC({number}) {role} regions: ");
            assert!(of_pause.iter().any(|line| line.contains(&wanted)), "{wanted}");
        }
        let sum = of_pause.iter().find(|line| line.contains("[info][gc          ] ")).expect("the line of the pause");
        assert!(sum.contains("K->") && sum.ends_with("ms"), "{sum}");
        let last = of_pause.last().unwrap();
        assert!(last.contains("[info][gc,cpu      ] ") && last.contains("User=") && last.ends_with('s'), "{last}");
        // The time stamps are seconds with three digits.
        assert!(of_pause.iter().all(|line| line.starts_with('[') && line[..line.find("s]").unwrap()].contains('.')));
    }
    let of_cycle: Vec<_> = lines.iter().filter(|line| line.contains("GC(2) ")).collect();
    for (line, wanted) in [(0, "GC(2) Concurrent Mark Cycle"), (1, "GC(2) Pause Remark"), (of_cycle.len() - 1, "ms")] {
        assert!(of_cycle[line].ends_with(wanted), "{of_cycle:?}");
    }
}

#[test]
fn a_heap_moves_between_threads_and_errors_are_told_apart() {
    fn sendable<T: Send>() {}
    sendable::<Heap>();
    let shapes = support::Shapes::new();
    for limit_bytes in [0, MIB - 1, u64::MAX] {
        let made = Heap::new(HeapConfig::new(limit_bytes), shapes.table.clone(), Box::<Static>::default());
        let error = made.err().expect("an error");
        assert!(error.is_limit() && !error.is_reservation());
        assert!(error.to_string().contains(&limit_bytes.to_string()));
    }
    let mut double = Double::new(config(""), Box::new(Adaptive::new()));
    let huge = double.heap.allocate_array(double.shapes.refs, u64::MAX, &mut double.roots).unwrap_err();
    assert_eq!(huge.limit_bytes, 64 * MIB);
    let big = double.heap.allocate_array(double.shapes.bytes, 65 * MIB, &mut double.roots).unwrap_err();
    assert_eq!(big.requested_bytes, 65 * MIB + 8);
    double.run(&Operation::List { root: 0, length: 100 });
    double.check();
}

#[test]
fn free_memory_goes_back_to_the_system() {
    let overrides = Overrides { young_bytes: Some(8 * MIB), ..Overrides::default() };
    let keep = Overrides { uncommit_delay_ns: Some(u64::MAX), ..overrides };
    let mut double = Double::new(config(""), Box::new(Static::new(keep)));
    for round in 0..40 {
        double.run(&Operation::Bytes { root: round % 10, len: 2_000_000, byte: 1 });
    }
    (0..10).for_each(|root| double.clear(root));
    double.collect(Collect::Full);
    let high_bytes = double.heap.stats().committed_bytes;
    assert!(high_bytes > 20 * MIB, "{high_bytes}");
    // A target is met at once; what the next cycle needs stays.
    let target = Overrides { heap_target_bytes: Some(16 * MIB), ..keep };
    double.heap.set_policy(Box::new(Static::new(target)));
    (0..2).for_each(|_| double.collect(Collect::Young));
    let low_bytes = double.heap.stats().committed_bytes;
    assert!((8 * MIB..=16 * MIB).contains(&low_bytes), "{low_bytes}");
    // What goes back is zero when it comes again; `new_bytes` checks that.
    double.run(&Operation::Bytes { root: 0, len: 20_000_000, byte: 2 });
    double.clear(0);
    double.collect(Collect::Full);
    // Without a target, time does it; a cycle needs 8 MiB of eden and room for what may survive of it.
    let delay = Overrides { uncommit_delay_ns: Some(1_000_000), ..overrides };
    double.heap.set_policy(Box::new(Static::new(delay)));
    (0..200).for_each(|_| double.collect(Collect::Young));
    assert!(double.heap.stats().committed_bytes <= 15 * MIB, "{}", double.heap.stats().committed_bytes);
    double.check();
}
