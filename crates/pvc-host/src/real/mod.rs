//! This machine itself.

mod announcer;
mod device;
mod firewall;
mod frr;
mod links;
mod look;
mod netlink;
mod power;
mod socket;
mod sriov;
mod sysctl;
mod units;
mod watchdog;
mod wire;

pub use announcer::PacketAnnouncer;
pub use firewall::Nft;
pub use frr::FrrReload;
pub use links::Netlink;
pub use power::KernelPower;
pub use sriov::SysfsSriov;
pub use sysctl::ProcSys;
pub use units::Systemctl;
pub use watchdog::KernelWatchdog;
pub use wire::UdpWire;
