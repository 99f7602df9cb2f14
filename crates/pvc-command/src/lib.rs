//! Runs a program: bounded, logged, captured. The one place that starts processes.
//!
//! ```no_run
//! # async fn example() -> Result<(), pvc_command::CommandError> {
//! use pvc_command::Command;
//! use std::time::Duration;
//!
//! let output = Command::new("ip", Duration::from_secs(5))
//!     .args(["-j", "address", "show"])
//!     .run()
//!     .await?;
//! println!("{}", output.stdout);
//! # Ok(())
//! # }
//! ```
//!
//! There is never a shell: arguments arrive as they were given. The program and everything it
//! starts form one process group, which is killed when the limit passes or when the future is
//! dropped, so a step that is given up leaves nothing behind.

mod capture;
mod command;
mod error;
mod feed;
mod group;

pub use command::{Command, Output};
pub use error::CommandError;
