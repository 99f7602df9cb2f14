//! What the keeper makes of events, of units that end and of folders that cannot be written, one
//! activation after the other.

mod units;

use std::fs;

use pvc_common::id::MacAddress;
use pvc_common::state::NetworkType;
use pvc_common::zk::{Op, key};
use pvc_host::fake::FakeHost;
use pvc_zk::{FakeTree, Mirror};
use tempfile::TempDir;

use super::*;
use crate::image::ClusterImage;

const A: &str = "52:54:00:00:00:0a";
const B: &str = "52:54:00:00:00:0b";

fn vni(n: u32) -> Vni {
    n.to_string().parse().unwrap()
}

/// `hv1`, which is primary, with networks 7 and 8 that are served.
struct Rig {
    tree: FakeTree,
    /// The keeper's own connection.
    own: FakeTree,
    host: FakeHost,
    place: TempDir,
    dhcp: Dhcp<FakeHost>,
    keeper: DhcpKeeper<FakeTree, FakeHost, FakeHost>,
    mirror: Mirror<View>,
}

impl Rig {
    async fn new() -> Self {
        let (tree, host, place) = (FakeTree::new(), FakeHost::new(), tempfile::tempdir().unwrap());
        host.install_unit("pvc-dhcp@.service");
        let made = [
            ("/config", ""),
            ("/config/primary_node", "hv1"),
            ("/networks", ""),
            ("/nodes", ""),
            ("/nodes/hv1", "coordinator"),
            ("/nodes/hv1/routerstate", "primary"),
            ("/nodes/hv1/monitoring_data", ""),
        ];
        let made = made.map(|(path, data)| Op::Create { path: path.to_owned(), data: data.into() });
        tree.commit(made.into()).await.unwrap();
        for n in [7, 8] {
            let gateway = Some(format!("10.{n}.0.1").parse().unwrap());
            let network = vec![
                key::network(vni(n)).create(&format!("net{n}")),
                key::network_type(vni(n)).create(&NetworkType::Managed),
                key::network_leases(vni(n)).create(&()),
                key::network_ip4_network(vni(n))
                    .create(&Some(format!("10.{n}.0.0/24").parse().unwrap())),
                key::network_ip4_gateway(vni(n)).create(&gateway),
            ];
            tree.commit(network).await.unwrap();
            host.plug_in(&format!("vmbr{n}"));
        }
        let places = Places {
            run: place.path().join("run"),
            spool: place.path().join("spool"),
            ..Places::default()
        };
        let dhcp = Dhcp::new(host.clone(), places);
        let (me, own) = ("hv1".parse::<NodeName>().unwrap(), tree.another());
        let health = Health::new(me.clone(), tree.another());
        let node = Node { me, tree: own.clone(), links: host.clone(), health };
        let keeper = dhcp.keeper(node);
        let mirror = Mirror::follow(&tree, ClusterImage::ROOTS, ClusterImage::new());
        mirror.complete().await.unwrap();
        dhcp.gate.open();
        let mut rig = Self { tree, own, host, place, dhcp, keeper, mirror };
        rig.act().await;
        assert_eq!(rig.host.running_units().len(), 2, "both are served");
        rig
    }

    /// One activation, with the view of now.
    async fn act(&mut self) -> Report {
        // The mirror sees what was committed before.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let view = self.mirror.latest().unwrap();
        self.keeper.reconcile(view).await.report
    }

    async fn put(&self, path: &str, data: &str) {
        let version = self.tree.get(path).await.unwrap().unwrap().version;
        let set = Op::Set { path: path.to_owned(), data: data.into(), version };
        self.tree.commit(vec![set]).await.unwrap();
    }

    async fn text(&self, path: &str) -> Option<String> {
        let entry = self.tree.get(path).await.unwrap();
        entry.map(|entry| String::from_utf8(entry.data).unwrap())
    }

    /// The node's health in percent, and what the check says.
    async fn health(&self) -> (String, String) {
        let health = self.text("/nodes/hv1/monitoring_health").await;
        let message = self.text("/nodes/hv1/monitoring_data/dhcp/message").await;
        (health.unwrap_or_default(), message.unwrap_or_default())
    }

    fn spool(&self) -> Spool {
        Spool::new(self.place.path().join("spool"))
    }

    fn told(&self, n: u32, event: &str) {
        self.spool().put(vni(n), &event.parse().unwrap()).unwrap();
    }

    fn waiting(&self) -> usize {
        self.spool().waiting(0, 100).unwrap().len()
    }

    async fn is_leased(&self, n: u32, mac: &str) -> bool {
        self.text(&format!("/networks/{n}/dhcp4_leases/{mac}")).await.is_some()
    }

    /// Has the tree forget a lease, as a person does.
    async fn remove_lease(&self, n: u32, mac: &str) {
        let path = key::lease(vni(n), mac.parse().unwrap()).into_path();
        let branch = pvc_zk::subtree::Branch::read(&self.tree, &path).await.unwrap();
        self.tree.commit(branch.deletes()).await.unwrap();
    }
}

fn held(n: u32, mac: &str, host: u8) -> String {
    format!("held v4 {mac} 10.{n}.0.{host} * 4000000000 *")
}

#[tokio::test(start_paused = true)]
async fn events_wait_until_it_is_clear_who_is_primary() {
    for (primary, state) in [("hv2", "primary"), ("hv1", "secondary"), ("hv1", "relinquish")] {
        let mut rig = Rig::new().await;
        rig.put("/config/primary_node", primary).await;
        rig.put("/nodes/hv1/routerstate", state).await;
        rig.told(7, &held(7, A, 100));
        rig.act().await;
        assert!(!rig.is_leased(7, A).await, "{primary} {state}");
        assert_eq!(rig.waiting(), 1);
        rig.put("/config/primary_node", "hv1").await;
        rig.put("/nodes/hv1/routerstate", "takeover").await;
        rig.act().await;
        assert!(rig.is_leased(7, A).await, "{primary} {state}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_as_the_primarys_word_once_the_gate_is_closed() {
    let mut rig = Rig::new().await;
    for (number, mac) in [(100, A), (101, B), (102, "52:54:00:00:00:0c")] {
        rig.told(7, &held(7, mac, number));
    }
    // A question and a write of a second each, for each event.
    rig.own.slow(Duration::from_secs(1));
    let (gate, view) = (rig.dhcp.gate.clone(), rig.mirror.latest().unwrap());
    let closing = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        drop(gate.close().await);
    };
    let (_, ()) = tokio::join!(rig.keeper.reconcile(view), closing);
    assert!(rig.is_leased(7, A).await, "it was primary then");
    assert!(!rig.is_leased(7, B).await);
    assert!(!rig.is_leased(7, "52:54:00:00:00:0c").await);
    assert_eq!(rig.waiting(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_spool_that_cannot_be_read_is_told_in_the_nodes_health() {
    let mut rig = Rig::new().await;
    assert_eq!(rig.health().await.0, "100");
    fs::write(rig.place.path().join("spool"), "in the way").unwrap();
    let report = rig.act().await;
    assert_eq!(report.trouble.len(), 1, "{report}");
    let (health, message) = rig.health().await;
    assert_eq!(health, "90");
    assert!(message.starts_with("events of leases cannot be read: "), "{message}");
    assert_eq!(rig.host.running_units().len(), 2, "they are served all the same");
    fs::remove_file(rig.place.path().join("spool")).unwrap();
    rig.act().await;
    assert_eq!(rig.health().await.0, "100");
}

#[tokio::test(start_paused = true)]
async fn a_network_whose_leases_cannot_be_written_holds_up_no_other() {
    let mut rig = Rig::new().await;
    let way = rig.place.path().join("run/7/leases.new");
    fs::create_dir(&way).unwrap();
    rig.told(7, &held(7, A, 100));
    rig.told(8, &held(8, A, 100));
    rig.act().await;
    rig.act().await;
    let waiting: Vec<Vni> = rig.spool().waiting(0, 9).unwrap().iter().map(|it| it.vni).collect();
    assert_eq!(waiting, [vni(7)]);
    let (health, message) = rig.health().await;
    assert_eq!(health, "90");
    assert!(message.starts_with("the leases of network 7 cannot be written: "), "{message}");
    rig.act().await;
    assert_eq!(rig.health().await.0, "90", "it is tried again, and told as long as it is so");
    fs::remove_dir(&way).unwrap();
    rig.act().await;
    assert_eq!((rig.waiting(), rig.health().await.0), (0, "100".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_dnsmasq_that_ends_again_and_again_is_told_in_the_nodes_health() {
    let mut rig = Rig::new().await;
    let unit = "pvc-dhcp@7.service";
    rig.host.crash_unit(unit);
    tokio::time::advance(Duration::from_secs(6)).await;
    let report = rig.act().await;
    assert_eq!((report.changed, report.trouble.len()), (0, 1), "systemd is at it: {report}");
    let (health, message) = rig.health().await;
    assert_eq!(health, "90");
    assert!(message.contains("network 7: ") && message.contains(unit), "{message}");
    // It is up for a moment, as it is now and then.
    rig.host.start(unit).await.unwrap();
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(rig.act().await.trouble, report.trouble, "the same, so that it is told once");
    for _ in 0..6 {
        tokio::time::advance(Duration::from_secs(6)).await;
        rig.act().await;
    }
    assert_eq!(rig.health().await.0, "100");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_a_person_removes_is_forgotten_whatever_else_happens_then() {
    let mut rig = Rig::new().await;
    rig.told(7, &held(7, A, 100));
    rig.told(7, &held(7, B, 101));
    rig.act().await;
    rig.act().await;
    rig.act().await;
    assert_eq!(rig.waiting(), 0);
    let before = rig.host.changes();
    rig.remove_lease(7, A).await;
    // In the same activation: an event of another lease that is over, so that leases are written.
    rig.told(7, &held(7, B, 101));
    assert_eq!(rig.act().await.settled, 1);
    assert_eq!(rig.host.changes(), before + 2, "its dnsmasq is started anew");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_another_node_was_told_of_reaches_the_dnsmasq_that_runs() {
    let mut rig = Rig::new().await;
    rig.told(7, &held(7, A, 100));
    for _ in 0..3 {
        rig.act().await;
    }
    let before = rig.host.changes();
    assert_eq!((rig.waiting(), rig.is_leased(7, A).await), (0, true));
    assert_eq!(before, 2, "what its own dnsmasq told it knows");

    // The former primary settles what it was told before it was laid down.
    let mut ops = Vec::new();
    let (ip, mac): (std::net::Ipv4Addr, MacAddress) =
        ("10.7.0.101".parse().unwrap(), B.parse().unwrap());
    ops.push(key::lease(vni(7), mac).create(&()));
    ops.push(key::lease_ip(vni(7), mac).create(&Some(ip)));
    ops.push(key::lease_hostname(vni(7), mac).create(&None));
    ops.push(key::lease_expiry(vni(7), mac).create(&4_000_000_000));
    ops.push(key::lease_client_id(vni(7), mac).create(&"*".to_owned()));
    rig.tree.commit(ops).await.unwrap();
    rig.act().await;
    assert_eq!(rig.host.changes(), before + 2, "it is started anew");
    let folders = Folders::new(rig.place.path().join("run"));
    let known = folders.leases(vni(7)).unwrap();
    assert!(known.iter().any(|lease| lease.ip() == std::net::IpAddr::from(ip)), "{known:?}");

    // And what it says of a renewal that it did not see.
    rig.put(&format!("/networks/7/dhcp4_leases/{B}/expiry"), "4000000100").await;
    rig.act().await;
    assert_eq!(rig.host.changes(), before + 4, "otherwise it would end too soon");
    rig.told(7, "held v4 52:54:00:00:00:0b 10.7.0.101 * 4000000200 *");
    for _ in 0..3 {
        rig.act().await;
    }
    assert_eq!((rig.waiting(), rig.host.changes()), (0, before + 4), "its own it knows");
}

#[tokio::test(start_paused = true)]
async fn events_that_cannot_be_settled_hold_up_no_other_network_however_many_they_are() {
    let mut rig = Rig::new().await;
    fs::create_dir(rig.place.path().join("run/7/leases.new")).unwrap();
    for number in 0..600_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        let mac = format!("52:54:00:00:{high:02x}:{low:02x}");
        rig.told(7, &format!("held v4 {mac} 10.7.{high}.{low} * 4000000000 *"));
    }
    rig.told(8, &held(8, A, 100));
    for _ in 0..8 {
        rig.act().await;
    }
    assert!(rig.is_leased(8, A).await);
    let of_others = rig.spool().of(vni(8)).unwrap();
    assert_eq!(of_others, [], "it is over, and the others wait");
    fs::remove_dir(rig.place.path().join("run/7/leases.new")).unwrap();
    for _ in 0..12 {
        rig.act().await;
    }
    assert_eq!(rig.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_cannot_be_served_has_no_other_started_anew_again_and_again() {
    let mut rig = Rig::new().await;
    rig.told(8, &held(8, A, 100));
    for _ in 0..3 {
        rig.act().await;
    }
    rig.host.install_broken_unit("pvc-dhcp@7.service");
    tokio::time::advance(Duration::from_secs(6)).await;
    rig.remove_lease(8, A).await;
    let before = rig.host.changes();
    assert_eq!(rig.act().await.trouble.len(), 1, "network 7 is not served");
    let after = rig.host.changes();
    assert_eq!(after, before + 3, "it failed, and network 8's was stopped and started");
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(rig.act().await.trouble.len(), 1, "it is told as long as it is so");
    }
    assert_eq!(rig.host.changes(), after, "network 8's guests know nothing of it");
    rig.host.mend_unit("pvc-dhcp@7.service");
    rig.act().await;
    assert_eq!(rig.host.running_units().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_firmware_and_system_have_addresses_of_their_own_restarts_no_dnsmasq() {
    let mut rig = Rig::new().await;
    let before = rig.host.changes();
    for (host, client) in [(100, "00:11"), (101, "01:22"), (100, "00:11"), (101, "01:22")] {
        rig.told(7, &format!("held v4 {A} 10.7.0.{host} * 4000000000 {client}"));
        for _ in 0..3 {
            rig.act().await;
        }
        let ip = rig.text(&format!("/networks/7/dhcp4_leases/{A}/ipaddr")).await;
        assert_eq!((rig.waiting(), ip), (0, Some(format!("10.7.0.{host}"))));
        assert_eq!(rig.host.changes(), before, "it told so itself, and knows both");
    }
    // What a person removes is another matter, with such a machine in the network, too.
    rig.told(7, &held(7, B, 102));
    for _ in 0..3 {
        rig.act().await;
    }
    rig.told(7, &format!("held v4 {A} 10.7.0.100 * 4000000000 00:11"));
    rig.act().await;
    rig.remove_lease(7, B).await;
    rig.act().await;
    assert_eq!(rig.host.changes(), before + 2, "its dnsmasq is started anew");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_never_rests_holds_up_nobody() {
    let mut rig = Rig::new().await;
    let told = |rig: &Rig, n: u64| {
        rig.told(7, &format!("held v4 {A} 10.7.0.100 web{n} {} *", 4_000_000_000 + n));
        rig.told(7, &format!("gone v4 {A} 10.7.0.100 * {} *", 4_000_000_000 + n));
    };
    (0..260).for_each(|n| told(&rig, n));
    rig.told(7, &held(7, B, 101));
    rig.told(8, &held(8, A, 100));
    told(&rig, 300);
    rig.act().await;
    assert!(rig.is_leased(8, A).await, "another network's");
    assert!(rig.is_leased(7, B).await, "another guest's");
    // It goes on, and no more waits than before.
    for n in 301..310 {
        told(&rig, n);
        rig.act().await;
        assert!(rig.waiting() <= 5, "{}", rig.waiting());
    }
    for _ in 0..5 {
        rig.act().await;
    }
    assert_eq!((rig.waiting(), rig.is_leased(7, A).await), (0, false), "it let go last");
    assert_eq!(rig.host.changes(), 2, "its dnsmasq knows all that");
}

#[tokio::test(start_paused = true)]
async fn many_guests_of_one_network_hold_up_no_other_network() {
    let mut rig = Rig::new().await;
    for number in 1..520_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        let mac = format!("52:54:00:00:{high:02x}:{low:02x}");
        rig.told(7, &format!("held v4 {mac} 10.7.{high}.{low} * 4000000000 *"));
    }
    rig.told(8, &held(8, A, 100));
    rig.act().await;
    assert!(rig.is_leased(8, A).await);
    rig.act().await;
    assert_eq!(rig.spool().of(vni(8)).unwrap(), []);
    for _ in 0..6 {
        rig.act().await;
    }
    assert_eq!(rig.waiting(), 0, "and all of them have theirs");
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_no_reason_to_look_at_all_units_and_another_setting_is() {
    let mut rig = Rig::new().await;
    // What a look would find.
    rig.host.crash_unit("pvc-dhcp@7.service");
    rig.told(8, &held(8, A, 100));
    for _ in 0..3 {
        let report = rig.act().await;
        assert_eq!(report.trouble.len(), 0, "{report}");
    }
    assert_eq!((rig.waiting(), rig.is_leased(8, A).await), (0, true));
    let domain = key::network_domain(vni(8)).create(&Some("office.local".to_owned()));
    rig.tree.commit(vec![domain]).await.unwrap();
    let report = rig.act().await;
    assert_eq!((report.changed, report.trouble.len()), (2, 1), "{report}");
    let conf = fs::read_to_string(rig.place.path().join("run/8/dnsmasq.conf")).unwrap();
    assert!(conf.contains("domain=office.local"), "{conf}");
}
