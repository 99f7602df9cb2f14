//! The API daemon.

fn main() {}
