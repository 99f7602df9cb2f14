//! The mesh: rounds of probes, suspicions, and the node's own lease.
//!
//! A round is one event, not a packet each: an answer comes at once or never, and that decides
//! as much as its few milliseconds would.

use std::collections::BTreeSet;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::model::{FenceLease, Node, Suspicion};
use pvc_common::state::{DaemonState, LeaseKind};
use pvc_common::view::View;
use pvc_common::zk::{Op, key};
use pvc_plan::lease::{self, Act, Terms};
use pvc_plan::mesh::{observed_by, observers};

use super::World;
use crate::ensemble::Outcome;
use crate::world::HostId;

/// Time between two rounds.
const EVERY: Duration = Duration::from_millis(200);

/// A device is fed only while the node was heard so recently.
const WINDOW: Duration = Duration::from_millis(600);

/// The time-out of a watchdog device.
const DEVICE: Duration = Duration::from_secs(5);

impl World {
    /// One round, and the next.
    pub(super) fn round(&mut self, id: HostId) {
        let jitter = Duration::from_micros(self.chance.below(3_000));
        self.after(EVERY + jitter, self.own(id), move |world| world.round(id));
        if !self.config.mesh {
            return;
        }
        let now = self.instant();
        let peers = observed_by(&self.hosts[id].name, &self.names);
        let daemon = self.hosts[id].daemon.as_mut().expect("its own event");
        daemon.detector.observe(&peers, now);
        daemon.detector.tick(now);
        for peer in &peers {
            let Some(to) = self.node(peer) else { continue };
            let answers = self.up(to) && self.hosts[to].daemon.is_some();
            if answers && self.network.probe(id, to, &mut self.chance) {
                self.daemon(id).detector.heard(peer, now, now);
            }
        }
        self.publish(id);
        self.keep_promise(id);
    }

    /// Publishes whom it suspects, and takes back whom it does not any more.
    fn publish(&mut self, id: HostId) {
        let now = self.instant();
        let daemon = self.hosts[id].daemon.as_mut().expect("its own event");
        if !daemon.linked || daemon.view.is_none() {
            return;
        }
        let suspects = daemon.detector.suspects(now);
        let publish: Vec<(NodeName, Duration)> = suspects
            .iter()
            .filter(|(peer, _)| {
                !daemon.published.contains_key(*peer) && !daemon.publishing.contains(*peer)
            })
            .map(|(peer, silent)| (peer.clone(), *silent))
            .collect();
        let withdraw: Vec<NodeName> = daemon
            .published
            .keys()
            .filter(|peer| !suspects.contains_key(*peer) && !daemon.publishing.contains(*peer))
            .cloned()
            .collect();
        for (peer, silent) in publish {
            self.accuse(id, peer, silent);
        }
        for peer in withdraw {
            self.acquit(id, peer);
        }
    }

    fn accuse(&mut self, id: HostId, peer: NodeName, silent: Duration) {
        let observer = self.hosts[id].name.clone();
        let salt = self.chance.below(1_000_000) * 1_000;
        let daemon = self.daemon(id);
        daemon.accusations += 1;
        // Told apart from those of a former life, too.
        let number = salt + daemon.accusations;
        daemon.publishing.insert(peer.clone());
        let silent_ms = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
        let path = key::node_suspicion(&peer, &observer).into_path();
        let data = pvc_common::zk::Text::encode(&Suspicion { number, silent_ms }).into_bytes();
        let mut ops = Vec::new();
        // One of a former session of ours may be left.
        if let Some((_, version)) = self.tree.get(&path) {
            ops.push(Op::Delete { path: path.clone(), version });
        }
        let create = Op::CreateEphemeral { path, data };
        if ops.is_empty() {
            ops.push(create);
        }
        let whole = ops.len() == 1 && matches!(ops[0], Op::CreateEphemeral { .. });
        self.commit(id, ops, move |world, outcome| {
            world.daemon(id).publishing.remove(&peer);
            if whole && outcome == Outcome::Done {
                world.daemon(id).published.insert(peer.clone(), number);
                let (at, name) = (world.now, peer.to_string());
                let text = || format!("     {observer}: suspects {name}");
                let by = observer.to_string();
                let about = [("node", name.as_str()), ("by", by.as_str())];
                world.story.event(at, "suspected", &about, text);
            }
        });
    }

    fn acquit(&mut self, id: HostId, peer: NodeName) {
        let observer = self.hosts[id].name.clone();
        let path = key::node_suspicion(&peer, &observer).into_path();
        self.daemon(id).publishing.insert(peer.clone());
        let version = self.tree.get(&path).map(|(_, version)| version);
        let ops = version.map(|version| Op::Delete { path, version }).into_iter().collect();
        self.commit(id, ops, move |world, outcome| {
            let daemon = world.daemon(id);
            daemon.publishing.remove(&peer);
            if outcome == Outcome::Done {
                daemon.published.remove(&peer);
                world.tell(id, || format!("hears {peer} again"));
            }
        });
    }

    fn terms(&self, id: HostId) -> Option<Terms> {
        // Without the mesh nobody could tell the node that it is heard.
        if !self.config.mesh {
            return None;
        }
        let suicide = self.config.suicide_intervals * self.config.keepalive_interval;
        if self.hosts[id].watchdog {
            Some(Terms { kind: LeaseKind::Device, window: WINDOW, patience: DEVICE })
        } else if suicide > 0 {
            let patience = Duration::from_secs(suicide);
            Some(Terms { kind: LeaseKind::Suicide, window: WINDOW, patience })
        } else {
            None
        }
    }

    /// By whom the node wants to be heard, as it sees the cluster now: those that serve.
    fn wanted_voters(&self, id: HostId, view: &View) -> BTreeSet<NodeName> {
        let mine = observers(&self.hosts[id].name, &self.names);
        let serves = |name: &NodeName| {
            let state = view.nodes.get(name).and_then(|node| node.daemon_state.copied());
            state == Some(DaemonState::Run)
        };
        mine.into_iter().filter(serves).collect()
    }

    /// Publishes the lease anew when the voters change.
    pub(super) fn settle_lease(&mut self, id: HostId, view: &View) {
        let Some(terms) = self.terms(id).filter(|_| self.config.mesh) else { return };
        let name = self.hosts[id].name.clone();
        let Some(own) = view.nodes.get(&name) else { return };
        let wanted = self.wanted_voters(id, view);
        let ms = u64::try_from(terms.length().as_millis()).unwrap_or(u64::MAX);
        let lease = Some(FenceLease { kind: terms.kind, ms, voters: wanted });
        if self.daemon(id).leasing {
            return;
        }
        if own.liveness.lease.get() == Some(&lease) {
            self.hosts[id].promised = published(own).into_iter().collect();
            return;
        }
        self.daemon(id).leasing = true;
        // From now on anybody may be reading either.
        let promised = &mut self.hosts[id].promised;
        promised.extend(published(own));
        promised.extend(lease.iter().map(|lease| lease.voters.clone()));
        promised.dedup();
        let op = key::node_lease(&name).put(&own.liveness.lease, &lease);
        self.commit(id, vec![op], move |world, _| {
            world.daemon(id).leasing = false;
            world.look_soon(id);
        });
    }

    /// Feeds its device, or switches itself off, as it has promised.
    fn keep_promise(&mut self, id: HostId) {
        let Some(terms) = self.terms(id) else { return };
        let voters = self.hosts[id].promised.clone();
        // Without a promise of this boot no VM of this boot can have been started.
        self.promise(id, terms, &voters);
    }

    /// Arms the device, if there is one, before anything is promised.
    pub(super) fn arm(&mut self, id: HostId) {
        if self.hosts[id].watchdog && self.config.mesh {
            self.feed(id, DEVICE);
        }
    }

    fn promise(&mut self, id: HostId, terms: Terms, voters: &[BTreeSet<NodeName>]) {
        let now = self.instant();
        let daemon = self.hosts[id].daemon.as_ref().expect("its own event");
        let acked = daemon.detector.acked();
        let since = daemon.since;
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

/// By whom a node wants to be heard, as the tree has it.
fn published(own: &Node) -> Option<BTreeSet<NodeName>> {
    Some(own.liveness.lease.get()?.as_ref()?.voters.clone())
}
