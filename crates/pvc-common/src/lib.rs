//! The vocabulary that the daemons, the API and the client must agree on.
//!
//! Everything here is a value: no I/O, no clock, no randomness. What a plan reads
//! ([`view`], [`observed`]) and writes ([`zk::Op`]) is vocabulary too, so that ports and
//! decisions can meet here without knowing each other.

pub mod api;
pub mod id;
pub mod model;
pub mod observed;
pub mod secret;
pub mod state;
pub mod unit;
pub mod view;
pub mod zk;
pub mod zone;
