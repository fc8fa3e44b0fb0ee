//! A rules engine: the rules are a script that the business can change, the data and the results are the program's.
//!
//! Run with `cargo run --release --example embed_rules`.

use std::error::Error;
use tenure::{Engine, Host};

const RULES: &str = r#"
use shop

struct Rule {
  name: str
  applies: fn(float, int) -> bool
  percent: float
}

let rules = [
  Rule(name: "large order", applies: |total, items| total >= 100.0, percent: 5.0),
  Rule(name: "many items", applies: |total, items| items >= 10, percent: 3.0),
  Rule(name: "trifle", applies: |total, items| total < 1.0, percent: 0.0),
]

/// Discount in percent; never more than the shop allows.
pub fn discount(customer: str, total: float, items: int) -> float {
  var percent = 0.0
  for rule in rules {
    if rule.applies(total, items) { percent += rule.percent }
  }
  percent += shop.loyalty(customer) / 2.0
  min(percent, shop.most_discount())
}

/// What the customer reads.
pub fn greeting(customer: str, total: float) -> str {
  "Dear {customer}, you pay {total:.2}"
}
"#;

struct Order {
    customer: &'static str,
    total: f64,
    items: i64,
}

const ORDERS: [Order; 4] = [
    Order { customer: "Ada", total: 120.0, items: 3 },
    Order { customer: "Grace", total: 45.5, items: 12 },
    Order { customer: "Alan", total: 250.0, items: 40 },
    Order { customer: "Edsger", total: 0.5, items: 1 },
];

/// Years that a customer has been one; an error reaches the script as a panic it may catch, and the program otherwise.
fn loyalty(customer: &str) -> Result<f64, String> {
    match customer {
        "Ada" => Ok(8.0),
        "Grace" => Ok(2.0),
        "Alan" => Ok(12.0),
        other => Err(format!("no customer is called {other}")),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::builder().max_heap(16 << 20).build()?;
    let host = Host::new("shop").func("loyalty", loyalty).func("most_discount", || 10.0);
    let program = engine.compile("rules.ten", RULES, &host)?;
    let mut vm = program.instance().build()?;
    vm.run()?;

    // names and types are checked here, once
    let discount = vm.func::<(&str, f64, i64), f64>("discount")?;
    let greeting = vm.func::<(&str, f64), String>("greeting")?;
    for order in &ORDERS {
        match discount.call(&mut vm, (order.customer, order.total, order.items)) {
            Ok(percent) => {
                let pays = order.total * (1.0 - percent / 100.0);
                println!("{} ({percent} % off)", greeting.call(&mut vm, (order.customer, pays))?);
            }
            // a rule that fails is this order's trouble, not the program's
            Err(error) => println!("{}: {} [{}]", order.customer, error.message(), error.kind()),
        }
    }

    let wrong = vm.func::<(i64,), f64>("discount").err().map_or_else(String::new, |e| e.to_string());
    println!("{wrong}");
    Ok(())
}
