//! Databases in memory, which keep the same contract.

mod replicas;
mod zones;

pub use replicas::{FakeReplicas, Site};
pub use zones::FakeZones;
