//! The command-line program: the only place that touches the process.

fn main() {}
