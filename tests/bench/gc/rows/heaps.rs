//! What a heap costs that has just been made, and one that nobody uses.

use crate::Settings;
use crate::figures::quantile;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tenure::{Engine, Host};

const ALIVE: usize = 1000;

/// Measures both.
pub fn measure(settings: &Settings) -> String {
    let mut text =
        String::from("| limit | instances | median µs | p99 µs | resident KiB each |\n|---|---|---|---|---|\n");
    for limit in [64 << 20, 1 << 30, 6 << 30_u64] {
        let engine = Engine::builder().max_heap(limit).build().expect("sound settings");
        let program = engine.compile("empty.ten", "pub fn nothing() {}", &Host::none()).expect("a sound script");
        // few of the large ones: their addresses are reserved four times over
        let alive = (((64_u64 << 30) / limit) as usize).clamp(20, ALIVE);
        let before = resident_bytes();
        let mut times_us = Vec::new();
        let instances: Vec<_> = (0..alive)
            .map(|_| {
                let start = Instant::now();
                let instance = program.instance().build().expect("a heap");
                times_us.push(start.elapsed().as_secs_f64() * 1e6);
                instance
            })
            .collect();
        let each_kib = (resident_bytes() - before) / instances.len() as f64 / 1024.0;
        let (p50, p99) = (quantile(&times_us, 0.5), quantile(&times_us, 0.99));
        writeln!(text, "| {} MiB | {alive} | {p50:.0} | {p99:.0} | {each_kib:.0} |", limit >> 20)
            .expect("writing to a string");
    }
    text += "\nThe time is that of a whole instance: heap, stack, context, policy.\n";
    text + &idle(settings)
}

fn idle(settings: &Settings) -> String {
    let script = "
struct Node { number: int, next: Node? }
var kept: [Node] = []
pub fn fill(count: int) {
  kept = [Node(number: i, next: nil) for i in 0..count]
  var chain: Node? = nil
  for i in 0..(count * 20) { chain = if i % 1000 == 0 { nil } else { Node(number: i, next: chain) } }
}";
    let engine = Engine::builder().max_heap(512 << 20).build().expect("sound settings");
    let program = engine.compile("idle.ten", script, &Host::none()).expect("a sound script");
    let mut vm = program.instance().build().expect("a heap");
    vm.run().expect("it only defines");
    vm.func::<(i64,), ()>("fill").expect("it has one").call(&mut vm, (2_000_000,)).expect("there is room");
    let busy_bytes = vm.gc().stats().committed_bytes;
    std::thread::sleep(Duration::from_secs(settings.pick(12, 11)));
    let idle_bytes = vm.gc().stats().committed_bytes;
    let live_bytes: u64 = vm.gc().census().iter().map(|line| line.bytes).sum();
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    format!(
        "\nIdle: {:.0} MiB committed when the program stopped, {:.0} MiB after more than 10 s, {:.0} MiB live: {:.2} ×.\n",
        mib(busy_bytes),
        mib(idle_bytes),
        mib(live_bytes),
        idle_bytes as f64 / live_bytes as f64
    )
}

fn resident_bytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("this process's memory");
    let pages: f64 = text.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages * 4096.0
}
