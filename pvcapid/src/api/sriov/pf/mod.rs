//! Physical functions: the ports of cards that are divided.

pub(in crate::api) mod list;
