//! This node's health checks, published together: what several parts of the daemon find becomes one list
//! and one figure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::{NodeName, PluginName};
use pvc_common::zk::Text;
use pvc_common::zk::key::{self, plugin_suffix};
use pvc_zk::Tree;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::own_keys::{OwnKeys, PublishError};

/// How often a check is published although nothing changed, and how soon after that failed.
const EVERY: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(10);
/// Of so many troubles people are told in the node's health; the log has all.
const SHOWN: usize = 3;

/// What is in disorder, in sentences for people: the same as long as it is the same.
pub type Trouble = BTreeSet<String>;

/// The first of many troubles, and how many more there are.
pub(crate) fn shown(trouble: &Trouble) -> String {
    let first: Vec<&str> = trouble.iter().take(SHOWN).map(String::as_str).collect();
    match trouble.len().saturating_sub(SHOWN) {
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Percent by which it lowers the node's health.
    pub delta: u32,
    /// What it found, for people.
    pub message: String,
}

/// The health checks of a node. Clones are the same.
#[derive(Clone)]
pub struct Health<T>(Arc<Mutex<Board<T>>>);

struct Board<T> {
    me: NodeName,
    keys: OwnKeys<T>,
    found: BTreeMap<PluginName, Finding>,
}

impl<T: Tree> Health<T> {
    /// No check has found anything yet.
    pub fn new(me: NodeName, tree: T) -> Self {
        Self(Arc::new(Mutex::new(Board { me, keys: OwnKeys::new(tree), found: BTreeMap::new() })))
    }

    /// Publishes what a check found, in one transaction with the sum of all and with `more`: keys that
    /// only this check writes, and their texts.
    ///
    /// # Errors
    /// As [`OwnKeys::publish`].
    ///
    /// # Panics
    /// If `check` is no name of a check.
    pub async fn publish(
        &self,
        check: &'static str,
        finding: Finding,
        more: Vec<(String, String)>,
    ) -> Result<(), PublishError> {
        let check: PluginName = check.parse().expect("a word is the name of a check");
        let mut board = self.0.lock().await;
        let board = &mut *board;
        board.found.insert(check.clone(), finding.clone());
        let mut values = values(&board.me, &board.found, &check, &finding);
        values.extend(more);
        board.keys.publish(&values).await.map(|_| ())
    }
}

/// One check of what is in disorder: published when that changes, and now and then.
pub(crate) struct Check<T> {
    health: Health<T>,
    name: &'static str,
    /// Percent by which any trouble lowers the node's health.
    delta: u32,
    /// What is said where there is none.
    fine: &'static str,
    told: Trouble,
    /// Until when what was published stands, if anything was.
    until: Option<Instant>,
}

impl<T: Tree> Check<T> {
    /// A check that has told nothing yet.
    pub(crate) const fn new(
        health: Health<T>,
        name: &'static str,
        delta: u32,
        fine: &'static str,
    ) -> Self {
        Self { health, name, delta, fine, told: Trouble::new(), until: None }
    }

    /// What was told last.
    pub(crate) const fn told(&self) -> &Trouble {
        &self.told
    }

    /// Has the node's health tell of this trouble, or of none; when to do so again.
    pub(crate) async fn tell(&mut self, trouble: &Trouble) -> Instant {
        let now = Instant::now();
        if let Some(until) = self.until.filter(|until| *trouble == self.told && now < *until) {
            return until;
        }
        self.told.clone_from(trouble);
        let finding = if trouble.is_empty() {
            Finding { delta: 0, message: self.fine.to_owned() }
        } else {
            Finding { delta: self.delta, message: shown(trouble) }
        };
        let published = self.health.publish(self.name, finding, Vec::new()).await;
        if let Err(error) = &published {
            tracing::debug!(%error, "the health check {} is not published yet", self.name);
        }
        let until = Instant::now() + if published.is_ok() { EVERY } else { AGAIN };
        self.until = Some(until);
        until
    }
}

/// The keys of one check, the list and the sum of all.
fn values(
    me: &NodeName,
    found: &BTreeMap<PluginName, Finding>,
    check: &PluginName,
    finding: &Finding,
) -> Vec<(String, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let lost: u32 = found.values().map(|finding| finding.delta).sum();
    let names: Vec<PluginName> = found.keys().cloned().collect();
    let at = |suffix: &str| format!("{}{suffix}", key::plugin(me, check).path());
    vec![
        (key::node_plugins(me).into_path(), names.encode()),
        (key::plugin(me, check).into_path(), String::new()),
        (at(plugin_suffix::LAST_RUN), now.to_string()),
        (at(plugin_suffix::HEALTH_DELTA), finding.delta.to_string()),
        (at(plugin_suffix::MESSAGE), finding.message.clone()),
        (at(plugin_suffix::DATA), "{}".to_owned()),
        (at(plugin_suffix::RUNTIME), "0".to_owned()),
        (key::node_health(me).into_path(), 100_u32.saturating_sub(lost).to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::Op;
    use pvc_zk::FakeTree;

    use super::*;

    async fn text(tree: &FakeTree, path: &str) -> String {
        let entry = tree.get(path).await.unwrap().unwrap_or_else(|| panic!("no {path}"));
        String::from_utf8(entry.data).unwrap()
    }

    fn finding(delta: u32) -> Finding {
        Finding { delta, message: "found".to_owned() }
    }

    #[tokio::test]
    async fn what_several_checks_find_is_one_health() {
        let tree = FakeTree::new();
        let made = ["/nodes", "/nodes/hv1", "/nodes/hv1/monitoring_data"];
        let made = made.map(|path| Op::Create { path: path.to_owned(), data: Vec::new() });
        tree.commit(made.into()).await.unwrap();
        let health = Health::new("hv1".parse().unwrap(), tree.clone());
        health.publish("ipmi", finding(10), vec![]).await.unwrap();
        assert_eq!(text(&tree, "/nodes/hv1/monitoring_health").await, "90");
        let more = vec![("/nodes/hv1/networkscount".to_owned(), "3".to_owned())];
        health.publish("networks", finding(20), more).await.unwrap();
        assert_eq!(text(&tree, "/nodes/hv1/monitoring_health").await, "70");
        assert_eq!(text(&tree, "/nodes/hv1/monitoring_plugins").await, "ipmi networks");
        assert_eq!(text(&tree, "/nodes/hv1/monitoring_data/networks/health_delta").await, "20");
        assert_eq!(text(&tree, "/nodes/hv1/networkscount").await, "3");
        health.publish("ipmi", finding(0), vec![]).await.unwrap();
        assert_eq!(text(&tree, "/nodes/hv1/monitoring_health").await, "80");
    }
}
