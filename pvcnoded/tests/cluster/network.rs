//! Gateways, DHCP and leases go where the primary goes.

use std::time::Duration;

use pvc_common::id::Vni;
use pvc_common::state::NetworkType;
use pvc_common::view::View;
use pvc_common::zk::{Op, key};
use pvc_host::{LinkStep, Links};
use pvc_plan::primary::TOUCH;
use pvcnoded::dhcp::folder::Folders;
use pvcnoded::dhcp::spool::{MOST, Spool};
use tokio::time::Instant;

use crate::bench::{Bench, name};

fn vni(n: u32) -> Vni {
    n.to_string().parse().unwrap()
}

const MAC: &str = "52:54:00:00:00:09";

impl Bench {
    /// Bridges as another reconciler makes them, on every node.
    async fn bridges(&self, networks: &[u32]) {
        for host in self.hosts.values() {
            for n in networks {
                let device = format!("vmbr{n}");
                host.plug_in(&device);
                host.apply(&LinkStep::Up { device }).await.unwrap();
            }
        }
    }

    /// Makes a network as the API does, `10.<n>.0.0/24` and `2001:db8:<n>::/64`.
    async fn network(&self, n: u32) {
        let vni = vni(n);
        let parsed = |text: String| text.parse().unwrap();
        let ops = vec![
            key::network(vni).create(&format!("net{n}")),
            key::network_type(vni).create(&NetworkType::Managed),
            key::network_domain(vni).create(&Some(format!("net{n}.local"))),
            key::network_leases(vni).create(&()),
            key::network_ip4_network(vni).create(&Some(format!("10.{n}.0.0/24").parse().unwrap())),
            key::network_ip4_gateway(vni).create(&Some(parsed(format!("10.{n}.0.1")))),
            key::network_dhcp4(vni).create(&true),
            key::network_dhcp4_start(vni).create(&Some(parsed(format!("10.{n}.0.100")))),
            key::network_dhcp4_end(vni).create(&Some(parsed(format!("10.{n}.0.199")))),
            key::network_ip6_network(vni)
                .create(&Some(format!("2001:db8:{n}::/64").parse().unwrap())),
            key::network_ip6_gateway(vni)
                .create(&Some(format!("2001:db8:{n}::1").parse().unwrap())),
            key::network_dhcp6(vni).create(&true),
        ];
        self.tree.commit_all(ops).await;
    }

    async fn remove(&self, n: u32) {
        let branch =
            pvc_zk::subtree::Branch::read(&self.tree, key::network(vni(n)).path()).await.unwrap();
        self.tree.commit_all(branch.deletes()).await;
    }

    /// What is on the bridges of a node.
    fn gateways(&self, node: &str) -> Vec<String> {
        let table = self.hosts[node].links();
        let all = table.links.values().flat_map(|link| {
            let v4 = link.addresses.iter().map(ToString::to_string);
            v4.chain(link.permanent_v6.iter().map(ToString::to_string)).collect::<Vec<_>>()
        });
        all.collect()
    }

    fn running(&self, node: &str) -> Vec<String> {
        self.hosts[node].running_units()
    }

    /// Whether a node serves exactly these networks.
    fn serves(&self, node: &str, networks: &[u32]) -> bool {
        let gateways: Vec<String> = networks
            .iter()
            .flat_map(|n| {
                [format!("10.{n}.0.1/24"), format!("2001:db8:{n}::1/64"), "fe80::1/64".to_owned()]
            })
            .collect();
        let units: Vec<String> = networks.iter().map(|n| format!("pvc-dhcp@{n}.service")).collect();
        self.gateways(node) == gateways && self.running(node) == units
    }

    /// Waits until one node is primary and serves these networks; says who, and who does not.
    async fn served_by(&self, expected: Option<&str>, networks: &[u32]) -> (String, String) {
        self.until(&format!("{expected:?} serves {networks:?}"), |_| {
            let holder = self.floor.holder();
            let Some(holder) = holder.filter(|node| expected.is_none_or(|it| it == node)) else {
                return false;
            };
            let others = self.hosts.keys().filter(|node| **node != holder);
            self.serves(&holder, networks) && others.clone().all(|other| self.serves(other, &[]))
        })
        .await;
        let holder = self.floor.holder().unwrap();
        let other = self.hosts.keys().find(|node| **node != holder).unwrap().clone();
        (holder, other)
    }

    /// What a node's lease helper puts into its spool.
    fn told(&self, node: &str, n: u32, event: &str) {
        Spool::new(self.dhcp(node).spool).put(vni(n), &event.parse().unwrap()).unwrap();
    }

    fn waiting(&self, node: &str) -> usize {
        Spool::new(self.dhcp(node).spool).waiting(0, MOST).unwrap().len()
    }

    /// What the next dnsmasq of a network on a node is told.
    fn known(&self, node: &str, n: u32) -> Vec<String> {
        let leases = Folders::new(self.dhcp(node).run).leases(vni(n)).unwrap_or_default();
        leases.iter().map(ToString::to_string).collect()
    }
}

/// Two nodes with bridges, and networks 7 and 8.
async fn bench() -> (Bench, String, String) {
    let bench = Bench::new(2).await;
    bench.bridges(&[7, 8, 9]).await;
    bench.network(7).await;
    bench.network(8).await;
    let (primary, other) = bench.served_by(None, &[7, 8]).await;
    (bench, primary, other)
}

fn has_lease(view: &View, n: u32, ip: &str) -> bool {
    let network = view.networks.get(&vni(n));
    let held = network.and_then(|network| network.leases.get(&MAC.parse().unwrap()));
    held.and_then(|lease| lease.ip.copied().flatten()) == Some(ip.parse().unwrap())
}

fn held(ip: &str) -> String {
    format!("held v4 {MAC} {ip} web1 4000000000 *")
}

#[tokio::test(start_paused = true)]
async fn gateways_and_dhcp_go_with_the_primary_and_neighbours_are_told() {
    let (bench, first, other) = bench().await;
    let told = bench.hosts[&other].announced().len();
    bench.put(&key::primary_node(), &Some(name(&other))).await;
    bench.served_by(Some(&other), &[7, 8]).await;
    let announced = bench.hosts[&other].announced().split_off(told);
    let addresses: Vec<String> =
        announced.iter().map(|told| format!("{} {}", told.device, told.address)).collect();
    for expected in ["vmbr7 10.7.0.1", "vmbr8 2001:db8:8::1", "vmbr8 fe80::1"] {
        assert!(addresses.iter().any(|told| told == expected), "{expected}: {addresses:?}");
    }
    assert!(Folders::new(bench.dhcp(&first).run).all().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn networks_come_and_go_without_waiting_while_a_node_is_primary() {
    let (bench, primary, _) = bench().await;
    let begun = Instant::now();
    bench.network(9).await;
    bench.served_by(Some(&primary), &[7, 8, 9]).await;
    bench.remove(8).await;
    bench.served_by(Some(&primary), &[7, 9]).await;
    let gateway = key::network_ip4_gateway(vni(7));
    bench.put(&gateway, &Some("10.7.0.254".parse().unwrap())).await;
    bench
        .until("the gateway is another", |_| {
            let gateways = bench.gateways(&primary);
            gateways.contains(&"10.7.0.254/24".to_owned())
                && !gateways.contains(&"10.7.0.1/24".to_owned())
        })
        .await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_bridge_that_comes_late_is_served_when_it_is_there() {
    let bench = Bench::new(2).await;
    bench.network(7).await;
    bench.pass(Duration::from_secs(2)).await;
    bench.bridges(&[7]).await;
    let begun = Instant::now();
    bench.served_by(None, &[7]).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_begins_anew_disturbs_nothing() {
    let (mut bench, primary, _) = bench().await;
    bench.told(&primary, 7, &held("10.7.0.100"));
    bench.until("the lease is in the tree", |view| has_lease(view, 7, "10.7.0.100")).await;
    bench.pass(Duration::from_secs(6)).await;
    let host = bench.hosts[&primary].clone();
    let (changes, announced) = (host.changes(), host.announced().len());
    bench.kill(&primary);
    bench.boot(&primary).await;
    bench.pass(Duration::from_secs(30)).await;
    bench.served_by(Some(&primary), &[7, 8]).await;
    assert_eq!(host.changes(), changes, "nothing was changed");
    assert_eq!(host.announced().len(), announced, "nothing was announced");
    // And it follows the networks as before.
    bench.network(9).await;
    bench.served_by(Some(&primary), &[7, 8, 9]).await;
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_is_cut_off_has_no_gateways_until_it_is_heard_again() {
    let (bench, primary, _) = bench().await;
    bench.daemons[&primary].tree().suspend();
    bench.pass(TOUCH + Duration::from_millis(100)).await;
    assert_eq!(bench.gateways(&primary), [""; 0], "others may prove it dead from now on");
    bench.daemons[&primary].tree().resume();
    bench.served_by(Some(&primary), &[7, 8]).await;
}

#[tokio::test(start_paused = true)]
async fn a_dnsmasq_that_fails_is_started_again_and_harms_nobody_else() {
    let (bench, primary, other) = bench().await;
    bench.hosts[&other].install_broken_unit("pvc-dhcp@7.service");
    bench.put(&key::primary_node(), &Some(name(&other))).await;
    bench
        .until("the others are served", |_| {
            bench.floor.holder().as_deref() == Some(&*other)
                && bench.running(&other) == ["pvc-dhcp@8.service"]
        })
        .await;
    bench.network(9).await;
    bench
        .until("one that comes later, too", |_| {
            bench.running(&other) == ["pvc-dhcp@8.service", "pvc-dhcp@9.service"]
        })
        .await;
    bench.hosts[&primary].fail_unit("pvc-dhcp@8.service");
    bench.put(&key::primary_node(), &Some(name(&primary))).await;
    bench.served_by(Some(&primary), &[7, 8, 9]).await;
    bench.hosts[&primary].fail_unit("pvc-dhcp@8.service");
    bench.served_by(Some(&primary), &[7, 8, 9]).await;
}

#[tokio::test(start_paused = true)]
async fn leases_are_in_the_tree_and_the_next_primary_knows_them() {
    let (bench, primary, other) = bench().await;
    bench.told(&primary, 7, &held("10.7.0.100"));
    bench.told(&primary, 7, "held v6 00:01:02 7 2001:db8:7::5 * 4000000000 *");
    bench
        .until("both leases are in the tree", |view| {
            has_lease(view, 7, "10.7.0.100") && view.networks[&vni(7)].leases6.len() == 1
        })
        .await;
    bench.until("no event waits", |_| bench.waiting(&primary) == 0).await;
    let leases = [
        format!("v4 {MAC} 10.7.0.100 web1 4000000000 *"),
        "v6 00:01:02 7 2001:db8:7::5 * 4000000000 *".to_owned(),
    ];
    assert_eq!(bench.known(&primary, 7), leases, "so that its next dnsmasq knows them");
    bench.put(&key::primary_node(), &Some(name(&other))).await;
    bench.served_by(Some(&other), &[7, 8]).await;
    assert_eq!(bench.known(&other, 7), leases);
    bench.told(&other, 7, &format!("gone v4 {MAC} 10.7.0.100 web1 4000000000 *"));
    bench.until("the lease is gone", |view| !has_lease(view, 7, "10.7.0.100")).await;
    bench.until("no event waits", |_| bench.waiting(&other) == 0).await;
    assert_eq!(bench.known(&other, 7), leases[1..]);
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_one_lease_at_once_is_written_in_order() {
    let (bench, primary, _) = bench().await;
    bench.told(&primary, 7, &held("10.7.0.100"));
    bench.until("the lease is in the tree", |view| has_lease(view, 7, "10.7.0.100")).await;
    // Released and had again within a second: the last one is as the tree has it now.
    bench.told(&primary, 7, &held("10.7.0.100").replace("held", "gone"));
    bench.told(&primary, 7, &held("10.7.0.100"));
    // Released, and given to another.
    bench.told(&primary, 8, &held("10.8.0.100"));
    bench.told(&primary, 8, &held("10.8.0.100").replace("held", "gone"));
    bench.told(&primary, 8, &held("10.8.0.100").replace(MAC, "52:54:00:00:00:0c"));
    bench.until("no event waits", |_| bench.waiting(&primary) == 0).await;
    let view = bench.view().await;
    assert!(has_lease(&view, 7, "10.7.0.100"));
    let holders: Vec<_> = view.networks[&vni(8)].leases.keys().map(ToString::to_string).collect();
    assert_eq!(holders, ["52:54:00:00:00:0c"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_outlives_daemons_and_a_tree_that_is_away() {
    let (mut bench, primary, _) = bench().await;
    bench.daemons[&primary].tree().suspend();
    bench.told(&primary, 7, &held("10.7.0.100"));
    bench.pass(Duration::from_secs(10)).await;
    assert_eq!(bench.waiting(&primary), 1);
    bench.daemons[&primary].tree().resume();
    bench.until("the lease is in the tree", |view| has_lease(view, 7, "10.7.0.100")).await;

    bench.kill(&primary);
    bench.told(&primary, 7, &format!("held v4 {MAC} 10.7.0.100 web1 4100000000 *"));
    bench.boot(&primary).await;
    bench.lose_writes(&primary, 2);
    bench
        .until("its end is in the tree", |view| {
            let lease = &view.networks[&vni(7)].leases[&MAC.parse().unwrap()];
            lease.expiry.copied() == Some(4_100_000_000)
        })
        .await;
    bench.until("no event waits", |_| bench.waiting(&primary) == 0).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_former_primary_was_told_reaches_the_tree_unless_it_is_too_late() {
    let (mut bench, first, other) = bench().await;
    bench.kill(&first);
    bench.told(&first, 7, &held("10.7.0.100"));
    bench.told(&first, 8, "held v4 52:54:00:00:00:0a 10.8.0.100 * 4000000000 *");
    // Meanwhile another had that address of network 8 from the next primary.
    bench.boot(&first).await;
    bench.put(&key::primary_node(), &Some(name(&other))).await;
    bench.until("the lease is in the tree", |view| has_lease(view, 7, "10.7.0.100")).await;
    bench.until("no event waits", |_| bench.waiting(&first) == 0).await;
    bench.served_by(Some(&other), &[7, 8]).await;
    bench.told(&first, 7, "held v4 52:54:00:00:00:0b 10.7.0.100 * 4200000000 *");
    bench.until("no event waits", |_| bench.waiting(&first) == 0).await;
    let view = bench.view().await;
    assert!(has_lease(&view, 7, "10.7.0.100"), "{:?}", view.networks[&vni(7)].leases);
    assert_eq!(view.networks[&vni(7)].leases.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn events_of_a_network_that_is_gone_are_dropped() {
    let (bench, primary, _) = bench().await;
    bench.told(&primary, 77, &held("10.77.0.100"));
    bench.told(&primary, 7, &held("10.7.0.100"));
    bench.until("the other is in the tree", |view| has_lease(view, 7, "10.7.0.100")).await;
    bench.until("no event waits", |_| bench.waiting(&primary) == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_a_person_removed_is_forgotten_by_dnsmasq() {
    let (bench, primary, _) = bench().await;
    bench.told(&primary, 7, &held("10.7.0.100"));
    bench.until("the lease is in the tree", |view| has_lease(view, 7, "10.7.0.100")).await;
    bench.until("no event waits", |_| bench.waiting(&primary) == 0).await;
    bench.pass(Duration::from_secs(1)).await;
    let changes = bench.hosts[&primary].changes();
    let lease = key::lease(vni(7), MAC.parse().unwrap());
    let branch = pvc_zk::subtree::Branch::read(&bench.tree, lease.path()).await.unwrap();
    bench.tree.commit_all(branch.deletes()).await;
    bench
        .until("its dnsmasq has begun anew", |_| {
            bench.known(&primary, 7).is_empty()
                && bench.hosts[&primary].changes() == changes + 2
                && bench.serves(&primary, &[7, 8])
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_network_that_has_other_addresses_has_no_leases_of_those_it_had() {
    let (bench, primary, _) = bench().await;
    bench.told(&primary, 7, &held("10.7.0.100"));
    bench.until("the lease is in the tree", |view| has_lease(view, 7, "10.7.0.100")).await;
    bench.put(&key::network_ip4_gateway(vni(7)), &"10.77.0.1".parse().ok()).await;
    bench.put(&key::network_dhcp4_start(vni(7)), &"10.77.0.100".parse().ok()).await;
    bench.put(&key::network_dhcp4_end(vni(7)), &"10.77.0.199".parse().ok()).await;
    bench.put(&key::network_ip4_network(vni(7)), &"10.77.0.0/24".parse().ok()).await;
    bench
        .until("a dnsmasq that is told of none", |_| {
            let gateways = bench.gateways(&primary);
            gateways.contains(&"10.77.0.1/24".to_owned())
                && bench.running(&primary).len() == 2
                && bench.known(&primary, 7).is_empty()
        })
        .await;
    // It was renewed, and another given away, just before that.
    bench.told(&primary, 7, &held("10.7.0.100").replace("40", "41"));
    bench.told(&primary, 7, &held("10.7.0.101").replace(MAC, "52:54:00:00:00:0c"));
    bench.until("no event waits", |_| bench.waiting(&primary) == 0).await;
    bench.pass(Duration::from_secs(60)).await;
    bench.until("no lease is left", |view| view.networks[&vni(7)].leases.is_empty()).await;
    bench.told(&primary, 7, &held("10.77.0.100"));
    bench.until("it has one that it has", |view| has_lease(view, 7, "10.77.0.100")).await;
}

/// A person's change that nothing else stands in the way of.
trait CommitAll {
    async fn commit_all(&self, ops: Vec<Op>);
}

impl<T: pvc_zk::Tree> CommitAll for T {
    async fn commit_all(&self, ops: Vec<Op>) {
        self.commit(ops).await.unwrap();
    }
}
