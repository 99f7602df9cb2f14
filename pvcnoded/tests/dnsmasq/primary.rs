//! The primary: this thread's network namespace, with gateways and dnsmasqs.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pvc_common::id::NodeName;
use pvc_common::state::{CoordinatorState, NetworkType};
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, key};
use pvc_host::real::{Netlink, PacketAnnouncer};
use pvc_host::{UnitError, UnitState, Units};
use pvc_runtime::drain::{DrainTrigger, drain};
use pvc_runtime::reconcile::{Registry, spawn};
use pvc_zk::{FakeTree, Mirror, Tree};
use pvcnoded::dhcp::{self, Dhcp, Places};
use pvcnoded::gateway::Gateways;
use pvcnoded::health::Health;
use pvcnoded::image::ClusterImage;
use pvcnoded::outfit::Part;
use pvcnoded::primary::Troubles;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::guest::{open_to_all, run};
use super::vni;

const LIMIT: Duration = Duration::from_secs(30);

/// Where the cluster's PowerDNS answers.
const NAMES: &str = "192.0.2.251";
/// What it says is the address of every name.
pub(crate) const ELSEWHERE: &str = "203.0.113.9";

/// Moves this thread into a network namespace of its own.
///
/// `false` where that is not permitted and the environment says that this is known.
#[expect(unsafe_code, reason = "the standard library knows no namespaces")]
pub(crate) fn own_namespace() -> bool {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some() {
        return false;
    }
    // SAFETY: a call with a plain number that affects this thread's view of the network only.
    let unshared = unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0;
    assert!(
        unshared,
        "a network namespace needs root; set PVC_TEST_NO_SERVICES=1 to leave this test out"
    );
    ip("link set lo up");
    // Where others serve names.
    ip("address add 192.0.2.250/32 dev lo");
    ip("-6 address add 2001:db8:ff::250/128 dev lo nodad");
    ip(&format!("address add {NAMES}/32 dev lo"));
    true
}

fn ip(words: &str) {
    run(Command::new("ip").args(words.split(' ')));
}

/// Servers of names at other addresses are not in its way, nor it in theirs.
pub(crate) fn others_may_serve_names_beside_it() {
    for at in ["192.0.2.250:53", "[2001:db8:ff::250]:53", "127.0.0.1:53", "[::1]:53"] {
        UdpSocket::bind(at).unwrap_or_else(|error| panic!("{at}: {error}"));
    }
}

/// What it says is the name of every address.
pub(crate) const CALLED: &str = "elsewhere";

/// Answers for every name with [`ELSEWHERE`], and for every address with [`CALLED`], in the place of
/// PowerDNS.
///
/// On a thread of its own that ends with the test: the namespace is that of the one that binds.
pub(crate) fn serve_names() {
    let socket = UdpSocket::bind((NAMES, 53)).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, asker)) = socket.recv_from(&mut buffer) {
            if let Some(answer) = answer(&buffer[..length]) {
                socket.send_to(&answer, asker).ok();
            }
        }
    });
}

/// The answer to a question of one name: its address of IPv4, or what an address is called, and nothing
/// else.
fn answer(question: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    let name = question.get(HEADER..)?.iter().position(|byte| *byte == 0)?;
    let end = HEADER + name + 1 + 4;
    let data = match question.get(end - 4..end)? {
        [0, 1, 0, 1] => Some(ELSEWHERE.parse::<std::net::Ipv4Addr>().unwrap().octets().to_vec()),
        [0, 12, 0, 1] => {
            let length = u8::try_from(CALLED.len()).unwrap();
            Some([&[length], CALLED.as_bytes(), &[0]].concat())
        }
        _ => None,
    };
    let mut answer = question[..2].to_vec();
    // An answer with authority: one question, one record or none.
    answer.extend([0x84, 0, 0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
    answer.extend(&question[HEADER..end]);
    if let Some(data) = data {
        // The name is the one at byte 12; of the type and class of the question, a minute.
        answer.extend([0xc0, 12]);
        answer.extend(&question[end - 4..end]);
        answer.extend([0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
        answer.extend(data);
    }
    Some(answer)
}

/// A tree with managed networks, of which each has a bridge here.
pub(crate) struct Cluster {
    tree: FakeTree,
    mirror: Mirror<View>,
}

impl Cluster {
    pub(crate) async fn new(networks: &[u32]) -> Self {
        let tree = FakeTree::new();
        let parents = [key::NETWORKS, key::CONFIG, "/nodes"];
        let parents = parents.map(|path| Op::Create { path: path.to_owned(), data: vec![] });
        tree.commit(parents.into()).await.unwrap();
        for n in networks {
            tree.commit(network(*n)).await.unwrap();
            ip(&format!("link add vmbr{n} type bridge"));
            ip(&format!("link set vmbr{n} addrgenmode none"));
            ip(&format!("link set vmbr{n} up"));
        }
        let mirror = Mirror::follow(&tree, ClusterImage::ROOTS, ClusterImage::new());
        mirror.complete().await.unwrap();
        Self { tree, mirror }
    }

    /// Has the tree say that a node is primary.
    async fn is_primary(&self, node: &NodeName) {
        let entry = self.tree.get(key::primary_node().path()).await.unwrap();
        let named = Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
        let ops = vec![
            key::primary_node().put(&named, &Some(node.clone())),
            Op::Create { path: format!("/nodes/{node}"), data: b"coordinator".to_vec() },
            key::node_coordinator_state(node).create(&CoordinatorState::Primary),
        ];
        self.tree.commit(ops).await.unwrap();
    }

    /// Defines a VM with an interface in a network.
    pub(crate) async fn define(&self, name: &str, n: u32, mac: &str) {
        let uuid = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        let xml = format!(
            "<domain><memory>1</memory><vcpu>1</vcpu><devices><interface type='bridge'>\
             <mac address='{mac}'/><source bridge='vmbr{n}'/></interface></devices></domain>"
        );
        let parent = Op::Create { path: key::DOMAINS.to_owned(), data: vec![] };
        let name = key::vm_name(uuid).create(&name.parse().unwrap());
        let ops = vec![parent, name, key::vm_xml(uuid).create(&xml.into())];
        self.tree.commit(ops).await.unwrap();
    }

    /// Keeps an address for an interface, under a name.
    pub(crate) async fn keep(&self, n: u32, mac: &str, ip: &str, name: &str) {
        let (vni, mac) = (vni(n), mac.parse().unwrap());
        let ops = vec![
            key::reservation(vni, mac).create(&"static".to_owned()),
            key::reservation_ip(vni, mac).create(&Some(ip.parse().unwrap())),
            key::reservation_hostname(vni, mac).create(&Some(name.to_owned())),
        ];
        self.tree.commit(ops).await.unwrap();
    }

    pub(crate) async fn view(&self) -> Arc<View> {
        self.mirror.complete().await.unwrap()
    }

    /// Waits until the tree is as expected.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&View) -> bool) {
        let mut views = self.mirror.view();
        let reached = views.wait_for(|view| view.as_ref().is_some_and(|view| holds(view)));
        if timeout(LIMIT, reached).await.is_err() {
            panic!("never: {what}\n{:#?}", self.mirror.latest().unwrap().networks);
        }
    }
}

/// A network as the API makes it, with an address that is kept for somebody. It has no parent for
/// leases of IPv6, as one that was made by an older program.
fn network(n: u32) -> Vec<Op> {
    let (vni, low) = (vni(n), n % 256);
    let mac = "52:54:00:00:00:50".parse().unwrap();
    let ip = |host: u32| Some(format!("10.{low}.0.{host}").parse().unwrap());
    vec![
        key::network(vni).create(&format!("net{n}")),
        key::network_type(vni).create(&NetworkType::Managed),
        key::network_domain(vni).create(&Some(format!("net{n}.local"))),
        key::network_name_servers(vni).create(&vec!["192.0.2.1".parse().unwrap()]),
        key::network_leases(vni).create(&()),
        key::network_reservations(vni).create(&()),
        key::reservation(vni, mac).create(&"static".to_owned()),
        key::reservation_ip(vni, mac).create(&ip(50)),
        key::reservation_hostname(vni, mac).create(&Some("kept".to_owned())),
        key::network_ip4_network(vni).create(&Some(format!("10.{low}.0.0/24").parse().unwrap())),
        key::network_ip4_gateway(vni).create(&ip(1)),
        key::network_dhcp4(vni).create(&true),
        key::network_dhcp4_start(vni).create(&ip(100)),
        key::network_dhcp4_end(vni).create(&ip(199)),
        key::network_ip6_network(vni).create(&Some(format!("2001:db8:{n}::/64").parse().unwrap())),
        key::network_ip6_gateway(vni).create(&Some(format!("2001:db8:{n}::1").parse().unwrap())),
        key::network_dhcp6(vni).create(&true),
    ]
}

/// A node that is primary.
pub(crate) struct Primary {
    gateways: Gateways<Netlink, PacketAnnouncer>,
    dhcp: Dhcp<Dnsmasqs>,
    dnsmasqs: Dnsmasqs,
    pub(crate) places: Places,
    _drain: DrainTrigger,
    _folder: TempDir,
}

impl Primary {
    /// Becomes primary, and serves all networks.
    pub(crate) async fn begin(cluster: &Cluster, node: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        open_to_all(folder.path());
        let places = Places {
            run: folder.path().join("run"),
            spool: folder.path().join("spool"),
            helper: env!("CARGO_BIN_EXE_pvc-dhcp-lease").into(),
            names: NAMES.parse().ok(),
        };
        let links = Netlink::open().unwrap();
        let dnsmasqs = Dnsmasqs::new(&places);
        let (views, troubles) = (cluster.mirror.view(), Troubles::default());
        let gateways = Gateways::new(links.clone(), PacketAnnouncer, views, troubles);
        let dhcp = Dhcp::new(dnsmasqs.clone(), places.clone());
        let ((trigger, drain), registry) = (drain(), Registry::default());
        let views = cluster.mirror.view();
        spawn(gateways.keeper(), views.clone(), &registry, &drain);
        let (me, tree) = (node.parse::<NodeName>().unwrap(), cluster.tree.another());
        cluster.is_primary(&me).await;
        let health = Health::new(me.clone(), tree.clone());
        let it = dhcp::Node { me, tree, links, health };
        dhcp.follow(it, views, &registry, &drain);
        gateways.take_up().await.unwrap();
        dhcp.take_up().await.unwrap();
        let networks = cluster.view().await.networks.len();
        let end = Instant::now() + LIMIT;
        while dnsmasqs.running() < networks {
            assert!(Instant::now() < end, "not every network is served");
            sleep(Duration::from_millis(20)).await;
        }
        Self { gateways, dhcp, dnsmasqs, places, _drain: trigger, _folder: folder }
    }

    /// Is primary no more, in order.
    pub(crate) async fn end(self) {
        self.dhcp.lay_down().await.unwrap();
        assert_eq!(self.dnsmasqs.running(), 0);
        self.gateways.lay_down().await.unwrap();
        let held = self.gateways.held().await.unwrap();
        assert!(!held.any, "no gateway is left");
    }

    /// Stops one dnsmasq, behind the daemon's back.
    pub(crate) fn stop_dnsmasq(&self, n: u32) {
        self.dnsmasqs.end(&format!("pvc-dhcp@{n}.service"));
    }

    /// Has a dnsmasq tell of all its leases, as the packaged unit does.
    pub(crate) fn reload_dnsmasq(&self, n: u32) {
        self.dnsmasqs.signal(&format!("pvc-dhcp@{n}.service"), Signal::SIGHUP);
    }

    /// What a dnsmasq has logged.
    pub(crate) fn log(&self, n: u32) -> String {
        std::fs::read_to_string(self.dnsmasqs.log(&n.to_string())).unwrap()
    }

    /// Waits until the daemon has started a dnsmasq that ends by itself; its log.
    pub(crate) async fn dnsmasq_ends(&self, n: u32) -> String {
        let log = self.dnsmasqs.log(&n.to_string());
        loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if text.contains("lease-init") {
                return text;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Units that are started as the packaged unit says, without systemd.
#[derive(Clone)]
pub(crate) struct Dnsmasqs {
    places: Places,
    logs: PathBuf,
    children: Arc<Mutex<BTreeMap<String, Child>>>,
}

impl Dnsmasqs {
    fn new(places: &Places) -> Self {
        let logs = places.run.parent().unwrap().to_owned();
        Self { places: places.clone(), logs, children: Arc::default() }
    }

    fn children(&self) -> MutexGuard<'_, BTreeMap<String, Child>> {
        self.children.lock().unwrap()
    }

    fn running(&self) -> usize {
        let mut children = self.children();
        children.values_mut().map(|child| child.try_wait().unwrap()).filter(Option::is_none).count()
    }

    fn log(&self, instance: &str) -> PathBuf {
        self.logs.join(format!("{instance}.log"))
    }

    /// The command of the packaged unit, in this test's folders.
    fn command(&self, instance: &str) -> Command {
        let unit = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../debian/pvc-daemon-node.pvc-dhcp@.service");
        let unit = std::fs::read_to_string(unit).unwrap();
        let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let run = self.places.run.display().to_string();
        let line = line.replace("/run/pvc/dhcp", &run).replace("%i", instance);
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .env("PVC_DHCP_NETWORK", instance)
            .env("PVC_DHCP_RUN", &self.places.run)
            .env("PVC_DHCP_SPOOL", &self.places.spool);
        command
    }

    fn signal(&self, unit: &str, signal: Signal) {
        if let Some(child) = self.children().get(unit) {
            let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
            kill(pid, signal).ok();
        }
    }

    fn end(&self, unit: &str) {
        self.signal(unit, Signal::SIGTERM);
        if let Some(mut child) = self.children().remove(unit) {
            child.wait().unwrap();
        }
    }
}

impl Units for Dnsmasqs {
    async fn state(&self, unit: &str) -> Result<UnitState, UnitError> {
        Ok(match self.children().get_mut(unit).map(|child| child.try_wait().unwrap()) {
            Some(None) => UnitState::Active,
            Some(Some(_)) => UnitState::Failed,
            None => UnitState::Inactive,
        })
    }

    async fn start(&self, unit: &str) -> Result<(), UnitError> {
        if self.state(unit).await? == UnitState::Active {
            return Ok(());
        }
        let instance =
            unit.strip_prefix("pvc-dhcp@").and_then(|unit| unit.strip_suffix(".service"));
        let instance = instance.unwrap();
        let log = File::create(self.log(instance)).unwrap();
        let mut command = self.command(instance);
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.children().insert(unit.to_owned(), child);
        Ok(())
    }

    async fn stop(&self, unit: &str) -> Result<(), UnitError> {
        self.end(unit);
        Ok(())
    }

    async fn states(&self, units: &[String]) -> Result<Vec<UnitState>, UnitError> {
        let mut states = Vec::new();
        for unit in units {
            states.push(self.state(unit).await?);
        }
        Ok(states)
    }

    async fn start_all(&self, units: &[String]) -> Result<(), UnitError> {
        for unit in units {
            self.start(unit).await?;
        }
        Ok(())
    }

    async fn reload_all(&self, units: &[String]) -> Result<(), UnitError> {
        units.iter().for_each(|unit| self.signal(unit, Signal::SIGHUP));
        Ok(())
    }

    async fn stop_all(&self, units: &[String]) -> Result<(), UnitError> {
        for unit in units {
            self.stop(unit).await?;
        }
        Ok(())
    }
}

impl Drop for Dnsmasqs {
    fn drop(&mut self) {
        // The last one sees to it that no test leaves anything running.
        if Arc::strong_count(&self.children) == 1 {
            let units: Vec<String> = self.children().keys().cloned().collect();
            units.iter().for_each(|unit| self.end(unit));
        }
    }
}
