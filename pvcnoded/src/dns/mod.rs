//! Keeps the cluster's names in PowerDNS' database, while this node is primary.
//!
//! ```text
//!   not primary ──▶ the database follows another ──▶ kept
//!        ▲                    ▲                        │ networks change,
//!        └────────────────────┴────────────────────────┘ VMs do, or a minute passes
//! ```
//! Invariant: nothing is written but what was decided on by what stood there: another node that
//! was primary a moment ago makes this one look again.

mod owners;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::{NodeName, Vni};
use pvc_common::model::Network;
use pvc_common::state::CoordinatorState;
use pvc_common::view::{Shared, View};
use pvc_database::{Zones, ZonesError};
use pvc_plan::dns::{LeftOut, Server, change, wanted};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use tokio::time::Instant;

use crate::health::Trouble;
use crate::primary::Troubles;

pub(crate) use owners::Reckoned;

/// How long after something failed it is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How long what was written is taken to stand there: others may write to the database, too.
const TRUST: Duration = Duration::from_secs(60);

/// Keeps the zones.
pub struct DnsKeeper<Z> {
    me: NodeName,
    zones: Z,
    server: Server,
    troubles: Troubles,
    reckoned: Reckoned,
    kept: Option<Kept>,
    told: Told,
}

/// What was seen to stand in the database.
struct Kept {
    networks: Shared<Vni, Network>,
    at: Instant,
    zones: usize,
}

/// What was logged last, so that it is not logged again.
#[derive(Default)]
struct Told {
    trouble: Option<String>,
    left_out: Vec<LeftOut>,
}

/// What an activation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Another node is primary.
    NotPrimary,
    /// The database here takes no writes yet.
    Follows,
    /// The names stand there as they should.
    Kept {
        /// How many zones there are.
        zones: usize,
        /// How many hosts and networks are left out.
        left_out: usize,
        /// What had to be done.
        done: Option<String>,
    },
    /// Why they may not.
    Failed(String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPrimary => f.write_str("another node is primary"),
            Self::Follows => f.write_str("names not kept: the database leads on another node"),
            Self::Kept { zones, left_out, done } => {
                write!(f, "{zones} zones kept, {left_out} names left out")?;
                done.as_ref().map_or(Ok(()), |done| write!(f, ": {done}"))
            }
            Self::Failed(why) => write!(f, "names not kept: {why}"),
        }
    }
}

impl<Z: Zones> DnsKeeper<Z> {
    /// Keeps the names that this server answers for in its database, once `me` is primary; to `troubles` it
    /// tells why it does not.
    pub fn new(me: NodeName, zones: Z, server: Server, troubles: Troubles) -> Self {
        let (reckoned, told) = (Reckoned::default(), Told::default());
        Self { me, zones, server, troubles, reckoned, kept: None, told }
    }

    /// Brings the database in line with these networks.
    async fn keep(&mut self, networks: &Shared<Vni, Network>) -> Result<Report, ZonesError> {
        let mut wanted = wanted(networks, self.reckoned.owners(), &self.server);
        let stored = self.zones.read().await?;
        let (change, occupied) = change(&wanted, &stored, &self.server, seconds());
        let mut done = None;
        if !change.is_empty() {
            self.zones.apply(&change).await?;
            tracing::info!(node.name = %self.me, "names: {change}");
            done = Some(change.to_string());
        }
        wanted.left_out.extend(occupied);
        let (zones, left_out) = (wanted.zones.len(), wanted.left_out.len());
        self.tell_left_out(wanted.left_out);
        self.kept = Some(Kept { networks: networks.clone(), at: Instant::now(), zones });
        Ok(Report::Kept { zones, left_out, done })
    }

    fn tell_left_out(&mut self, mut left_out: Vec<LeftOut>) {
        left_out.sort();
        for LeftOut { network, why } in &left_out {
            if self.told.left_out.binary_search_by(|told| told.why.cmp(why)).is_ok() {
                continue;
            }
            match network {
                Some(vni) => tracing::warn!("names: network {vni}: {why}"),
                None => tracing::warn!("names: {why}"),
            }
        }
        left_out.sort_by(|a, b| a.why.cmp(&b.why));
        self.told.left_out = left_out;
    }

    /// Tells what went wrong: in the log, once until something else does, and in the health of a primary.
    fn tell(&mut self, report: &Report) {
        let trouble = match report {
            Report::Failed(why) => Some(why.clone()),
            Report::NotPrimary | Report::Follows | Report::Kept { .. } => None,
        };
        if let Some(why) = trouble.as_ref().filter(|_| trouble != self.told.trouble) {
            tracing::warn!("names are not kept: {why}");
        }
        self.told.trouble = trouble;
        let amiss = match report {
            Report::Failed(_) | Report::Follows => Some(report.to_string()),
            Report::NotPrimary | Report::Kept { .. } => None,
        };
        self.troubles.tell(Self::NAME, &amiss.into_iter().collect::<Trouble>());
    }
}

/// The seconds since 1970, by which serials of zones are chosen; they are raised whatever it says.
fn seconds() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs() & u64::from(u32::MAX)).unwrap_or_default()
}

/// The whole chain, for it is shown to people without it.
fn failure(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl<Z: Zones> Reconciler for DnsKeeper<Z> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "dns";
    const PERIOD: Duration = Duration::from_secs(30);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let own = view.nodes.get(&self.me);
        if own.and_then(|node| node.coordinator_state.copied()) != Some(CoordinatorState::Primary) {
            // Another primary writes there now.
            self.kept = None;
            self.told = Told::default();
            self.tell(&Report::NotPrimary);
            return Outcome::settled(Report::NotPrimary);
        }
        if self.reckoned.look(&view) {
            self.kept = None;
        }
        let fresh = |kept: &&Kept| kept.networks.is(&view.networks) && kept.at.elapsed() < TRUST;
        if let Some(kept) = self.kept.as_ref().filter(fresh) {
            let (zones, left_out) = (kept.zones, self.told.left_out.len());
            return Outcome::settled(Report::Kept { zones, left_out, done: None });
        }
        self.kept = None;
        let report = match self.keep(&view.networks).await {
            Ok(report) => report,
            Err(ZonesError::Follows { .. }) => Report::Follows,
            // Only whoever was primary writes there, so it is over by the next time.
            Err(
                error @ (ZonesError::Superseded { .. }
                | ZonesError::Unreachable { .. }
                | ZonesError::Refused { .. }
                | ZonesError::Late { .. }),
            ) => Report::Failed(failure(&error)),
        };
        self.tell(&report);
        let wake_at = match report {
            Report::Follows | Report::Failed(_) => Some(Instant::now() + AGAIN),
            Report::NotPrimary | Report::Kept { .. } => None,
        };
        Outcome { report, wake_at }
    }
}
