//! A session begins: the daemon reads the tree anew, and writes its own record.

use std::time::Duration;

use pvc_common::model::{Presence, StaticData};
use pvc_common::state::{CoordinatorState, DaemonState};
use pvc_common::view::{Builder, Scope};
use pvc_common::zk::{Key, Op, Seen, Text, key};

use super::World;
use crate::ensemble::Outcome;
use crate::world::HostId;

/// How often a condemned daemon looks whether it still is.
const FATE: Duration = Duration::from_millis(500);

impl World {
    /// A new session: what was seen in the last one says nothing.
    pub(crate) fn begin_session(&mut self, id: HostId) {
        let daemon = self.daemon(id);
        daemon.view = None;
        self.within(20, 200, self.own(id), move |world| world.read_everything(id));
    }

    /// Whether the daemon has read the tree in this session.
    pub(crate) fn has_view(&mut self, id: HostId) -> bool {
        self.daemon(id).view.is_some()
    }

    fn read_everything(&mut self, id: HostId) {
        if !self.connected(id) {
            return;
        }
        let mut mirror = Builder::new(Scope::Decisions);
        for change in self.tree.everything() {
            let data = change.data.as_ref().map(|(data, version)| (&**data, *version));
            mirror.set(&change.path, data);
        }
        let at = self.tree.len();
        let daemon = self.daemon(id);
        daemon.view = Some(mirror.snapshot());
        daemon.mirror = mirror;
        daemon.mirror_at = at;
        daemon.delivering = false;
        if self.daemon(id).recorded {
            self.look_soon(id);
        } else if !std::mem::replace(&mut self.daemon(id).joining, true) {
            self.await_fate(id);
        }
    }

    /// What the tree holds at a key now: a read that is not from the mirror.
    pub(crate) fn read<T: Text>(&self, key: &Key<T>) -> Seen<T> {
        Seen::read(self.tree.get(key.path()))
    }

    /// What a daemon does before it says anything of itself: while it is condemned it tells of
    /// which boot it is and that it lives, and waits.
    fn await_fate(&mut self, id: HostId) {
        let name = self.hosts[id].name.clone();
        if self.read(&key::node_fence(&name)) == Seen::Absent {
            return self.record(id);
        }
        if self.daemon(id).linked {
            let seconds = self.wall_ms(id) / 1_000;
            let ops = self.told_presence(id);
            let beat = self.rewrite(&key::node_keepalive(&name), &seconds);
            self.commit(id, ops.into_iter().chain([beat]).collect(), |_, _| ());
        }
        self.after(FATE, self.own(id), move |world| world.await_fate(id));
    }

    /// Writes the node's record.
    fn record(&mut self, id: HostId) {
        let name = self.hosts[id].name.clone();
        let mut ops = Vec::new();
        let state = self.read(&key::node_daemon_state(&name));
        if state.copied() != Some(DaemonState::Init) {
            ops.push(key::node_daemon_state(&name).put(&state, &DaemonState::Init));
        }
        let part = self.read(&key::node_coordinator_state(&name));
        let resting = match part.copied() {
            Some(
                CoordinatorState::Takeover
                | CoordinatorState::Primary
                | CoordinatorState::Relinquish
                | CoordinatorState::Client
                | CoordinatorState::Secondary,
            ) => true,
            None => false,
        };
        if !resting {
            let rest = CoordinatorState::Secondary;
            ops.push(key::node_coordinator_state(&name).put(&part, &rest));
        }
        ops.extend(self.told_presence(id));
        self.commit(id, ops, move |world, outcome| match outcome {
            Outcome::Done => {
                world.daemon(id).recorded = true;
                world.look_soon(id);
            }
            Outcome::Superseded(_) | Outcome::Unknown => {
                world.within(200, 500, world.own(id), move |world| world.record(id));
            }
        });
    }

    /// What it tells of its host; and what a former boot promised is promised no more.
    fn told_presence(&self, id: HostId) -> Vec<Op> {
        let name = &self.hosts[id].name;
        let (key, presence) = (key::node_presence(name), self.presence(id));
        let before = self.read(&key);
        if before.get() == Some(&presence) {
            return vec![];
        }
        let lease = key::node_lease(name);
        let promised = self.read(&lease);
        let withdrawal = promised.get().is_some_and(Option::is_some);
        let withdrawal = withdrawal.then(|| lease.put(&promised, &None));
        std::iter::once(key.put(&before, &presence)).chain(withdrawal).collect()
    }

    /// What a host's daemon tells of it.
    #[must_use]
    pub fn presence(&self, id: HostId) -> Presence {
        let number = u8::try_from(id % 250).unwrap_or(0) + 1;
        let net = |net: u8| std::net::IpAddr::from([10, 0, net, number]);
        let mesh = if self.config.mesh {
            vec![(net(1), 7_123).into(), (net(2), 7_123).into()]
        } else {
            Vec::new()
        };
        let (boot, addresses) = (self.hosts[id].boot_name(), vec![net(1), net(2)]);
        Presence { boot, mesh, addresses, ..Presence::default() }
    }

    /// What never changes of a host.
    #[must_use]
    pub fn static_data(&self, id: HostId) -> StaticData {
        StaticData {
            cpu_count: self.hosts[id].vcpus,
            kernel: "6.1.0".to_owned(),
            os: "GNU/Linux".to_owned(),
            arch: "x86_64".to_owned(),
        }
    }

    /// A write over what a key holds now, whoever wrote it: for what only this node writes.
    pub(crate) fn rewrite<T: Text>(&self, key: &Key<T>, value: &T) -> Op {
        key.put(&self.read(key), value)
    }
}
