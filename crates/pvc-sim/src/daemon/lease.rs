//! The node's own lease: whom it asks to hear it, and what it does when nobody does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::model::FenceLease;
use pvc_common::state::{DaemonState, LeaseKind};
use pvc_common::view::View;
use pvc_common::zk::key;
use pvc_plan::lease::{self, Act, Terms};

use super::World;
use crate::ensemble::Outcome;
use crate::world::HostId;

/// A device is fed only while the node was heard so recently.
const WINDOW: Duration = Duration::from_millis(600);

/// The time-out of a watchdog device.
const DEVICE: Duration = Duration::from_secs(5);

impl World {
    /// With what a node keeps its promise; the first is what it promises by.
    fn terms(&self, id: HostId) -> impl Iterator<Item = Terms> + use<> {
        // Without the mesh the device is not used: nobody could tell it that the node is heard.
        let device = self.hosts[id].watchdog && self.config.mesh;
        let suicide = self.config.suicide_intervals * self.config.keepalive_interval;
        let device = device.then_some((LeaseKind::Device, DEVICE));
        let suicide = (suicide > 0).then_some((LeaseKind::Suicide, Duration::from_secs(suicide)));
        let terms = device.into_iter().chain(suicide);
        terms.map(|(kind, patience)| Terms { kind, window: WINDOW, patience })
    }

    /// Arms the device, if there is one, before anything is promised. What a former daemon of this
    /// boot promised forbids it until the node has been heard.
    pub(super) fn arm(&mut self, id: HostId) {
        if self.hosts[id].watchdog && self.config.mesh && self.hosts[id].promised.is_empty() {
            self.feed(id, DEVICE);
        }
    }

    /// By whom the node wants to be heard: its observers that serve, as far as that is known.
    fn wanted_voters(&mut self, id: HostId, view: &View) -> BTreeSet<NodeName> {
        if !self.config.mesh {
            return BTreeSet::new();
        }
        if !self.is_live(id) {
            let known = self.daemon(id).promised.clone();
            return known.or_else(|| self.hosts[id].promised.last().cloned()).unwrap_or_default();
        }
        let serves = |name: &&NodeName| {
            let state = view.nodes.get(*name).and_then(|node| node.daemon_state.copied());
            state == Some(DaemonState::Run)
        };
        self.around(id).observers.iter().filter(serves).cloned().collect()
    }

    /// Publishes the lease anew when the voters change.
    pub(super) fn settle_lease(&mut self, id: HostId, view: &View) {
        let Some(terms) = self.terms(id).next() else { return };
        let wanted = self.wanted_voters(id, view);
        if self.daemon(id).leasing || self.daemon(id).promised.as_ref() == Some(&wanted) {
            return;
        }
        // From now on anybody may be reading either.
        let promised = &mut self.hosts[id].promised;
        if !promised.contains(&wanted) {
            promised.push(wanted.clone());
        }
        let ms = u64::try_from(terms.length().as_millis()).unwrap_or(u64::MAX);
        // Without anybody to hear it the node promises nothing, unless ZooKeeper is to hear it.
        let meant = !wanted.is_empty() || !self.config.mesh;
        let voters = wanted.clone();
        let lease = meant.then_some(FenceLease { kind: terms.kind, ms, voters });
        let op = self.rewrite(&key::node_lease(&self.hosts[id].name), &lease);
        self.daemon(id).leasing = true;
        self.commit(id, vec![op], move |world, outcome| {
            world.daemon(id).leasing = false;
            if outcome == Outcome::Done {
                world.hosts[id].promised = vec![wanted.clone()];
                world.daemon(id).promised = Some(wanted);
            }
            world.look_soon(id);
        });
    }

    /// Feeds its device, or switches itself off, as it has promised.
    pub(super) fn keep_promise(&mut self, id: HostId) {
        for terms in self.terms(id) {
            // One of the former may have switched it off.
            if self.hosts[id].daemon.is_some() {
                self.keep_terms(id, terms);
            }
        }
    }

    fn keep_terms(&mut self, id: HostId, terms: Terms) {
        let now = self.instant();
        let host = &self.hosts[id];
        let daemon = host.daemon.as_ref().expect("its own event");
        let since = daemon.since;
        let (own, kept): (Vec<BTreeSet<NodeName>>, BTreeMap<_, _>);
        let (voters, acked) = if self.config.mesh {
            (&host.promised, daemon.detector.acked())
        } else {
            own = vec![BTreeSet::from([host.name.clone()])];
            kept = daemon.kept.map(|at| (host.name.clone(), at)).into_iter().collect();
            (&own, &kept)
        };
        match lease::decide(&lease::Situation { terms, voters, acked, since, now }) {
            Act::Feed if terms.kind == LeaseKind::Device => self.feed(id, terms.patience),
            Act::Feed | Act::Wait => {}
            Act::PowerOff => {
                self.tell(id, || "nobody hears it: it switches itself off".to_owned());
                self.power_cut(id);
            }
        }
    }
}
