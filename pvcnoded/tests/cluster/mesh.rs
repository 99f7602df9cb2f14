//! The mesh and the promise that hangs on it: whole parts on a network in memory.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_common::model::{Fence, FenceLease, Presence};
use pvc_common::state::{DaemonState, FencePhase, LeaseKind};
use pvc_common::view::View;
use pvc_common::zk::{Expected, Key, Op, Seen, Text, key};
use pvc_host::Watchdog;
use pvc_host::fake::{FakeHost, FakeNet, FakeWatchdog, FakeWatchdogDevice};
use pvc_plan::mesh::Pace;
use pvc_runtime::drain::{Drain, DrainTrigger, drain};
use pvc_zk::{CommitFault, FakeTree, Mirror, Tree};
use pvcnoded::image::ClusterImage;
use pvcnoded::mesh::{Ear, Heard, Port, Settings, accuse, follow};
use pvcnoded::{guard, mesh};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::bench::name;

const PACE: Pace =
    Pace { every: Duration::from_millis(200), suspect_after: Duration::from_secs(1) };
const PORT: u16 = 7411;

/// Three nodes on two networks, each with its own session, watchdog and power.
struct Mesh {
    net: FakeNet,
    tree: FakeTree,
    nodes: BTreeMap<u8, Member>,
    dir: TempDir,
    fencing: bool,
}

struct Member {
    tree: FakeTree,
    views: watch::Receiver<Option<Arc<View>>>,
    heard: watch::Receiver<Heard>,
    drain: Drain,
    _trigger: DrainTrigger,
    _mirror: Mirror<View>,
}

fn node(number: u8) -> NodeName {
    name(&format!("hv{number}"))
}

fn addresses(number: u8) -> [IpAddr; 2] {
    [IpAddr::from([10, 255, 0, number]), IpAddr::from([10, 254, 0, number])]
}

impl Mesh {
    async fn new() -> Self {
        let (net, tree) = (FakeNet::new(7), FakeTree::new());
        let roots = [key::CONFIG, key::NODES].map(|root| Op::put(root, "", Expected::Absent));
        tree.commit(roots.into()).await.unwrap();
        tree.commit(vec![key::maintenance().create(&"false".to_owned())]).await.unwrap();
        for number in 1..=3 {
            let me = node(number);
            let mesh = addresses(number).map(|at| SocketAddr::new(at, PORT)).to_vec();
            let presence = Presence { boot: "b".to_owned(), mesh, ..Presence::default() };
            let ops = vec![
                key::node(&me).create(&"coordinator".to_owned()),
                key::node_suspicions(&me).create(&String::new()),
                key::node_daemon_state(&me).create(&DaemonState::Run),
                key::node_presence(&me).create(&presence),
            ];
            tree.commit(ops).await.unwrap();
        }
        let (nodes, dir) = (BTreeMap::new(), TempDir::new().unwrap());
        let mut mesh = Self { net, tree, nodes, dir, fencing: true };
        for number in 1..=3 {
            mesh.begin(number);
        }
        mesh
    }

    fn file(&self, number: u8, what: &str) -> PathBuf {
        self.dir.path().join(format!("hv{number}-{what}"))
    }

    fn begin(&mut self, number: u8) {
        let (trigger, drained) = drain();
        let tree = self.tree.another();
        let mirror = Mirror::follow(&tree, ClusterImage::ROOTS, ClusterImage::new());
        let networks = ["cluster", "storage"].into_iter().zip(addresses(number));
        let networks = networks.map(|(network, address)| Port { network, address }).collect();
        let settings = Settings { node: node(number), port: PORT, networks, pace: PACE };
        let ear = Arc::new(Ear::new(PACE, None));
        let (sender, heard) = watch::channel(Heard::default());
        let net = self.net.clone();
        let bind = move |at: SocketAddr| {
            let net = net.clone();
            async move { Ok((net.bind(at)?, net.bind(SocketAddr::new(at.ip(), 0))?)) }
        };
        tokio::spawn(mesh::run(settings, Arc::clone(&ear), bind, sender, drained.clone()));
        let peers = self.file(number, "peers");
        let views = mirror.view();
        tokio::spawn(follow(node(number), Arc::clone(&ear), views.clone(), peers, drained.clone()));
        let file = self.file(number, "accused");
        tokio::spawn(accuse(tree.clone(), node(number), ear, heard.clone(), file, drained.clone()));
        let member =
            Member { tree, views, heard, drain: drained, _trigger: trigger, _mirror: mirror };
        self.nodes.insert(number, member);
    }

    fn cut_off(&self, number: u8) {
        addresses(number).into_iter().for_each(|address| self.net.cut_off(address));
    }

    /// Cuts a node off from its peers and from ZooKeeper.
    fn isolate(&self, number: u8) {
        self.cut_off(number);
        self.nodes[&number].tree.suspend();
    }

    fn rejoin(&self, number: u8) {
        addresses(number).into_iter().for_each(|address| self.net.rejoin(address));
    }

    /// Writes over what a key holds.
    async fn put<T: Text>(&self, key: Key<T>, value: &T) {
        let entry = self.tree.get(key.path()).await.unwrap();
        let seen: Seen<T> = Seen::read(entry.as_ref().map(|it| (&it.data[..], it.version)));
        self.tree.commit(vec![key.put(&seen, value)]).await.unwrap();
    }

    async fn suspects(&self, observer: u8, suspect: u8) -> bool {
        let path = key::node_suspicion(&node(suspect), &node(observer)).into_path();
        self.tree.get(&path).await.unwrap().is_some_and(|entry| entry.ephemeral)
    }

    /// Waits until an observer does or does not suspect a node; how long that took.
    async fn until(&self, observer: u8, suspect: u8, suspected: bool) -> Duration {
        let began = tokio::time::Instant::now();
        let reached = async {
            while self.suspects(observer, suspect).await != suspected {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let limit = Duration::from_secs(20);
        let what = format!("hv{observer} suspects hv{suspect}: {suspected}");
        timeout(limit, reached).await.unwrap_or_else(|_| panic!("never: {what}"));
        began.elapsed()
    }

    /// A node's guard with a device of three seconds.
    fn guard(&self, number: u8, suicide: Option<Duration>) -> (FakeWatchdogDevice, FakeHost) {
        let (device, host, _) = self.guard_until(number, suicide, &self.nodes[&number].drain);
        (device, host)
    }

    /// The same, with an end of its own.
    fn guard_until(
        &self,
        number: u8,
        suicide: Option<Duration>,
        drain: &Drain,
    ) -> (FakeWatchdogDevice, FakeHost, JoinHandle<()>) {
        let device = FakeWatchdogDevice::new();
        let door = suicide.is_none().then(|| device.open());
        let (host, guard) = self.guard_with(number, door, suicide, drain);
        (device, host, guard)
    }

    /// The same, with its door to the device.
    fn guard_with(
        &self,
        number: u8,
        door: Option<FakeWatchdog>,
        suicide: Option<Duration>,
        drain: &Drain,
    ) -> (FakeHost, JoinHandle<()>) {
        let (member, host) = (&self.nodes[&number], FakeHost::new());
        let settings = guard::Settings {
            node: node(number),
            watchdog: door.map(|door| (door, Duration::from_secs(3))),
            suicide,
            power: host.clone(),
            mesh: true,
            fencing: self.fencing,
            file: self.file(number, "promise"),
        };
        let (sender, acked) = watch::channel(BTreeMap::<NodeName, Instant>::new());
        let mut heard = member.heard.clone();
        tokio::spawn(async move {
            while heard.changed().await.is_ok() {
                sender.send_replace(heard.borrow().acked.clone());
            }
        });
        let kept = watch::channel(None).1;
        let sources = guard::Sources { acked, kept, views: member.views.clone() };
        let guard = guard::run(member.tree.clone(), settings, sources, drain.clone());
        (host, tokio::spawn(guard))
    }

    async fn lease(&self, number: u8) -> Option<FenceLease> {
        let key = key::node_lease(&node(number));
        let entry = self.tree.get(key.path()).await.unwrap();
        let seen: Seen<Option<FenceLease>> =
            Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
        seen.get().cloned().flatten()
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_falls_silent_is_suspected_by_all_and_acquitted_when_it_is_back() {
    let mesh = Mesh::new().await;
    sleep(Duration::from_secs(5)).await;
    for (observer, suspect) in [(1, 2), (1, 3), (2, 3), (3, 1)] {
        assert!(!mesh.suspects(observer, suspect).await);
    }
    mesh.cut_off(3);
    let took = mesh.until(1, 3, true).await;
    // It was heard for the last time up to a round before.
    assert!(took + PACE.every >= PACE.suspect_after, "{took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    mesh.until(2, 3, true).await;
    assert!(!mesh.suspects(1, 2).await);
    mesh.rejoin(3);
    let took = mesh.until(1, 3, false).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    mesh.until(3, 1, false).await;
}

#[tokio::test(start_paused = true)]
async fn one_network_is_enough_to_be_heard() {
    let mesh = Mesh::new().await;
    sleep(Duration::from_secs(5)).await;
    mesh.net.cut_off(addresses(3)[0]);
    sleep(Duration::from_secs(30)).await;
    assert!(!mesh.suspects(1, 3).await && !mesh.suspects(3, 1).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_now_and_then_suspects_nobody() {
    let mesh = Mesh::new().await;
    for from in 1..=3 {
        for to in 1..=3 {
            for network in 0..2 {
                let path = pvc_host::fake::NetPath {
                    loss_percent: 5,
                    ..pvc_host::fake::NetPath::default()
                };
                mesh.net.set_path(addresses(from)[network], addresses(to)[network], path);
            }
        }
    }
    for _ in 0..600 {
        sleep(Duration::from_secs(1)).await;
        assert!(!mesh.suspects(1, 3).await && !mesh.suspects(2, 3).await);
    }
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_is_fed_while_the_node_is_heard_and_no_longer() {
    let mesh = Mesh::new().await;
    let (device, _) = mesh.guard(3, None);
    sleep(Duration::from_secs(60)).await;
    assert!(device.is_armed() && device.fired().is_none());
    let lease = mesh.lease(3).await.expect("it promises to end");
    assert_eq!((lease.kind, lease.voters.len()), (LeaseKind::Device, 2));
    let cut = tokio::time::Instant::now();
    mesh.isolate(3);
    let fired = timeout(Duration::from_secs(20), device.until_fired()).await.unwrap();
    assert!(fired - cut <= Duration::from_millis(lease.ms), "{:?}", fired - cut);
}

/// As behind a firewall that swallows the mesh's datagrams.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_heard_but_can_write_takes_its_promise_back() {
    let mesh = Mesh::new().await;
    let (device, _) = mesh.guard(3, None);
    sleep(Duration::from_secs(10)).await;
    let lease = mesh.lease(3).await.expect("it promises to end");
    mesh.cut_off(3);
    sleep(Duration::from_secs(60)).await;
    assert!(device.fired().is_none() && device.is_armed());
    assert_eq!(mesh.lease(3).await, None);

    mesh.rejoin(3);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(mesh.lease(3).await.as_ref(), Some(&lease), "as before");
    let cut = tokio::time::Instant::now();
    mesh.isolate(3);
    let fired = timeout(Duration::from_secs(20), device.until_fired()).await.unwrap();
    assert!(fired - cut <= Duration::from_millis(lease.ms), "{:?}", fired - cut);
}

/// Its connection stands, but that server has no quorum.
#[tokio::test(start_paused = true)]
async fn a_node_whose_withdrawal_does_not_come_about_ends_itself() {
    let mesh = Mesh::new().await;
    let (device, _) = mesh.guard(3, None);
    sleep(Duration::from_secs(10)).await;
    let lease = mesh.lease(3).await.expect("it promises to end");
    mesh.nodes[&3].tree.slow(Duration::from_secs(3_600));
    let cut = tokio::time::Instant::now();
    mesh.cut_off(3);
    let fired = timeout(Duration::from_secs(20), device.until_fired()).await.unwrap();
    assert!(fired - cut <= Duration::from_millis(lease.ms), "{:?}", fired - cut);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_condemned_keeps_its_promise() {
    let mesh = Mesh::new().await;
    let (device, _) = mesh.guard(3, None);
    sleep(Duration::from_secs(10)).await;
    let fence = Fence {
        id: "hv3-1".parse().unwrap(),
        node: node(3),
        by: node(1),
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
    mesh.put(key::node_fence(&node(3)), &fence).await;
    sleep(Duration::from_secs(5)).await;
    assert!(device.fired().is_none() && mesh.lease(3).await.is_some());
    mesh.cut_off(3);
    timeout(Duration::from_secs(20), device.until_fired()).await.unwrap();
    assert!(mesh.lease(3).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_no_node_while_nobody_is_condemned() {
    for fencing in [true, false] {
        let mut mesh = Mesh::new().await;
        mesh.fencing = fencing;
        let (device, _) = mesh.guard(3, None);
        sleep(Duration::from_secs(10)).await;
        assert_eq!(mesh.lease(3).await.is_some(), fencing);
        mesh.put(key::maintenance(), &"true".to_owned()).await;
        sleep(Duration::from_secs(5)).await;
        assert_eq!(mesh.lease(3).await, None);
        (1..=3).for_each(|number| mesh.isolate(number));
        sleep(Duration::from_secs(60)).await;
        assert!(device.fired().is_none() && device.is_armed(), "fencing: {fencing}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_only_other_node_that_serves_is_nobodys_voter() {
    let mesh = Mesh::new().await;
    mesh.put(key::node_daemon_state(&node(2)), &DaemonState::Stop).await;
    let (device, _) = mesh.guard(1, None);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(mesh.lease(1).await, None);
    mesh.isolate(1);
    sleep(Duration::from_secs(60)).await;
    assert!(device.fired().is_none());
}

/// The tree still says of the others that they serve.
#[tokio::test(start_paused = true)]
async fn a_node_that_starts_before_all_others_promises_nothing_until_it_is_heard() {
    let mesh = Mesh::new().await;
    (2..=3).for_each(|number| mesh.cut_off(number));
    sleep(Duration::from_secs(5)).await;
    let (device, _) = mesh.guard(1, None);
    sleep(Duration::from_secs(60)).await;
    assert!(device.fired().is_none() && mesh.lease(1).await.is_none());
    mesh.rejoin(2);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(mesh.lease(1).await.unwrap().voters.len(), 2, "one of two hears it");
}

#[tokio::test(start_paused = true)]
async fn half_of_the_voters_suffice_for_a_node_to_live_on() {
    let mesh = Mesh::new().await;
    let (device, _) = mesh.guard(3, None);
    sleep(Duration::from_secs(10)).await;
    mesh.cut_off(1);
    sleep(Duration::from_secs(60)).await;
    assert!(device.fired().is_none(), "hv2 hears it");
}

#[tokio::test(start_paused = true)]
async fn a_node_without_a_device_switches_itself_off_when_nobody_hears_it() {
    let mesh = Mesh::new().await;
    let (_, host) = mesh.guard(3, Some(Duration::from_secs(10)));
    sleep(Duration::from_secs(60)).await;
    assert!(!host.is_cut());
    mesh.isolate(3);
    sleep(Duration::from_secs(9)).await;
    assert!(!host.is_cut());
    sleep(Duration::from_secs(2)).await;
    assert!(host.is_cut());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_another_program_holds_is_promised_once_it_is_free() {
    let mesh = Mesh::new().await;
    let device = FakeWatchdogDevice::new();
    let mut other = device.open();
    other.arm(Duration::from_secs(600)).unwrap();
    let suicide = Some(Duration::from_secs(30));
    let (host, _guard) = mesh.guard_with(3, Some(device.open()), suicide, &mesh.nodes[&3].drain);
    sleep(Duration::from_secs(20)).await;
    let lease = mesh.lease(3).await.expect("what it can keep meanwhile");
    assert_eq!((lease.kind, lease.voters.len()), (LeaseKind::Suicide, 2));

    other.disarm().unwrap();
    drop(other);
    sleep(Duration::from_secs(6)).await;
    let lease = mesh.lease(3).await.unwrap();
    assert_eq!((lease.kind, lease.voters.len()), (LeaseKind::Device, 2));
    let cut = tokio::time::Instant::now();
    mesh.isolate(3);
    let fired = timeout(Duration::from_secs(20), device.until_fired()).await.unwrap();
    assert!(fired - cut <= Duration::from_millis(lease.ms), "{:?}", fired - cut);
    assert!(!host.is_cut(), "the device was sooner");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_heard_carries_on_without_zookeeper() {
    let mesh = Mesh::new().await;
    let (device, _) = mesh.guard(3, None);
    sleep(Duration::from_secs(10)).await;
    for member in mesh.nodes.values() {
        member.tree.suspend();
    }
    sleep(Duration::from_secs(600)).await;
    assert!(device.fired().is_none());
    assert!(device.is_armed());
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_cannot_withdraw_its_promise_keeps_it_until_its_last_moment() {
    let mesh = Mesh::new().await;
    let (end, ending) = drain();
    let (device, _, mut guard) = mesh.guard_until(3, None, &ending);
    sleep(Duration::from_secs(10)).await;
    mesh.nodes[&3].tree.suspend();
    end.drain();
    // As long as the rest of the daemon may take to end.
    timeout(Duration::from_secs(60), &mut guard).await.expect_err("it cannot be withdrawn");
    assert!(device.is_armed() && device.fired().is_none());
    mesh.nodes[&3].tree.resume();
    timeout(Duration::from_secs(10), guard).await.unwrap().unwrap();
    assert!(!device.is_armed() && mesh.lease(3).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_starts_again_unheard_does_not_prolong_what_its_former_life_promised() {
    let mesh = Mesh::new().await;
    sleep(Duration::from_secs(5)).await;
    mesh.isolate(3);
    sleep(Duration::from_secs(5)).await;
    std::fs::write(mesh.file(3, "promise"), "hv1 hv2\n").unwrap();
    let (device, _) = mesh.guard(3, None);
    sleep(Duration::from_secs(30)).await;
    assert!(device.feeds().is_empty(), "arming is feeding, and its time is running");
    mesh.rejoin(3);
    mesh.nodes[&3].tree.resume();
    sleep(Duration::from_secs(10)).await;
    assert!(device.is_armed());
    assert_eq!(mesh.lease(3).await.unwrap().voters.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_starts_again_unheard_takes_back_what_its_former_life_promised() {
    let mesh = Mesh::new().await;
    let lease =
        FenceLease { kind: LeaseKind::Device, ms: 3_600, voters: [node(1), node(2)].into() };
    mesh.put(key::node_lease(&node(3)), &Some(lease)).await;
    mesh.cut_off(3);
    sleep(Duration::from_secs(5)).await;
    std::fs::write(mesh.file(3, "promise"), "hv1 hv2\n").unwrap();
    let (device, _) = mesh.guard(3, None);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(mesh.lease(3).await, None);
    assert!(device.is_armed() && device.fired().is_none(), "nothing is promised any more");
}

/// The connections of all nodes stand, but ZooKeeper answers late or not at all.
#[tokio::test(start_paused = true)]
async fn a_pause_while_zookeeper_stands_still_does_not_end_a_node() {
    for answers_after in [3, 3_600].map(Duration::from_secs) {
        let mesh = Mesh::new().await;
        let (device, _) = mesh.guard(3, None);
        sleep(Duration::from_secs(10)).await;
        for member in mesh.nodes.values() {
            member.tree.slow(answers_after);
        }
        mesh.cut_off(3);
        sleep(Duration::from_millis(1_800)).await;
        mesh.rejoin(3);
        sleep(Duration::from_secs(60)).await;
        assert!(device.fired().is_none(), "{answers_after:?}: all that hear it answer it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_dies_again_before_its_withdrawal_is_known_is_suspected_again() {
    let mesh = Mesh::new().await;
    sleep(Duration::from_secs(5)).await;
    mesh.cut_off(3);
    mesh.until(1, 3, true).await;
    // It is withdrawn, and nobody says so in the rounds until the node falls silent again.
    let tree = &mesh.nodes[&1].tree;
    tree.fail_commit(CommitFault::UnknownButDone);
    (0..8).for_each(|_| tree.fail_commit(CommitFault::UnknownAndLost));
    mesh.rejoin(3);
    mesh.until(1, 3, false).await;
    mesh.cut_off(3);
    mesh.until(1, 3, true).await;
}
