//! The podscope binary: runs scenarios headless.
fn main() {}
