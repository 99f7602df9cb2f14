//! The port to other machines' power: [`Power`] is what fencing needs of a BMC, [`Ipmi`] the real
//! one, [`fake`] a room of machines that are not there.

mod bmc;
pub mod fake;
mod power;
mod real;

pub use bmc::{Bmc, DEFAULT_PORT};
pub use power::{Power, PowerError, PowerState};
pub use real::Ipmi;
