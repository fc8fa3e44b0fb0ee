//! A module of any length for measuring the front end: every line has at least eight tokens, none is blank or a
//! comment, a third stands inside templates. The text depends on nothing but the length.

use std::fmt::Write as _;

/// Lines of one group: twenty in annotated functions and types, ten in templates.
pub const GROUP_LINES: usize = 30;

/// A module of about `lines` lines, whole groups.
pub fn large_module(lines: usize) -> String {
    let mut out = String::with_capacity(lines * 64);
    for k in 0..lines.div_ceil(GROUP_LINES) {
        group(k, &mut out);
    }
    out
}

fn group(k: usize, out: &mut String) {
    let text = format!(
        "\
fn plain{k}(a: int, b: int, c: float) -> int {{
  let first = a * 3 + b - {k} % 17
  var total = first + mixed{k}(a, b) * 2
  for i in 0..a {{ total += i * b + first }}
  while total > 1000 and b > 0 {{ total -= first + 1 }}
  let words = [\"one\", \"two\", \"{k}\", \"{{total}} of {{b}}\"]
  if words.len() > 3 and total != 7 {{ total += words[0].len() }}
  let scaled = float(total) * c + 0.5 - float(b)
  let pick = match total {{ 0 => 1; 1 | 2 => b; _ => a - 1 }}
  if scaled > 10.0 {{ total + pick }} else {{ total - int(scaled) }} }}
struct Item{k} {{ pub name: str; pub var count: int = 0; pub weight: float = 1.5
  pub fn grow(self, by: int) -> int {{ self.count += by; self.count * 2 }}
  pub fn label(self) -> str = \"{{self.name}}: {{self.count}} of {k}\"
  pub fn heavy(self, limit: float) -> bool = self.weight > limit and self.count > 0 }}
enum Shape{k} {{ Circle{k}(r: float); Square{k}(side: float, turned: bool); Point{k}
  pub fn area(self) -> float = match self {{ Circle{k}(r) => 3.14 * r * r; Square{k}(s, _) => s * s; Point{k} => 0.0 }}
  pub fn grown(self, by: float) -> Shape{k} = match self {{ Circle{k}(r) => Circle{k}(r * by); other => other }} }}
fn tally{k}(items: [Item{k}], by: [str: int]) -> int {{ var sum = 0
  for item in items {{ sum += item.grow(by[item.name] ?? 1) + gather{k}([item.count, 2]) }}
  if let found = by[\"total\"] {{ sum += found * 2 }}; sum + int(Circle{k}(1.5).area()) }}
fn mixed{k}(x, y) {{ let start = x + y * 2
  let next = start * 3 - y + choose{k}(x, y)
  var most = if next > start {{ next }} else {{ start + 1 }}
  for step in 0..3 {{ most = most + x * step - y }}
  match most {{ 0 => x; 1..=9 => y + x; _ => most - start }} }}
fn choose{k}(left, right) {{ if left < right {{ left }} else {{ right }} }}
fn gather{k}(values) {{ var kept = [values[0]]; let least = values[0]
  for value in values {{ if value > least {{ kept.push(value + least) }} }}
  let doubled = kept.map(|v| v + v).filter(|v| v != least); let many = doubled.len()
  if many > 2 and kept.len() > many - 1 {{ doubled[0] }} else {{ least }} }}
"
    );
    debug_assert_eq!(text.lines().count(), GROUP_LINES);
    let _ = out.write_str(&text);
}
