//! What the cases need: a port, and BMCs of each kind.

use std::time::Duration;

use pvc_ipmi::{Bmc, Power};

/// The deadline of one call.
pub(crate) const LIMIT: Duration = Duration::from_secs(2);

pub(crate) trait Site {
    type Port: Power;

    fn port(&self) -> &Self::Port;

    /// The BMC of a machine that obeys.
    fn bmc(&self) -> Bmc;

    /// Whether that machine really has power.
    fn is_on(&self) -> bool;

    /// Makes its BMC hang, or go on.
    fn hang(&self, hung: bool);

    /// A BMC that never answers.
    fn silent(&self) -> Bmc;

    /// An address where nothing listens.
    fn closed(&self) -> Bmc;
}
