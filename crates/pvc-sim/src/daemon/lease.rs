//! The node's own lease: whom it asks to hear it, and what it does when nobody does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pvc_common::model::FenceLease;
use pvc_common::state::LeaseKind;
use pvc_common::zk::key;
use pvc_plan::lease::{self, Act, Outlook, Terms, To};

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
        let promised = self.hosts[id].promised.iter().any(|to| *to != To::Nobody);
        if self.hosts[id].watchdog && self.config.mesh && !promised {
            self.feed(id, DEVICE);
        }
    }

    /// To whom the node should promise now.
    fn aim(&mut self, id: HostId) -> Option<To> {
        let (live, now) = (self.is_live(id), self.instant());
        let around = self.config.mesh.then(|| self.around(id));
        let patience = self.terms(id).map(|terms| terms.patience).min();
        let host = &self.hosts[id];
        let daemon = host.daemon.as_ref().expect("its own event");
        lease::aim(&Outlook {
            me: &host.name,
            view: daemon.view.as_deref(),
            live,
            fencing: self.policy.enabled,
            observers: around.as_ref().map(|around| &around.observers),
            acked: daemon.detector.acked(),
            window: WINDOW,
            patience,
            promised: host.promised.iter().any(|to| *to != To::Nobody),
            unheard: daemon.ignored,
            now,
        })
    }

    /// Publishes the lease anew when another is wanted.
    pub(super) fn settle_lease(&mut self, id: HostId) {
        let Some(terms) = self.terms(id).next() else { return };
        if self.hosts[id].daemon.as_ref().is_none_or(|daemon| !daemon.recorded || daemon.leasing) {
            return;
        }
        let Some(aim) = self.aim(id) else { return };
        // Promised only what is armed already.
        let armed = terms.kind != LeaseKind::Device || self.hosts[id].bites_at.is_some();
        if self.daemon(id).promised.as_ref() == Some(&aim) || !armed && aim != To::Nobody {
            return;
        }
        // From now on anybody may be reading either.
        self.daemon(id).promised = None;
        let promised = &mut self.hosts[id].promised;
        if !promised.contains(&aim) {
            promised.push(aim.clone());
        }
        let ms = u64::try_from(terms.length().as_millis()).unwrap_or(u64::MAX);
        let promise = |voters| Some(FenceLease { kind: terms.kind, ms, voters });
        let lease = match &aim {
            To::Nobody => None,
            To::Voters(voters) => promise(voters.clone()),
            To::ZooKeeper => promise(BTreeSet::new()),
        };
        let op = self.rewrite(&key::node_lease(&self.hosts[id].name), &lease);
        self.daemon(id).leasing = true;
        self.commit(id, vec![op], move |world, outcome| {
            world.daemon(id).leasing = false;
            if outcome == Outcome::Done {
                world.hosts[id].promised = vec![aim.clone()];
                world.daemon(id).promised = Some(aim);
            }
        });
    }

    /// Feeds its device, or switches itself off, as it has promised.
    pub(super) fn keep_promise(&mut self, id: HostId) {
        let mut heard = true;
        for terms in self.terms(id) {
            // One of the former may have switched it off.
            if self.hosts[id].daemon.is_some() {
                heard &= self.keep_terms(id, terms) == Act::Feed;
            }
        }
        let now = self.instant();
        if let Some(daemon) = self.hosts[id].daemon.as_mut() {
            daemon.ignored = if heard { None } else { daemon.ignored.or(Some(now)) };
        }
    }

    fn keep_terms(&mut self, id: HostId, terms: Terms) -> Act {
        let now = self.instant();
        let host = &self.hosts[id];
        let daemon = host.daemon.as_ref().expect("its own event");
        let since = daemon.since;
        let voters: Vec<_> = host.promised.iter().map(|to| to.voters(&host.name)).collect();
        let kept: BTreeMap<_, _>;
        let acked = if self.config.mesh {
            daemon.detector.acked()
        } else {
            kept = daemon.kept.map(|at| (host.name.clone(), at)).into_iter().collect();
            &kept
        };
        let situation = lease::Situation { terms, voters: &voters, acked, since, now };
        let act = lease::decide(&situation);
        match act {
            Act::Feed if terms.kind == LeaseKind::Device => self.feed(id, terms.patience),
            Act::Feed | Act::Wait => {}
            Act::PowerOff => {
                self.tell(id, || "nobody hears it: it switches itself off".to_owned());
                self.power_cut(id);
            }
        }
        act
    }
}
