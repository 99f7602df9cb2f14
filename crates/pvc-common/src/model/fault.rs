//! A fault as the tree holds it.

use super::LocalTime;
use crate::state::FaultStatus;
use crate::zk::Seen;

/// Something that lowers the cluster's health until it is acknowledged or deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// That it is there.
    pub znode: Seen<()>,
    /// When it was first reported.
    pub first_time: Seen<LocalTime>,
    /// When it was last reported.
    pub last_time: Seen<LocalTime>,
    /// When a person acknowledged it.
    pub ack_time: Seen<Option<LocalTime>>,
    /// Whether somebody has taken note of it.
    pub status: Seen<FaultStatus>,
    /// Percent by which it lowers the cluster's health.
    pub delta: Seen<u32>,
    /// What happened.
    pub message: Seen<String>,
}
