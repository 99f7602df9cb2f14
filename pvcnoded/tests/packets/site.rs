//! A router and guests, each in a network namespace of its own, that end with the test.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::Vni;
use pvc_common::model::{Network, Rule};
use pvc_common::state::NetworkType;
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, Version, key};
use pvc_host::real::Nft;
use pvc_plan::firewall::Nodes;
use pvc_runtime::reconcile::Reconciler;
use pvc_zk::{FakeTree, Tree};
use pvcnoded::firewall::{FirewallKeeper, Report};
use pvcnoded::health::Health;

/// What arrives does so within this, even on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What has not arrived by then is taken for lost.
pub(crate) const LOST: Duration = Duration::from_millis(300);

/// Moves this thread into a network namespace of its own, which the programs it starts share.
///
/// `false` where the environment says that this is not permitted.
pub(crate) fn own_namespace() -> bool {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some() {
        return false;
    }
    unshare().expect("a network namespace needs root; PVC_TEST_NO_SERVICES=1 leaves this test out");
    true
}

#[expect(unsafe_code, reason = "the standard library knows no namespaces")]
fn unshare() -> io::Result<()> {
    // SAFETY: a call with a plain number that affects this thread's view of the network only.
    match unsafe { libc::unshare(libc::CLONE_NEWNET) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[expect(unsafe_code, reason = "the standard library knows no namespaces")]
fn enter(namespace: &File) {
    // SAFETY: an open file and a plain number; it affects this thread's view of the network only.
    let moved = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    assert_eq!(moved, 0, "{}", io::Error::last_os_error());
}

/// Does what `ip` is told, one command a line.
fn ip(commands: &str) {
    let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    ip.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
    assert!(ip.wait().unwrap().success(), "{commands}");
}

/// A guest of a network, in a namespace of its own.
pub(crate) struct Guest {
    namespace: Arc<File>,
    pub(crate) v4: IpAddr,
    pub(crate) v6: IpAddr,
}

impl Guest {
    /// The guest with this number in network `net`, which is the `net`th: `10.<net>.0.<number>`.
    pub(crate) fn new(net: u32, number: u32) -> Self {
        let namespace = std::thread::spawn(|| {
            unshare().unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let namespace = Arc::new(namespace.join().unwrap());
        let path = format!("/proc/{}/fd/{}", std::process::id(), namespace.as_raw_fd());
        let port = format!("port{net}-{number}");
        let bridge = bridge(net);
        ip(&format!(
            "link add {port} type veth peer name guest\n\
             link set guest netns {path} name eth0\n\
             link set {port} master {bridge}\n\
             link set {port} up\n",
        ));
        let v4 = format!("10.{net}.0.{number}").parse().unwrap();
        let v6 = format!("fd00:{net}::{number}").parse().unwrap();
        let guest = Self { namespace, v4, v6 };
        guest.inside(move || {
            ip(&format!(
                "link set lo up\nlink set eth0 up\n\
                 addr add {v4}/24 dev eth0\naddr add {v6}/64 dev eth0 nodad\n\
                 route add default via 10.{net}.0.1\nroute add default via fd00:{net}::1\n"
            ));
        });
        guest
    }

    /// Does something on a thread in the guest; what it opens stays the guest's.
    pub(crate) fn inside<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> R {
        let namespace = Arc::clone(&self.namespace);
        let thread = std::thread::spawn(move || {
            enter(&namespace);
            work()
        });
        thread.join().unwrap()
    }

    /// Gives it a further address.
    pub(crate) fn also_has(&self, address: &'static str) {
        self.inside(move || ip(&format!("addr replace {address}/32 dev eth0\n")));
    }

    /// Takes connections at a port, over IPv4 and IPv6.
    pub(crate) fn listen(&self, port: u16) -> TcpListener {
        self.inside(move || TcpListener::bind(("::", port)).unwrap())
    }

    /// A socket for datagrams; reading from it is not waited for in vain.
    pub(crate) fn datagrams(&self, port: u16) -> UdpSocket {
        self.inside(move || {
            let socket = UdpSocket::bind(("0.0.0.0", port)).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket
        })
    }

    /// A connection to there.
    pub(crate) fn connect(&self, address: impl Into<IpAddr>, port: u16) -> TcpStream {
        let address = SocketAddr::new(address.into(), port);
        let stream = self.inside(move || TcpStream::connect_timeout(&address, PATIENCE));
        stream.unwrap_or_else(|error| panic!("{} to {address}: {error}", self.v4))
    }

    /// What it sends there gets lost.
    pub(crate) fn is_kept_from(&self, address: impl Into<IpAddr>, port: u16) {
        let address = SocketAddr::new(address.into(), port);
        let stream = self.inside(move || TcpStream::connect_timeout(&address, LOST));
        let error = stream.map(drop).expect_err("it must not get there").kind();
        assert_eq!(error, io::ErrorKind::TimedOut, "{} to {address}", self.v4);
    }
}

fn vni(net: u32) -> u32 {
    1000 + net
}

/// The bridge of a network; those above 200 are the nodes' own.
fn bridge(net: u32) -> String {
    match net {
        CLUSTER => "brcluster".to_owned(),
        STORAGE => "brstorage".to_owned(),
        UPSTREAM => "brupstream".to_owned(),
        net => format!("vmbr{}", vni(net)),
    }
}

/// The networks between the nodes, and the one towards users.
pub(crate) const CLUSTER: u32 = 255;
pub(crate) const STORAGE: u32 = 254;
pub(crate) const UPSTREAM: u32 = 253;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(0) }
}

fn rules(texts: &[&str]) -> std::collections::BTreeMap<pvc_common::id::RuleName, Rule> {
    let rule = |(place, text): (usize, &&str)| {
        let order = seen(u32::try_from(place).unwrap());
        let rule = Rule { znode: seen(()), rule: seen((*text).to_owned()), order };
        (format!("rule{place}").parse().unwrap(), rule)
    };
    texts.iter().enumerate().map(rule).collect()
}

/// A bridged network: its guests are in the surrounding network.
pub(crate) fn bridged() -> Network {
    Network { kind: seen(NetworkType::Bridged), ..Network::default() }
}

/// A managed network with these rules for what enters and what leaves it.
pub(crate) fn network(rules_in: &[&str], rules_out: &[&str]) -> Network {
    Network {
        kind: seen(NetworkType::Managed),
        rules_in: rules(rules_in),
        rules_out: rules(rules_out),
        ..Network::default()
    }
}

fn keeper(tree: &FakeTree) -> FirewallKeeper<FakeTree, Nft> {
    let health = Health::new("hv1".parse().unwrap(), tree.clone());
    let nodes = Nodes {
        networks: ["10.254.0.0/24".parse().unwrap(), "10.255.0.0/24".parse().unwrap()].into(),
        devices: ["brcluster".to_owned()].into(),
        carriers: ["brcluster".to_owned(), "brstorage".to_owned()].into(),
        ports: [4789, 7411].into(),
    };
    FirewallKeeper::new(tree.clone(), Nft, health, &nodes)
}

/// The node whose firewall it is: in the namespace of the test's own thread.
pub(crate) struct Node {
    pub(crate) tree: FakeTree,
    keeper: FirewallKeeper<FakeTree, Nft>,
    view: View,
}

impl Node {
    /// One without networks.
    pub(crate) async fn new() -> Self {
        let tree = FakeTree::new();
        let made = [key::FAULTS, "/nodes", "/nodes/hv1", "/nodes/hv1/monitoring_data"];
        let made = made.map(|path| Op::Create { path: path.to_owned(), data: vec![] });
        tree.commit(made.into()).await.unwrap();
        Self { keeper: keeper(&tree), tree, view: View::default() }
    }

    /// One that routes between networks 1 and 2; the guests are 2 and 3 in the first, 2 in the second.
    pub(crate) async fn router() -> (Self, [Guest; 3]) {
        ip("link set lo up\n");
        for net in [1, 2] {
            route(net);
        }
        for setting in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
            fs::write(format!("/proc/sys/net/{setting}"), "1").unwrap();
        }
        for setting in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
            let path = format!("/proc/sys/net/bridge/{setting}");
            // Where a kernel can show the firewall what only passes a bridge, it shall.
            if fs::exists(&path).unwrap() {
                fs::write(path, "1").unwrap();
            }
        }
        let guests = [(1, 2), (1, 3), (2, 2)].map(|(net, number)| Guest::new(net, number));
        (Self::new().await, guests)
    }

    /// Has a network as it is written to the tree.
    pub(crate) fn has(&mut self, net: u32, network: Network) {
        let vni: Vni = vni(net).to_string().parse().unwrap();
        self.view.networks.insert(vni, Arc::new(network));
    }

    /// Has a network no more.
    pub(crate) fn has_no(&mut self, net: u32) {
        let vni: Vni = vni(net).to_string().parse().unwrap();
        self.view.networks.remove(&vni);
    }

    /// One activation of the firewall's reconciler.
    pub(crate) async fn activate(&mut self) -> Report {
        let report = self.keeper.reconcile(Arc::new(self.view.clone())).await.report;
        assert!(report.trouble.is_empty(), "{report}");
        report
    }

    /// The daemon ends and starts anew.
    pub(crate) fn restart(&mut self) {
        self.keeper = keeper(&self.tree.another());
    }
}

/// Has the node in a network, as its router.
pub(crate) fn route(net: u32) {
    let bridge = bridge(net);
    // An address of its own, or it would be that of one of its guests, as long as that lives.
    ip(&format!(
        "link add {bridge} address 02:00:00:00:00:{net:02x} type bridge\n\
         link set {bridge} up\n\
         addr add 10.{net}.0.1/24 dev {bridge}\n\
         addr add fd00:{net}::1/64 dev {bridge} nodad\n"
    ));
}

/// What nft lists.
pub(crate) fn listing(what: &str) -> String {
    let output = Command::new("nft").args(["--handle", "list"]).args(what.split(' ')).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
