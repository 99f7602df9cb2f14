//! Every decision of the cluster, as pure functions.
//!
//! A plan is made of what is known and says what to do now and when to look again. It never
//! waits, never reads a clock and never touches the world; whoever runs its steps never
//! decides. A refused or superseded step is answered by planning again.

pub mod dhcp;
pub mod dns;
pub mod evpn;
pub mod fence;
pub mod firewall;
pub mod flush;
pub mod gateway;
pub mod leader;
pub mod lease;
pub mod lock;
pub mod mesh;
pub mod network;
pub mod osd;
pub mod place;
pub mod primary;
pub mod sriov;
pub mod task;
pub mod vm;
