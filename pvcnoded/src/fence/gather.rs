//! Proofs that have to be fetched: from a node's BMC, and from Ceph.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pvc_ceph::{Ceph, CephError};
use pvc_common::id::{FenceId, NodeName, OsdId};
use pvc_common::model::Fence;
use pvc_common::secret::Secret;
use pvc_common::state::{EvidenceKind, OsdLoss, Verdict};
use pvc_common::view::View;
use pvc_common::zk::key;
use pvc_ipmi::{Bmc, Power, PowerState};
use pvc_plan::fence::{Found, Job};
use pvc_zk::{Tree, TreeError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use super::{now, wall_ms};

/// How long a BMC may take from the command until it says twice that the machine is off. Slow
/// ones need seconds for each answer.
const OFF_LIMIT: Duration = Duration::from_secs(20);

/// Time until the first question whether the machine is off, and between the later ones, which
/// grows: each costs the BMC a session, of which it has few and frees them late.
const ASK_FIRST: Duration = Duration::from_millis(50);
const ASK_LAST: Duration = Duration::from_secs(2);

/// How often in a row the BMC must say so: the first answer may be older than the command.
const SAYINGS: u32 = 2;

/// How long a node's storage clients stay shut out: longer than any host is left dead. The entry
/// goes when the host is known to have booted again.
const SHUT_OUT: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// The limit of all that is asked of Ceph for one proof.
const STORAGE_LIMIT: Duration = Duration::from_secs(20);

/// The limit of each command among it. When a dead node held a monitor, the others commit nothing for
/// as long as they take to miss it and to elect a leader, by default 11 to 16 s from its death; and VMs
/// on RBD have no other way to be proved dead. A command that is given up sooner is only begun anew.
pub const STORAGE_COMMAND_LIMIT: Duration = Duration::from_secs(15);

/// By what proofs are had.
#[derive(Clone, Debug)]
pub struct Means<P, C> {
    /// BMCs.
    pub power: P,
    /// Ceph.
    pub ceph: C,
}

/// Gathers proofs in the background. Dropping it drops the work: the next daemon begins anew.
pub(super) struct Gatherer<T, P, C> {
    hands: Arc<Hands<T, P, C>>,
    ended: mpsc::Receiver<Ended>,
    tasks: JoinSet<()>,
}

type Ended = (NodeName, EvidenceKind, Job);

struct Hands<T, P, C> {
    tree: T,
    means: Means<P, C>,
    nudge: Box<dyn Fn() + Send + Sync>,
    sender: mpsc::Sender<Ended>,
}

/// Why a proof was not had, for people.
type Why = String;

impl<T: Tree, P: Power, C: Ceph> Gatherer<T, P, C> {
    pub(super) fn new(tree: T, means: Means<P, C>, nudge: Box<dyn Fn() + Send + Sync>) -> Self {
        // Two for each node under way; a sender that finds it full waits.
        let (sender, ended) = mpsc::channel(64);
        let hands = Arc::new(Hands { tree, means, nudge, sender });
        Self { hands, ended, tasks: JoinSet::new() }
    }

    /// What has been found since the last call.
    pub(super) fn ended(&mut self) -> Vec<Ended> {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a proof broke off");
            }
        }
        std::iter::from_fn(|| self.ended.try_recv().ok()).collect()
    }

    pub(super) fn begin(
        &mut self,
        node: &NodeName,
        fence: &Fence,
        kind: EvidenceKind,
        view: &View,
    ) {
        let presence = view.nodes.get(node).and_then(|it| it.liveness.presence.get());
        let addresses = presence.map(|it| it.addresses.clone()).unwrap_or_default();
        let (hands, node, fence) = (Arc::clone(&self.hands), node.clone(), fence.id.clone());
        let span = tracing::info_span!("proof", node.name = %node, kind = ?kind);
        let task = async move {
            let outcome = match kind {
                EvidenceKind::Ipmi => hands.switch_off(&node).await,
                EvidenceKind::Storage => hands.shut_out(&addresses).await,
                EvidenceKind::Watchdog | EvidenceKind::Operator | EvidenceKind::Reboot => {
                    Err("is seen, not gathered".to_owned())
                }
            };
            let job = found(fence, outcome);
            if hands.sender.send((node.clone(), kind, job)).await.is_ok() {
                (hands.nudge)();
            }
        };
        self.tasks.spawn(task.instrument(span));
    }

    pub(super) fn mark_down(&mut self, node: &NodeName, loss: OsdLoss) {
        let (hands, node) = (Arc::clone(&self.hands), node.clone());
        self.tasks.spawn(async move { hands.mark_down(&node, loss).await });
    }

    pub(super) fn power_on(&mut self, node: &NodeName) {
        let (hands, node) = (Arc::clone(&self.hands), node.clone());
        self.tasks.spawn(async move {
            let outcome = match hands.bmc(&node).await {
                Ok(bmc) => hands.means.power.on(&bmc).await.map_err(|error| error.to_string()),
                Err(why) => Err(why),
            };
            match outcome {
                Ok(()) => tracing::info!(node.name = %node, "{node} is switched on again"),
                Err(why) => tracing::warn!(node.name = %node, "{node} is not switched on: {why}"),
            }
        });
    }
}

fn found(fence: FenceId, outcome: Result<String, Why>) -> Job {
    let (verdict, detail) = match outcome {
        Ok(detail) => (Verdict::Proved, detail),
        Err(why) => (Verdict::Failed, why),
    };
    Job::Found(Found { fence, verdict, detail, at: now(), at_ms: wall_ms() })
}

impl<T: Tree, P: Power, C: Ceph> Hands<T, P, C> {
    /// How the node's BMC is reached, as the node told at its last start.
    async fn bmc(&self, node: &NodeName) -> Result<Bmc, Why> {
        let keys = [
            key::node_ipmi_hostname(node),
            key::node_ipmi_username(node),
            key::node_ipmi_password(node),
        ];
        let paths = keys.map(pvc_common::zk::Key::into_path);
        let entries = self.tree.get_many(&paths).await.map_err(|error| error.to_string())?;
        let mut texts = entries.into_iter().map(|entry| {
            let text = entry.and_then(|entry| String::from_utf8(entry.data).ok());
            text.ok_or_else(|| "its BMC's credentials are not in the tree".to_owned())
        });
        let mut next = || texts.next().unwrap_or_else(|| Err("too few keys".to_owned()));
        let (host, user, password) = (next()?, next()?, Secret::new(next()?));
        Ok(Bmc { host, user, password })
    }

    /// Commands the node off, and waits until its BMC says so more than once.
    async fn switch_off(&self, node: &NodeName) -> Result<String, Why> {
        let bmc = self.bmc(node).await?;
        let begun = Instant::now();
        let proof = async {
            self.means.power.off(&bmc).await.map_err(|error| error.to_string())?;
            let (mut said, mut pause) = (0, ASK_FIRST);
            while said < SAYINGS {
                sleep(pause).await;
                pause = (pause * 2).min(ASK_LAST);
                match self.means.power.status(&bmc).await {
                    Ok(PowerState::Off) => said += 1,
                    Ok(PowerState::On) => said = 0,
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        };
        match timeout(OFF_LIMIT, proof).await {
            Ok(Ok(())) => {
                let ms = begun.elapsed().as_millis();
                Ok(format!("its BMC {} switched it off and says so ({ms} ms)", bmc.host))
            }
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!(
                "its BMC {} does not say that it is off within {} s",
                bmc.host,
                OFF_LIMIT.as_secs()
            )),
        }
    }

    /// Shuts the node's storage clients out.
    async fn shut_out(&self, addresses: &[IpAddr]) -> Result<String, Why> {
        if addresses.is_empty() {
            return Err("it never told the addresses of its storage clients".to_owned());
        }
        let proof = async {
            let epoch = self.means.ceph.blocklist(addresses, SHUT_OUT).await?;
            Ok::<_, CephError>(epoch)
        };
        match timeout(STORAGE_LIMIT, proof).await {
            Ok(Ok(epoch)) => {
                Ok(format!("its storage clients are shut out since epoch {}", epoch.0))
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("Ceph did not answer in time".to_owned()),
        }
    }

    /// Has the node's OSDs counted as lost. That only speeds up what others write: it is no part of
    /// the proof, which does not wait for it.
    async fn mark_down(&self, node: &NodeName, loss: OsdLoss) {
        match self.osds(node).await {
            Ok(osds) if osds.is_empty() => {}
            Ok(osds) => {
                if let Err(error) = self.means.ceph.mark_down(&osds, loss).await {
                    tracing::warn!(%error, "the OSDs of {node} are not counted as down yet");
                }
            }
            Err(error) => tracing::warn!(%error, "the OSDs of {node} are not known"),
        }
    }

    async fn osds(&self, node: &NodeName) -> Result<Vec<OsdId>, TreeError> {
        let names = self.tree.children(key::OSDS).await?.unwrap_or_default();
        let ids: Vec<OsdId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let paths: Vec<String> = ids.iter().map(|id| key::osd_node(*id).into_path()).collect();
        let owners = self.tree.get_many(&paths).await?;
        let ours = ids.into_iter().zip(owners).filter(|(_, owner)| {
            owner.as_ref().is_some_and(|entry| entry.data == node.as_str().as_bytes())
        });
        Ok(ours.map(|(id, _)| id).collect())
    }
}
