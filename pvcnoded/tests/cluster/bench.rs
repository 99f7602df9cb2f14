//! A cluster on the bench: nodes that serve, people who wish, and what is seen of both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pvc_ceph::fake::{FakeCeph, FakeDisks};
use pvc_common::id::{NodeName, OsdId, VmUuid};
use pvc_common::model::{Claim, Origin, Presence, StaticData, Vm};
use pvc_common::state::{CoordinatorState, DaemonMode, DaemonState, DomainState, VmState};
use pvc_common::unit::Mib;
use pvc_common::view::View;
use pvc_common::zk::key::{self, Key};
use pvc_common::zk::schema::LATEST;
use pvc_common::zk::{Op, Seen, Text};
use pvc_database::fake::Site;
use pvc_host::UnitError;
use pvc_host::fake::FakeHost;
use pvc_ipmi::fake::FakePower;
use pvc_libvirt::fake::{FakeHypervisor, FakeRoom, definition};
use pvc_plan::fence::{Policy, StorageFence};
use pvc_plan::primary::{Held, Holding, Phase};
use pvc_zk::{CommitFault, FakeTree, Mirror, Tree};
use pvcnoded::dhcp::{self, Dhcp, Places};
use pvcnoded::fence::Means;
use pvcnoded::gateway::Gateways;
use pvcnoded::health::Health;
use pvcnoded::image::ClusterImage;
use pvcnoded::keeper::Keeper;
use pvcnoded::outfit::{self, Leader};
use pvcnoded::primary::{Outfit, OutfitError, Sight, Troubles};
use pvcnoded::serve::{Fencing, Parts, Service, Settings, Storage, serve};
use pvcnoded::stats::HostFigures;
use pvcnoded::task::osd::{self, Programs, Rack, Started};
use pvcnoded::{console, vm};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::moods::Moods;

/// The longest any wish may take on the bench.
const LIMIT: Duration = Duration::from_secs(600);
/// How often something is looked at that may change without the tree.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

/// What a node tells of itself; it takes no part in the mesh.
pub(crate) fn presence(node: &str) -> Presence {
    let number = name(node).number().unwrap();
    let address = format!("10.0.0.{number}").parse().unwrap();
    Presence { boot: "first".to_owned(), addresses: vec![address], ..Presence::default() }
}

const ON_RBD: &str = "<disk type='network' device='disk'><source protocol='rbd' name='vms/a'/>\
                      <target dev='vda'/></disk>";

pub(crate) fn uuid(n: usize) -> VmUuid {
    format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

/// Who has the floating addresses and the services, and where neither can be changed.
#[derive(Clone, Default)]
pub(crate) struct Floor {
    held: Arc<Mutex<BTreeMap<String, (bool, bool)>>>,
    stuck: Arc<Mutex<BTreeSet<(String, Part)>>>,
    /// Of one more address and one more service, which nobody misses.
    pub(crate) moods: Moods,
}

/// A part of the primary's outfit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Addresses,
    Services,
}

impl Floor {
    /// From now on a part of a node's outfit stays as it is, whatever is tried.
    pub(crate) fn stick(&self, node: &str, part: Part) {
        self.stuck.lock().unwrap().insert((node.to_owned(), part));
    }

    pub(crate) fn unstick(&self) {
        self.stuck.lock().unwrap().clear();
    }

    pub(crate) fn has(&self, node: &str, part: Part) -> bool {
        let all = self.held.lock().unwrap();
        let (addresses, services) = all.get(node).copied().unwrap_or_default();
        match part {
            Part::Addresses => addresses,
            Part::Services => services,
        }
    }

    fn set(&self, node: &NodeName, part: Part, has: bool) -> Result<(), OutfitError> {
        if self.stuck.lock().unwrap().contains(&(node.to_string(), part)) {
            return Err(OutfitError { what: format!("{part:?} of {node} cannot be changed") });
        }
        let mut all = self.held.lock().unwrap();
        let held = all.entry(node.to_string()).or_default();
        match part {
            Part::Addresses => held.0 = has,
            Part::Services => held.1 = has,
        }
        let holders = all.values().filter(|(addresses, _)| *addresses).count();
        assert!(holders <= 1, "two nodes have the floating addresses: {all:?}");
        Ok(())
    }

    pub(crate) fn holder(&self) -> Option<String> {
        let all = self.held.lock().unwrap();
        all.iter().find(|(_, held)| **held == (true, true)).map(|(node, _)| node.clone())
    }
}

/// The floor's addresses and services, and those parts of a real outfit that follow networks or the
/// database.
pub(crate) struct FakeOutfit(NodeName, Floor, outfit::Parts);

impl Outfit for FakeOutfit {
    async fn held(&self) -> Sight {
        let holding = |part| {
            let has = self.1.has(self.0.as_str(), part);
            if has { Holding::EVERYTHING } else { Holding::NOTHING }
        };
        let Sight { held: parts, trouble } = self.2.held().await;
        let held = Held {
            addresses: Holding::of([holding(Part::Addresses), parts.addresses]),
            leader: parts.leader,
            services: Holding::of([holding(Part::Services), parts.services]),
        };
        Sight { held, trouble }
    }

    async fn take_up(&self, phase: Phase) -> Result<(), OutfitError> {
        self.set(phase, true).and(self.2.take_up(phase).await)
    }

    async fn lay_down(&self, phase: Phase) -> Result<(), OutfitError> {
        self.set(phase, false).and(self.2.lay_down(phase).await)
    }
}

impl FakeOutfit {
    fn set(&self, phase: Phase, has: bool) -> Result<(), OutfitError> {
        match phase {
            Phase::Addresses => self.1.set(&self.0, Part::Addresses, has),
            Phase::Leader => Ok(()),
            Phase::Services => self.1.set(&self.0, Part::Services, has),
        }
    }
}

/// The programs of OSDs on disks in memory.
struct FakePrograms(FakeDisks);

impl Programs for FakePrograms {
    async fn running(&self, osds: &BTreeSet<OsdId>) -> Result<BTreeSet<OsdId>, UnitError> {
        Ok(self.0.running().intersection(osds).copied().collect())
    }

    async fn start(&self, osd: OsdId) -> Result<(), UnitError> {
        let unit = format!("ceph-osd@{osd}.service");
        if self.0.start(osd) { Ok(()) } else { Err(UnitError::Absent { unit }) }
    }

    async fn stop(&self, osd: OsdId) -> Result<(), UnitError> {
        self.0.stop(osd);
        Ok(())
    }
}

/// A running daemon.
pub(crate) struct Daemon {
    service: Service<FakeTree>,
    tree: FakeTree,
    _mirror: Mirror<View>,
}

impl Daemon {
    /// Its own way to ZooKeeper.
    pub(crate) const fn tree(&self) -> &FakeTree {
        &self.tree
    }
}

pub(crate) struct Bench {
    pub(crate) tree: FakeTree,
    pub(crate) room: FakeRoom,
    pub(crate) floor: Floor,
    pub(crate) daemons: BTreeMap<String, Daemon>,
    /// The BMCs by which dead nodes are fenced; `None` where nobody is fenced.
    pub(crate) power: Option<FakePower>,
    /// The storage on which all VMs are; `None` where there is none.
    pub(crate) ceph: Option<FakeCeph>,
    /// Who leads of the nodes' databases; `None` where there are none.
    pub(crate) databases: Option<Site>,
    /// The disks of each node, for OSDs.
    pub(crate) disks: BTreeMap<String, FakeDisks>,
    /// The machine of each node.
    pub(crate) hosts: BTreeMap<String, FakeHost>,
    /// What goes with a node's boot, in a folder for each.
    run: TempDir,
}

impl Bench {
    /// Nodes `hv1` to `hv<count>`, all serving and ready; nobody is fenced.
    pub(crate) async fn new(count: usize) -> Self {
        Self::of(count, None, None, None).await
    }

    /// As [`Bench::new`], with a database on each node.
    pub(crate) async fn with_databases(count: usize) -> Self {
        let nodes: Vec<String> = (1..=count).map(|n| format!("hv{n}")).collect();
        let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
        Self::of(count, None, None, Some(Site::new(&nodes))).await
    }

    /// As [`Bench::new`], with BMCs by which dead nodes are fenced.
    pub(crate) async fn fencing(count: usize) -> Self {
        Self::of(count, Some(FakePower::new()), None, None).await
    }

    /// As [`Bench::fencing`], with VMs on RBD, by which dead nodes are fenced, too.
    pub(crate) async fn with_ceph(count: usize) -> Self {
        Self::of(count, Some(FakePower::new()), Some(FakeCeph::new()), None).await
    }

    async fn of(
        count: usize,
        power: Option<FakePower>,
        ceph: Option<FakeCeph>,
        databases: Option<Site>,
    ) -> Self {
        let (tree, room, floor) = (FakeTree::new(), FakeRoom::new(), Floor::default());
        let run = tempfile::tempdir().unwrap();
        let disks_of = |ceph: &FakeCeph| {
            let disks = |n| (format!("hv{n}"), FakeDisks::new(ceph.clone(), true));
            (1..=count).map(disks).collect()
        };
        let disks = ceph.as_ref().map(disks_of).unwrap_or_default();
        let host = |n| {
            let host = FakeHost::new();
            host.install_unit("pvc-dhcp@.service");
            host.install_unit("patroni.service");
            (format!("hv{n}"), host)
        };
        let (daemons, hosts) = (BTreeMap::new(), (1..=count).map(host).collect());
        let mut bench =
            Self { tree, room, floor, daemons, power, ceph, databases, disks, hosts, run };
        bench.lay_out().await;
        for n in 1..=count {
            let node = format!("hv{n}");
            bench.add_node(&node).await;
            bench.boot(&node).await;
        }
        for n in 1..=count {
            let node = name(&format!("hv{n}"));
            bench
                .until(&format!("{node} serves"), |view| {
                    view.nodes[&node].daemon_state.copied() == Some(DaemonState::Run)
                        && view.nodes[&node].mem_free.get().is_some()
                })
                .await;
        }
        bench
    }

    async fn lay_out(&self) {
        let empty = |path: &str| Op::Create { path: path.to_owned(), data: vec![] };
        let ops = [key::SCHEMA, key::NODES, key::DOMAINS, key::NETWORKS, key::FENCES, key::TASKS];
        let ops = ops.map(empty).into_iter();
        let ops = ops.chain([
            key::schema_version().create(&LATEST),
            key::cluster_name().create(&"test".to_owned()),
            key::primary_node().create(&None),
        ]);
        // The parent of the primary's key is the cluster's name: it comes first.
        let (config, rest): (Vec<_>, Vec<_>) = ops.partition(|op| op.path() == key::CONFIG);
        self.tree.commit(config).await.unwrap();
        self.tree.commit(rest).await.unwrap();
    }

    async fn add_node(&self, node: &str) {
        let me = name(node);
        let data = StaticData {
            cpu_count: 16,
            kernel: "6.1.0".into(),
            os: "GNU/Linux".into(),
            arch: "x86_64".into(),
        };
        let static_data = key::node_static_data(&me).create(&data);
        let ops = vec![
            key::node(&me).create(&"coordinator".to_owned()),
            key::node_mode(&me).create(&DaemonMode::Coordinator),
            key::node_daemon_state(&me).create(&DaemonState::Init),
            key::node_coordinator_state(&me).create(&CoordinatorState::Secondary),
            key::node_domain_state(&me).create(&DomainState::Ready),
            static_data,
            key::node_presence(&me).create(&presence(node)),
            key::node_monitoring_data(&me).create(&()),
        ];
        self.tree.commit(ops).await.unwrap();
        if let Some(power) = &self.power {
            let bmc = power.machine(&format!("{node}-lom"));
            let ops = vec![
                key::node_ipmi_hostname(&me).create(&bmc.host),
                key::node_ipmi_username(&me).create(&bmc.user),
                key::node_ipmi_password(&me).create(bmc.password.reveal()),
            ];
            self.tree.commit(ops).await.unwrap();
        }
    }

    /// Starts a node's daemon, whose record says so first.
    pub(crate) async fn boot(&mut self, node: &str) {
        self.put(&key::node_daemon_state(&name(node)), &DaemonState::Init).await;
        let tree = self.tree.another();
        let hypervisor = self.room.node(node);
        let mirror = Mirror::follow(&tree, ClusterImage::ROOTS, ClusterImage::new());
        let views = mirror.view();
        let fencing = self.power.clone().map(|power| Fencing {
            policy: Policy {
                storage: match self.ceph {
                    Some(_) => StorageFence::Suffices,
                    None => StorageFence::Off,
                },
                ..Policy::default()
            },
            means: Means { power, ceph: self.ceph.clone().unwrap_or_default() },
            ear: None,
        });
        let troubles = Troubles::default();
        let (parts, keepers) = self.networks(node, &tree, &views, &troubles);
        let outfit = Some(FakeOutfit(name(node), self.floor.clone(), parts));
        let storage = self.ceph.clone().map(|ceph| (ceph, presence(node).addresses));
        let rack = self.disks.get(node).map(|disks| -> Arc<dyn Rack> {
            Arc::new(osd::Parts {
                ceph: self.ceph.clone().unwrap_or_default(),
                disks: disks.clone(),
                programs: FakePrograms(disks.clone()),
                boot: "first".to_owned(),
                started: Started::in_folder(self.run.path().join(node).join("osds")),
                turn: Arc::default(),
            })
        });
        let ceph = Storage {
            fencing: storage,
            figures: self.ceph.clone(),
            tasks: self.ceph.clone(),
            rack,
        };
        let tree_of = tree.clone();
        let parts =
            Parts { tree: tree_of, hypervisor, outfit, troubles, views, fencing, ceph, keepers };
        let mut settings = settings(node, self.run.path().join(node), self.ceph.as_ref());
        let told = self.read(&key::node_presence(&name(node))).await;
        settings.vms.take_if(|_| told.get().is_some_and(|told| told.without_vms));
        let service =
            serve::<FakeTree, FakeHypervisor, FakeOutfit, FakePower, FakeCeph>(settings, parts);
        let daemon = Daemon { service, tree, _mirror: mirror };
        self.daemons.insert(node.to_owned(), daemon);
    }

    /// What a node's machine forgets when its power is cut; its daemon is dead by then.
    pub(crate) fn forget_run(&self, node: &str) {
        std::fs::remove_dir_all(self.run.path().join(node)).unwrap();
    }

    /// What of a node's outfit follows networks and the database.
    fn networks(
        &self,
        node: &str,
        tree: &FakeTree,
        views: &watch::Receiver<Option<Arc<View>>>,
        troubles: &Troubles,
    ) -> (outfit::Parts, Vec<Keeper>) {
        let host = self.hosts[node].clone();
        let gateways = Gateways::new(host.clone(), host.clone(), views.clone(), troubles.clone());
        let dhcp = Dhcp::new(host.clone(), self.dhcp(node));
        let moody = |phase| Arc::new(self.floor.moods.of(node, phase));
        // Of no account unless a test installs it.
        let api = Arc::new(outfit::Service::new(host.clone(), "pvcapid.service"));
        let mut parts: Vec<Arc<dyn outfit::Part>> =
            vec![Arc::new(gateways.clone()), Arc::new(dhcp.clone()), api];
        for phase in [Phase::Addresses, Phase::Services] {
            parts.push(moody(phase));
        }
        if let Some(databases) = &self.databases {
            parts.push(Arc::new(Leader::new(name(node), databases.on(node), host.clone())));
        }
        let parts = outfit::Parts::new(parts);
        let (me, tree) = (name(node), tree.clone());
        let health = Health::new(me.clone(), tree.clone());
        let it = dhcp::Node { me, tree, links: host, health: health.clone() };
        let keeper = Keeper::of(move |views, registry, drain| {
            dhcp.follow(it, views.clone(), registry, drain)
        });
        let troubles = troubles.clone();
        let health = Keeper::of(move |_, _, drain| {
            vec![tokio::spawn(troubles.publish(health, drain.clone()))]
        });
        (parts, vec![Keeper::new(gateways.keeper()), keeper, health])
    }

    /// Where a node's dnsmasqs and their leases are.
    pub(crate) fn dhcp(&self, node: &str) -> Places {
        let at = |name: &str| self.run.path().join(node).join(name);
        Places { run: at("dhcp"), spool: at("spool"), ..Places::default() }
    }

    /// `kill -9`: nothing is said to anybody.
    pub(crate) fn kill(&mut self, node: &str) {
        let daemon = self.daemons.remove(node).expect("a running daemon");
        daemon.service.kill();
        daemon.tree.expire();
    }

    /// Lets the next writes of a daemon be lost on their way.
    pub(crate) fn lose_writes(&self, node: &str, count: usize) {
        for _ in 0..count {
            self.daemons[node].tree.fail_commit(CommitFault::UnknownAndLost);
        }
    }

    /// An orderly stop.
    pub(crate) async fn stop(&mut self, node: &str) {
        let daemon = self.daemons.remove(node).expect("a running daemon");
        daemon.service.stop().await;
    }

    /// Defines a VM as the API does.
    pub(crate) async fn define(&self, n: usize, on: &str, state: VmState) {
        let vm = uuid(n);
        let xml = definition(&format!("vm{n}"), vm);
        let xml = match self.ceph {
            Some(_) => xml.replace("<devices>", &format!("<devices>{ON_RBD}")),
            None => xml,
        };
        let ops = vec![
            key::vm_name(vm).create(&format!("vm{n}").parse().unwrap()),
            key::vm_xml(vm).create(&xml.into()),
            key::vm_state(vm).create(&state),
            key::vm_node(vm).create(&Some(name(on))),
            key::vm_last_node(vm).create(&None),
            key::vm_failed_reason(vm).create(&String::new()),
            key::vm_autostart(vm).create(&false),
        ];
        self.tree.commit(ops).await.unwrap();
    }

    pub(crate) async fn read<T: Text>(&self, key: &Key<T>) -> Seen<T> {
        let entry = self.tree.get(key.path()).await.unwrap();
        Seen::read(entry.as_ref().map(|entry| (entry.data.as_slice(), entry.version)))
    }

    /// A person changes one key.
    pub(crate) async fn put<T: Text>(&self, key: &Key<T>, value: &T) {
        let seen = self.read(key).await;
        self.tree.commit(vec![key.put(&seen, value)]).await.unwrap();
    }

    pub(crate) async fn wish(&self, n: usize, state: VmState) {
        self.put(&key::vm_state(uuid(n)), &state).await;
    }

    /// A person migrates a VM, as the API writes it.
    pub(crate) async fn migrate(&self, n: usize, to: &str) {
        let vm = uuid(n);
        let node = self.read(&key::vm_node(vm)).await;
        let last = self.read(&key::vm_last_node(vm)).await;
        let from = node.get().cloned().flatten().unwrap();
        let origin = Origin { node: from.clone(), last_node: last.get().cloned().flatten() };
        let ops = vec![
            key::vm_state(vm).put(&self.read(&key::vm_state(vm)).await, &VmState::Migrate),
            key::vm_node(vm).put(&node, &Some(name(to))),
            key::vm_last_node(vm).put(&last, &Some(from)),
            key::vm_migrate_origin(vm)
                .put(&self.read(&key::vm_migrate_origin(vm)).await, &Some(origin)),
        ];
        self.tree.commit(ops).await.unwrap();
    }

    pub(crate) async fn domain_state(&self, node: &str, state: DomainState) {
        self.put(&key::node_domain_state(&name(node)), &state).await;
    }

    /// The tree as it is now.
    pub(crate) async fn view(&self) -> Arc<View> {
        Mirror::follow(&self.tree, ClusterImage::ROOTS, ClusterImage::new())
            .complete()
            .await
            .expect("a view")
    }

    pub(crate) async fn vm(&self, n: usize) -> Arc<Vm> {
        Arc::clone(&self.view().await.vms[&uuid(n)])
    }

    /// Waits until the tree is as expected; never beyond the limit.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&View) -> bool) {
        let mirror = Mirror::follow(&self.tree, ClusterImage::ROOTS, ClusterImage::new());
        let mut views = mirror.view();
        let reached = async {
            while !views.borrow_and_update().as_ref().is_some_and(|view| holds(view)) {
                // What is asked may be of a host, which tells nobody when it changes.
                let _ = tokio::time::timeout(LOOK, views.changed()).await;
            }
        };
        if tokio::time::timeout(LIMIT, reached).await.is_err() {
            let view = mirror.latest().unwrap();
            panic!("never: {what}\n{:#?}\n{:#?}\n{:#?}", view.nodes, view.vms, view.tasks);
        }
        assert_eq!(self.room.ran_twice(), [], "before: {what}");
    }

    /// Waits until a VM runs on `node`, claimed by it, with nothing left to do.
    pub(crate) async fn runs(&self, n: usize, node: &str) {
        let me = name(node);
        self.until(&format!("vm{n} runs on {node}"), |view| {
            let vm = &view.vms[&uuid(n)];
            let claim = Claim::of(me.clone());
            vm.state.copied() == Some(VmState::Start)
                && vm.claim.get() == Some(&claim)
                && self.room.executing_on(uuid(n)) == [node]
        })
        .await;
    }

    /// Waits until a VM is in `state` and runs nowhere.
    pub(crate) async fn rests(&self, n: usize, state: VmState) {
        self.until(&format!("vm{n} rests in {state:?}"), |view| {
            let vm = &view.vms[&uuid(n)];
            vm.state.copied() == Some(state)
                && vm.claim == Seen::Absent
                && self.room.executing_on(uuid(n)).is_empty()
        })
        .await;
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

fn settings(node: &str, starts: PathBuf, ceph: Option<&FakeCeph>) -> Settings {
    let route = |node: &NodeName| vm::Route {
        peer_uri: format!("qemu+tcp://{node}/system"),
        migrate_uri: format!("tcp://{node}"),
    };
    Settings {
        node: name(node),
        keepalive: Duration::from_secs(5),
        log_keepalives: false,
        log_details: false,
        log_storage: true,
        by_primary: vec![(key::upstream_ip().into_path(), format!("10.0.0.{node}/24"))],
        vms: Some(vm::Settings {
            shutdown_timeout: Duration::from_secs(180),
            peers: vm::Peers::new(route, false),
            starts,
            locks: ceph.map(|ceph| vm::LeftLocks::new(ceph.clone(), presence(node).addresses)),
        }),
        console: console::Settings { directory: "/nonexistent".into(), lines: 10 },
        host: Box::new(|| {
            Ok(HostFigures {
                memory_total: Mib(64_000),
                memory_used: Mib(4_000),
                memory_available: Mib(60_000),
                load: 0.5,
            })
        }),
    }
}
