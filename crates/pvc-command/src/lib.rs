//! Runs a program: bounded, logged, captured.
