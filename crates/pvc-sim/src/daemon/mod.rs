//! A node's daemon: what it knows, and when it looks.
//!
//! It decides nothing: each activation asks the plans of `pvc_plan`, as the real daemon does.

mod beat;
mod fence;
mod flush;
mod lease;
pub(crate) mod mesh;
mod primary;
mod session;
mod vm;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::state::DomainState;
use pvc_common::view::{Builder, Scope, View};
use pvc_plan::fence::{Jobs, Sight};
use pvc_plan::lease::To;
use pvc_plan::mesh::{Detector, Pace};

use crate::ensemble::DOUBT;
use crate::tree::SessionId;
use crate::world::{HostId, VmId, Whose, World};
use vm::Slot;

/// A daemon looks at least so often.
const PERIOD: Duration = Duration::from_secs(5);

/// And so often while somebody is suspected or fenced.
const PERIOD_IN_TROUBLE: Duration = Duration::from_millis(500);

/// A daemon.
pub struct Daemon {
    /// Which of its host's daemons it is.
    pub life: u32,
    /// Its session.
    pub session: Option<SessionId>,
    /// Whether it could reach a server, if it tried.
    pub connected: bool,
    /// Whether its session is known to be alive.
    pub linked: bool,
    /// Since when it has not heard a server.
    pub unheard: Option<Duration>,
    mirror: Builder,
    mirror_at: usize,
    delivering: bool,
    view: Option<Arc<View>>,
    /// When it acted on the tree for the first time.
    began: Option<Duration>,
    looks_at: Option<Duration>,
    /// Whether it has begun to read its fate and write its own record.
    joining: bool,
    /// Whether it has written its own record.
    recorded: bool,
    slots: BTreeMap<VmId, Slot>,
    /// Until when libvirt may be at a start that nobody waits for any more.
    unanswered: BTreeMap<VmId, Duration>,
    doing: Option<DomainState>,
    asked: BTreeMap<VmUuid, (u32, Instant)>,
    flushing: bool,
    /// Whether it acts as to the primary.
    acting: bool,
    /// When it asked what the ensemble confirmed last: that it has its part.
    touched: Option<Duration>,
    sight: Sight,
    jobs: Jobs,
    /// Nodes whose fences it is writing about.
    writing: BTreeSet<NodeName>,
    powering: BTreeMap<NodeName, Duration>,
    detector: Detector,
    since: Instant,
    /// In which session each accusation was written.
    published: BTreeMap<NodeName, SessionId>,
    /// Peers about whom it is writing.
    publishing: BTreeSet<NodeName>,
    /// Whether it has taken back what the former daemon accused others of.
    searched: bool,
    searching: bool,
    /// Accusations of a former life may be in the tree, and nobody knows of whom: it answers
    /// nobody.
    forgetful: bool,
    leasing: bool,
    /// What it promises, as is known to be in the tree.
    promised: Option<To>,
    /// Since when each round has found the node unheard by its voters.
    ignored: Option<Instant>,
    /// When the last keepalive was sent that was acknowledged.
    kept: Option<Instant>,
    beaten: Option<Duration>,
    unblocking: bool,
}

impl Daemon {
    /// The tree as it sees it; nothing before it has read it in its session.
    #[must_use]
    pub fn view(&self) -> Option<&Arc<View>> {
        self.view.as_ref()
    }

    /// When it acted on the tree for the first time; nothing while its view is in doubt.
    #[must_use]
    pub fn began(&self) -> Option<Duration> {
        self.began.filter(|_| self.view.is_some())
    }
}

impl World {
    /// The daemon of a host starts, if the host runs.
    pub fn start_daemon(&mut self, id: HostId) {
        if !self.hosts[id].powered || !self.hosts[id].booted || self.hosts[id].daemon.is_some() {
            return;
        }
        let now = self.instant();
        let host = &mut self.hosts[id];
        host.lives += 1;
        let pace =
            Pace { every: Duration::from_millis(200), suspect_after: Duration::from_secs(1) };
        let mut detector = Detector::new(pace);
        host.accused.iter().flatten().for_each(|peer| detector.accuse(peer));
        let orphans = host.starts.iter().map(|vm| (*vm, self.now + pvc_plan::vm::UNSEEN));
        let unanswered = orphans.collect();
        let daemon = Daemon {
            life: host.lives,
            session: None,
            connected: false,
            linked: false,
            unheard: Some(self.now),
            mirror: Builder::new(Scope::Decisions),
            mirror_at: 0,
            delivering: false,
            view: None,
            began: None,
            looks_at: None,
            // The world begins with daemons that have been running for a while.
            joining: false,
            recorded: self.now == Duration::ZERO,
            slots: BTreeMap::new(),
            unanswered,
            doing: None,
            asked: BTreeMap::new(),
            flushing: false,
            acting: false,
            touched: None,
            sight: Sight::default(),
            jobs: Jobs::new(),
            writing: BTreeSet::new(),
            powering: BTreeMap::new(),
            detector,
            since: now,
            published: BTreeMap::new(),
            publishing: BTreeSet::new(),
            searched: self.now == Duration::ZERO,
            searching: false,
            forgetful: host.accused.is_none(),
            leasing: false,
            promised: None,
            ignored: None,
            kept: None,
            beaten: None,
            unblocking: false,
        };
        let life = daemon.life;
        host.daemon = Some(Box::new(daemon));
        self.arm(id);
        self.refresh();
        self.within(0, 200, Whose::Daemon(id, life), move |world| world.round(id));
        self.within(1_000, 3_000, Whose::Daemon(id, life), move |world| world.beat_and_again(id));
    }

    /// The daemon of a host, which is the one whose event this is.
    fn daemon(&mut self, id: HostId) -> &mut Daemon {
        self.hosts[id].daemon.as_mut().expect("an event of a daemon happens while that lives")
    }

    fn own(&self, id: HostId) -> Whose {
        let daemon = self.hosts[id].daemon.as_ref();
        Whose::Daemon(id, daemon.map_or(0, |daemon| daemon.life))
    }

    /// How a host's daemon fares, for a failure's message.
    pub(crate) fn describe_daemon(&self, id: HostId) -> String {
        let host = &self.hosts[id];
        let Some(daemon) = &host.daemon else {
            return format!("no daemon, power {}, booted {}", host.powered, host.booted);
        };
        format!(
            "linked {}, recorded {}, view {}, on the blocklist {}, unblocking {}",
            daemon.linked,
            daemon.recorded,
            daemon.view.is_some(),
            self.blocklist.contains_key(&id),
            daemon.unblocking
        )
    }

    /// Whether the daemon takes its session to be alive.
    fn is_live(&self, id: HostId) -> bool {
        let Some(daemon) = self.hosts[id].daemon.as_ref() else { return false };
        // Servers that have no leader say so, by closing; a cut network says nothing for a while.
        let doubts = daemon
            .unheard
            .is_some_and(|since| self.ensemble.leader.is_none() || self.now >= since + DOUBT);
        daemon.session.is_some() && !doubts
    }

    /// What has changed in the tree reaches the daemon, after a while.
    pub fn deliver_soon(&mut self, id: HostId) {
        let Some(daemon) = self.hosts[id].daemon.as_mut() else { return };
        if daemon.delivering || !daemon.linked || daemon.mirror_at == self.tree.len() {
            return;
        }
        daemon.delivering = true;
        // Now and then a watch comes late.
        let (from, to) = if self.chance.happens(20) { (100, 900) } else { (1, 15) };
        self.within(from, to, self.own(id), move |world| world.deliver(id));
    }

    fn deliver(&mut self, id: HostId) {
        let Some(daemon) = self.hosts[id].daemon.as_mut() else { return };
        daemon.delivering = false;
        if !daemon.linked || daemon.view.is_none() {
            return;
        }
        for change in self.tree.since(daemon.mirror_at) {
            let data = change.data.as_ref().map(|(data, version)| (&**data, *version));
            daemon.mirror.set(&change.path, data);
        }
        daemon.mirror_at = self.tree.len();
        daemon.view = Some(daemon.mirror.snapshot());
        self.look_soon(id);
    }

    /// The daemon looks soon.
    pub fn look_soon(&mut self, id: HostId) {
        let delay = self.chance.between(1, 5);
        self.look_in(id, delay);
    }

    fn look_in(&mut self, id: HostId, delay: Duration) {
        let at = self.now + delay;
        let Some(daemon) = self.hosts[id].daemon.as_mut() else { return };
        if daemon.looks_at.is_some_and(|before| before <= at && before > self.now) {
            return;
        }
        daemon.looks_at = Some(at);
        self.after(delay, self.own(id), move |world| {
            if world.daemon(id).looks_at.is_some_and(|due| due <= world.now) {
                world.daemon(id).looks_at = None;
                world.look(id);
            }
        });
    }

    /// One activation of everything.
    fn look(&mut self, id: HostId) {
        let Some(view) = self.daemon(id).view.clone() else { return };
        if !self.daemon(id).recorded {
            return;
        }
        let now = self.now;
        self.daemon(id).began.get_or_insert(now);
        let mut wakes = vec![self.look_at_vms(id, &view), self.look_at_flush(id, &view)];
        self.rebut(id, &view);
        if self.hosts[id].coordinator {
            self.look_at_primary(id, &view);
            wakes.push(self.look_at_fences(id, &view));
        }
        let trouble = view.nodes.iter().any(|(_, node)| {
            !node.liveness.suspicions.is_empty() || node.liveness.fence.get().is_some()
        });
        let period = if trouble { PERIOD_IN_TROUBLE } else { self.period(id) };
        let wake = wakes.into_iter().flatten().min().map(|at| self.at(at));
        let delay = wake.map_or(period, |at| at.saturating_sub(self.now).min(period));
        self.look_in(id, delay.max(Duration::from_millis(1)));
    }

    /// Coordinators have to look once a second, or take themselves to have slept.
    fn period(&self, id: HostId) -> Duration {
        if self.hosts[id].coordinator { Duration::from_secs(1) } else { PERIOD }
    }
}
