//! Turns the grammar into the parser's tables; a grammar that is not LR(1) fails the build here.

fn main() {
    lalrpop::Configuration::new()
        .use_cargo_dir_conventions()
        .emit_rerun_directives(true)
        .log_quiet()
        .process()
        .expect("the grammar is LR(1)");
}
