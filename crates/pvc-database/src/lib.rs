//! The port to the databases of the coordinators.
//!
//! [`Zones`] is what is kept in PowerDNS' database, [`Replicas`] who leads of the databases that
//! Patroni replicates. Both are there for real ([`Postgres`], [`Patroni`]) and in memory
//! ([`fake`]).

pub mod fake;
mod real;
mod replicas;
mod zones;

pub use real::{Login, Patroni, Postgres};
pub use replicas::{Replicas, ReplicasError};
pub use zones::{Zones, ZonesError};
