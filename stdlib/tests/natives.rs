//! Holds invariant L3: declarations in the sources and registered functions are the same, with the same types.

use std::collections::BTreeMap;
use tenure_runtime::native::Registry;

/// `name(types) -> type` of each `@native` line of a source.
fn declared(module: &str, text: &str, into: &mut BTreeMap<String, String>) {
    for line in text.lines().filter_map(|line| line.strip_prefix("@native ")) {
        let rest = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("fn ").expect("a function");
        let (name, rest) = rest.split_once('(').expect("parameters");
        let (params, rest) = rest.split_once(')').expect("an end of parameters");
        let params: Vec<&str> = params.split(',').filter_map(|p| Some(p.split_once(": ")?.1)).collect();
        // what never comes back has no value to give
        let result = rest.strip_prefix(" -> ").filter(|result| *result != "Never").unwrap_or("()");
        let name = format!("{module}.{name}");
        assert!(into.insert(name, format!("({}) -> {result}", params.join(", "))).is_none());
    }
}

#[test]
fn declarations_and_registered_functions_agree() {
    let mut expected = BTreeMap::new();
    for (_, text) in tenure_stdlib::core_sources() {
        declared("core", text, &mut expected);
    }
    for name in tenure_stdlib::module_names() {
        let (_, text) = tenure_stdlib::module(name).expect("a module that is listed");
        declared(name, text, &mut expected);
    }
    let mut registry = Registry::default();
    tenure_stdlib::register(&mut registry);
    let registered: BTreeMap<String, String> = registry
        .iter()
        .map(|(_, native)| {
            let params: Vec<&str> = native.params.iter().map(|p| p.name()).collect();
            (native.name.clone(), format!("({}) -> {}", params.join(", "), native.result.name()))
        })
        .collect();
    assert_eq!(registered, expected);
}

#[test]
fn modules_are_found_with_and_without_std() {
    assert_eq!(tenure_stdlib::module("fs"), tenure_stdlib::module("std.fs"));
    assert!(tenure_stdlib::module("no_such_module").is_none());
}
