//! A node and its networks, on a machine in memory.

use pvc_common::view::{Builder, Scope};
use pvc_common::zk::{Op, Version};
use pvc_host::fake::FakeHost;
use pvc_host::{Link, LinkTable};
use pvc_plan::network::{Trunk, Tunnels};
use pvc_zk::FakeTree;

use super::*;

fn carriers() -> Carriers {
    Carriers {
        tunnels: Some(Tunnels { local: "10.0.0.1".parse().unwrap(), mtu: 1500 }),
        trunk: Some(Trunk { device: "eno4".to_owned(), mtu: None, shared: true }),
    }
}

/// Networks by number, with type and packet size.
fn view(networks: &[(u32, &str, &str)]) -> Arc<View> {
    let mut builder = Builder::new(Scope::Decisions);
    for (vni, kind, mtu) in networks {
        let root = format!("/networks/{vni}");
        for (suffix, text) in [("", "lan"), ("/nettype", *kind), ("/mtu", *mtu)] {
            builder.set(&format!("{root}{suffix}"), Some((text.as_bytes(), Version(0))));
        }
    }
    builder.snapshot()
}

async fn tree() -> FakeTree {
    let tree = FakeTree::new();
    let made = ["/nodes", "/nodes/hv1", "/nodes/hv1/monitoring_data"];
    let made = made.map(|path| Op::Create { path: path.to_owned(), data: Vec::new() });
    tree.commit(made.into()).await.unwrap();
    tree
}

async fn text(tree: &FakeTree, path: &str) -> String {
    let entry = tree.get(path).await.unwrap().unwrap_or_else(|| panic!("no {path}"));
    String::from_utf8(entry.data).unwrap()
}

fn machine() -> FakeHost {
    let host = FakeHost::new();
    host.plug_in("eno4");
    host
}

fn keeper(tree: &FakeTree, host: &FakeHost) -> NetworkKeeper<FakeTree, FakeHost> {
    let me: NodeName = "hv1".parse().unwrap();
    let health = Health::new(me.clone(), tree.clone());
    NetworkKeeper::new(me, host.clone(), carriers(), health)
}

/// The devices that the tree decides about.
fn ours(table: &LinkTable) -> BTreeMap<String, Link> {
    table
        .links
        .iter()
        .filter(|(name, _)| *name != "eno4")
        .map(|(n, l)| (n.clone(), l.clone()))
        .collect()
}

fn names(host: &FakeHost) -> Vec<String> {
    ours(&host.links()).into_keys().collect()
}

#[tokio::test]
async fn networks_are_made_changed_and_removed_and_others_are_not_touched() {
    let (tree, host) = (tree().await, machine());
    let mut keeper = keeper(&tree, &host);
    keeper.reconcile(view(&[(7, "managed", ""), (8, "bridged", ""), (9, "managed", "")])).await;
    assert_eq!(names(&host), ["vlan8", "vmbr7", "vmbr8", "vmbr9", "vxlan7", "vxlan9"]);
    assert_eq!(text(&tree, "/nodes/hv1/networkscount").await, "3");
    assert_eq!(text(&tree, "/nodes/hv1/monitoring_health").await, "100");

    let done = host.link_steps().len();
    keeper.reconcile(view(&[(7, "managed", "1400"), (8, "bridged", ""), (9, "managed", "")])).await;
    let steps: Vec<String> = host.link_steps()[done..].iter().map(ToString::to_string).collect();
    assert_eq!(
        steps,
        ["set the packet size of vxlan7 to 1400", "set the packet size of vmbr7 to 1400"]
    );

    keeper.reconcile(view(&[(9, "managed", "")])).await;
    assert_eq!(names(&host), ["vmbr9", "vxlan9"]);
    assert_eq!(text(&tree, "/nodes/hv1/networkscount").await, "1");
}

#[tokio::test]
async fn a_kernel_without_vlans_costs_that_network_a_fault_and_no_other_anything() {
    let (tree, host) = (tree().await, machine());
    host.lack_kind("vlan");
    let outcome =
        keeper(&tree, &host).reconcile(view(&[(7, "bridged", ""), (8, "managed", "")])).await;
    assert_eq!(names(&host), ["vmbr8", "vxlan8"], "and there is no bridge that leads nowhere");
    let why = "network 7: the kernel of this node has no devices of the kind vlan";
    assert_eq!(outcome.report.trouble().as_deref(), Some(why));
    assert!(outcome.wake_at.is_some_and(|at| at <= Instant::now() + AGAIN));
    assert_eq!(text(&tree, "/nodes/hv1/networkscount").await, "1");
    assert_eq!(text(&tree, "/nodes/hv1/monitoring_health").await, "90");
    assert_eq!(text(&tree, "/nodes/hv1/monitoring_data/networks/message").await, why);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_is_seen_half_made_or_half_removed_is_no_fault_until_it_stays_so() {
    let (tree, host) = (tree().await, machine());
    let mut keeper = keeper(&tree, &host);
    let half = || {
        let mut builder = Builder::new(Scope::Decisions);
        builder.set("/networks/7", Some((b"lan", Version(0))));
        builder.snapshot()
    };
    for whole in [view(&[(7, "managed", "")]), view(&[])] {
        let report = keeper.reconcile(half()).await.report;
        assert_eq!((report.trouble(), report.there()), (None, Some(0)));
        assert_eq!(keeper.reconcile(whole).await.report.trouble(), None);
    }
    let outcome = keeper.reconcile(half()).await;
    assert_eq!(outcome.wake_at, Some(Instant::now() + MAKING));
    tokio::time::advance(MAKING).await;
    let report = keeper.reconcile(half()).await.report;
    assert_eq!(report.trouble().as_deref(), Some("network 7: its type is missing in the tree"));
    assert_eq!(text(&tree, "/nodes/hv1/monitoring_health").await, "90");
}

#[tokio::test(start_paused = true)]
async fn a_bridge_is_removed_when_the_last_vm_has_left_it() {
    let (tree, host) = (tree().await, machine());
    let mut keeper = keeper(&tree, &host);
    keeper.reconcile(view(&[(7, "managed", "")])).await;
    host.plug_in("vnet0");
    let (device, bridge) = ("vnet0".to_owned(), "vmbr7".to_owned());
    host.apply(&LinkStep::Enslave { device, bridge }).await.unwrap();
    let report = keeper.reconcile(view(&[])).await.report;
    assert!(report.trouble().unwrap().contains("vmbr7 has vnet0 in it"), "{report:?}");
    assert_eq!(names(&host), ["vmbr7", "vnet0"]);
    assert!(!host.links().links["vmbr7"].up, "what is in it reaches nobody");

    host.apply(&LinkStep::Remove { device: "vnet0".to_owned() }).await.unwrap();
    tokio::time::advance(AGAIN).await;
    assert_eq!(keeper.reconcile(view(&[])).await.report.trouble(), None);
    assert_eq!(names(&host), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_looked_at_while_nothing_that_matters_changes() {
    let (tree, host) = (tree().await, machine());
    let mut keeper = keeper(&tree, &host);
    keeper.reconcile(view(&[(7, "managed", "")])).await;
    host.apply(&LinkStep::Remove { device: "vmbr7".to_owned() }).await.unwrap();
    keeper.reconcile(view(&[(7, "managed", "")])).await;
    assert_eq!(names(&host), ["vxlan7"], "the devices are taken to be as they were left");
    tokio::time::advance(EVERY).await;
    keeper.reconcile(view(&[(7, "managed", "")])).await;
    assert_eq!(names(&host), ["vmbr7", "vxlan7"], "but not for long");
}

#[tokio::test(start_paused = true)]
async fn a_network_that_changes_is_looked_at_alone() {
    let (tree, host) = (tree().await, machine());
    let mut keeper = keeper(&tree, &host);
    let oversize = (9, "managed", "9000");
    keeper.reconcile(view(&[(7, "managed", ""), (8, "managed", ""), oversize])).await;
    for device in ["vmbr7", "vmbr8"] {
        host.apply(&LinkStep::Remove { device: device.to_owned() }).await.unwrap();
    }
    tokio::time::advance(EVERY / 2).await;
    let changed = [(7, "managed", "1400"), (8, "managed", ""), oversize];
    let report = keeper.reconcile(view(&changed)).await.report;
    assert_eq!(names(&host), ["vmbr7", "vmbr9", "vxlan7", "vxlan8", "vxlan9"]);
    assert_eq!(host.links().links["vmbr7"].mtu, 1400);
    assert_eq!(report.there(), Some(2), "what was the matter with others still is: {report:?}");
    assert!(report.trouble().is_some_and(|why| why.starts_with("network 9: ")), "{report:?}");

    tokio::time::advance(EVERY / 2).await;
    keeper.reconcile(view(&changed)).await;
    assert!(names(&host).contains(&"vmbr8".to_owned()), "all are looked at no later for that");
}

#[tokio::test]
async fn a_removed_network_takes_nothing_of_others_with_it() {
    let (tree, host) = (tree().await, machine());
    host.plug_in("wan0");
    // What somebody else put into the group that network 7 would be removed as.
    host.group("wan0", 0x5000_0007);
    let mut keeper = keeper(&tree, &host);
    keeper.reconcile(view(&[(7, "managed", "")])).await;
    keeper.reconcile(view(&[])).await;
    assert_eq!(names(&host), ["wan0"]);
}

/// What a machine may have of networks 7 and 8 before the daemon looks: all that follows from the steps
/// towards some other tree, cut off anywhere.
async fn starts() -> Vec<FakeHost> {
    let trees: [&[(u32, &str, &str)]; 4] = [
        &[(7, "managed", "1300"), (8, "bridged", "")],
        &[(7, "bridged", "1400"), (8, "managed", "")],
        &[(8, "managed", "9000")],
        &[],
    ];
    let mut found = Vec::new();
    for from in trees {
        for towards in trees {
            let whole = steps(from, &machine()).await;
            let rest = {
                let host = machine();
                apply(&host, &whole).await;
                steps(towards, &host).await
            };
            for cut in 0..=rest.len() {
                let host = machine();
                apply(&host, &whole).await;
                apply(&host, &rest[..cut]).await;
                found.push(host);
            }
        }
    }
    found
}

fn planned(networks: &[(u32, &str, &str)], host: &FakeHost) -> Plan {
    let view = view(networks);
    let wanted = view.networks.iter().map(|(vni, network)| (*vni, Wanted::of(network))).collect();
    plan(&wanted, &carriers(), &look::devices(host.links()))
}

async fn steps(networks: &[(u32, &str, &str)], host: &FakeHost) -> Vec<LinkStep> {
    let Plan { trunk, networks } = planned(networks, host);
    let all = trunk.into_iter().chain(networks.into_values().flat_map(|work| work.steps));
    all.map(|step| link_step(&step)).collect()
}

async fn apply(host: &FakeHost, steps: &[LinkStep]) {
    for step in steps {
        host.apply(step).await.unwrap_or_else(|error| panic!("{step}: {error}"));
    }
}

#[tokio::test]
async fn wherever_a_daemon_died_the_next_one_comes_to_the_same_end() {
    let wanted = [(7, "managed", ""), (8, "bridged", "1400")];
    let ideal = machine();
    apply(&ideal, &steps(&wanted, &ideal).await).await;
    let starts = starts().await;
    assert!(starts.len() > 100, "{} are too few to mean anything", starts.len());
    for host in starts {
        let before = host.links();
        apply(&host, &steps(&wanted, &host).await).await;
        let mut after = ours(&host.links());
        for (name, link) in &mut after {
            // What a bridge is addressed before it is told does not matter.
            link.mac = ideal.links().links[name].mac;
        }
        assert_eq!(after, ours(&ideal.links()), "from {before:#?}");
        assert!(planned(&wanted, &host).is_empty(), "twice is once, from {before:#?}");
    }
}
