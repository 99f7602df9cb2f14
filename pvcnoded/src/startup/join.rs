//! Joining the cluster: a session, a layout, and this node's record.

use std::collections::BTreeMap;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::zk::{Seen, Text, key};
use pvc_runtime::log::mark;
use pvc_zk::{CommitError, Tree, TreeError};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::raise;
use super::record::{self, Identity, RecordError};
use super::schema::{Choice, choose, held_back_by};

/// How long a session is waited for until this host is made ready once more.
const PATIENCE: Duration = Duration::from_secs(30);
/// How soon something is tried again that failed for a reason which may pass.
const AGAIN: Duration = Duration::from_secs(1);

/// Makes this host ready and waits for a session, for as long as it takes: ZooKeeper may be starting on
/// the other nodes.
///
/// `ready` is told whether it is done again: without a session after a while it is, for what was missing
/// here may be why. Returns what it said last.
pub async fn await_session<T: Tree, R>(
    tree: &T,
    members: &[String],
    ready: impl AsyncFn(bool) -> R,
) -> R {
    let members = members.join(", ");
    let mut session = tree.session();
    let mut attempt: u64 = 0;
    loop {
        attempt += 1;
        let outcome = ready(attempt > 1).await;
        tracing::info!(attempt, "connecting to ZooKeeper at {members}");
        let joined = session.wait_for(|session| session.live().is_some());
        match timeout(PATIENCE, joined).await {
            Ok(Ok(_)) => {
                tracing::info!(mark = mark::OK, "connected to ZooKeeper");
                return outcome;
            }
            // The tree is closed.
            Ok(Err(_)) => return outcome,
            Err(_) => {
                let waited_s = PATIENCE.as_secs();
                tracing::warn!(waited_s, "no session with ZooKeeper; making this host ready again");
            }
        }
    }
}

/// Finds the layout to go on with, raising it if it is this node's turn.
///
/// Waits for as long as there is no cluster yet, or one of a layout that is too new: a person
/// has to do something then, which is told.
pub async fn settle_schema<T: Tree>(tree: &T, me: &NodeName, latest: u32) -> u32 {
    let mut changes = tree.watch(key::SCHEMA);
    let mut told = None;
    let mut pace = interval(AGAIN);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let choice = match look(tree, me, latest).await {
            Ok(choice) => choice,
            Err(error) => {
                tracing::warn!(%error, "the schema version cannot be read; trying on");
                continue;
            }
        };
        let is_news = told.as_ref() != Some(&choice);
        match choice {
            Choice::Use(version) => return version,
            Choice::Raise { from, to } => match raise::raise(tree, me, from, to).await {
                Ok(()) => {
                    tracing::info!(mark = mark::SYSTEM, "schema version {from} -> {to}");
                    return to;
                }
                Err(error) => {
                    tracing::warn!(%error, "the schema cannot be raised to {to} yet; trying on");
                }
            },
            Choice::Uninitialised => {
                if is_news {
                    tracing::warn!(
                        "there is no cluster in ZooKeeper yet: run `pvcapid --initialize` on one \
                         coordinator; waiting for it"
                    );
                }
                told = Some(Choice::Uninitialised);
                wait(&mut changes).await;
            }
            Choice::TooNew(version) => {
                if is_news {
                    tracing::error!(
                        "the cluster uses schema version {version}, this daemon knows none above \
                         {latest}: upgrade this node; waiting for it"
                    );
                }
                told = Some(Choice::TooNew(version));
                wait(&mut changes).await;
            }
        }
    }
}

/// Waits for a change; without a watch the pace of the loop has to serve.
async fn wait(changes: &mut tokio::sync::mpsc::Receiver<pvc_zk::Change>) {
    if changes.recv().await.is_none() {
        tracing::debug!("the watch of the schema version ended");
    }
}

async fn look<T: Tree>(tree: &T, me: &NodeName, latest: u32) -> Result<Choice, TreeError> {
    let in_force = read(tree, key::schema_version().path()).await?;
    let nodes = tree.children(key::NODES).await?.unwrap_or_default();
    let nodes: Vec<NodeName> = nodes.iter().filter_map(|name| name.parse().ok()).collect();
    let paths: Vec<String> =
        nodes.iter().map(|node| key::node_latest_schema(node).into_path()).collect();
    let newest = tree.get_many(&paths).await?;
    let newest = newest.into_iter().map(|entry| seen(entry.as_ref()).copied());
    let known: BTreeMap<NodeName, Option<u32>> = nodes.into_iter().zip(newest).collect();
    let choice = choose(in_force.copied(), me, latest, &known);
    if let Choice::Use(version) = choice
        && version < latest
    {
        let behind: Vec<&str> =
            held_back_by(me, latest, &known).into_iter().map(NodeName::as_str).collect();
        tracing::info!(
            "schema version stays {version}, although {latest} is known here, until these nodes \
             are upgraded: {}",
            behind.join(", ")
        );
    }
    Ok(choice)
}

async fn read<T: Tree, V: Text>(tree: &T, path: &str) -> Result<Seen<V>, TreeError> {
    Ok(seen(tree.get(path).await?.as_ref()))
}

fn seen<V: Text>(entry: Option<&pvc_zk::Entry>) -> Seen<V> {
    Seen::read(entry.map(|entry| (&entry.data[..], entry.version)))
}

/// Writes this node's record, for as long as it takes.
pub async fn write_record<T: Tree>(tree: &T, identity: &Identity) {
    let mut pace = interval(AGAIN);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        match record::write(tree, identity).await {
            Ok(true) => {
                let node = &identity.node;
                tracing::info!(
                    mark = mark::OK,
                    node.name = %node,
                    "this node is new in the cluster; `pvc node ready {node}` lets it take VMs"
                );
                return;
            }
            Ok(false) => {
                tracing::info!(mark = mark::OK, node.name = %identity.node, "node record refreshed");
                return;
            }
            Err(RecordError::Write(CommitError::Superseded { path })) => {
                tracing::debug!(path, "the node record was changed meanwhile");
            }
            Err(error) => tracing::warn!(%error, "the node record cannot be written; trying on"),
        }
    }
}

/// Gives the cluster its configured name. A failure is told, and left to the next start.
pub async fn write_cluster_name<T: Tree>(tree: &T, name: &str) {
    let key = key::cluster_name();
    let outcome = async {
        let before = read::<T, String>(tree, key.path()).await.map_err(RecordError::from)?;
        if before.get().is_some_and(|before| before == name) {
            return Ok(());
        }
        tree.commit(vec![key.put(&before, &name.to_owned())]).await.map_err(RecordError::from)
    };
    if let Err(error) = outcome.await {
        tracing::warn!(%error, "the name of the cluster could not be written");
    }
}
