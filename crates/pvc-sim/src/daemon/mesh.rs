//! The mesh: rounds of probes, and the suspicions that come of them.
//!
//! A round is one event, not a packet each: an answer comes at once or never, and that decides
//! as much as its few milliseconds would.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::model::Suspicion;
use pvc_common::zk::{Op, Text, Version, key};
use pvc_plan::mesh::{observed_by, observers};

use super::World;
use crate::ensemble::Outcome;
use crate::script::Net;
use crate::world::HostId;

/// Time between two rounds.
const EVERY: Duration = Duration::from_millis(200);

/// The networks of the mesh.
const MESHED: [Net; 2] = [Net::Cluster, Net::Storage];

/// Whom a node probes, and why.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// Whose silence it has to tell.
    pub(super) observed: BTreeSet<NodeName>,
    /// Who has to tell its silence.
    pub(super) observers: BTreeSet<NodeName>,
    /// Both together, which are probed.
    pub(super) probed: BTreeSet<NodeName>,
    ids: Vec<HostId>,
}

impl World {
    /// Whom a host's daemon probes. Reckoned once: nodes neither come nor go.
    pub(super) fn around(&mut self, id: HostId) -> Arc<Around> {
        if let Some(known) = &self.hosts[id].around {
            return Arc::clone(known);
        }
        let me = &self.hosts[id].name;
        let (observed, observers) = (observed_by(me, &self.names), observers(me, &self.names));
        let probed: BTreeSet<NodeName> = observed.union(&observers).cloned().collect();
        let ids = probed.iter().filter_map(|peer| self.node(peer)).collect();
        let around = Arc::new(Around { observed, observers, probed, ids });
        self.hosts[id].around = Some(Arc::clone(&around));
        around
    }

    /// One round, and the next.
    pub(super) fn round(&mut self, id: HostId) {
        let jitter = Duration::from_micros(self.chance.below(3_000));
        self.after(EVERY + jitter, self.own(id), move |world| world.round(id));
        if self.config.mesh {
            let now = self.instant();
            let around = self.around(id);
            let detector = &mut self.daemon(id).detector;
            detector.observe(&around.probed, now);
            detector.tick(now);
            for to in &around.ids {
                self.probe(id, *to);
            }
            self.revise(id);
        }
        self.keep_promise(id);
        self.settle_lease(id);
    }

    /// Sends a peer a probe on each network.
    fn probe(&mut self, from: HostId, to: HostId) {
        let now = self.instant();
        if !self.up(to) || self.hosts[to].daemon.is_none() {
            return;
        }
        if self.network.swallows(from, to) {
            return;
        }
        let arrived = MESHED.map(|net| self.network.carries(from, to, net, &mut self.chance));
        if !arrived.contains(&true) {
            return;
        }
        let me = self.hosts[from].name.clone();
        let asked = self.daemon(to);
        if !asked.detector.asked(&me, now) || asked.forgetful {
            return;
        }
        let answered = MESHED
            .into_iter()
            .zip(arrived)
            .any(|(net, arrived)| arrived && self.network.carries(to, from, net, &mut self.chance));
        if answered {
            let peer = self.hosts[to].name.clone();
            self.daemon(from).detector.heard(&peer, now, now);
        }
    }

    /// Brings its accusations in the tree in line with what it hears.
    fn revise(&mut self, id: HostId) {
        let (now, around) = (self.instant(), self.around(id));
        let daemon = self.hosts[id].daemon.as_mut().expect("its own event");
        let (true, Some(session)) = (daemon.linked, daemon.session) else { return };
        if !daemon.searched {
            return self.search(id);
        }
        let mut suspects = daemon.detector.suspects(now);
        suspects.retain(|peer, _| around.observed.contains(peer));
        let free = |peer: &&NodeName| !daemon.publishing.contains(*peer);
        let accuse: Vec<NodeName> = suspects
            .keys()
            .filter(free)
            .filter(|peer| daemon.published.get(*peer) != Some(&session))
            .cloned()
            .collect();
        let acquit: Vec<NodeName> = daemon
            .detector
            .accused()
            .iter()
            .filter(free)
            .filter(|peer| !suspects.contains_key(*peer))
            .cloned()
            .collect();
        for peer in acquit {
            self.acquit(id, peer);
        }
        for peer in accuse {
            self.accuse(id, peer);
        }
    }

    /// Whom it observes and does not suspect.
    pub(super) fn hears(&mut self, id: HostId) -> BTreeSet<NodeName> {
        let (now, around) = (self.instant(), self.around(id));
        let suspects = self.daemon(id).detector.suspects(now);
        around.observed.iter().filter(|peer| !suspects.contains_key(*peer)).cloned().collect()
    }

    /// Takes back what a former daemon of this node accused others of; until that is done nobody
    /// knows whom, unless it was written down.
    fn search(&mut self, id: HostId) {
        if std::mem::replace(&mut self.daemon(id).searching, true) {
            return;
        }
        let me = self.hosts[id].name.clone();
        let paths = self.names.iter().map(|peer| key::node_suspicion(peer, &me).into_path());
        let left = paths.filter(|path| self.tree.get(path).is_some());
        let ops: Vec<Op> = left.map(|path| Op::Delete { path, version: Version(0) }).collect();
        self.commit(id, ops, move |world, outcome| {
            let daemon = world.daemon(id);
            daemon.searching = false;
            if outcome == Outcome::Done {
                daemon.searched = true;
                daemon.forgetful = false;
                world.write_down(id);
            }
        });
    }

    /// Whom it accuses, for the next daemon of this boot.
    fn write_down(&mut self, id: HostId) {
        let accused = self.daemon(id).detector.accused().clone();
        self.hosts[id].accused = Some(accused);
    }

    /// Removes what this node may have written of a peer, and goes on if that is known to be gone.
    fn remove(
        &mut self,
        id: HostId,
        peer: &NodeName,
        then: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        let me = self.hosts[id].name.clone();
        self.daemon(id).publishing.insert(peer.clone());
        let path = key::node_suspicion(peer, &me).into_path();
        let op = Op::Delete { path, version: Version(0) };
        let peer = peer.clone();
        self.commit(id, vec![op], move |world, outcome| match outcome {
            Outcome::Done | Outcome::Superseded(_) => then(world),
            Outcome::Unknown => {
                world.daemon(id).publishing.remove(&peer);
            }
        });
    }

    /// Nobody is accused unless the tree can be written to.
    fn accuse(&mut self, id: HostId, peer: NodeName) {
        let of = peer.clone();
        self.remove(id, &of, move |world| world.write_accusation(id, peer));
    }

    fn write_accusation(&mut self, id: HostId, peer: NodeName) {
        let (now, observer) = (self.instant(), self.hosts[id].name.clone());
        let number = self.chance.number();
        let daemon = self.daemon(id);
        let session = daemon.session;
        // The peer may have been heard while the tree was reached.
        let Some(silent) = daemon.detector.suspects(now).get(&peer).copied() else {
            daemon.publishing.remove(&peer);
            return;
        };
        daemon.detector.accuse(&peer);
        self.write_down(id);
        let silent_ms = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
        let path = key::node_suspicion(&peer, &observer).into_path();
        let data = Suspicion { number, silent_ms }.encode().into_bytes();
        self.commit(id, vec![Op::CreateEphemeral { path, data }], move |world, outcome| {
            let daemon = world.daemon(id);
            daemon.publishing.remove(&peer);
            if let (Outcome::Done, Some(session)) = (outcome, session) {
                daemon.published.insert(peer.clone(), session);
                let (at, name) = (world.now, peer.to_string());
                let text = || format!("     {observer}: suspects {name}");
                let about = [("node", name.as_str()), ("by", observer.as_str())];
                world.story.event(at, "suspected", &about, text);
            }
        });
    }

    fn acquit(&mut self, id: HostId, peer: NodeName) {
        // Should nobody answer it may be gone all the same: then it has to be written anew.
        self.daemon(id).published.remove(&peer);
        let of = peer.clone();
        self.remove(id, &of, move |world| {
            let daemon = world.daemon(id);
            daemon.publishing.remove(&peer);
            daemon.detector.acquit(&peer);
            world.write_down(id);
            world.tell(id, || format!("hears {peer} again"));
        });
    }
}
