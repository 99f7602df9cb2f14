//! The port to this machine: links, kernel settings, units, ARP, its firewall, cards with SR-IOV, its
//! watchdog and its power, the datagrams of the uptime mesh, and what /proc tells.
//!
//! Each outside thing is a small trait with a real implementation in [`real`]; [`fake`] is a
//! machine in memory that implements them all.

mod arp;
pub mod fact;
pub mod fake;
mod firewall;
mod frr;
mod link;
mod mesh;
mod power;
pub mod real;
mod sriov;
mod sysctl;
mod unit;
mod watchdog;

pub use arp::{Announcement, Announcer};
pub use firewall::{Detail, Firewall, FirewallError};
pub use frr::{Frr, FrrError};
pub use link::{DefaultRoute, Link, LinkError, LinkStep, LinkTable, Links, Mac};
pub use mesh::{Prober, Responder, Token, Wire, WireError};
pub use power::{PowerError, SelfPower};
pub use sriov::{Sriov, SriovError};
pub use sysctl::{Sysctl, SysctlError};
pub use unit::{UnitError, UnitState, Units};
pub use watchdog::{Watchdog, WatchdogError};
