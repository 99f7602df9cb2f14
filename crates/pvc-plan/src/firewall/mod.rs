//! The firewall of client networks: what of it is to be in the kernel.
//!
//! ```text
//!  forwarded:  from a VM's network to the networks between the nodes ─▶ dropped
//!              iifname . oifname ─ within ─▶ (one network: not looked at)
//!              iifname ─ leaving ──▶ vxlan<vni>-out-<fingerprint> ─▶ the network's rules, in order
//!              oifname ─ entering ─▶ vxlan<vni>-in-<fingerprint>  ─▶ the network's rules, in order
//!  to a node:  iifname ─ reaching ─▶ services-<fingerprint>: DHCP, DNS, time, metadata; no more
//!              from a VM's network else ─▶ dropped; what nodes say to each other: from nodes only
//! ```
//! All of it is in a table of ours, and one transaction brings it from any state to any other. A chain
//! is never changed: its name tells what is in it, so what is there already is not touched, and what
//! differs is made anew, has its way turned to it, and loses the old one at one moment.

mod address;
mod change;
mod nodes;
mod render;
mod rule;
mod trial;

#[cfg(test)]
mod tests;

pub use change::{Change, changes, table};
pub use nodes::Nodes;
pub use render::{Base, Omitted, Rendered, Renderer, Wanted};
pub use rule::{BadRule, RuleText};
pub use trial::{Sieve, trial};
