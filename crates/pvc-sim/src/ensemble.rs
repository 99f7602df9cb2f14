//! ZooKeeper: its servers on the coordinators, who leads them, the sessions of the daemons, and
//! transactions on their way.
//!
//! A transaction reaches the leader or not, and its outcome comes back or not: a daemon that was
//! cut off meanwhile does not know whether it happened.

use std::time::Duration;

use pvc_common::zk::Op;

use crate::script::Net;
use crate::tree::{SessionId, Superseded};
use crate::world::{HostId, Whose, World};

/// A session ends when its client was not heard for so long.
const SESSION: Duration = Duration::from_secs(10);

/// A client that has not heard its server for so long takes its session to be in doubt.
pub const DOUBT: Duration = Duration::from_millis(6_700);

/// How long a daemon waits for the outcome of a transaction.
const DEADLINE: Duration = Duration::from_secs(4);

/// The servers and the sessions.
#[derive(Clone, Debug, Default)]
pub struct Ensemble {
    /// Who leads.
    pub leader: Option<HostId>,
    electing: bool,
    sessions: Vec<Session>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    alive: bool,
    /// Since when its client is not heard.
    lost: Option<Duration>,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened.
    Done,
    /// It did not: what it expected is not so.
    Superseded(String),
    /// It may have happened, or not.
    Unknown,
}

impl Ensemble {
    /// A new session.
    pub fn begin(&mut self) -> SessionId {
        self.sessions.push(Session { alive: true, lost: None });
        self.sessions.len() - 1
    }

    /// Whether a session is alive, as the servers see it.
    #[must_use]
    pub fn is_alive(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(|session| session.alive)
    }
}

impl World {
    fn serves(&self, id: HostId) -> bool {
        self.hosts[id].coordinator && self.hosts[id].zookeeper && self.up(id)
    }

    /// The servers that follow `leader`, itself among them.
    fn followers(&self, leader: HostId) -> impl Iterator<Item = HostId> {
        (0..self.hosts.len())
            .filter(move |id| self.serves(*id) && self.network.talk(*id, leader, Net::Cluster))
    }

    fn could_lead(&self, id: HostId) -> bool {
        let all = self.hosts.iter().filter(|host| host.coordinator).count();
        self.serves(id) && self.followers(id).count() * 2 > all
    }

    /// Whether a host reaches a server that follows the leader.
    #[must_use]
    pub fn connected(&self, id: HostId) -> bool {
        let Some(leader) = self.ensemble.leader else { return false };
        self.up(id)
            && self.followers(leader).any(|server| self.network.talk(id, server, Net::Cluster))
    }

    /// Something about hosts or networks has changed: who leads, who is connected?
    pub fn refresh(&mut self) {
        if self.ensemble.leader.is_some_and(|leader| !self.could_lead(leader)) {
            self.ensemble.leader = None;
        }
        if self.ensemble.leader.is_none() {
            self.elect();
        }
        self.reconnect();
        self.note_links();
        self.dirty = true;
    }

    fn elect(&mut self) {
        let possible = (0..self.hosts.len()).any(|id| self.could_lead(id));
        if self.ensemble.electing || !possible {
            return;
        }
        self.ensemble.electing = true;
        self.within(300, 2_000, Whose::Nobody, |world| {
            world.ensemble.electing = false;
            if world.ensemble.leader.is_none() {
                let able: Vec<HostId> =
                    (0..world.hosts.len()).filter(|id| world.could_lead(*id)).collect();
                if !able.is_empty() {
                    world.ensemble.leader = Some(able[world.chance.index(able.len())]);
                    world.renew_sessions();
                }
                world.refresh();
            }
        });
    }

    /// A new leader counts every session anew.
    fn renew_sessions(&mut self) {
        let now = self.now;
        for session in 0..self.ensemble.sessions.len() {
            let known = &mut self.ensemble.sessions[session];
            if known.alive {
                known.lost = Some(now);
                self.after(SESSION, Whose::Nobody, move |world| world.expire(session));
            }
        }
    }

    fn expire(&mut self, session: SessionId) {
        let Some(known) = self.ensemble.sessions.get_mut(session) else { return };
        let over = known.lost.is_some_and(|lost| self.now >= lost + SESSION);
        if known.alive && over && self.ensemble.leader.is_some() {
            known.alive = false;
            self.tree.end(session);
            self.spread();
        }
    }

    fn reconnect(&mut self) {
        for id in 0..self.hosts.len() {
            let connected = self.connected(id);
            let now = self.now;
            let Some(daemon) = self.hosts[id].daemon.as_mut() else { continue };
            if daemon.connected == connected {
                continue;
            }
            daemon.connected = connected;
            let (life, session) = (daemon.life, daemon.session);
            if connected {
                self.within(10, 300, Whose::Daemon(id, life), move |world| world.attach(id));
            } else {
                daemon.linked = false;
                daemon.unheard = Some(now);
                self.lose(session);
            }
        }
    }

    /// The client of a session is not heard any more.
    pub fn lose(&mut self, session: Option<SessionId>) {
        let now = self.now;
        let known = session.and_then(|session| self.ensemble.sessions.get_mut(session));
        let (Some(known), Some(session)) = (known, session) else { return };
        known.lost = Some(now);
        self.after(SESSION, Whose::Nobody, move |world| world.expire(session));
    }

    /// A daemon finds a server: its session goes on, or a new one begins.
    fn attach(&mut self, id: HostId) {
        if !self.connected(id) {
            return;
        }
        let alive = self.hosts[id]
            .daemon
            .as_ref()
            .and_then(|daemon| daemon.session)
            .is_some_and(|session| self.ensemble.is_alive(session));
        let fresh = if alive { None } else { Some(self.ensemble.begin()) };
        let Some(daemon) = self.hosts[id].daemon.as_mut() else { return };
        daemon.linked = true;
        daemon.unheard = None;
        daemon.session = fresh.or(daemon.session);
        if let Some(session) = daemon.session {
            self.ensemble.sessions[session].lost = None;
        }
        if fresh.is_some() || !self.has_view(id) {
            self.begin_session(id);
        } else {
            self.deliver_soon(id);
        }
    }

    /// Tells every daemon that the tree has changed.
    pub fn spread(&mut self) {
        self.note_tree();
        for id in 0..self.hosts.len() {
            self.deliver_soon(id);
        }
    }

    /// Sends a transaction of a daemon on its way.
    pub fn commit(
        &mut self,
        id: HostId,
        ops: Vec<Op>,
        then: impl FnOnce(&mut Self, Outcome) + Send + 'static,
    ) {
        let Some(daemon) = self.hosts[id].daemon.as_ref() else { return };
        let (life, session) = (daemon.life, daemon.session);
        let (true, Some(session)) = (daemon.linked, session) else {
            let me = Whose::Daemon(id, life);
            return self.within(200, 800, me, move |world| then(world, Outcome::Unknown));
        };
        let ops = self.tamper(ops);
        self.within(1, 8, Whose::Nobody, move |world| {
            // What was on the wire when the host died arrives, or does not.
            let arrives =
                world.connected(id) || world.ensemble.leader.is_some() && world.chance.happens(500);
            if !arrives || !world.ensemble.is_alive(session) {
                let me = Whose::Daemon(id, life);
                return world.after(DEADLINE, me, move |world| then(world, Outcome::Unknown));
            }
            let outcome = world.write(&ops, session);
            let stumbles = outcome == Outcome::Done && world.chance.happens(world.stumbles);
            if stumbles && world.hosts[id].lives(life) {
                world.stumble(id);
            }
            world.within(1, 8, Whose::Daemon(id, life), move |world| {
                if world.connected(id) {
                    then(world, outcome);
                } else {
                    let me = Whose::Daemon(id, life);
                    world.after(DEADLINE, me, move |world| then(world, Outcome::Unknown));
                }
            });
        });
    }

    /// Does a transaction at the leader.
    pub fn write(&mut self, ops: &[Op], session: SessionId) -> Outcome {
        let ops = self.forgive(ops);
        match self.tree.apply(&ops, session) {
            Ok(()) => {
                self.spread();
                Outcome::Done
            }
            Err(Superseded(path)) => Outcome::Superseded(path),
        }
    }
}
