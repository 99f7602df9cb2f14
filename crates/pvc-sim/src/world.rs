//! The world: every host of the cluster and what connects them, on virtual time.
//!
//! What shall happen waits in a heap of events. Each belongs to somebody: what belongs to a host
//! waits while that is frozen and is lost with its power, what belongs to a daemon is lost when
//! it crashes. So a daemon may end between any two of its steps, as in life.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::view::{Builder, View};
use pvc_plan::fence::Policy;

use crate::chance::Chance;
use crate::ensemble::Ensemble;
use crate::guard::Guard;
use crate::host::Host;
use crate::network::Network;
use crate::qemu::Migration;
use crate::script::Timed;
use crate::setup::Config;
use crate::story::Story;
use crate::tree::Tree;

/// Which host: its place in the order of names.
pub type HostId = usize;

/// Which VM: its place in the order of names.
pub type VmId = usize;

/// Whose an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's: it happens.
    Nobody,
    /// A host's, of one boot.
    Host(HostId, u32),
    /// A daemon's, of one life.
    Daemon(HostId, u32),
}

/// What an event does.
pub type Deed = Box<dyn FnOnce(&mut World) + Send>;

/// What shall happen.
pub struct Event {
    at: Duration,
    number: u64,
    whose: Whose,
    deed: Deed,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest is the greatest, for the heap gives that first.
impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// What does not change of a VM.
#[derive(Clone, Debug)]
pub struct VmFacts {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: VmUuid,
    /// Its memory.
    pub memory_mib: u64,
    /// Its virtual processors.
    pub vcpus: u32,
    /// Whether it has disks that no storage fence guards.
    pub local: bool,
}

/// The whole cluster.
pub struct World {
    /// Virtual time since the beginning.
    pub now: Duration,
    base: Instant,
    queue: BinaryHeap<Event>,
    number: u64,
    /// Chance.
    pub chance: Chance,
    /// Its hosts, by name.
    pub hosts: Vec<Host>,
    /// Names of all nodes.
    pub names: BTreeSet<NodeName>,
    /// Its VMs, by name.
    pub vms: Vec<VmFacts>,
    /// Which VM a UUID is.
    pub by_uuid: BTreeMap<VmUuid, VmId>,
    /// The networks.
    pub network: Network,
    /// ZooKeeper's servers and sessions.
    pub ensemble: Ensemble,
    /// The tree.
    pub tree: Tree,
    /// The tree as it is, understood.
    pub truth: Builder,
    /// How much of the tree `truth` has taken in.
    pub truth_at: usize,
    /// Hosts whose addresses are on Ceph's blocklist, and in which boot they were put there.
    pub blocklist: BTreeMap<HostId, u32>,
    /// Live migrations under way.
    pub migrations: BTreeMap<VmId, Migration>,
    /// The configuration.
    pub config: Config,
    /// The policy it means.
    pub policy: Policy,
    /// The guard that is taken away, to see whether that is noticed.
    pub without: Option<Guard>,
    /// Of a thousand commits, after how many the daemon dies before it learns the outcome.
    pub stumbles: u64,
    /// What happened.
    pub story: Story,
    /// What must not happen, and did.
    pub violations: Vec<String>,
    /// Whether who can write changed since it was last checked.
    pub dirty: bool,
    /// What the checks remember.
    pub watch: crate::check::Watch,
    /// Whether the script has ended.
    pub over: bool,
}

impl World {
    /// A world without anybody, to be furnished.
    #[must_use]
    pub fn empty(seed: u64, config: Config, policy: Policy, story: Story) -> Self {
        Self {
            now: Duration::ZERO,
            // Far enough from the machine's own start that any time before can be named.
            base: Instant::now() + Duration::from_secs(86_400),
            queue: BinaryHeap::new(),
            number: 0,
            chance: Chance::new(seed),
            hosts: Vec::new(),
            names: BTreeSet::new(),
            vms: Vec::new(),
            by_uuid: BTreeMap::new(),
            network: Network::default(),
            ensemble: Ensemble::default(),
            tree: Tree::default(),
            truth: Builder::new(pvc_common::view::Scope::Decisions),
            truth_at: 0,
            blocklist: BTreeMap::new(),
            migrations: BTreeMap::new(),
            config,
            policy,
            without: None,
            stumbles: 0,
            story,
            violations: Vec::new(),
            dirty: false,
            watch: crate::check::Watch::default(),
            over: false,
        }
    }

    /// The monotonic time that plans are told.
    #[must_use]
    pub fn instant(&self) -> Instant {
        self.base + self.now
    }

    /// When, in virtual time, an instant is.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.base)
    }

    /// UNIX milliseconds by a host's own clock.
    #[must_use]
    pub fn wall_ms(&self, host: HostId) -> u64 {
        let now = 1_800_000_000_000_i64 + i64::try_from(self.now.as_millis()).unwrap_or(i64::MAX);
        u64::try_from(now + self.hosts[host].clock_s * 1_000).unwrap_or(0)
    }

    /// Lets something happen after a while.
    pub fn after(
        &mut self,
        delay: Duration,
        whose: Whose,
        deed: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        self.number += 1;
        let event =
            Event { at: self.now + delay, number: self.number, whose, deed: Box::new(deed) };
        self.queue.push(event);
    }

    /// Lets something happen after a while, between two numbers of milliseconds.
    pub fn within(
        &mut self,
        from_ms: u64,
        to_ms: u64,
        whose: Whose,
        deed: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        let delay = self.chance.between(from_ms, to_ms);
        self.after(delay, whose, deed);
    }

    /// Lets what waited while its host was frozen happen now, in order.
    pub fn resume(&mut self, host: HostId) {
        for mut event in std::mem::take(&mut self.hosts[host].deferred) {
            self.number += 1;
            event.at = event.at.max(self.now);
            event.number = self.number;
            self.queue.push(event);
        }
    }

    /// Plays a script until its end, or until a guarantee is broken.
    pub fn play(&mut self, script: Vec<Timed>) {
        for (at, command) in script {
            self.after(at, Whose::Nobody, move |world| world.enact(&command));
        }
        while !self.over && self.violations.is_empty() {
            let Some(event) = self.queue.pop() else { break };
            self.now = event.at;
            self.happen(event);
            self.check();
        }
    }

    fn happen(&mut self, event: Event) {
        let host = match event.whose {
            Whose::Nobody => return (event.deed)(self),
            Whose::Host(id, boot) if self.hosts[id].boot == boot => &mut self.hosts[id],
            Whose::Daemon(id, life) if self.hosts[id].lives(life) => &mut self.hosts[id],
            // What it belonged to is no more.
            Whose::Host(..) | Whose::Daemon(..) => return,
        };
        if host.frozen {
            host.deferred.push(event);
        } else if host.powered {
            (event.deed)(self);
        }
    }

    /// Which host bears this name.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<HostId> {
        self.hosts.iter().position(|host| host.name.as_str() == name)
    }

    /// Which host is this node.
    #[must_use]
    pub fn node(&self, name: &NodeName) -> Option<HostId> {
        self.hosts.binary_search_by(|host| host.name.cmp(name)).ok()
    }

    /// The tree as it is, understood.
    pub fn view(&mut self) -> Arc<View> {
        for change in self.tree.since(self.truth_at) {
            let data = change.data.as_ref().map(|(data, version)| (&**data, *version));
            self.truth.set(&change.path, data);
        }
        self.truth_at = self.tree.len();
        self.truth.snapshot()
    }

    /// Whether an event of this host can happen now.
    #[must_use]
    pub fn up(&self, host: HostId) -> bool {
        let host = &self.hosts[host];
        host.powered && host.booted && !host.frozen
    }

    /// Tells of something that a host does.
    pub fn tell(&mut self, host: HostId, text: impl FnOnce() -> String) {
        let (now, name) = (self.now, &self.hosts[host].name);
        self.story.tell(now, || format!("     {name}: {}", text()));
    }
}
