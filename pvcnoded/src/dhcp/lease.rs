//! Events of leases on their way to the tree.
//!
//! An event is over once the view shows it: the write that it leads to is not the end of it, for
//! what the next dnsmasq is told is made of the view. So nothing is remembered between two
//! activations but what was last written, and a daemon that dies in between loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::{NodeName, Vni};
use pvc_common::model::Network;
use pvc_common::view::{Shared, View};
use pvc_common::zk::{Key, Op, Seen, key};
use pvc_plan::dhcp::{Event, Record, Verdict, expired, outdated, records, turns, verdict};
use pvc_plan::dns::Owners;
use pvc_zk::{CommitError, Tree};
use tokio::time::Instant;

use super::folder::Folders;
use super::spool::{Spool, Waiting};
use super::standing::Standing;
use crate::gate::Gate;
use crate::health::Trouble;
use crate::outfit::failure;

/// For how many events at most something is written in one activation; for the rest in later ones.
const AT_ONCE: usize = 500;
/// How often it is looked for leases that nobody ends.
const SWEEP: Duration = Duration::from_secs(60);

/// What became of events.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    /// How many are over.
    pub(super) events: usize,
    /// Whether the events that wait are known.
    read: bool,
    /// Whether some still wait.
    pub(super) waits: bool,
    /// What could not be done.
    pub(super) trouble: Trouble,
    /// What happened, by network: also in events that are not over.
    told: BTreeMap<Vni, Vec<Event>>,
}

/// Networks whose dnsmasq knows leases that there are no more, or does not know some that there are.
pub(super) type Astray = BTreeSet<Vni>;

fn by_address(records: &[Record]) -> BTreeMap<IpAddr, &Record> {
    records.iter().map(|record| (record.ip(), record)).collect()
}

/// Brings leases to the tree, and back to what the next dnsmasq is told.
pub(super) struct Leases<T> {
    me: NodeName,
    tree: T,
    spool: Spool,
    folders: Folders,
    gate: Gate,
    /// Whose names are whose.
    owners: Arc<Owners>,
    /// What was last written for the next dnsmasq.
    written: BTreeMap<Vni, Vec<Record>>,
    /// What the present dnsmasq of a network knew before that was written, until it is looked whether
    /// it knows too much.
    before: BTreeMap<Vni, Vec<Record>>,
    /// The networks that it was last written for.
    kept: Shared<Vni, Network>,
    swept: Option<Instant>,
}

impl<T: Tree> Leases<T> {
    pub(super) fn new(me: NodeName, tree: T, spool: Spool, folders: Folders, gate: Gate) -> Self {
        Self {
            me,
            tree,
            spool,
            folders,
            gate,
            owners: Arc::default(),
            written: BTreeMap::new(),
            before: BTreeMap::new(),
            kept: Shared::default(),
            swept: None,
        }
    }

    /// Names belong to others now, of which the next dnsmasqs have to be told.
    pub(super) fn rename(&mut self, owners: Arc<Owners>) {
        self.owners = owners;
        self.kept = Shared::default();
    }

    /// Whether events may be judged by this standing, still.
    fn holds(&self, standing: Standing) -> bool {
        match standing {
            Standing::Primary => self.gate.is_open(),
            Standing::Former => true,
            Standing::Between => false,
        }
    }

    /// Sees to the events that wait.
    pub(super) async fn settle(&mut self, view: &View, standing: Standing) -> Settled {
        let mut settled = Settled::default();
        let waiting = match self.waiting(standing, &mut settled).await {
            Ok(waiting) => waiting,
            Err(why) => {
                settled.trouble.insert(why);
                return settled;
            }
        };
        settled.read = true;
        let of: Vec<_> = waiting.iter().map(|waiting| (waiting.number, waiting.vni)).collect();
        let turns = turns(&of, AT_ONCE);
        let (mut over, mut under_way) = (Vec::new(), Vec::<&Waiting>::new());
        for now in waiting.iter().filter(|waiting| turns.contains(&waiting.number)) {
            let Waiting { number, vni, event } = now;
            // The view does not show yet what came of the former ones, by which this one is judged.
            let follows = under_way
                .iter()
                .any(|it| it.vni == *vni && it.event.record().concerns(event.record()));
            if !follows && self.see_to(view, *vni, event, standing).await {
                over.push((*number, *vni));
            } else {
                under_way.push(now);
            }
        }
        settled.waits = over.len() < waiting.len();
        for Waiting { vni, event, .. } in waiting {
            settled.told.entry(vni).or_default().push(event);
        }
        self.clear(view, over, &mut settled).await;
        if standing == Standing::Primary {
            self.sweep(view).await;
        }
        settled
    }

    /// The events that wait: all of them, for behind any number of one network's there may be others'.
    ///
    /// Those of the primary after which a later one says all are over. They go before anything is made of
    /// the later ones: what is left always says what happened last.
    async fn waiting(
        &self,
        standing: Standing,
        settled: &mut Settled,
    ) -> Result<Vec<Waiting>, String> {
        let waiting = self.on_disk(|spool| {
            spool.recover()?;
            spool.waiting(0, usize::MAX)
        });
        let waiting = waiting.await;
        let mut waiting = waiting
            .map_err(|error| format!("events of leases cannot be read: {}", failure(error).what))?;
        if standing != Standing::Primary {
            return Ok(waiting);
        }
        let outdated = outdated(waiting.iter().map(|it| (it.number, it.vni, &it.event)));
        waiting.retain(|waiting| !outdated.contains(&waiting.number));
        settled.events += outdated.len();
        let remove = move |spool: &Spool| outdated.iter().try_for_each(|it| spool.remove(*it));
        self.on_disk(remove).await.map_err(|error| {
            format!("events of leases cannot be removed: {}", failure(error).what)
        })?;
        Ok(waiting)
    }

    /// Removes events that are over, once what the next dnsmasqs are told is so, too.
    async fn clear(&mut self, view: &View, over: Vec<(u64, Vni)>, settled: &mut Settled) {
        let concerned: BTreeSet<Vni> = over.iter().map(|(_, vni)| *vni).collect();
        let (mut unwritten, trouble) = (BTreeSet::new(), &mut settled.trouble);
        for vni in concerned {
            if let Err(why) = self.write(vni, view) {
                trouble.insert(why);
                unwritten.insert(vni);
            }
        }
        let over: Vec<_> = over.into_iter().filter(|(_, vni)| !unwritten.contains(vni)).collect();
        let remove = move |spool: &Spool| {
            let outcome = |(number, vni): (u64, Vni)| (vni, spool.remove(number));
            Ok(over.into_iter().map(outcome).collect::<Vec<_>>())
        };
        for (vni, outcome) in self.on_disk(remove).await.unwrap_or_default() {
            match outcome {
                Ok(()) => settled.events += 1,
                Err(error) => {
                    let why = failure(error).what;
                    trouble.insert(format!("events of network {vni} cannot be removed: {why}"));
                }
            }
        }
    }

    /// Does something to the spool, which is on a disk that may be waited for: that must keep nobody
    /// else waiting.
    async fn on_disk<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Spool) -> io::Result<R> + Send + 'static,
    ) -> io::Result<R> {
        let spool = self.spool.clone();
        tokio::task::spawn_blocking(move || work(&spool)).await.map_err(io::Error::other)?
    }

    /// Sees to an event; whether it is over. What has to be written for it is, and it is not over until
    /// that is seen.
    async fn see_to(&self, view: &View, vni: Vni, event: &Event, standing: Standing) -> bool {
        if !self.holds(standing) {
            return false;
        }
        let network = view.networks.get(&vni).map(AsRef::as_ref);
        let parent = match self.parent(vni, network, event).await {
            Ok(parent) => parent,
            Err(why) => {
                tracing::debug!("dhcp: {why}");
                return false;
            }
        };
        match verdict(vni, network, event, standing == Standing::Primary, &parent) {
            Verdict::Known => return true,
            Verdict::Refused(why) => {
                tracing::warn!(node.name = %self.me, "dhcp: `{event}` is not kept: {why}");
                return true;
            }
            // Another is primary by now, perhaps, and what it says counts.
            Verdict::Write(_) if !self.holds(standing) => {}
            Verdict::Write(ops) => self.commit(ops, vni, event).await,
        }
        false
    }

    async fn commit(&self, ops: Vec<Op>, vni: Vni, event: &Event) {
        match self.tree.commit(ops).await {
            Ok(()) => tracing::info!("dhcp: network {vni}: {event}"),
            // The view is older than what was written last, perhaps by this node.
            Err(CommitError::Superseded { .. }) => {}
            Err(error @ (CommitError::Refused { .. } | CommitError::Unknown { .. })) => {
                tracing::warn!(%error, "dhcp: `{event}` waits");
            }
        }
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
    /// which networks the present one knows others.
    pub(super) fn keep(&mut self, view: &View, settled: &mut Settled) -> Astray {
        let kept = std::mem::replace(&mut self.kept, view.networks.clone());
        if !view.networks.is(&kept) {
            let is_same = |(vni, network): &(&Vni, &Arc<Network>)| {
                kept.get(vni).is_some_and(|kept| Arc::ptr_eq(kept, network))
            };
            for (vni, _) in view.networks.iter().filter(|network| !is_same(network)) {
                if let Err(why) = self.write(*vni, view) {
                    settled.trouble.insert(why);
                    // So that it is tried again.
                    self.kept.remove(vni);
                }
            }
            self.written.retain(|vni, _| view.networks.contains_key(vni));
        }
        if !settled.read {
            // Nobody knows what was told of leases that are gone; and without it no dnsmasq starts.
            return Astray::new();
        }
        let before = std::mem::take(&mut self.before);
        before
            .into_iter()
            .filter(|(vni, known)| self.strays(*vni, known, settled))
            .map(|it| it.0)
            .collect()
    }

    /// Whether a network's dnsmasq that knew these leases has to read them anew: some are gone, are new or
    /// end later, and it did not say so. Then a person has removed them, or another node's events have
    /// come to the tree.
    ///
    /// A machine may have several addresses of IPv4 by several names for itself, as one has whose
    /// firmware and system ask. The tree has the last; dnsmasq knows all of them, and shall.
    fn strays(&self, vni: Vni, known: &[Record], settled: &Settled) -> bool {
        let Some(now) = self.written.get(&vni) else { return false };
        let told = settled.told.get(&vni).map_or(&[][..], Vec::as_slice);
        let moved = |record: &Record| {
            told.iter().any(|event| matches!(event, Event::Held(held) if held.is_of(record)))
        };
        let ips: BTreeSet<IpAddr> = told.iter().map(|event| event.record().ip()).collect();
        let (known, now) = (by_address(known), by_address(now));
        let is_gone = |(ip, record): (&IpAddr, &&Record)| {
            let is_there = now.get(ip).is_some_and(|other| other.is_of(record));
            !is_there && !ips.contains(ip) && !moved(record)
        };
        let is_news = |(ip, record): (&IpAddr, &&Record)| {
            let had = known.get(ip).filter(|other| other.is_of(record));
            !ips.contains(ip) && had.is_none_or(|had| had.end() < record.end())
        };
        known.iter().any(is_gone) || now.iter().any(is_news)
    }

    /// Writes what the next dnsmasq of a network is told, if it is not so already.
    fn write(&mut self, vni: Vni, view: &View) -> Result<(), String> {
        let Some(network) = view.networks.get(&vni) else { return Ok(()) };
        if !self.folders.of(vni).exists() {
            self.written.remove(&vni);
            return Ok(());
        }
        let leases = records(vni, network, &self.owners);
        if self.written.get(&vni) == Some(&leases) {
            return Ok(());
        }
        // The former daemon may have died before it noticed.
        let known = self.written.get(&vni).cloned().or_else(|| self.folders.leases(vni).ok());
        self.folders.write_leases(vni, &leases).map_err(|error| {
            let why = failure(error).what;
            format!("the leases of network {vni} cannot be written: {why}")
        })?;
        self.written.insert(vni, leases);
        if let Some(known) = known {
            self.before.entry(vni).or_insert(known);
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
                if !self.gate.is_open() {
                    return;
                }
                match self.tree.commit(ops).await {
                    Ok(()) => tracing::info!("dhcp: network {vni}: a lease was long over"),
                    // It was renewed, or is gone, or is seen to a minute later.
                    Err(error) => tracing::debug!(%error, "dhcp: a lease stays"),
                }
            }
        }
    }
}
