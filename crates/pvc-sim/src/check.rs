//! The guarantees, checked after every event, and at the end of a quiet world.

use std::collections::BTreeSet;
use std::time::Duration;

use pvc_common::id::FenceId;
use pvc_common::state::{DaemonState, EvidenceKind, VmState};
use pvc_common::view::View;

use crate::script::Net;
use crate::world::{HostId, VmId, World};

/// Who was heard by most for so long before it was condemned was condemned needlessly.
const SERVING: Duration = Duration::from_millis(2_500);

/// What a host does at once that thaws, or whose daemon has just read the tree, takes so long.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Whose daemon could write for so long does not have to be reset: twice the device's time-out.
const WITHDRAWS: Duration = Duration::from_secs(10);

/// What the checks remember.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// By two hosts: since when they have been able to exchange probes.
    linked: Vec<Vec<Option<Duration>>>,
    /// By host: since when its daemon has been able to write its keepalive.
    writes: Vec<Option<Duration>>,
    /// The fences that were judged already.
    judged: BTreeSet<FenceId>,
    seen: usize,
}

impl Watch {
    /// Nothing yet, of so many hosts.
    pub fn begin(&mut self, hosts: usize) {
        self.linked = vec![vec![Some(Duration::ZERO); hosts]; hosts];
        self.writes = vec![Some(Duration::ZERO); hosts];
    }
}

impl World {
    /// Checks what must hold at every instant.
    pub fn check(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        for vm in 0..self.vms.len() {
            let writers: Vec<HostId> =
                (0..self.hosts.len()).filter(|id| self.can_write(*id, vm)).collect();
            if writers.len() > 1 {
                let names: Vec<&str> =
                    writers.iter().map(|id| self.hosts[*id].name.as_str()).collect();
                let text = format!("{} runs twice: on {}", self.vms[vm].name, names.join(", "));
                self.violate(text);
            }
        }
        self.check_addresses();
    }

    /// The floating addresses are held once, among those who can be reached there.
    ///
    /// A host without a daemon keeps them although its storage alone proves it dead: that is what
    /// the policy `storage_fence: required` is for. And one that has just thawed, or whose daemon
    /// has just read the tree for the first time, needs a moment.
    fn check_addresses(&mut self) {
        let holds = |id: &HostId| {
            let host = &self.hosts[*id];
            let reachable = self.up(*id) && !self.network.is_cut(*id, Net::Upstream);
            let began = host.daemon.as_ref().and_then(|daemon| daemon.began());
            let lately = |at: Duration| self.now < at + AT_ONCE;
            host.addresses
                && reachable
                && began.is_some_and(|at| !lately(at))
                && !host.thawed.is_some_and(lately)
        };
        let holders: Vec<HostId> = (0..self.hosts.len()).filter(holds).collect();
        if holders.len() > 1 {
            let names: Vec<&str> = holders.iter().map(|id| self.hosts[*id].name.as_str()).collect();
            let text = format!("the floating addresses are held twice: by {}", names.join(", "));
            self.violate(text);
        }
    }

    /// A guarantee is broken.
    pub fn violate(&mut self, text: String) {
        let now = self.now;
        self.story.event(now, "violation", &[("what", &text)], || format!("VIOLATION: {text}"));
        self.violations.push(text);
    }

    /// Notes who can exchange probes with whom, after a change of hosts or networks.
    pub(crate) fn note_links(&mut self) {
        for id in 0..self.hosts.len() {
            let writes = self.connected(id) && self.hosts[id].daemon.is_some();
            let known = &mut self.watch.writes[id];
            *known = if writes { known.or(Some(self.now)) } else { None };
        }
        for a in 0..self.hosts.len() {
            for b in 0..self.hosts.len() {
                let answers = |id: HostId| self.up(id) && self.hosts[id].daemon.is_some();
                let linked = answers(a) && answers(b) && self.network.talk_well(a, b);
                let known = &mut self.watch.linked[a][b];
                *known = if linked { known.or(Some(self.now)) } else { None };
            }
        }
    }

    /// Judges every fence that has just begun.
    pub(crate) fn note_tree(&mut self) {
        let fences: Vec<String> = self
            .tree
            .since(self.watch.seen)
            .iter()
            .filter(|change| change.data.is_some() && change.path.ends_with("/fence"))
            .map(|change| change.path.to_string())
            .collect();
        self.watch.seen = self.tree.len();
        if fences.is_empty() {
            return;
        }
        let view = self.view();
        for path in fences {
            let id = (0..self.hosts.len())
                .find(|id| path == pvc_common::zk::key::node_fence(&self.hosts[*id].name).path());
            let Some(id) = id else { continue };
            let node = view.nodes.get(&self.hosts[id].name);
            let Some(fence) = node.and_then(|node| node.liveness.fence.get()) else { continue };
            if self.watch.judged.insert(fence.id.clone()) {
                let why = format!("{}, says {}", fence.why, fence.by);
                self.judge(id, &why);
            }
        }
    }

    fn judge(&mut self, id: HostId, why: &str) {
        // Without the mesh a node is judged by its keepalives, of which a few may be due.
        let serving = if self.config.mesh {
            SERVING
        } else {
            Duration::from_secs(self.config.keepalive_interval * 3)
        };
        let Some(since) = self.now.checked_sub(serving) else { return };
        let live = (0..self.hosts.len())
            .filter(|other| *other != id && self.up(*other) && self.hosts[*other].daemon.is_some());
        if !self.config.mesh && self.watch.writes[id].is_none_or(|writes| writes > since) {
            return;
        }
        let (heard, deaf): (Vec<HostId>, Vec<HostId>) = live
            .partition(|other| self.watch.linked[id][*other].is_some_and(|linked| linked <= since));
        if heard.len() > deaf.len() {
            let text = format!(
                "{} is condemned needlessly ({why}): {} of {} heard it",
                self.hosts[id].name,
                heard.len(),
                heard.len() + deaf.len()
            );
            self.violate(text);
        }
    }

    /// Judges a host's reset by its own watchdog: needless if its daemon could have taken its
    /// promise back all the while, and nobody waits for its end.
    pub(crate) fn judge_reset(&mut self, id: HostId) {
        let able = self.watch.writes[id].is_some_and(|since| self.now >= since + WITHDRAWS);
        let name = self.hosts[id].name.clone();
        let condemned = self.read(&pvc_common::zk::key::node_fence(&name)).get().is_some();
        if able && !condemned {
            self.violate(format!(
                "{name} is reset needlessly: it could have written all the while"
            ));
        }
    }

    /// Checks what must hold once every fault is over and the world has been quiet for a while.
    pub fn check_peace(&mut self) {
        let view = self.view();
        let mut wrong = Vec::new();
        for (name, node) in &view.nodes {
            if let Some(fence) = node.liveness.fence.get() {
                wrong.push(format!("the fence of {name} never ended: {}", fence.why));
            }
            if node.daemon_state.copied() != Some(DaemonState::Run) {
                let id = self.node(name).unwrap_or_default();
                let state = node.daemon_state.copied();
                let daemon = self.describe_daemon(id);
                wrong.push(format!("{name} does not serve: {state:?}, {daemon}"));
            }
            if !node.liveness.suspicions.is_empty() {
                wrong.push(format!("{name} is suspected"));
            }
        }
        for vm in 0..self.vms.len() {
            wrong.extend(self.unrest_of_vm(&view, vm));
        }
        let holders: Vec<&str> = self
            .hosts
            .iter()
            .filter(|host| host.addresses)
            .map(|host| host.name.as_str())
            .collect();
        let named = view.cluster.primary_node.get().cloned().flatten();
        if holders != named.iter().map(pvc_common::id::NodeName::as_str).collect::<Vec<_>>() {
            wrong.push(format!("{named:?} is primary, but the addresses are at {holders:?}"));
        }
        for id in 0..self.hosts.len() {
            if self.is_busy(id) {
                wrong.push(format!("{} is still at work", self.hosts[id].name));
            }
        }
        wrong.into_iter().for_each(|text| self.violate(text));
    }

    /// What is wrong with a VM in a quiet world.
    fn unrest_of_vm(&self, view: &View, vm: VmId) -> Option<String> {
        let facts = &self.vms[vm];
        let name = &facts.name;
        let writers: Vec<HostId> =
            (0..self.hosts.len()).filter(|id| self.can_write(*id, vm)).collect();
        let Some(known) = view.vms.get(&facts.uuid) else {
            return (!writers.is_empty()).then(|| format!("{name} was removed, and runs"));
        };
        let displaced = known.displaced.get().is_some_and(Option::is_some);
        match known.state.copied() {
            Some(VmState::Start) if writers.len() == 1 => {
                let holder = known.claim.get().and_then(|claim| self.node(&claim.holder));
                (holder != Some(writers[0])).then(|| format!("{name} runs without its claim"))
            }
            Some(VmState::Start) => Some(format!("{name} should run, and does not")),
            Some(VmState::Stop) if displaced && known.autostart.copied() == Some(true) => {
                Some(format!("{name} is displaced, and found no node"))
            }
            Some(VmState::Stop | VmState::Disable) => {
                let left = known.claim.get().is_some() || !writers.is_empty();
                left.then(|| format!("{name} should not run, and does"))
            }
            other => Some(format!("{name} is still in state {other:?}")),
        }
    }

    /// Whether anybody was proved dead by its storage alone.
    #[must_use]
    pub fn proved_by_storage_alone(view: &View) -> bool {
        view.fences.iter().any(|(_, past)| {
            past.fence.get().is_some_and(|fence| {
                fence.proved_by(EvidenceKind::Storage) && !fence.proved_by(EvidenceKind::Ipmi)
            })
        })
    }
}
