//! A profile as a picture: a flame graph (Gregg, The flame graph, 2016), callers above what they call, so that it begins
//! where a page does. Plain SVG: figures are tooltips, nothing in it runs.
//!
//! It must never know where a profile comes from.

use super::profile::{show_share, show_weight};
use std::fmt::Write;
use tenure::{Profile, ProfiledKind};

/// All in pixels.
const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 10.0;
const HEADER: f64 = 54.0;
const ROW: f64 = 18.0;
/// Of a monospaced letter.
const LETTER: f64 = 7.25;
/// Narrower frames can't be seen.
const FRAME_MIN: f64 = 0.25;

const LEGEND: [(ProfiledKind, &str); 4] = [
    (ProfiledKind::Script, "script and library"),
    (ProfiledKind::Native, "native"),
    (ProfiledKind::Collector, "collector"),
    (ProfiledKind::Compiler, "compiler"),
];

/// A frame that is drawn: index of the call, and where it lies.
struct Frame {
    call: usize,
    x: f64,
    width: f64,
}

/// The picture.
pub fn svg(profile: &Profile, title: &str) -> String {
    let frames = frames(profile);
    let rows = frames.iter().map(|frame| profile.calls()[frame.call].level).max().map_or(0, |level| level + 1);
    let height = HEADER + f64::from(rows) * ROW + MARGIN;
    let mut text = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">
<style>
text {{ font: 12px monospace; fill: #222; pointer-events: none }}
rect {{ stroke: #fff; stroke-width: 0.5 }}
g:hover rect {{ stroke: #000; stroke-width: 1 }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="{MARGIN}" y="20" style="font-weight: bold">{}</text>
"##,
        escaped(title)
    );
    legend(&mut text);
    for frame in &frames {
        draw(&mut text, profile, frame);
    }
    text.push_str("</svg>\n");
    text
}

/// What is wide enough, callers first. Below a caller the longest comes first.
fn frames(profile: &Profile) -> Vec<Frame> {
    let calls = profile.calls();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); calls.len()];
    for (index, call) in calls.iter().enumerate().skip(1) {
        below[call.above].push(index);
    }
    let scale = (WIDTH - 2.0 * MARGIN) / profile.total().max(1) as f64;
    let mut frames = Vec::new();
    let mut waiting = vec![Frame { call: 0, x: MARGIN, width: calls[0].total as f64 * scale }];
    while let Some(frame) = waiting.pop() {
        let below = &mut below[frame.call];
        below.sort_by_key(|&call| (std::cmp::Reverse(calls[call].total), call));
        let mut x = frame.x;
        for &call in &*below {
            let width = calls[call].total as f64 * scale;
            if width < FRAME_MIN {
                break;
            }
            waiting.push(Frame { call, x, width });
            x += width;
        }
        if frame.width >= FRAME_MIN {
            frames.push(frame);
        }
    }
    frames
}

fn draw(text: &mut String, profile: &Profile, frame: &Frame) {
    let call = &profile.calls()[frame.call];
    let (name, full_name, fill) = match call.function.map(|function| &profile.functions()[function]) {
        Some(function) => (function.name.clone(), function.to_string(), color(function.kind, &function.name)),
        None => ("all".into(), "all".into(), "hsl(0 0% 88%)".into()),
    };
    let share = |weight| format!("{} ({})", show_share(profile, weight), show_weight(profile.sampling(), weight));
    let tip = format!("{full_name}\n{} in all\n{} itself", share(call.total), share(call.own));
    let (x, y, width) = (frame.x, HEADER + f64::from(call.level) * ROW, frame.width);
    let _ = write!(text, "<g><title>{}</title>", escaped(&tip));
    let _ = write!(text, r#"<rect x="{x:.2}" y="{y}" width="{width:.2}" height="{ROW}" fill="{fill}"/>"#);
    if let Some(label) = clipped(&name, width) {
        let _ = write!(text, r#"<text x="{:.2}" y="{}">{}</text>"#, x + 3.0, y + 13.0, escaped(&label));
    }
    text.push_str("</g>\n");
}

fn legend(text: &mut String) {
    let mut x = MARGIN;
    for (kind, name) in LEGEND {
        let fill = color(kind, "");
        let _ = writeln!(text, r#"<rect x="{x}" y="31" width="12" height="12" fill="{fill}"/>"#);
        let _ = writeln!(text, r#"<text x="{}" y="41">{name}</text>"#, x + 17.0);
        x += 40.0 + name.len() as f64 * LETTER;
    }
    let hint = "wide: long; point at a frame for its figures";
    let _ = writeln!(text, r##"<text x="{}" y="41" text-anchor="end">{hint}</text>"##, WIDTH - MARGIN);
}

/// What fits into a frame, if that is worth reading.
fn clipped(name: &str, width: f64) -> Option<String> {
    let room = ((width - 6.0) / LETTER) as usize;
    if name.chars().count() <= room {
        return Some(name.into());
    }
    (room >= 4).then(|| name.chars().take(room - 1).chain(['…']).collect())
}

/// A hue for each kind; functions of one kind differ a little, the same name never does.
fn color(kind: ProfiledKind, name: &str) -> String {
    let shade = name.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into())) % 25;
    match kind {
        ProfiledKind::Script => format!("hsl({} 90% 68%)", 22 + shade),
        ProfiledKind::Native => format!("hsl({} 70% 75%)", 195 + shade),
        ProfiledKind::Collector => "hsl(130 45% 68%)".into(),
        ProfiledKind::Compiler => "hsl(280 50% 80%)".into(),
        ProfiledKind::Rest => "hsl(0 0% 75%)".into(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure::{Engine, Host, Sampling};

    fn profile() -> Profile {
        let script = "
fn fib(n: int) -> int = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
for i in 0..50 { assert(fib(12) == 144) }
assert([str(i) for i in 0..50].len() == 50)";
        let program = Engine::new().compile("test.ten", script, &Host::none()).expect("a sound script");
        let mut vm = program.instance().profile(Sampling::Polls(1)).build().expect("a heap");
        vm.run().expect("it runs");
        vm.profile().expect("it was asked for")
    }

    #[test]
    fn frames_lie_below_their_callers_side_by_side() {
        let profile = profile();
        let calls = profile.calls();
        let frames = frames(&profile);
        assert!(frames.len() > 5, "{}", frames.len());
        let within = |inner: &Frame, outer: &Frame| {
            inner.x >= outer.x - 1e-6 && inner.x + inner.width <= outer.x + outer.width + 1e-6
        };
        for (at, frame) in frames.iter().enumerate() {
            let above =
                frames.iter().find(|other| other.call == calls[frame.call].above).expect("it is as wide at least");
            assert!(within(frame, above));
            for other in frames[at + 1..].iter().filter(|other| calls[other.call].level == calls[frame.call].level) {
                assert!(other.x + other.width <= frame.x + 1e-6 || frame.x + frame.width <= other.x + 1e-6);
            }
        }
        assert_eq!(svg(&profile, "a <b> & c").matches("<g>").count(), frames.len());
    }

    #[test]
    fn names_are_clipped_and_escaped() {
        assert_eq!(clipped("short", 100.0).as_deref(), Some("short"));
        assert_eq!(clipped("a_long_name", 50.0).as_deref(), Some("a_lon…"));
        assert_eq!(clipped("a_long_name", 20.0), None);
        assert_eq!(escaped("a<b> & c"), "a&lt;b&gt; &amp; c");
    }
}
