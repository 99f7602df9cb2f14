//! Names that follow the tree, on a database in memory.

use pvc_common::model::{Lease, Node, Reservation, Vm, VmInterface};
use pvc_common::zk::{Seen, Text, Version};
use pvc_database::fake::FakeZones;

use super::*;

fn seen<T: Text>(text: &str) -> Seen<T> {
    Seen::read(Some((text.as_bytes(), Version(0))))
}

/// A tree with one managed network and hosts `host0` and so on, in which `hv1` is in this state.
fn view(state: &str, hosts: usize) -> Arc<View> {
    let mut network = Network {
        kind: seen("managed"),
        domain: seen("a.local"),
        ip4_network: seen("10.0.0.0/24"),
        ip4_gateway: seen("10.0.0.1"),
        ..Network::default()
    };
    for n in 0..hosts {
        let (ip, hostname) = (seen(&format!("10.0.0.{}", n + 10)), seen(&format!("host{n}")));
        let mac = format!("52:54:00:00:00:{n:02x}").parse().unwrap();
        network.reservations.insert(mac, Reservation { znode: seen(""), ip, hostname });
    }
    let node = Node { coordinator_state: seen(state), ..Node::default() };
    Arc::new(View {
        networks: [("100".parse().unwrap(), Arc::new(network))].into_iter().collect(),
        nodes: [("hv1".parse().unwrap(), Arc::new(node))].into_iter().collect(),
        ..View::default()
    })
}

fn keeper(zones: &FakeZones) -> DnsKeeper<FakeZones> {
    let server = Server::of(Some("pvc.lab")).unwrap();
    DnsKeeper::new("hv1".parse().unwrap(), zones.clone(), server, Troubles::default())
}

fn kept(done: Option<&str>) -> Report {
    Report::Kept { zones: 2, left_out: 0, done: done.map(str::to_owned) }
}

#[tokio::test(start_paused = true)]
async fn a_primary_keeps_the_names_and_nobody_else_does() {
    let zones = FakeZones::new();
    let mut keeper = keeper(&zones);
    for other in ["secondary", "takeover", "relinquish"] {
        let outcome = keeper.reconcile(view(other, 1)).await;
        assert_eq!((outcome.report, zones.applied()), (Report::NotPrimary, 0), "{other}");
    }
    let outcome = keeper.reconcile(view("primary", 1)).await;
    assert_eq!(outcome.report, kept(Some("2 zones made, 0 changed, 0 removed")));
    assert_eq!(zones.answers("host0.a.local", "A"), ["10.0.0.10"]);
    assert_eq!(zones.answers("10.0.0.10.in-addr.arpa", "PTR"), ["host0.a.local"]);
    let outcome = keeper.reconcile(view("primary", 2)).await;
    assert_eq!(outcome.report, kept(Some("0 zones made, 2 changed, 0 removed")));
    assert_eq!(zones.answers("host1.a.local", "A"), ["10.0.0.11"]);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_defined_gets_its_name_back_at_once() {
    let zones = FakeZones::new();
    let mut keeper = keeper(&zones);
    let mut view = View::clone(&view("primary", 0));
    let [vni, mac] = ["100", "52:54:00:00:00:01"];
    let mut network = Network::clone(&view.networks[&vni.parse().unwrap()]);
    let lease = Lease { ip: seen("10.0.0.66"), hostname: seen("web1"), ..Lease::default() };
    network.leases.insert("52:54:00:00:00:66".parse().unwrap(), lease);
    view.networks.insert(vni.parse().unwrap(), Arc::new(network));
    keeper.reconcile(Arc::new(view.clone())).await;
    assert_eq!(zones.answers("web1.a.local", "A"), ["10.0.0.66"]);
    let interface = VmInterface { vni: vni.parse().unwrap(), mac: mac.parse().unwrap() };
    let vm = Vm { name: seen("web1"), interfaces: vec![interface], ..Vm::default() };
    let uuid = "00000000-0000-0000-0000-000000000001".parse().unwrap();
    view.vms.insert(uuid, Arc::new(vm));
    keeper.reconcile(Arc::new(view)).await;
    assert_eq!(zones.answers("web1.a.local", "A"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_has_not_changed_is_read_once_a_minute() {
    let zones = FakeZones::new();
    let mut keeper = keeper(&zones);
    let view = view("primary", 1);
    keeper.reconcile(Arc::clone(&view)).await;
    // It is not even asked.
    zones.stick(true);
    assert_eq!(keeper.reconcile(Arc::clone(&view)).await, Outcome::settled(kept(None)));
    tokio::time::advance(TRUST).await;
    let outcome = keeper.reconcile(Arc::clone(&view)).await;
    assert!(matches!(outcome.report, Report::Failed(_)), "{:?}", outcome.report);
    zones.stick(false);
    assert_eq!(keeper.reconcile(view).await, Outcome::settled(kept(None)));
    assert_eq!(zones.applied(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_follows_is_left_alone_until_it_leads() {
    let zones = FakeZones::new();
    let mut keeper = keeper(&zones);
    zones.follow(true);
    let outcome = keeper.reconcile(view("primary", 1)).await;
    assert_eq!(outcome.report, Report::Follows);
    assert_eq!(outcome.wake_at, Some(Instant::now() + AGAIN));
    zones.follow(false);
    keeper.reconcile(view("primary", 1)).await;
    assert_eq!(zones.applied(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_hangs_is_given_up_and_asked_again() {
    let zones = FakeZones::new();
    let mut keeper = keeper(&zones);
    zones.stick(true);
    let begun = Instant::now();
    let outcome = keeper.reconcile(view("primary", 1)).await;
    assert!(begun.elapsed() <= Duration::from_secs(10));
    assert_eq!(
        outcome.report.to_string(),
        "names not kept: the database in memory did not answer within 10 s"
    );
    assert!(outcome.wake_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_zone_of_somebody_else_keeps_no_other_out() {
    let zones = FakeZones::new();
    zones.occupy("a.local");
    let outcome = keeper(&zones).reconcile(view("primary", 1)).await;
    let done = Some("1 zones made, 0 changed, 0 removed".to_owned());
    assert_eq!(outcome.report, Report::Kept { zones: 2, left_out: 1, done });
    assert_eq!(zones.answers("10.0.0.10.in-addr.arpa", "PTR"), ["host0.a.local"]);
}

#[tokio::test(start_paused = true)]
async fn names_that_are_not_kept_are_a_trouble_of_the_primary_until_they_are_or_it_is_another() {
    let (zones, troubles) = (FakeZones::new(), Troubles::default());
    let (me, server) = ("hv1".parse().unwrap(), Server::of(Some("pvc.lab")).unwrap());
    let mut keeper = DnsKeeper::new(me, zones.clone(), server, troubles.clone());
    let mut told = async |state: &str| {
        keeper.reconcile(view(state, 1)).await;
        troubles.all().into_iter().collect::<Vec<_>>()
    };
    zones.stick(true);
    let late = "names not kept: the database in memory did not answer within 10 s";
    assert_eq!(told("primary").await, [late]);
    zones.stick(false);
    zones.follow(true);
    let follows = "names not kept: the database leads on another node";
    assert_eq!(told("primary").await, [follows]);
    assert_eq!(told("secondary").await, [""; 0]);
    assert_eq!(told("primary").await, [follows]);
    zones.follow(false);
    assert_eq!(told("primary").await, [""; 0]);
}
