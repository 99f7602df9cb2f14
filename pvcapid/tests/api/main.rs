//! The API on a tree in memory, as its clients see it.

#![expect(clippy::unwrap_used, reason = "tests")]

mod admission;
mod audit;
mod changing;
mod contract;
mod example;
mod exporting;
mod exposition;
mod fencing;
mod metrics;
mod network_parts;
mod network_use;
mod networks;
mod reading;
mod sriov;
mod storage;
mod storage_changes;
mod storage_faults;
mod support;
mod tasks;
mod uploads;
mod vms;
