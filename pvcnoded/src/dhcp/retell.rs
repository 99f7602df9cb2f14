//! Has dnsmasqs tell anew what their helpers could not keep, once it can be kept.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use pvc_common::id::Vni;
use pvc_host::{UnitState, Units};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout};

use super::spool::Spool;
use super::{Dhcp, unit};
use crate::health::Trouble;
use crate::outfit::failure;

/// How soon a dnsmasq is asked once more. What it tells then may be too much again, and each time it
/// starts a helper for every lease.
const AGAIN: Duration = Duration::from_secs(30);

/// How long it is waited for whether something can be kept; it is looked again the next time.
const PATIENCE: Duration = Duration::from_millis(200);

/// Leases that only dnsmasqs know.
#[derive(Clone, Debug, Default)]
pub(super) struct Missed {
    /// Those of these networks.
    pub(super) networks: BTreeSet<Vni>,
    /// And why, in sentences for people.
    pub(super) trouble: Trouble,
}

/// Asks dnsmasqs for what was missed.
pub(super) struct Retell<U> {
    dhcp: Dhcp<U>,
    spool: Spool,
    /// Whether something can be kept, of which networks, as it is being tried.
    trial: Option<JoinHandle<io::Result<BTreeSet<Vni>>>>,
    /// Which were asked lately, and when.
    asked: BTreeMap<Vni, Instant>,
}

impl<U: Units> Retell<U> {
    pub(super) const fn new(dhcp: Dhcp<U>, spool: Spool) -> Self {
        Self { dhcp, spool, trial: None, asked: BTreeMap::new() }
    }

    /// Sees to the networks that are marked; which they were. Given up anywhere, they stay so.
    pub(super) async fn see_to(&mut self) -> Missed {
        let marked = match self.dhcp.folders.marks().all() {
            Ok(marked) => marked,
            Err(error) => {
                let why = failure(error).what;
                let trouble = format!("nobody knows whether all leases could be kept: {why}");
                return Missed { networks: BTreeSet::new(), trouble: [trouble].into() };
            }
        };
        let mut trouble: Trouble = marked
            .iter()
            .map(|(vni, why)| {
                format!("network {vni}: its dnsmasq told of leases that could not be kept: {why}")
            })
            .collect();
        let networks: BTreeSet<Vni> = marked.into_keys().collect();
        if let Err(what) = self.ask(&networks).await {
            trouble.insert(what);
        }
        Missed { networks, trouble }
    }

    /// Asks those whose events can be kept again.
    async fn ask(&mut self, networks: &BTreeSet<Vni>) -> Result<(), String> {
        self.asked.retain(|_, at| at.elapsed() < AGAIN);
        let due: Vec<Vni> =
            networks.iter().copied().filter(|vni| !self.asked.contains_key(vni)).collect();
        if due.is_empty() {
            return Ok(());
        }
        let spool = self.spool.clone();
        let trial = self.trial.get_or_insert_with(|| spawn_blocking(move || spool.room(due)));
        // A disk that hangs must keep nobody else waiting.
        let Ok(room) = timeout(PATIENCE, trial).await else {
            return Err("events of leases cannot be kept: the disk takes its time".to_owned());
        };
        self.trial = None;
        let mut due = room
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| format!("events of leases cannot be kept: {}", failure(error).what))?;
        due.retain(|vni| networks.contains(vni));
        let units: Vec<String> = due.iter().map(|vni| unit(*vni)).collect();
        let states = self.dhcp.units.states(&units).await.map_err(|error| failure(error).what)?;
        // One that does not run is asked once it does.
        let up = due.into_iter().zip(states).filter(|(_, state)| *state == UnitState::Active);
        let up: Vec<Vni> = up.map(|(vni, _)| vni).collect();
        let marks = self.dhcp.folders.marks();
        up.iter().try_for_each(|vni| marks.begin(*vni)).map_err(|error| failure(error).what)?;
        let now = Instant::now();
        self.asked.extend(up.iter().map(|vni| (*vni, now)));
        let mut outcome = Ok(());
        for vni in up {
            let asked = self.dhcp.units.reload_all(&[unit(vni)]).await;
            let ended = asked.map_err(|error| failure(error).what).and_then(|()| {
                tracing::info!("dhcp: network {vni}: its dnsmasq tells of all its leases anew");
                marks.end(vni).map_err(|error| failure(error).what)
            });
            outcome = outcome.and(ended);
        }
        outcome
    }
}
