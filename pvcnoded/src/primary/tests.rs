//! What people are told by a keeper that cannot see what it has.

use pvc_common::model::Node;
use pvc_common::view::Cluster;
use pvc_common::zk::{Op, Version};
use pvc_zk::FakeTree;
use tracing::Level;
use tracing::subscriber::set_default;

use super::*;
use crate::told::Log;

/// An outfit that can be changed, but not looked at.
struct Blind;

impl Outfit for Blind {
    async fn held(&self) -> Sight {
        let what = "pvcapid.service: not seen".to_owned();
        Sight { held: UNSEEN, trouble: vec![OutfitError { what }] }
    }

    async fn take_up(&self, _phase: Phase) -> Result<(), OutfitError> {
        Ok(())
    }

    async fn lay_down(&self, _phase: Phase) -> Result<(), OutfitError> {
        Ok(())
    }
}

/// An outfit of which nothing is here, and that can be looked at once only.
struct SeenOnce(std::sync::atomic::AtomicBool);

impl Outfit for SeenOnce {
    async fn held(&self) -> Sight {
        if self.0.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return pending().await;
        }
        const NOTHING: Holding = Holding::NOTHING;
        let held = Held { addresses: NOTHING, leader: NOTHING, services: NOTHING };
        Sight { held, trouble: Vec::new() }
    }

    async fn take_up(&self, _phase: Phase) -> Result<(), OutfitError> {
        Ok(())
    }

    async fn lay_down(&self, _phase: Phase) -> Result<(), OutfitError> {
        Ok(())
    }
}

/// `hv1` in a state, and whom the cluster names.
fn view(state: CoordinatorState, named: &str) -> Arc<View> {
    fn seen<T>(value: T) -> Seen<T> {
        Seen::Value { value, version: Version(0) }
    }
    let node = |name: &str, state| {
        let node = Node {
            coordinator_state: seen(state),
            daemon_state: seen(DaemonState::Run),
            ..Node::default()
        };
        (name.parse().unwrap(), Arc::new(node))
    };
    let nodes = [node("hv1", state), node("hv2", CoordinatorState::Secondary)];
    let cluster =
        Cluster { primary_node: seen(Some(named.parse().unwrap())), ..Cluster::default() };
    Arc::new(View {
        cluster: Arc::new(cluster),
        nodes: nodes.into_iter().collect(),
        ..View::default()
    })
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_seen_is_told_of_once_and_laid_down_or_taken_up_all_the_same() {
    let log = Log::default();
    let _logging = set_default(log.clone());
    let (_sender, views) = watch::channel(None);
    let mut troubles = 0;
    let mut keeper = PrimaryKeeper::new(
        "hv1".parse().unwrap(),
        FakeTree::new(),
        Blind,
        views,
        Troubles::default(),
    );
    for (view, how) in [
        (view(CoordinatorState::Secondary, "hv2"), "laid down"),
        (view(CoordinatorState::Primary, "hv1"), "taken up"),
        (view(CoordinatorState::Secondary, "hv2"), "laid down"),
    ] {
        for _ in 0..3 {
            let report = keeper.reconcile(Arc::clone(&view)).await.report;
            assert_eq!((report.done, report.out_of_touch), (3, false));
            assert_eq!(report.trouble.as_deref(), Some("pvcapid.service: not seen"));
        }
        let mut told = log.take();
        let unseen = |told: &mut String| told == "primary: pvcapid.service: not seen";
        troubles += told.extract_if(.., unseen).count();
        let done = Phase::UP.map(|phase| format!("primary: {phase} {how}"));
        assert_eq!(told, done, "once, however often it is done");
    }
    assert_eq!(troubles, 1);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_are_given_up_wait_for_no_look_at_the_services() {
    let (_sender, views) = watch::channel(None);
    let outfit = SeenOnce(false.into());
    let (tree, troubles) = (FakeTree::new(), Troubles::default());
    let mut keeper = PrimaryKeeper::new("hv1".parse().unwrap(), tree, outfit, views, troubles);
    // Nothing of it is written, for the tree is empty.
    keeper.reconcile(view(CoordinatorState::Secondary, "hv1")).await;
    let taking = keeper.reconcile(view(CoordinatorState::Takeover, "hv1"));
    let report = tokio::time::timeout(TOUCH / 2, taking).await.expect("no look").report;
    assert_eq!(report.done, 1, "{report}");
}

/// An outfit whose database does not lead yet.
struct Unled;

impl Outfit for Unled {
    async fn held(&self) -> Sight {
        let leader = Holding { any: false, all: false };
        let (addresses, services) = (Holding::EVERYTHING, Holding::EVERYTHING);
        Sight { held: Held { addresses, leader, services }, trouble: vec![] }
    }

    async fn take_up(&self, phase: Phase) -> Result<(), OutfitError> {
        assert_eq!(phase, Phase::Leader);
        Err(OutfitError { what: "PostgreSQL: it does not lead yet".to_owned() })
    }

    async fn lay_down(&self, _phase: Phase) -> Result<(), OutfitError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_is_passed_on_is_told_in_passing_and_warned_of_when_that_takes_long() {
    let log = Log::default();
    let _logging = set_default(log.clone());
    let (_sender, views) = watch::channel(None);
    let (me, troubles, tree) = ("hv1".parse().unwrap(), Troubles::default(), FakeTree::new());
    let made = [
        ("/config", ""),
        ("/config/primary_node", "hv1"),
        ("/nodes", ""),
        ("/nodes/hv1", "coordinator"),
        ("/nodes/hv1/daemonstate", "run"),
        ("/nodes/hv1/routerstate", "primary"),
    ];
    let made = made.map(|(path, data)| Op::Create { path: path.to_owned(), data: data.into() });
    tree.commit(made.into()).await.unwrap();
    let mut keeper = PrimaryKeeper::new(me, tree, Unled, views, troubles);
    let why = || "primary: PostgreSQL: it does not lead yet".to_owned();
    for seconds in 0..10 {
        keeper.reconcile(view(CoordinatorState::Primary, "hv1")).await;
        let expected = match seconds {
            0 => vec![(Level::INFO, why())],
            5 => vec![(Level::WARN, why())],
            _ => vec![],
        };
        assert_eq!(log.take_graded(), expected, "after {seconds} s");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
