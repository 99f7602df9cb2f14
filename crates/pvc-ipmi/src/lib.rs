//! The port to other machines' power: [`Power`] is what fencing needs of a BMC, [`Ipmi`] speaks
//! to real ones, [`fake`] is a room of machines that are not there. One contract suite runs on
//! both.

mod bmc;
pub mod fake;
mod power;
mod real;

pub use bmc::{Bmc, DEFAULT_PORT};
pub use power::{Power, PowerError, PowerState};
pub use real::Ipmi;
