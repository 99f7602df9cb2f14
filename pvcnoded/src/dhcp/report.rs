//! What an activation did, and who is told of what is in disorder.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use pvc_zk::Tree;
use tokio::time::Instant;

use crate::health::{Finding, Health};

/// The name of this check among a node's health checks.
const CHECK: &str = "dhcp";
/// Percent by which a node lowers its health that does not serve a network, or loses sight of leases.
const DELTA: u32 = 10;
/// How often it is published although nothing changed, and how soon after that failed.
const EVERY: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(10);
/// Of so many troubles people are told in the node's health; the log has all.
const SHOWN: usize = 3;

/// What is in disorder, in sentences for people: the same as long as it is the same.
pub(super) type Trouble = BTreeSet<String>;

/// What an activation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Events that are over.
    pub settled: usize,
    /// Units that were stopped or started.
    pub changed: usize,
    /// What could not be done, or is in disorder.
    pub trouble: BTreeSet<String>,
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

fn shown(trouble: &Trouble) -> String {
    let first: Vec<&str> = trouble.iter().take(SHOWN).map(String::as_str).collect();
    match trouble.len().saturating_sub(SHOWN) {
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

/// Tells of what is in disorder: of each thing once in the log, and of all in the node's health.
pub(super) struct Teller<T> {
    health: Health<T>,
    told: Trouble,
    /// Whether anything was published yet, and until when that stands.
    until: Option<Instant>,
}

impl<T: Tree> Teller<T> {
    pub(super) const fn new(health: Health<T>) -> Self {
        Self { health, told: Trouble::new(), until: None }
    }

    pub(super) async fn tell(&mut self, trouble: &Trouble) {
        for what in trouble.difference(&self.told) {
            tracing::warn!("dhcp: {what}");
        }
        if trouble.is_empty() && !self.told.is_empty() {
            tracing::info!("dhcp: all is in order again");
        }
        let same = *trouble == self.told;
        if same && self.until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.told.clone_from(trouble);
        let finding = if trouble.is_empty() {
            Finding { delta: 0, message: "DHCP and names of networks are in order".to_owned() }
        } else {
            Finding { delta: DELTA, message: shown(trouble) }
        };
        let published = self.health.publish(CHECK, finding, Vec::new()).await;
        if let Err(error) = &published {
            tracing::debug!(%error, "how DHCP is doing is not published yet");
        }
        self.until = Some(Instant::now() + if published.is_ok() { EVERY } else { AGAIN });
    }
}
