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
use pvc_plan::dhcp::{Event, Record, Verdict, expired, records, verdict};
use pvc_plan::dns::Owners;
use pvc_zk::{CommitError, Tree};
use tokio::time::Instant;

use super::folder::Folders;
use super::spool::{Spool, Waiting};
use super::standing::Standing;
use crate::gate::Gate;
use crate::health::Trouble;
use crate::outfit::failure;

/// How many events are seen to in one activation; the rest in later ones.
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

/// What became of an event in one activation.
enum Fate {
    /// Nothing is left to do for it.
    Over,
    /// What it leads to was written, and has to be seen.
    Written,
    /// It will be seen to again.
    Waits,
}

fn by_address(records: &[Record]) -> BTreeMap<IpAddr, &Record> {
    records.iter().map(|record| (record.ip(), record)).collect()
}

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
    gate: Gate,
    /// Whose names are whose.
    owners: Arc<Owners>,
    /// What was last written for the next dnsmasq.
    written: BTreeMap<Vni, Vec<Record>>,
    /// What the present dnsmasq of a network knew before that was written, until it is looked whether
    /// it knows too much.
    before: BTreeMap<Vni, Vec<Record>>,
    /// The networks that it was last written for.
    kept: Option<Shared<Vni, Network>>,
    swept: Option<Instant>,
    /// Events up to this number were looked at in vain, and come last.
    after: u64,
    /// The networks of those: no event may come before a former one of the same network.
    passed: BTreeSet<Vni>,
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
            kept: None,
            swept: None,
            after: 0,
            passed: BTreeSet::new(),
        }
    }

    /// Names belong to others now, of which the next dnsmasqs have to be told.
    pub(super) fn rename(&mut self, owners: Arc<Owners>) {
        self.owners = owners;
        self.kept = None;
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
        let after = self.after;
        let waiting = match self.on_disk(move |spool| spool.waiting(after, AT_ONCE)).await {
            Ok(waiting) => waiting,
            Err(error) => {
                let why = failure(error).what;
                settled.trouble.insert(format!("events of leases cannot be read: {why}"));
                return settled;
            }
        };
        settled.read = true;
        let last = waiting.get(AT_ONCE - 1).map(|last| last.number);
        settled.waits = last.is_some() || after > 0;
        let (mut over, mut wrote) = (Vec::new(), false);
        let mut under_way: Vec<(Vni, Event)> = Vec::new();
        for Waiting { number, vni, event } in waiting {
            // The view does not show yet what came of the former ones, by which this one is judged.
            let follows = self.passed.contains(&vni)
                || under_way.iter().any(|(of, former)| *of == vni && concern_one(former, &event));
            let fate =
                if follows { Fate::Waits } else { self.see_to(view, vni, &event, standing).await };
            wrote |= matches!(fate, Fate::Written);
            if matches!(fate, Fate::Over) {
                over.push((number, vni));
                settled.told.entry(vni).or_default().push(event);
            } else {
                under_way.push((vni, event));
            }
        }
        settled.waits |= !under_way.is_empty();
        for (vni, event) in under_way {
            settled.told.entry(vni).or_default().push(event);
        }
        self.clear(view, over, &mut settled).await;
        match last {
            // So many that none is over of may be so for long, and others are not.
            Some(last) if settled.events == 0 && !wrote && standing != Standing::Between => {
                self.after = last;
                self.passed.extend(settled.told.keys());
            }
            Some(_) => {}
            None => (self.after, self.passed) = (0, BTreeSet::new()),
        }
        if standing == Standing::Primary {
            self.sweep(view).await;
        }
        settled
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

    /// Sees to an event. What has to be written for it is, and it is not over until that is seen.
    async fn see_to(&self, view: &View, vni: Vni, event: &Event, standing: Standing) -> Fate {
        if !self.holds(standing) {
            return Fate::Waits;
        }
        let network = view.networks.get(&vni).map(AsRef::as_ref);
        let parent = match self.parent(vni, network, event).await {
            Ok(parent) => parent,
            Err(why) => {
                tracing::debug!("dhcp: {why}");
                return Fate::Waits;
            }
        };
        match verdict(vni, network, event, standing == Standing::Primary, &parent) {
            Verdict::Known => Fate::Over,
            Verdict::Refused(why) => {
                tracing::warn!(node.name = %self.me, "dhcp: `{event}` is not kept: {why}");
                Fate::Over
            }
            // Another is primary by now, perhaps, and what it says counts.
            Verdict::Write(_) if !self.holds(standing) => Fate::Waits,
            Verdict::Write(ops) => self.commit(ops, vni, event).await,
        }
    }

    async fn commit(&self, ops: Vec<Op>, vni: Vni, event: &Event) -> Fate {
        match self.tree.commit(ops).await {
            Ok(()) => {
                tracing::info!("dhcp: network {vni}: {event}");
                return Fate::Written;
            }
            // The view is older than what was written last, perhaps by this node.
            Err(CommitError::Superseded { .. }) => {}
            Err(error @ (CommitError::Refused { .. } | CommitError::Unknown { .. })) => {
                tracing::warn!(%error, "dhcp: `{event}` waits");
            }
        }
        Fate::Waits
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
        let same = self.kept.as_ref().is_some_and(|kept| view.networks.is(kept));
        if !same {
            self.kept = Some(view.networks.clone());
            for vni in view.networks.keys() {
                if let Err(why) = self.write(*vni, view) {
                    settled.trouble.insert(why);
                    // So that it is tried again.
                    self.kept = None;
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
