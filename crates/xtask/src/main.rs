//! Developer commands: setup, build, serve, test, size, bench.
fn main() {}
