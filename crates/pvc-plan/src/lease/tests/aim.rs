//! By whom a node wants to be heard.

use std::sync::Arc;

use pvc_common::model::Fence;
use pvc_common::state::{DaemonState, FencePhase};
use pvc_common::view::{Builder, Scope, View};
use pvc_common::zk::{Key, Text, Version, key};

use super::*;

const ME: &str = "hv1";

/// A node of a cluster, and what it knows.
struct Scene {
    builder: Builder,
    live: bool,
    read: bool,
    fencing: bool,
    mesh: bool,
    patience: Option<Duration>,
    promised: bool,
    unheard_ms: Option<u64>,
    acked_ms_ago: Vec<(&'static str, u64)>,
}

impl Scene {
    /// `hv1` of so many nodes that serve, heard by all, with its promise made.
    fn new(count: u32) -> Self {
        let mut scene = Self {
            builder: Builder::new(Scope::Decisions),
            live: true,
            read: true,
            fencing: true,
            mesh: true,
            patience: Some(DEVICE.patience),
            promised: true,
            unheard_ms: None,
            acked_ms_ago: ["hv2", "hv3", "hv4", "hv5"].map(|name| (name, 100)).into(),
        };
        scene.put(&key::maintenance(), &"false".to_owned());
        for number in 1..=count {
            let name: NodeName = format!("hv{number}").parse().unwrap();
            scene.put(&key::node(&name), &"coordinator".to_owned());
            scene.put(&key::node_daemon_state(&name), &DaemonState::Run);
        }
        scene
    }

    fn put<T: Text>(&mut self, key: &Key<T>, value: &T) {
        self.builder.set(key.path(), Some((value.encode().as_bytes(), Version(0))));
    }

    fn state(&mut self, name: &str, state: DaemonState) {
        self.put(&key::node_daemon_state(&name.parse().unwrap()), &state);
    }

    fn maintenance(&mut self) {
        self.put(&key::maintenance(), &"true".to_owned());
    }

    fn condemned(&mut self) {
        let me: NodeName = ME.parse().unwrap();
        let fence = Fence {
            id: "hv1-1".parse().unwrap(),
            node: me.clone(),
            by: "hv2".parse().unwrap(),
            phase: FencePhase::Proving,
            why: String::new(),
            boot: String::new(),
            power_cut: false,
            suspected_ms: 0,
            condemned_ms: 0,
            proved_ms: None,
            finished_ms: None,
            evidence: vec![],
            moved: vec![],
            waiting: vec![],
        };
        self.put(&key::node_fence(&me), &fence);
    }

    /// Heard by these within the window, by nobody else.
    fn heard_by(&mut self, names: &[&'static str]) {
        self.acked_ms_ago = names.iter().map(|name| (*name, 100)).collect();
    }

    fn aim(&mut self) -> Option<To> {
        #[expect(clippy::disallowed_methods, reason = "any instant will do to begin with")]
        let now = Instant::now() + Duration::from_secs(3_600);
        let ago = |ms| now - Duration::from_millis(ms);
        let acked = self.acked_ms_ago.iter().map(|(n, ms)| (n.parse().unwrap(), ago(*ms)));
        let acked: BTreeMap<NodeName, Instant> = acked.collect();
        let view: Arc<View> = self.builder.snapshot();
        let me: NodeName = ME.parse().unwrap();
        let observers: BTreeSet<NodeName> =
            view.nodes.keys().filter(|name| **name != me).cloned().collect();
        aim(&Outlook {
            me: &me,
            view: self.read.then_some(&*view),
            live: self.live,
            fencing: self.fencing,
            observers: self.mesh.then_some(&observers),
            acked: &acked,
            window: DEVICE.window,
            patience: self.patience,
            promised: self.promised,
            unheard: self.unheard_ms.map(ago),
            now,
        })
    }
}

fn to(names: &[&str]) -> Option<To> {
    Some(To::Voters(nodes(names)))
}

const NOBODY: Option<To> = Some(To::Nobody);
const AS_IT_IS: Option<To> = None;

#[test]
fn a_node_promises_to_those_of_its_observers_that_serve() {
    let mut scene = Scene::new(4);
    assert_eq!(scene.aim(), to(&["hv2", "hv3", "hv4"]));
    for state in [DaemonState::Init, DaemonState::Stop, DaemonState::Dead, DaemonState::Fenced] {
        scene.state("hv4", state);
        assert_eq!(scene.aim(), to(&["hv2", "hv3"]), "{state:?}");
    }
}

#[test]
fn nothing_changes_while_the_tree_cannot_be_known_or_written() {
    for (read, live) in [(false, true), (true, false)] {
        let mut scene = Scene::new(3);
        (scene.read, scene.live) = (read, live);
        scene.heard_by(&[]);
        scene.unheard_ms = Some(60_000);
        assert_eq!(scene.aim(), AS_IT_IS);
        scene.maintenance();
        assert_eq!(scene.aim(), AS_IT_IS);
    }
}

#[test]
fn nothing_is_promised_while_nobody_is_condemned() {
    let mut scene = Scene::new(3);
    scene.maintenance();
    assert_eq!(scene.aim(), NOBODY);
    let mut scene = Scene::new(3);
    scene.fencing = false;
    assert_eq!(scene.aim(), NOBODY);
    scene.mesh = false;
    assert_eq!(scene.aim(), NOBODY);
}

#[test]
fn without_anything_to_keep_it_with_nothing_is_promised() {
    let mut scene = Scene::new(3);
    scene.patience = None;
    assert_eq!(scene.aim(), NOBODY);
}

#[test]
fn who_is_condemned_keeps_what_it_promised() {
    for maintenance in [false, true] {
        let mut scene = Scene::new(3);
        scene.condemned();
        scene.heard_by(&[]);
        scene.unheard_ms = Some(60_000);
        if maintenance {
            scene.maintenance();
        }
        assert_eq!(scene.aim(), AS_IT_IS);
    }
}

#[test]
fn of_two_nodes_none_promises() {
    let mut scene = Scene::new(2);
    assert_eq!(scene.aim(), NOBODY);
    // The third counts only if it serves.
    let mut scene = Scene::new(3);
    scene.state("hv3", DaemonState::Fenced);
    assert_eq!(scene.aim(), NOBODY);
}

#[test]
fn a_promise_is_taken_back_once_a_third_of_the_patience_went_by_unheard() {
    for (unheard_ms, aim) in [(None, AS_IT_IS), (Some(999), AS_IT_IS), (Some(1_000), NOBODY)] {
        let mut scene = Scene::new(4);
        scene.heard_by(&["hv2"]);
        scene.unheard_ms = unheard_ms;
        assert_eq!(scene.aim(), aim, "{unheard_ms:?}");
    }
}

#[test]
fn a_promise_is_made_only_to_those_of_whom_half_hear_the_node() {
    for promised in [false, true] {
        let otherwise = if promised { AS_IT_IS } else { NOBODY };
        let mut scene = Scene::new(5);
        scene.promised = promised;
        for (by, heard) in [(&["hv2", "hv3"][..], true), (&["hv2"], false), (&[], false)] {
            scene.heard_by(by);
            let aim = if heard { to(&["hv2", "hv3", "hv4", "hv5"]) } else { otherwise.clone() };
            assert_eq!(scene.aim(), aim, "{by:?}, promised: {promised}");
        }
        scene.acked_ms_ago = vec![("hv2", 100), ("hv3", 601)];
        assert_eq!(scene.aim(), otherwise, "too long ago");
    }
}

#[test]
fn without_the_mesh_zookeeper_is_the_witness() {
    let mut scene = Scene::new(2);
    scene.mesh = false;
    scene.heard_by(&[]);
    scene.unheard_ms = Some(29_000);
    assert_eq!(scene.aim(), Some(To::ZooKeeper));
    scene.maintenance();
    assert_eq!(scene.aim(), NOBODY);
    let me: NodeName = ME.parse().unwrap();
    assert_eq!(To::ZooKeeper.voters(&me), BTreeSet::from([me]));
}
