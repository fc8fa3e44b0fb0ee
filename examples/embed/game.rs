//! A game loop: the world lives in a script with a heap of its own, the program drives it frame by frame, changes the
//! collector's policy at run time, and goes on when a script uses up its memory.
//!
//! Run with `cargo run --release --example embed_game`.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tenure::{Engine, FixedKnobs, Gc, Host, Vm};

const WORLD: &str = r#"
use game

struct Body { var x: float; var y: float; var dx: float; var dy: float }

var bodies: [Body] = []
var trails: [[float]] = []

pub fn spawn(count: int) {
  for i in 0..count {
    let angle = float(i) * 0.7
    bodies.push(Body(x: 0.0, y: 0.0, dx: 1.0 + angle % 2.0, dy: 0.5 + angle % 3.0))
  }
}

/// One frame. Every body leaves a trail, so each frame makes garbage.
pub fn step(dt: float) -> int {
  trails = []
  for body in bodies {
    let trail: [float] = []
    for i in 0..20 {
      body.x += body.dx * dt / 20.0
      body.y += body.dy * dt / 20.0
      trail.push(body.x)
    }
    if body.x > 100.0 or body.x < 0.0 { body.dx = -body.dx; game.bounce() }
    if body.y > 100.0 or body.y < 0.0 { body.dy = -body.dy; game.bounce() }
    trails.push(trail)
  }
  bodies.len()
}

/// A script that a player wrote: it never lets go of anything.
pub fn leak() -> int {
  let kept: [[int]] = []
  loop { kept.push([1, 2, 3, 4, 5, 6, 7, 8]) }
  0
}

pub fn bodies_alive() -> int { bodies.len() }
"#;

fn frames(vm: &mut Vm, count: u32) -> Result<i64, Box<dyn Error>> {
    let step = vm.func::<(f64,), i64>("step")?;
    let mut bodies = 0;
    for _ in 0..count {
        bodies = step.call(vm, (0.5,))?;
    }
    Ok(bodies)
}

fn main() -> Result<(), Box<dyn Error>> {
    let bounces = Arc::new(AtomicI64::new(0));
    let counter = Arc::clone(&bounces);
    let host = Host::new("game").func("bounce", move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let engine = Engine::builder().gc(Gc::advisor()).pause_goal(Duration::from_millis(5)).max_heap(24 << 20).build()?;
    let program = engine.compile("world.ten", WORLD, &host)?;
    let mut vm = program.instance().build()?;
    vm.run()?;
    vm.func::<(i64,), ()>("spawn")?.call(&mut vm, (500,))?;

    // policies change at run time; what the world does must not
    let small = FixedKnobs { old_region_bytes: Some(64 << 10), young_bytes: Some(1 << 20), ..FixedKnobs::default() };
    for gc in [Gc::advisor(), Gc::adaptive(), Gc::fixed(small)] {
        vm.gc().set_policy(gc);
        let bodies = frames(&mut vm, 100)?;
        let pauses = vm.gc().stats().pauses();
        println!("{bodies} bodies under {}, collected: {}", vm.gc().policy_name(), pauses > 0);
    }
    println!("{} bounces", bounces.load(Ordering::Relaxed));

    // a script that exhausts its heap is stopped with an error that tells where; its world lives on
    let leak = vm.func::<(), i64>("leak")?;
    match leak.call(&mut vm, ()) {
        Ok(_) => println!("the leak went unnoticed"),
        Err(error) => {
            let place = error.trace().find(|frame| frame.function == "leak").map(|frame| frame.line);
            println!("out of memory: {}, in leak: {}", error.is_out_of_memory(), place.is_some());
        }
    }
    let alive = vm.func::<(), i64>("bodies_alive")?.call(&mut vm, ())?;
    println!("{alive} bodies still there, {} after another frame", frames(&mut vm, 1)?);
    Ok(())
}
