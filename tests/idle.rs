//! G1's row "periodic collection when idle", as an embedding program meets it.

use std::time::{Duration, Instant};
use tenure::{Engine, Host};

#[test]
fn a_heap_that_its_host_leaves_alone_gives_memory_back_by_itself() {
    let script = "
struct Node { number: int, next: Node? }
var kept: [Node] = []
pub fn fill(count: int) {
  kept = [Node(number: i, next: nil) for i in 0..count]
  var chain: Node? = nil
  for i in 0..(count * 20) { chain = if i % 1000 == 0 { nil } else { Node(number: i, next: chain) } }
}";
    let engine = Engine::builder().max_heap(256 << 20).build().expect("sound settings");
    let program = engine.compile("idle.ten", script, &Host::none()).expect("a sound script");
    let mut vm = program.instance().build().expect("a heap");
    vm.run().expect("it only defines");
    vm.func::<(i64,), ()>("fill").expect("it has one").call(&mut vm, (300_000,)).expect("there is room");
    let busy_bytes = vm.gc().stats().committed_bytes;
    // The service waits for some seconds; a busy machine may keep it waiting for longer.
    let patience = Instant::now() + Duration::from_secs(60);
    let mut idle_bytes = busy_bytes;
    while idle_bytes == busy_bytes && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(500));
        idle_bytes = vm.gc().stats().committed_bytes;
    }
    let live_bytes: u64 = vm.gc().census().iter().map(|line| line.bytes).sum();
    assert!(idle_bytes * 10 <= live_bytes * 13, "{idle_bytes} of {busy_bytes} committed for {live_bytes} live");
}
