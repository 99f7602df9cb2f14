//! This coordinator's copy of the replicated database: whether it could lead, and what is done if it never will.
//!
//! ```text
//!   fit ◀──▶ behind ── a minute ──▶ told ── four more, and copies to spare ──▶ copied anew
//! ```
//! Nobody else would notice before this node is primary, and names stay as they are then. Patroni makes no
//! copy anew by itself but for a leader that went astray.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::view::View;
use pvc_database::Replicas;
use pvc_host::{UnitState, Units};
use pvc_plan::leader::{Fitness, fitness};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::Tree;
use tokio::time::Instant;

use crate::health::{Check, Health, Trouble};
use crate::outfit::PATRONI;

/// The name of this check among a node's health checks.
const CHECK: &str = "database";
/// Percent by which a node lowers its health whose database could not lead.
const DELTA: u32 = 10;
/// What it says where nothing is amiss.
const FINE: &str = "the database here leads or follows";

/// How often it is looked at; Patroni looks at it as often.
const EVERY: Duration = Duration::from_secs(10);
/// For how long it has to be behind before people are told: starting anew takes less.
const PATIENCE: Duration = Duration::from_secs(60);
/// For how long before it is copied anew. A long log that is played back takes so long on occasion, and a
/// copy is made again no sooner.
const GIVEN_UP: Duration = Duration::from_secs(300);

/// Looks after it.
pub struct ReplicaKeeper<T, R, U> {
    me: NodeName,
    replicas: R,
    units: U,
    check: Check<T>,
    looked: Option<(Instant, Report)>,
    behind: Option<Behind>,
}

/// Since when it has been behind, and since when it could be copied anew.
struct Behind {
    since: Instant,
    spare: Option<Instant>,
}

/// What was seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// There is none.
    Absent,
    /// It leads, or follows.
    Fit,
    /// It does neither.
    Behind(String),
    /// It is being copied anew, for this.
    Copied(String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no database is kept here"),
            Self::Fit => f.write_str(FINE),
            Self::Behind(why) => f.write_str(why),
            Self::Copied(why) => write!(f, "{why}: copied anew"),
        }
    }
}

impl<T: Tree, R: Replicas, U: Units> ReplicaKeeper<T, R, U> {
    /// Of `me`'s, which has been seen in no state yet.
    pub fn new(me: NodeName, replicas: R, units: U, health: Health<T>) -> Self {
        let check = Check::new(health, CHECK, DELTA, FINE);
        Self { me, replicas, units, check, looked: None, behind: None }
    }

    /// How it is; `None` if there is none.
    async fn look(&self) -> Option<Fitness> {
        let unseen = |error: String| Fitness::Behind { why: error, spare: false };
        match self.units.state(PATRONI).await {
            // One that nobody has started is none of ours.
            Ok(UnitState::Absent | UnitState::Inactive) => None,
            Ok(
                UnitState::Active
                | UnitState::Starting
                | UnitState::Stopping
                | UnitState::Restarting
                | UnitState::Failed,
            ) => Some(match self.replicas.all().await {
                Ok(seen) => fitness(&self.me, &seen),
                Err(error) => unseen(error.to_string()),
            }),
            Err(error) => Some(unseen(format!("{PATRONI}: {error}"))),
        }
    }

    /// What is done about one that has been behind for a while.
    async fn see_to(&mut self, why: String, spare: bool) -> Report {
        let now = Instant::now();
        let behind = self.behind.get_or_insert(Behind { since: now, spare: None });
        behind.spare = spare.then(|| behind.spare.unwrap_or(now));
        if behind.spare.is_none_or(|since| now - since < GIVEN_UP) {
            return Report::Behind(why);
        }
        behind.spare = Some(now);
        match self.replicas.copy_anew().await {
            Ok(()) => {
                tracing::warn!(node.name = %self.me, "{why}, and did not for {} s: it is copied anew",
                    GIVEN_UP.as_secs());
                Report::Copied(why)
            }
            Err(error) => Report::Behind(format!("{why}; it could not be copied anew: {error}")),
        }
    }

    /// Has the node's health tell of what people should know.
    async fn tell(&mut self, report: &Report) {
        let trouble = match report {
            Report::Behind(why) | Report::Copied(why) => {
                let since = self.behind.as_ref().map(|behind| behind.since);
                let is_old = since.is_some_and(|since| since.elapsed() >= PATIENCE);
                is_old.then(|| why.clone()).into_iter().collect()
            }
            Report::Fit => Trouble::new(),
            // A node that never had one has no such check.
            Report::Absent if self.check.told().is_empty() => return,
            Report::Absent => Trouble::new(),
        };
        if trouble != *self.check.told() {
            for why in &trouble {
                tracing::warn!(node.name = %self.me, "{why}");
            }
        }
        self.check.tell(&trouble).await;
    }
}

impl<T: Tree, R: Replicas, U: Units> Reconciler for ReplicaKeeper<T, R, U> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = CHECK;
    const PERIOD: Duration = EVERY;

    async fn reconcile(&mut self, _view: Arc<View>) -> Outcome<Report> {
        // A view changes several times a second, and says nothing of it.
        if let Some((due, report)) = self.looked.as_ref().filter(|(due, _)| Instant::now() < *due) {
            return Outcome { report: report.clone(), wake_at: Some(*due) };
        }
        let report = match self.look().await {
            Some(Fitness::Behind { why, spare }) => self.see_to(why, spare).await,
            fit => {
                self.behind = None;
                fit.map_or(Report::Absent, |_| Report::Fit)
            }
        };
        self.tell(&report).await;
        let due = Instant::now() + EVERY;
        self.looked = Some((due, report.clone()));
        Outcome { report, wake_at: Some(due) }
    }
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::Op;
    use pvc_database::fake::{FakeReplicas, Site};
    use pvc_host::fake::FakeHost;
    use pvc_zk::FakeTree;

    use super::*;

    async fn look_on(keeper: &mut Keeper, time: Duration) -> Report {
        let until = Instant::now() + time;
        loop {
            let Outcome { report, wake_at } = keeper.reconcile(Arc::default()).await;
            let at = wake_at.expect("it looks again");
            if at > until {
                return report;
            }
            tokio::time::sleep_until(at).await;
        }
    }

    type Keeper = ReplicaKeeper<FakeTree, FakeReplicas, FakeHost>;

    async fn keeper(site: &Site, host: FakeHost) -> (Keeper, FakeTree) {
        let (tree, me) = (FakeTree::new(), "hv2".parse::<NodeName>().unwrap());
        let made = ["/nodes", "/nodes/hv2", "/nodes/hv2/monitoring_data"];
        let made = made.map(|path| Op::Create { path: path.to_owned(), data: Vec::new() });
        tree.commit(made.into()).await.unwrap();
        let health = Health::new(me.clone(), tree.clone());
        (ReplicaKeeper::new(me, site.on("hv2"), host, health), tree)
    }

    fn with_patroni() -> FakeHost {
        let host = FakeHost::new();
        host.fail_unit(PATRONI);
        host
    }

    async fn said(tree: &FakeTree) -> Option<String> {
        let path = "/nodes/hv2/monitoring_data/database/message";
        let entry = tree.get(path).await.unwrap()?;
        Some(String::from_utf8(entry.data).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_that_is_left_behind_is_told_of_and_copied_anew() {
        let site = Site::new(&["hv1", "hv2", "hv3"]);
        let (mut keeper, tree) = keeper(&site, with_patroni()).await;
        assert_eq!(look_on(&mut keeper, Duration::ZERO).await, Report::Fit);
        site.set_state("hv2", "starting");
        look_on(&mut keeper, PATIENCE / 2).await;
        assert_eq!(said(&tree).await.as_deref(), Some(FINE), "it may just be starting");
        look_on(&mut keeper, PATIENCE).await;
        let why = "the database of hv2 is starting, and does not follow hv1";
        assert_eq!(said(&tree).await.as_deref(), Some(why));
        assert!(site.copied().is_empty());
        look_on(&mut keeper, GIVEN_UP).await;
        assert_eq!(site.copied(), ["hv2"]);
        assert_eq!(look_on(&mut keeper, EVERY).await, Report::Fit);
        assert_eq!(said(&tree).await.as_deref(), Some(FINE));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_copy_but_one_and_a_paused_one_are_left_to_people() {
        let site = Site::new(&["hv1", "hv2", "hv3"]);
        let (mut keeper, tree) = keeper(&site, with_patroni()).await;
        site.lose("hv2");
        site.set_state("hv3", "stopped");
        look_on(&mut keeper, GIVEN_UP * 2).await;
        assert!(site.copied().is_empty());
        let why = "the database of hv2 is running, and does not follow hv1";
        assert_eq!(said(&tree).await.as_deref(), Some(why));
        // Nor is it done while people are at work on them.
        site.set_state("hv3", "running");
        site.pause(true);
        look_on(&mut keeper, GIVEN_UP * 2).await;
        assert!(site.copied().is_empty());
        // From when it may be done it is given its time.
        site.pause(false);
        look_on(&mut keeper, GIVEN_UP / 2).await;
        assert!(site.copied().is_empty());
        look_on(&mut keeper, GIVEN_UP).await;
        assert_eq!(site.copied(), ["hv2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_without_a_database_has_no_such_check() {
        let site = Site::new(&["hv1"]);
        let (mut keeper, tree) = keeper(&site, FakeHost::new()).await;
        assert_eq!(look_on(&mut keeper, GIVEN_UP).await, Report::Absent);
        assert_eq!(said(&tree).await, None);
    }
}
