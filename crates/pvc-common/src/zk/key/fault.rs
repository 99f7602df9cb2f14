//! Keys below `/faults/{fault}`.

use super::{FAULTS, Key};
use crate::id::FaultId;
use crate::model::LocalTime;
use crate::state::FaultStatus;

/// The suffixes below a fault, for reading a fault key by key.
pub mod fault_suffix {
    /// When it was last reported.
    pub const LAST_TIME: &str = "/last_time";
    /// When it was first reported.
    pub const FIRST_TIME: &str = "/first_time";
    /// When it was acknowledged.
    pub const ACK_TIME: &str = "/ack_time";
    /// New or acknowledged.
    pub const STATUS: &str = "/status";
    /// Percent of the cluster's health.
    pub const DELTA: &str = "/delta";
    /// What happened.
    pub const MESSAGE: &str = "/message";
}

use fault_suffix as suffix;

fn at<T>(fault: &FaultId, suffix: &str) -> Key<T> {
    Key::new(format!("{FAULTS}/{fault}{suffix}"))
}

/// `/faults/{fault}`. Written by: the node that found it; API (deletion).
#[must_use]
pub fn fault(id: &FaultId) -> Key<()> {
    at(id, "")
}

/// `/faults/{fault}/last_time`. Written by: the node that finds it again.
#[must_use]
pub fn fault_last_time(id: &FaultId) -> Key<LocalTime> {
    at(id, suffix::LAST_TIME)
}

/// `/faults/{fault}/first_time`. Written by: as [`fault`].
#[must_use]
pub fn fault_first_time(id: &FaultId) -> Key<LocalTime> {
    at(id, suffix::FIRST_TIME)
}

/// `/faults/{fault}/ack_time`. Written by: API.
#[must_use]
pub fn fault_ack_time(id: &FaultId) -> Key<Option<LocalTime>> {
    at(id, suffix::ACK_TIME)
}

/// `/faults/{fault}/status`. Written by: API; the node that finds it again.
#[must_use]
pub fn fault_status(id: &FaultId) -> Key<FaultStatus> {
    at(id, suffix::STATUS)
}

/// `/faults/{fault}/delta`: 0 to 100. Written by: as [`fault`].
#[must_use]
pub fn fault_delta(id: &FaultId) -> Key<u32> {
    at(id, suffix::DELTA)
}

/// `/faults/{fault}/message`. Written by: the node that finds it again.
#[must_use]
pub fn fault_message(id: &FaultId) -> Key<String> {
    at(id, suffix::MESSAGE)
}
