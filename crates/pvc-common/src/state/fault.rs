//! States of a fault.

use super::Word;

/// Whether somebody has taken note of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultStatus {
    /// Nobody has: it lowers the cluster's health.
    New,
    /// Acknowledged by a person: shown, but no longer counted.
    Ack,
}

impl Word for FaultStatus {
    const KIND: &'static str = "fault status";
    const ALL: &'static [Self] = &[Self::New, Self::Ack];

    fn text(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ack => "ack",
        }
    }
}
