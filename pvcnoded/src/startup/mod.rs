//! How a node comes up, step by step.
//!
//! ```text
//!  1 directories   2 log   3 banner   4 networks   5 kernel settings   6 services
//!  7 session with ZooKeeper   8 schema version   9 node record   10 cluster name   11 libvirt
//!  then it serves: node and VM views, VMs, console logs, keepalive (init -> run)
//! ```
//! Every step is harmless when repeated, so a daemon that is restarted, killed or replaced at any
//! point simply comes up again. No step sleeps for a fixed time: each waits for what it needs.
//! Steps 1 to 6 need nothing but this machine; what fails there is told, and the rest goes on.
//! Steps 7 to 10 wait for the cluster for as long as it takes. While there is no session, steps 4 to 6
//! are done once more every half minute: what was missing may have come. Once there is one, only
//! networks that could not be had are tried on.

pub mod fate;
pub mod host;
pub mod join;
pub mod node_log;
mod presence;
mod raise;
pub mod ready;
pub mod record;
pub mod reexec;
pub mod schema;

#[cfg(test)]
mod tests;
