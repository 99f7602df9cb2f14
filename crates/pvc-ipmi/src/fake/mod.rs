//! A room of machines that are not there, and their BMCs.
//!
//! Machines are told apart by their BMC's host. A test sets what a BMC is like
//! ([`Condition`], [`FakePower::answers_after`]) and sees what really happened
//! ([`FakePower::is_on`], [`FakePower::commands`]), which a lying BMC would not tell it.
//!
//! Time is tokio's, so under a paused clock everything is quick and the same each time.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use pvc_ipmi::fake::FakePower;
//! use pvc_ipmi::{Power, PowerState};
//!
//! let power = FakePower::new();
//! let bmc = power.machine("hv1-lom");
//! power.off(&bmc).await.unwrap();
//! assert_eq!(power.status(&bmc).await, Ok(PowerState::Off));
//! assert!(!power.is_on("hv1-lom"));
//! # }
//! ```

mod power;
mod room;

pub use power::FakePower;
pub use room::{Command, Condition};
