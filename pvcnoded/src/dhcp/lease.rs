//! Events of leases on their way to the tree.
//!
//! An event is over once the view shows it: the write that it leads to is not the end of it, for
//! what the next dnsmasq is told is made of the view. So nothing is remembered between two
//! activations but what was last written, and a daemon that dies in between loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::{NodeName, Vni};
use pvc_common::model::Network;
use pvc_common::view::{Shared, View};
use pvc_common::zk::{Key, Seen, key};
use pvc_plan::dhcp::{Event, Record, Verdict, expired, records, verdict};
use pvc_zk::{CommitError, Tree};
use tokio::time::Instant;

use super::folder::Folders;
use super::spool::{Spool, Waiting};
use crate::outfit::failure;

/// How many events are seen to in one activation; the rest in the next one.
const AT_ONCE: usize = 500;
/// How often it is looked for leases that nobody ends.
const SWEEP: Duration = Duration::from_secs(60);

/// What became of events.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    /// How many are over.
    pub(super) events: usize,
    /// What happened, by network: also in events that are not over.
    told: BTreeMap<Vni, Vec<Event>>,
}

/// Networks whose dnsmasq knows leases that there are no more.
pub(super) type Astray = BTreeSet<Vni>;

/// Whether two events are of the same lease or the same address.
fn concern_one(a: &Event, b: &Event) -> bool {
    a.record().is_of(b.record()) || a.record().ip() == b.record().ip()
}

/// Brings leases to the tree, and back to what the next dnsmasq is told.
pub(super) struct Leases<T> {
    me: NodeName,
    tree: T,
    spool: Spool,
    folders: Folders,
    /// What was last written for the next dnsmasq.
    written: BTreeMap<Vni, Vec<Record>>,
    /// The networks that it was last written for.
    kept: Option<Shared<Vni, Network>>,
    swept: Option<Instant>,
}

impl<T: Tree> Leases<T> {
    pub(super) const fn new(me: NodeName, tree: T, spool: Spool, folders: Folders) -> Self {
        Self { me, tree, spool, folders, written: BTreeMap::new(), kept: None, swept: None }
    }

    /// Sees to the events that wait; whether some still do.
    pub(super) async fn settle(
        &mut self,
        view: &View,
        primary: bool,
    ) -> Result<(Settled, bool), String> {
        let waiting = self.spool.waiting(AT_ONCE).map_err(|error| failure(error).what)?;
        let mut waits = waiting.len() == AT_ONCE;
        let (mut settled, mut over) = (Settled::default(), Vec::new());
        let mut under_way: Vec<(Vni, Event)> = Vec::new();
        for Waiting { number, vni, event } in waiting {
            // The view does not show yet what came of the former ones, by which this one is judged.
            if under_way.iter().any(|(of, former)| *of == vni && concern_one(former, &event)) {
                under_way.push((vni, event));
                continue;
            }
            match self.see_to(view, vni, &event, primary).await {
                Verdict::Known => over.push((number, vni)),
                Verdict::Refused(why) => {
                    tracing::warn!(node.name = %self.me, "dhcp: `{event}` is not kept: {why}");
                    over.push((number, vni));
                }
                Verdict::Write(_) => {
                    under_way.push((vni, event));
                    continue;
                }
            }
            settled.told.entry(vni).or_default().push(event);
        }
        waits |= !under_way.is_empty();
        for (vni, event) in under_way {
            settled.told.entry(vni).or_default().push(event);
        }
        let concerned: BTreeSet<Vni> = over.iter().map(|(_, vni)| *vni).collect();
        for vni in concerned {
            self.write(vni, view).map_err(|error| failure(error).what)?;
        }
        for (number, _) in &over {
            self.spool.remove(*number).map_err(|error| failure(error).what)?;
        }
        settled.events = over.len();
        if primary {
            self.sweep(view).await;
        }
        Ok((settled, waits))
    }

    /// What becomes of an event now; what has to be written is, and not over until it is seen.
    async fn see_to(&self, view: &View, vni: Vni, event: &Event, primary: bool) -> Verdict {
        let network = view.networks.get(&vni).map(AsRef::as_ref);
        let parent = match self.parent(vni, network, event).await {
            Ok(parent) => parent,
            Err(why) => {
                tracing::debug!("dhcp: {why}");
                return Verdict::Write(Vec::new());
            }
        };
        let verdict = verdict(vni, network, event, primary, &parent);
        if let Verdict::Write(ops) = &verdict {
            match self.tree.commit(ops.clone()).await {
                Ok(()) => tracing::info!("dhcp: network {vni}: {event}"),
                // The view is older than what was written last, perhaps by this node.
                Err(CommitError::Superseded { .. }) => {}
                Err(error @ (CommitError::Refused { .. } | CommitError::Unknown { .. })) => {
                    tracing::warn!(%error, "dhcp: `{event}` waits");
                }
            }
        }
        verdict
    }

    /// The parent of the leases of an event's kind. Where there are leases there is a parent.
    async fn parent(
        &self,
        vni: Vni,
        network: Option<&Network>,
        event: &Event,
    ) -> Result<Seen<()>, String> {
        let Some(network) = network else { return Ok(Seen::Absent) };
        let (key, has): (Key<()>, bool) = match event.record() {
            Record::V4(_) => (key::network_leases(vni), !network.leases.is_empty()),
            Record::V6(_) => (key::network_leases6(vni), !network.leases6.is_empty()),
        };
        if has {
            let version = pvc_common::zk::Version(0);
            return Ok(Seen::Value { value: (), version });
        }
        let entry = self.tree.get(key.path()).await.map_err(|error| error.to_string())?;
        Ok(Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version))))
    }

    /// Has the next dnsmasq of each network that has a folder told the leases that there are; of
    /// which networks the present one knows leases that are gone although it did not say so.
    pub(super) fn keep(&mut self, view: &View, settled: &Settled) -> Astray {
        let mut astray = Astray::new();
        if self.kept.as_ref().is_some_and(|kept| view.networks.is(kept)) {
            return astray;
        }
        self.kept = Some(view.networks.clone());
        let nothing = Vec::new();
        for vni in view.networks.keys() {
            // The former daemon may have died before it noticed.
            let before = self.written.get(vni).cloned().or_else(|| self.folders.leases(*vni).ok());
            if let Err(error) = self.write(*vni, view) {
                tracing::warn!(%error, "dhcp: the leases of network {vni} cannot be written");
            }
            let (Some(before), Some(now)) = (before, self.written.get(vni)) else { continue };
            let told = settled.told.get(vni).unwrap_or(&nothing);
            let is_told = |gone: &Record| told.iter().any(|event| event.record().ip() == gone.ip());
            let has = |record: &Record| {
                now.iter().any(|other| other.is_of(record) && other.ip() == record.ip())
            };
            if before.iter().any(|record| !has(record) && !is_told(record)) {
                astray.insert(*vni);
            }
        }
        self.written.retain(|vni, _| view.networks.contains_key(vni));
        astray
    }

    /// Writes what the next dnsmasq of a network is told, if it is not so already.
    fn write(&mut self, vni: Vni, view: &View) -> std::io::Result<()> {
        let Some(network) = view.networks.get(&vni) else { return Ok(()) };
        if !self.folders.of(vni).exists() {
            self.written.remove(&vni);
            return Ok(());
        }
        let leases = records(network);
        if self.written.get(&vni) != Some(&leases) {
            self.folders.write_leases(vni, &leases)?;
            self.written.insert(vni, leases);
        }
        Ok(())
    }

    /// Removes leases that have been over for long.
    async fn sweep(&mut self, view: &View) {
        if self.swept.is_some_and(|at| at.elapsed() < SWEEP) {
            return;
        }
        self.swept = Some(Instant::now());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        for (vni, network) in &view.networks {
            for ops in expired(*vni, network, now) {
                match self.tree.commit(ops).await {
                    Ok(()) => tracing::info!("dhcp: network {vni}: a lease was long over"),
                    // It was renewed, or is gone, or is seen to a minute later.
                    Err(error) => tracing::debug!(%error, "dhcp: a lease stays"),
                }
            }
        }
    }
}
