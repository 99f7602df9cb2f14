//! The documents, and that the keys agree with them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::zk::Key;
use crate::zk::key::{self, Direction};

/// Upstream counts `version` and `root` too.
const META: usize = 2;

#[test]
fn every_version_has_as_many_entries_as_upstream_counts() {
    let counts: Vec<usize> =
        (0..=LATEST).map(|version| Schema::of(version).unwrap().entries().count() + META).collect();
    let upstream = [101, 128, 129, 133, 136, 137, 138, 139, 145, 155, 152, 160, 161, 162, 167, 168];
    assert_eq!(counts[..16], upstream);
    assert_eq!(counts[16], 170, "ours: a VM's claim and the origin of its migration");
    assert_eq!(counts[17], 182, "ours: what concerns the death of a node");
    assert_eq!(counts[18], 187, "ours: tasks and benchmarks");
    assert_eq!(counts[19], 194, "ours: leases of IPv6 addresses");
}

#[test]
fn every_document_is_of_the_version_it_is_filed_under() {
    for version in 0..=LATEST {
        assert_eq!(Schema::of(version).unwrap().version(), version);
    }
    assert_eq!(Schema::of(LATEST + 1), Err(UnknownVersion(LATEST + 1)));
}

#[test]
fn no_version_moves_a_key() {
    let mut paths = BTreeMap::new();
    for version in 0..=LATEST {
        for Entry { kind, name, path } in Schema::of(version).unwrap().entries() {
            assert_eq!(
                *paths.entry((kind, name)).or_insert(path),
                path,
                "{version}: {kind}.{name}"
            );
        }
    }
}

#[test]
fn a_key_is_found_by_kind_and_name() {
    let schema = Schema::latest();
    assert_eq!(schema.path("node", "state.daemon"), Some("/daemonstate"));
    assert_eq!(schema.path("base", "cmd"), None);
    assert_eq!(schema.path("invented", "name"), None);
    assert_eq!(Schema::of(9).unwrap().path("base", "cmd"), Some("/cmd"));
    assert_eq!(schema.keys("tag").count(), 3);
}

fn path<T>(key: Key<T>) -> String {
    key.into_path()
}

/// Where the objects are whose keys are compared.
const OBJECTS: [(&str, &str); 24] = [
    ("base", ""),
    ("logs", "/logs/hv1"),
    ("faults", "/faults/F"),
    ("past_fence", "/fences/hv1-1"),
    ("task", "/tasks/9f1c02aa"),
    ("benchmark", "/ceph/benchmarks/j"),
    ("node", "/nodes/hv1"),
    ("suspicion", "/nodes/hv1/suspicions/hv2"),
    ("monitoring_plugin", "/nodes/hv1/monitoring_data/load"),
    ("sriov_pf", "/nodes/hv1/sriov/pf/ens1"),
    ("sriov_vf", "/nodes/hv1/sriov/vf/ens1"),
    ("domain", "/domains/00000000-0000-0000-0000-000000000001"),
    ("tag", "/domains/00000000-0000-0000-0000-000000000001/tags/t"),
    ("domain_snapshot", "/domains/00000000-0000-0000-0000-000000000001/snapshots/s"),
    ("network", "/networks/7"),
    ("reservation", "/networks/7/dhcp4_reservations/52:54:00:00:00:01"),
    ("lease", "/networks/7/dhcp4_leases/52:54:00:00:00:01"),
    ("lease6", "/networks/7/dhcp6_leases/2001:db8::5"),
    ("rule", "/networks/7/firewall_rules/in/ssh"),
    ("rule", "/networks/7/firewall_rules/out/ssh"),
    ("osd", "/ceph/osds/3"),
    ("pool", "/ceph/pools/vms"),
    ("volume", "/ceph/volumes/vms/v"),
    ("snapshot", "/ceph/snapshots/vms/v/s"),
];

#[test]
fn the_keys_are_those_of_the_latest_document() {
    let documented: BTreeSet<String> = OBJECTS
        .iter()
        .flat_map(|(kind, object)| {
            Schema::latest().keys(kind).map(move |entry| format!("{object}{}", entry.path))
        })
        .filter(|path| !path.is_empty())
        .collect();
    let groups = [
        base_keys(),
        node_keys(),
        sriov_keys(),
        vm_keys(),
        network_keys(),
        lease_keys(),
        storage_keys(),
        report_keys(),
    ];
    let spelt: BTreeSet<String> = groups.into_iter().flatten().collect();
    let difference: Vec<_> = documented.symmetric_difference(&spelt).collect();
    assert!(difference.is_empty(), "{difference:?}");
    let kinds: BTreeSet<&str> = OBJECTS.iter().map(|(kind, _)| *kind).collect();
    assert!(Schema::latest().entries().all(|entry| kinds.contains(entry.kind)));
}

fn base_keys() -> Vec<String> {
    let parents = [
        key::SCHEMA,
        key::LOGS,
        key::FAULTS,
        key::FENCES,
        key::TASKS,
        key::NODES,
        key::DOMAINS,
        key::NETWORKS,
        key::OSDS,
        key::POOLS,
        key::VOLUMES,
        key::SNAPSHOTS,
        key::BENCHMARKS,
    ];
    let mut keys: Vec<String> = parents.map(str::to_owned).into();
    keys.extend([
        path(key::schema_version()),
        path(key::cluster_name()),
        path(key::maintenance()),
        path(key::fence_lock()),
        path(key::primary_node()),
        path(key::primary_sync_lock()),
        path(key::upstream_ip()),
        path(key::default_selector()),
        path(key::storage_status()),
        path(key::storage_health()),
        path(key::storage_util()),
    ]);
    keys
}

fn node_keys() -> Vec<String> {
    let (node, plugin) = (&"hv1".parse().unwrap(), &"load".parse().unwrap());
    let observer = &"hv2".parse().unwrap();
    vec![
        path(key::node(node)),
        path(key::node_keepalive(node)),
        path(key::node_mode(node)),
        path(key::node_active_schema(node)),
        path(key::node_latest_schema(node)),
        path(key::node_static_data(node)),
        path(key::node_pvc_version(node)),
        path(key::node_running_domains(node)),
        path(key::node_domains_count(node)),
        path(key::node_networks_count(node)),
        path(key::node_daemon_state(node)),
        path(key::node_coordinator_state(node)),
        path(key::node_domain_state(node)),
        path(key::node_cpu_load(node)),
        path(key::node_vcpu_alloc(node)),
        path(key::node_mem_total(node)),
        path(key::node_mem_used(node)),
        path(key::node_mem_free(node)),
        path(key::node_mem_alloc(node)),
        path(key::node_mem_prov(node)),
        path(key::node_ipmi_hostname(node)),
        path(key::node_ipmi_username(node)),
        path(key::node_ipmi_password(node)),
        path(key::node_health(node)),
        path(key::node_network_stats(node)),
        path(key::node_presence(node)),
        path(key::node_lease(node)),
        path(key::node_fenceable(node)),
        path(key::node_hears(node)),
        path(key::node_suspicions(node)),
        path(key::node_suspicion(node, observer)),
        path(key::node_fence(node)),
        path(key::node_fence_order(node)),
        path(key::node_shut_out(node)),
        path(key::node_plugins(node)),
        path(key::node_monitoring_data(node)),
        path(key::plugin(node, plugin)),
        path(key::plugin_last_run(node, plugin)),
        path(key::plugin_health_delta(node, plugin)),
        path(key::plugin_message(node, plugin)),
        path(key::plugin_data(node, plugin)),
        path(key::plugin_runtime(node, plugin)),
    ]
}

fn sriov_keys() -> Vec<String> {
    let (node, function) = (&"hv1".parse().unwrap(), &"ens1".parse().unwrap());
    vec![
        path(key::node_sriov(node)),
        path(key::node_sriov_pfs(node)),
        path(key::node_sriov_vfs(node)),
        path(key::sriov_pf(node, function)),
        path(key::sriov_pf_mtu(node, function)),
        path(key::sriov_pf_vf_count(node, function)),
        path(key::sriov_vf(node, function)),
        path(key::sriov_vf_pf(node, function)),
        path(key::sriov_vf_mtu(node, function)),
        path(key::sriov_vf_mac(node, function)),
        path(key::sriov_vf_phy_mac(node, function)),
        path(key::sriov_vf_config(node, function)),
        path(key::sriov_vf_vlan_id(node, function)),
        path(key::sriov_vf_vlan_qos(node, function)),
        path(key::sriov_vf_tx_rate_min(node, function)),
        path(key::sriov_vf_tx_rate_max(node, function)),
        path(key::sriov_vf_spoof_check(node, function)),
        path(key::sriov_vf_link_state(node, function)),
        path(key::sriov_vf_trust(node, function)),
        path(key::sriov_vf_query_rss(node, function)),
        path(key::sriov_vf_pci(node, function)),
        path(key::sriov_vf_pci_domain(node, function)),
        path(key::sriov_vf_pci_bus(node, function)),
        path(key::sriov_vf_pci_slot(node, function)),
        path(key::sriov_vf_pci_function(node, function)),
        path(key::sriov_vf_used(node, function)),
        path(key::sriov_vf_used_by(node, function)),
    ]
}

fn vm_keys() -> Vec<String> {
    let vm = "00000000-0000-0000-0000-000000000001".parse().unwrap();
    let (tag, snapshot) = (&"t".parse().unwrap(), &"s".parse().unwrap());
    vec![
        path(key::vm_name(vm)),
        path(key::vm_xml(vm)),
        path(key::vm_state(vm)),
        path(key::vm_profile(vm)),
        path(key::vm_stats(vm)),
        path(key::vm_node(vm)),
        path(key::vm_last_node(vm)),
        path(key::vm_failed_reason(vm)),
        path(key::vm_rbd_list(vm)),
        path(key::vm_console_log(vm)),
        path(key::vm_vnc(vm)),
        path(key::vm_autostart(vm)),
        path(key::vm_migration_method(vm)),
        path(key::vm_max_downtime(vm)),
        path(key::vm_selector(vm)),
        path(key::vm_node_limit(vm)),
        path(key::vm_migrate_sync_lock(vm)),
        path(key::vm_claim(vm)),
        path(key::vm_migrate_origin(vm)),
        path(key::vm_displaced(vm)),
        path(key::vm_tags(vm)),
        path(key::vm_snapshots(vm)),
        path(key::vm_tag(vm, tag)),
        path(key::vm_tag_type(vm, tag)),
        path(key::vm_tag_protected(vm, tag)),
        path(key::vm_snapshot(vm, snapshot)),
        path(key::vm_snapshot_timestamp(vm, snapshot)),
        path(key::vm_snapshot_xml(vm, snapshot)),
        path(key::vm_snapshot_volumes(vm, snapshot)),
    ]
}

fn network_keys() -> Vec<String> {
    let vni = "7".parse().unwrap();
    vec![
        path(key::network(vni)),
        path(key::network_type(vni)),
        path(key::network_mtu(vni)),
        path(key::network_rules(vni)),
        path(key::network_name_servers(vni)),
        path(key::network_domain(vni)),
        path(key::network_reservations(vni)),
        path(key::network_leases(vni)),
        path(key::network_leases6(vni)),
        path(key::network_ip4_gateway(vni)),
        path(key::network_ip4_network(vni)),
        path(key::network_dhcp4(vni)),
        path(key::network_dhcp4_start(vni)),
        path(key::network_dhcp4_end(vni)),
        path(key::network_ip6_gateway(vni)),
        path(key::network_ip6_network(vni)),
        path(key::network_dhcp6(vni)),
    ]
}

fn lease_keys() -> Vec<String> {
    let vni = "7".parse().unwrap();
    let (mac, rule) = ("52:54:00:00:00:01".parse().unwrap(), &"ssh".parse().unwrap());
    let ip6 = "2001:db8::5".parse().unwrap();
    let mut keys = vec![
        path(key::reservation(vni, mac)),
        path(key::reservation_ip(vni, mac)),
        path(key::reservation_hostname(vni, mac)),
        path(key::lease(vni, mac)),
        path(key::lease_ip(vni, mac)),
        path(key::lease_hostname(vni, mac)),
        path(key::lease_expiry(vni, mac)),
        path(key::lease_client_id(vni, mac)),
        path(key::lease6(vni, ip6)),
        path(key::lease6_duid(vni, ip6)),
        path(key::lease6_iaid(vni, ip6)),
        path(key::lease6_hostname(vni, ip6)),
        path(key::lease6_expiry(vni, ip6)),
        path(key::lease6_mac(vni, ip6)),
    ];
    for direction in [Direction::In, Direction::Out] {
        keys.extend([
            path(key::network_rules_of(vni, direction)),
            path(key::rule(vni, direction, rule)),
            path(key::rule_text(vni, direction, rule)),
            path(key::rule_order(vni, direction, rule)),
        ]);
    }
    keys
}

fn storage_keys() -> Vec<String> {
    let (osd, pool) = ("3".parse().unwrap(), &"vms".parse().unwrap());
    let (volume, snapshot) = (&"vms/v".parse().unwrap(), &"vms/v@s".parse().unwrap());
    vec![
        path(key::osd(osd)),
        path(key::osd_node(osd)),
        path(key::osd_device(osd)),
        path(key::osd_db_device(osd)),
        path(key::osd_fsids(osd)),
        path(key::osd_fsid(osd)),
        path(key::osd_cluster_fsid(osd)),
        path(key::osd_lvm(osd)),
        path(key::osd_vg(osd)),
        path(key::osd_lv(osd)),
        path(key::osd_is_split(osd)),
        path(key::osd_stats(osd)),
        path(key::pool(pool)),
        path(key::pool_pgs(pool)),
        path(key::pool_tier(pool)),
        path(key::pool_stats(pool)),
        path(key::volume(volume)),
        path(key::volume_stats(volume)),
        path(key::snapshot(snapshot)),
        path(key::snapshot_stats(snapshot)),
    ]
}

fn report_keys() -> Vec<String> {
    let (fault, node) = (&"F".parse().unwrap(), &"hv1".parse().unwrap());
    vec![
        path(key::fault(fault)),
        path(key::fault_last_time(fault)),
        path(key::fault_first_time(fault)),
        path(key::fault_ack_time(fault)),
        path(key::fault_status(fault)),
        path(key::fault_delta(fault)),
        path(key::fault_message(fault)),
        path(key::past_fence(&"hv1-1".parse().unwrap())),
        path(key::task(&"9f1c02aa".parse().unwrap())),
        path(key::benchmark(&"j".parse().unwrap())),
        path(key::task_progress(&"9f1c02aa".parse().unwrap())),
        path(key::node_log(node)),
        path(key::node_log_messages(node)),
    ]
}
