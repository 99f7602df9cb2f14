//! Replicated databases in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::observed::{Member, Replication};
use tokio::time::timeout;

use crate::replicas::{Replicas, ReplicasError};

/// As long as the real one waits for an answer.
const ASK_LIMIT: Duration = Duration::from_secs(3);
/// As long as the real one waits for another leader.
const PASS_LIMIT: Duration = Duration::from_secs(30);

/// The databases of all nodes; copies are the same ones.
#[derive(Clone, Default)]
pub struct Site(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    members: BTreeMap<String, String>,
    leader: Option<String>,
    stuck: BTreeSet<String>,
    takes: Duration,
    asked: usize,
    /// How many had the lead since the beginning, and those that have not followed all of them.
    timeline: u64,
    behind: BTreeSet<String>,
    copied: Vec<String>,
    paused: bool,
}

/// What one node's own says of them.
#[derive(Clone)]
pub struct FakeReplicas {
    site: Site,
    node: String,
}

impl Site {
    /// Databases on these nodes, of which the first leads.
    #[must_use]
    pub fn new(nodes: &[&str]) -> Self {
        let running = |node: &&str| ((*node).to_owned(), "running".to_owned());
        let members = nodes.iter().map(running).collect();
        let leader = nodes.first().map(|node| (*node).to_owned());
        Self(Arc::new(Mutex::new(Memory { members, leader, timeline: 1, ..Memory::default() })))
    }

    /// What the one on a node says of them.
    #[must_use]
    pub fn on(&self, node: &str) -> FakeReplicas {
        FakeReplicas { site: self.clone(), node: node.to_owned() }
    }

    /// Who leads.
    #[must_use]
    pub fn leader(&self) -> Option<String> {
        self.memory().leader.clone()
    }

    /// Has that node's lead, or nobody.
    pub fn elect(&self, node: Option<&str>) {
        self.memory().leader = node.map(str::to_owned);
    }

    /// Has that node's be in this state.
    pub fn set_state(&self, node: &str, state: &str) {
        self.memory().members.insert(node.to_owned(), state.to_owned());
    }

    /// Has that node's answer nothing, or everything.
    pub fn stick(&self, node: &str, stuck: bool) {
        let mut memory = self.memory();
        if stuck {
            memory.stuck.insert(node.to_owned());
        } else {
            memory.stuck.remove(node);
        }
    }

    /// Has passing the lead on take so long.
    pub fn take(&self, time: Duration) {
        self.memory().takes = time;
    }

    /// How often the lead was asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.memory().asked
    }

    /// Has that node's follow nobody any more, until it is copied anew.
    pub fn lose(&self, node: &str) {
        self.memory().behind.insert(node.to_owned());
    }

    /// Has nothing be decided, as people may, or everything.
    pub fn pause(&self, paused: bool) {
        self.memory().paused = paused;
    }

    /// Whose were copied anew, in order.
    #[must_use]
    pub fn copied(&self) -> Vec<String> {
        self.memory().copied.clone()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeReplicas {
    async fn answers(&self, limit: Duration) -> Result<(), ReplicasError> {
        let stuck = self.site.memory().stuck.contains(&self.node);
        if stuck && timeout(limit, pending::<()>()).await.is_err() {
            return Err(ReplicasError::Late { limit });
        }
        Ok(())
    }
}

impl Replicas for FakeReplicas {
    async fn leads(&self) -> Result<bool, ReplicasError> {
        self.answers(ASK_LIMIT).await?;
        Ok(self.site.leader().as_deref() == Some(&self.node))
    }

    async fn all(&self) -> Result<Replication, ReplicasError> {
        self.answers(ASK_LIMIT).await?;
        let memory = self.site.memory();
        let member = |(name, state): (&String, &String)| Member {
            name: name.clone(),
            leads: memory.leader.as_ref() == Some(name),
            state: state.clone(),
            timeline: (state != "starting")
                .then(|| memory.timeline - u64::from(memory.behind.contains(name))),
            lag: (memory.leader.as_ref() != Some(name) && state != "starting").then_some(0),
        };
        let members = memory.members.iter().map(member).collect();
        Ok(Replication { members, paused: memory.paused })
    }

    async fn pass_on(&self, from: &str, to: &NodeName) -> Result<(), ReplicasError> {
        let takes = {
            let mut memory = self.site.memory();
            memory.asked += 1;
            memory.takes
        };
        self.answers(PASS_LIMIT).await?;
        // A leader that does not answer passes nothing on.
        if self.site.memory().stuck.contains(from) {
            let limit = PASS_LIMIT;
            return if timeout(limit, pending::<()>()).await.is_err() {
                Err(ReplicasError::Late { limit })
            } else {
                Ok(())
            };
        }
        tokio::time::sleep(takes).await;
        let mut memory = self.site.memory();
        let refused = |why: &str| Err(ReplicasError::Refused { why: why.to_owned() });
        if memory.leader.as_deref() != Some(from) {
            return refused("412 leader name does not match");
        }
        match memory.members.get(to.as_str()).map(String::as_str) {
            Some("running" | "streaming") => {
                memory.leader = Some(to.to_string());
                Ok(())
            }
            Some(_) | None => refused("412 candidate name does not match with sync_standby"),
        }
    }

    async fn copy_anew(&self) -> Result<(), ReplicasError> {
        self.answers(ASK_LIMIT).await?;
        let mut memory = self.site.memory();
        if memory.leader.as_ref().is_none_or(|leader| *leader == self.node) {
            let why = "503 Cluster has no leader, can not reinitialize".to_owned();
            return Err(ReplicasError::Refused { why });
        }
        memory.copied.push(self.node.clone());
        memory.behind.remove(&self.node);
        memory.members.insert(self.node.clone(), "running".to_owned());
        Ok(())
    }
}
