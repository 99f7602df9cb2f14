//! The port to other machines' power: [`Power`] is what fencing needs of a BMC, [`fake`] a room
//! of machines that are not there.

mod bmc;
pub mod fake;
mod power;

pub use bmc::{Bmc, DEFAULT_PORT};
pub use power::{Power, PowerError, PowerState};
