//! Where the library's own sources are: embedded, so that one binary is all a script needs.

/// Name and text of each file of the core library, which together are one module.
pub fn core_sources() -> &'static [(&'static str, &'static str)] {
    &[
        ("core/prelude.ten", include_str!("../core/prelude.ten")),
        ("core/traits.ten", include_str!("../core/traits.ten")),
        ("core/result.ten", include_str!("../core/result.ten")),
        ("core/number.ten", include_str!("../core/number.ten")),
        ("core/array.ten", include_str!("../core/array.ten")),
        ("core/derived.ten", include_str!("../core/derived.ten")),
        ("core/list.ten", include_str!("../core/list.ten")),
        ("core/map.ten", include_str!("../core/map.ten")),
        ("core/set.ten", include_str!("../core/set.ten")),
        ("core/range.ten", include_str!("../core/range.ten")),
        ("core/iter.ten", include_str!("../core/iter.ten")),
        ("core/str.ten", include_str!("../core/str.ten")),
    ]
}

/// The modules: what `use` calls them, the name diagnostics show, and the text.
const MODULES: &[(&str, &str, &str)] = &[
    ("bytes", "std/bytes.ten", include_str!("../modules/bytes.ten")),
    ("collections", "std/collections.ten", include_str!("../modules/collections.ten")),
    ("fs", "std/fs.ten", include_str!("../modules/fs.ten")),
    ("gc", "std/gc.ten", include_str!("../modules/gc.ten")),
    ("io", "std/io.ten", include_str!("../modules/io.ten")),
    ("json", "std/json.ten", include_str!("../modules/json.ten")),
    ("math", "std/math.ten", include_str!("../modules/math.ten")),
    ("os", "std/os.ten", include_str!("../modules/os.ten")),
    ("path", "std/path.ten", include_str!("../modules/path.ten")),
    ("random", "std/random.ten", include_str!("../modules/random.ten")),
    ("regex", "std/regex.ten", include_str!("../modules/regex.ten")),
    ("text", "std/text.ten", include_str!("../modules/text.ten")),
    ("time", "std/time.ten", include_str!("../modules/time.ten")),
];

/// Name and text of the module at `path`; `std.` may stand in front.
pub fn module(path: &str) -> Option<(&'static str, &'static str)> {
    let path = path.strip_prefix("std.").unwrap_or(path);
    MODULES.iter().find(|(name, ..)| *name == path).map(|&(_, file, text)| (file, text))
}

/// The modules that `use` finds here, in alphabetical order.
pub fn module_names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, ..)| *name)
}
