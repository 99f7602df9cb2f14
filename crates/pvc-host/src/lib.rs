//! The port to this machine: links, kernel settings, units, ARP, and what /proc tells.
//!
//! Each outside thing is a small trait with a real implementation in [`real`]; [`fake`] is a
//! machine in memory that implements them all.

mod arp;
pub mod fact;
pub mod fake;
mod link;
pub mod real;
mod sysctl;
mod unit;

pub use arp::{Announcement, Announcer};
pub use link::{DefaultRoute, Link, LinkError, LinkStep, LinkTable, Links, Mac};
pub use sysctl::{Sysctl, SysctlError};
pub use unit::{UnitError, UnitState, Units};
