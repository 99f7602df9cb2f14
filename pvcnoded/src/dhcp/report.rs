//! What an activation did, and who is told of what is in disorder.

use std::fmt;

use pvc_zk::Tree;

use crate::health::{Check, Health, Trouble, shown};

/// The name of this check among a node's health checks.
const CHECK: &str = "dhcp";
/// Percent by which a node lowers its health that does not serve a network, or loses sight of leases.
const DELTA: u32 = 10;

/// What an activation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Events that are over.
    pub settled: usize,
    /// Units that were stopped or started.
    pub changed: usize,
    /// What could not be done, or is in disorder.
    pub trouble: Trouble,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events settled, {} units changed", self.settled, self.changed)?;
        if !self.trouble.is_empty() {
            write!(f, ", failed: {}", shown(&self.trouble))?;
        }
        Ok(())
    }
}

/// Tells of what is in disorder: of each thing once in the log, and of all in the node's health.
pub(super) struct Teller<T>(Check<T>);

impl<T: Tree> Teller<T> {
    pub(super) const fn new(health: Health<T>) -> Self {
        Self(Check::new(health, CHECK, DELTA, "DHCP and names of networks are in order"))
    }

    pub(super) async fn tell(&mut self, trouble: &Trouble) {
        for what in trouble.difference(self.0.told()) {
            tracing::warn!("dhcp: {what}");
        }
        if trouble.is_empty() && !self.0.told().is_empty() {
            tracing::info!("dhcp: all is in order again");
        }
        self.0.tell(trouble).await;
    }
}
