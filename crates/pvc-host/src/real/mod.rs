//! This machine itself.

mod announcer;
mod links;
mod netlink;
mod sysctl;
mod units;

pub use announcer::PacketAnnouncer;
pub use links::Netlink;
pub use sysctl::ProcSys;
pub use units::Systemctl;
