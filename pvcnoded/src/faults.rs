//! Faults that this node reports: what people should look at, until they delete it.
//!
//! Several nodes may find the same; the first to do so makes the fault, and the others leave it as it is.

use std::collections::BTreeMap;

use pvc_common::id::FaultId;
use pvc_common::model::LocalTime;
use pvc_common::state::FaultStatus;
use pvc_common::zk::key::{self, Key};
use pvc_common::zk::{Op, Seen, Text};
use pvc_zk::{CommitError, Entry, Tree};

use crate::own_keys::PublishError;

/// Something that people should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its id among the faults; the same whoever finds it.
    pub id: FaultId,
    /// Percent by which it lowers the cluster's health.
    pub delta: u32,
    /// What it is.
    pub message: String,
}

/// Reports findings as faults.
pub struct Faults<T> {
    tree: T,
    /// What stands in the tree as it is, as far as is known.
    told: BTreeMap<FaultId, String>,
}

impl<T: Tree> Faults<T> {
    /// One that has told nothing yet.
    pub const fn new(tree: T) -> Self {
        Self { tree, told: BTreeMap::new() }
    }

    /// Looks again whether what was told is still there, at the next [`Faults::tell`].
    pub fn doubt(&mut self) {
        self.told.clear();
    }

    /// Reports all that is found now. What was found before and is no more stays until a person
    /// deletes it. A fault that is there already only gets the new message; that somebody has
    /// acknowledged it stays so.
    ///
    /// # Errors
    /// When the tree cannot be reached. What was lost to another writer is told the next time.
    pub async fn tell(&mut self, findings: &[Finding]) -> Result<(), PublishError> {
        self.told.retain(|id, _| findings.iter().any(|finding| finding.id == *id));
        for finding in findings {
            if self.told.get(&finding.id) != Some(&finding.message) {
                self.report(finding).await?;
            }
        }
        Ok(())
    }

    async fn report(&mut self, finding: &Finding) -> Result<(), PublishError> {
        let Finding { id, delta, message } = finding;
        let now = pvc_runtime::log::local_time();
        let now = LocalTime::decode(&now).expect("the form of the clock is that of a fault");
        let keys = [
            key::fault(id).into_path(),
            key::fault_message(id).into_path(),
            key::fault_last_time(id).into_path(),
            key::fault_delta(id).into_path(),
            key::FAULTS.to_owned(),
        ];
        let found = self.tree.get_many(&keys).await?;
        let [fault, text, last, weight, parent] = &*found else { return Ok(()) };
        if parent.is_none() {
            return Ok(());
        }
        let text = seen(&key::fault_message(id), text.as_ref());
        let ops = if fault.is_none() {
            creation(finding, now)
        } else if text.get() == Some(message) {
            vec![]
        } else {
            vec![
                key::fault_message(id).put(&text, message),
                key::fault_last_time(id).put(&seen(&key::fault_last_time(id), last.as_ref()), &now),
                key::fault_delta(id).put(&seen(&key::fault_delta(id), weight.as_ref()), delta),
            ]
        };
        match self.tree.commit(ops).await {
            Ok(()) => drop(self.told.insert(id.clone(), message.clone())),
            Err(CommitError::Superseded { path }) => {
                tracing::debug!(path, "somebody else writes the fault {id}");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// What is read of a key.
fn seen<V: Text>(_key: &Key<V>, entry: Option<&Entry>) -> Seen<V> {
    Seen::read(entry.map(|entry| (&*entry.data, entry.version)))
}

fn creation(finding: &Finding, now: LocalTime) -> Vec<Op> {
    let Finding { id, delta, message } = finding;
    vec![
        key::fault(id).create(&()),
        key::fault_first_time(id).create(&now),
        key::fault_last_time(id).create(&now),
        key::fault_ack_time(id).create(&None),
        key::fault_status(id).create(&FaultStatus::New),
        key::fault_delta(id).create(delta),
        key::fault_message(id).create(message),
    ]
}

#[cfg(test)]
mod tests {
    use pvc_zk::FakeTree;

    use super::*;

    fn finding(message: &str) -> Finding {
        Finding { id: "FIREWALL_1001".parse().unwrap(), delta: 10, message: message.to_owned() }
    }

    async fn tree() -> FakeTree {
        let tree = FakeTree::new();
        tree.commit(vec![Op::Create { path: key::FAULTS.to_owned(), data: vec![] }]).await.unwrap();
        tree
    }

    /// Its message and status, unless there is none.
    async fn shown(tree: &FakeTree) -> Option<(String, FaultStatus)> {
        let id = finding("").id;
        let (message, status) = (key::fault_message(&id), key::fault_status(&id));
        let message = seen(&message, tree.get(message.path()).await.unwrap().as_ref());
        let status = seen(&status, tree.get(status.path()).await.unwrap().as_ref());
        Some((message.get()?.clone(), status.copied()?))
    }

    async fn acknowledge(tree: &FakeTree) {
        let status = key::fault_status(&finding("").id);
        let before = seen(&status, tree.get(status.path()).await.unwrap().as_ref());
        tree.commit(vec![status.put(&before, &FaultStatus::Ack)]).await.unwrap();
    }

    async fn delete(tree: &FakeTree) {
        let root = key::fault(&finding("").id);
        let branch = pvc_zk::subtree::Branch::read(tree, root.path()).await.unwrap();
        tree.commit(branch.deletes()).await.unwrap();
    }

    fn told(message: &str, status: FaultStatus) -> Option<(String, FaultStatus)> {
        Some((message.to_owned(), status))
    }

    #[tokio::test(start_paused = true)]
    async fn what_several_nodes_find_is_one_fault_that_stays_acknowledged() {
        let tree = tree().await;
        let (mut first, mut second) = (Faults::new(tree.clone()), Faults::new(tree.another()));
        first.tell(&[finding("a")]).await.unwrap();
        assert_eq!(shown(&tree).await, told("a", FaultStatus::New));
        acknowledge(&tree).await;
        second.tell(&[finding("a")]).await.unwrap();
        assert_eq!(shown(&tree).await, told("a", FaultStatus::Ack));
        second.tell(&[finding("b")]).await.unwrap();
        assert_eq!(
            shown(&tree).await,
            told("b", FaultStatus::Ack),
            "it is told what is the matter now"
        );
        second.tell(&[]).await.unwrap();
        assert_eq!(shown(&tree).await, told("b", FaultStatus::Ack), "a person deletes it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_that_was_deleted_comes_back_while_its_cause_lasts() {
        let tree = tree().await;
        let mut faults = Faults::new(tree.clone());
        faults.tell(&[finding("a")]).await.unwrap();
        delete(&tree).await;
        faults.doubt();
        faults.tell(&[finding("a")]).await.unwrap();
        assert_eq!(shown(&tree).await, told("a", FaultStatus::New));
        delete(&tree).await;
        faults.doubt();
        faults.tell(&[]).await.unwrap();
        assert_eq!(shown(&tree).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tree_that_has_no_faults_gets_none() {
        let tree = FakeTree::new();
        Faults::new(tree.clone()).tell(&[finding("a")]).await.unwrap();
        assert_eq!(shown(&tree).await, None);
    }
}
