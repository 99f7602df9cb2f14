//! Reads what somebody reported: faults, and fences that are over.

use super::branch::{Branch, Found, Taken, read};
use crate::model::{Fault, PastFence};
use crate::zk::key::fault_suffix as suffix;

impl Branch for Fault {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            suffix::FIRST_TIME => read(&mut self.first_time, found),
            suffix::LAST_TIME => read(&mut self.last_time, found),
            suffix::ACK_TIME => read(&mut self.ack_time, found),
            suffix::STATUS => read(&mut self.status, found),
            suffix::DELTA => read(&mut self.delta, found),
            suffix::MESSAGE => read(&mut self.message, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for PastFence {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.fence, found),
            _ => Taken::Unwanted,
        }
    }
}
