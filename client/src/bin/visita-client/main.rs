//! A participant without a window.
fn main() {}
