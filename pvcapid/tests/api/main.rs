//! The API on a tree in memory, as its clients see it.

mod admission;
mod changing;
mod contract;
mod reading;
mod support;
mod vms;
