//! What a node is made of, by its configuration.

use pvc_zk::FakeTree;

use super::*;

const MANUAL: &str = include_str!("../../tests/manual.yaml");

/// The manual's configuration without these functions.
fn without(functions: &[&str]) -> Config {
    let off = |text: String, function: &&str| {
        text.replace(&format!("{function}: True"), &format!("{function}: False"))
    };
    let text = functions.iter().fold(MANUAL.to_owned(), off);
    Config::check(&text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What a primary of this configuration has, beside gateways and DHCP.
fn parts(config: &Config) -> Vec<String> {
    let outfit = outfit(config, Netlink::open().unwrap(), None);
    outfit.names().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_primary_has_what_its_functions_need_and_nothing_else() {
    let whole = parts(&without(&[]));
    assert_eq!(whole.len(), 4, "{whole:?}");
    assert!(whole.iter().any(|part| part == "pvcapid.service"), "{whole:?}");
    let quiet = parts(&without(&["enable_api"]));
    assert!(whole.iter().filter(|part| *part != "pvcapid.service").eq(&quiet), "{quiet:?}");
    assert_eq!(parts(&without(&["enable_networking"])), ["pvcapid.service"]);
    assert_eq!(parts(&without(&["enable_networking", "enable_api"])), [""; 0]);
}

#[tokio::test]
async fn a_primary_without_databases_commands_nobody_elses() {
    let (whole, mut without) = (without(&[]), without(&[]));
    without.databases = None;
    let (all, fewer) = (parts(&whole), parts(&without));
    assert!(fewer.iter().all(|part| all.contains(part)) && fewer.len() == 2, "{fewer:?}");
    let health = Health::new("pvchv1".parse().unwrap(), FakeTree::new());
    let checked = |config: &Config| checks(config, &Troubles::default(), &health).len();
    assert_eq!((checked(&whole), checked(&without)), (2, 1));
}

#[tokio::test]
async fn without_networking_nothing_of_networks_is_kept() {
    let tree = FakeTree::new();
    let health = Health::new("pvchv1".parse().unwrap(), tree.clone());
    let links = Netlink::open().unwrap();
    let kept = async |config: &Config| keepers(config, &tree, &links, &health, None).await.len();
    assert_eq!(kept(&without(&["enable_networking"])).await, 0);
    assert_eq!(kept(&without(&[])).await, 3, "firewall, networks, EVPN");
    let off = without(&["enable_networking"]);
    assert!(dns_keeper(&off, &Troubles::default()).is_none() && sriov_cards(&off).is_empty());
}

#[test]
fn a_node_tells_how_large_packets_of_vms_networks_may_be() {
    let mut config = without(&[]);
    let told = |config: &Config| {
        let told = presence(config).unwrap();
        (told.managed_mtu, told.bridged_mtu)
    };
    let networks = config.networks.as_mut().unwrap();
    networks.cluster.mtu = 9_000;
    networks.cluster.device = "ens9".to_owned();
    let bridge = |device: &str, mtu| Some(Bridge { device: device.to_owned(), mtu });
    for (bridge, bridged) in [
        (None, None),
        (bridge("trunk0", Some(1_600)), Some(1_600)),
        (bridge("ens9", Some(1_600)), Some(1_600)),
        (bridge("ens9", None), Some(9_000)),
        (bridge("lo", None), fact::packet_size("lo")),
    ] {
        config.bridge = bridge;
        assert_eq!(told(&config), (Some(8_950), bridged), "{:?}", config.bridge);
    }
    assert_eq!(told(&without(&["enable_networking"])), (None, None));
}

#[test]
fn a_node_without_a_hypervisor_says_that_it_runs_no_vms() {
    assert!(!presence(&without(&[])).unwrap().without_vms);
    assert!(presence(&without(&["enable_hypervisor"])).unwrap().without_vms);
}
