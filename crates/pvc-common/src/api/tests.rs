//! The wire types against the shapes that upstream's clients and servers exchange.

use serde_json::{Value, json};

use super::*;

fn same<T: serde::de::DeserializeOwned + serde::Serialize>(shape: Value) {
    let value: T = serde_json::from_value(shape.clone()).unwrap();
    assert_eq!(serde_json::to_value(value).unwrap(), shape);
}

#[test]
fn a_node_has_upstreams_shape() {
    same::<Node>(json!({
        "name": "hv1", "daemon_state": "run", "coordinator_state": "primary",
        "domain_state": "ready", "pvc_version": "1.0.3", "cpu_count": 16,
        "kernel": "6.1.0-18-amd64", "os": "GNU/Linux", "arch": "x86_64", "health": 100,
        "health_plugins": ["disk"],
        "health_details": [{"name": "disk", "last_run": 1_700_000_000, "health_delta": 0,
                            "message": "well", "data": {"free": 1}}],
        "load": 1.25, "domains_count": 4, "running_domains": ["vm1", null],
        "vcpu": {"total": 16, "allocated": 8},
        "memory": {"total": 64000, "allocated": 8192, "provisioned": 10240,
                   "used": 20000, "free": 40000},
        "interfaces": {"ens4": {"rx_bps": 1200, "rx_pps": 14, "tx_bps": 2, "tx_pps": 1,
                                "total_bps": 1202, "total_pps": 15,
                                "link_speed": 10_000_000_000_u64, "state": "up"}},
        "fence": null, "fence_order": null, "shut_out": null, "fenceable": null, "lease": null,
        "suspected_by": [], "hears": {},
    }));
}

#[test]
fn what_concerns_a_nodes_death_stands_beside_upstreams_shape() {
    same::<Fence>(json!({
        "id": "hv3-1", "node": "hv3", "by": "hv1", "phase": "recovering", "why": "silent",
        "boot": "b1", "power_cut": true, "suspected_ms": 1, "condemned_ms": 2, "proved_ms": 3,
        "finished_ms": null,
        "evidence": [{"kind": "ipmi", "verdict": "proved", "detail": "off", "at_ms": 3}],
        "moved": [{"vm": "u", "name": "web1", "to": "hv2"}],
        "waiting": [{"vm": "v", "name": null}],
    }));
    same::<Lease>(json!({"kind": "device", "ms": 9000, "voters": ["hv1"]}));
    same::<Heard>(json!({"heard": false, "networks": {
        "cluster": {"rtt_us": 120, "silent_ms": 2100},
        "storage": {"rtt_us": null, "silent_ms": null}}}));
    let node: Node = serde_json::from_value(json!({
        "name": "hv1", "daemon_state": "run", "coordinator_state": "primary",
        "domain_state": "ready", "cpu_count": 1, "kernel": "", "os": "", "arch": "",
        "load": 0.0, "domains_count": 0, "vcpu": {"total": 1, "allocated": 0},
        "memory": {"total": 1, "allocated": 0, "provisioned": 0, "used": 0, "free": 0},
    }))
    .unwrap();
    assert_eq!((node.fence, node.hears.len()), (None, 0), "an older server tells nothing of it");
}

#[test]
fn a_vm_has_upstreams_shape() {
    same::<Vm>(json!({
        "name": "web1", "uuid": "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10", "state": "start",
        "node": "hv1", "last_node": "hv2", "migrated": "from hv2", "failed_reason": "",
        "displaced": null,
        "node_limit": ["hv1", "hv2"], "node_selector": null, "node_autostart": false,
        "migration_method": "live", "migration_max_downtime": 300,
        "tags": [{"name": "web", "type": "user", "protected": false}],
        "snapshots": [{"name": "s", "timestamp": "1700000000.123", "age": 3600,
                       "xml_diff_lines": ["--- current"], "rbd_snapshots": ["vms/a@s"]}],
        "description": "N/A", "profile": "None", "memory": 2048,
        "memory_stats": {"actual": 2_097_152}, "vcpu": 2, "vcpu_topology": "2/1/1",
        "vcpu_stats": {"cpu_time": 17},
        "networks": [{"type": "bridge", "vni": "1001", "mac": "52:54:00:00:00:01",
                      "source": "vmbr1001", "model": "virtio", "rd_bytes": 0,
                      "rd_packets": 0, "rd_errors": 0, "rd_drops": 0, "wr_bytes": 0,
                      "wr_packets": 0, "wr_errors": 0, "wr_drops": 0}],
        "type": "hvm", "arch": "x86_64", "machine": "pc-i440fx-7.2", "console": "pty",
        "vnc": {"listen": null, "port": "5900"}, "emulator": "/usr/bin/qemu-system-x86_64",
        "features": ["acpi"],
        "disks": [{"type": "rbd", "name": "vms/test_sda", "dev": "sda", "bus": "scsi",
                   "rd_req": 0, "rd_bytes": 0, "wr_req": 0, "wr_bytes": 0}],
        "controllers": [{"type": "scsi", "model": "virtio-scsi"}],
        "xml": "<domain type='kvm'/>",
    }));
}

#[test]
fn a_network_has_upstreams_shape() {
    same::<Network>(json!({
        "vni": 1001, "description": "net", "type": "managed", "mtu": "", "domain": "net.local",
        "name_servers": ["10.0.0.1"],
        "ip6": {"network": "None", "gateway": "None", "dhcp_flag": "False"},
        "ip4": {"network": "10.1.0.0/24", "gateway": "10.1.0.1", "dhcp_flag": "True",
                "dhcp_start": "10.1.0.100", "dhcp_end": "10.1.0.199"},
    }));
    same::<NetworkLease>(json!({
        "hostname": "web1", "ip4_address": "10.1.0.10", "mac_address": "52:54:00:00:00:01",
        "timestamp": "static",
    }));
    same::<NetworkAcl>(json!({
        "direction": "in", "order": 0, "description": "ssh", "rule": "tcp dport 22 accept",
    }));
}

#[test]
fn a_status_has_upstreams_shape() {
    same::<Status>(json!({
        "cluster_name": "pvc",
        "cluster_health": {"health": 95, "messages": [
            {"id": "NODE_PLUGIN_DPKG_HV1", "health_delta": 5, "text": "old packages"}]},
        "node_health": {"hv1": {"health": "N/A", "messages": ["'disk': full"]}},
        "maintenance": "true", "primary_node": "hv1", "pvc_version": "1.0.3",
        "upstream_ip": "10.0.0.10/24",
        "nodes": {"total": 3, "run,ready": 3}, "vms": {"total": 5, "start": 4, "stop": 1},
        "networks": 4, "osds": {"total": 6, "up,in": 6}, "pools": 1, "volumes": 10,
        "snapshots": 2,
        "resources": {
            "memory": {"total": 1, "free": 1, "used": 1, "allocated": 1, "provisioned": 1,
                       "utilization": 50.25},
            "cpu": {"total": 1, "load": 0.5, "allocated": 1, "utilization": 2.5},
            "disk": {"total": 1, "used": 1, "free": 1, "utilization": 10.5}},
        "detail": {
            "node": [{"name": "hv1", "daemon_state": "run", "domain_state": "ready"}],
            "vm": [{"uuid": "u", "name": "web1", "state": "start"}],
            "osd": [{"id": "0", "up": "up", "in": "in"}],
            "faults": [{"id": "X", "last_reported": "a", "first_reported": "b",
                        "acknowledged_at": "", "status": "new", "health_delta": 5,
                        "message": "m"}]},
    }));
}

#[test]
fn a_refusal_is_a_sentence_or_names_the_argument() {
    let argument: Refusal =
        serde_json::from_value(json!({"message": {"state": "A valid state"}})).unwrap();
    assert_eq!(argument.message.to_string(), "state: A valid state");
    let sentence: Refusal = serde_json::from_value(json!({"message": "VM not found."})).unwrap();
    assert_eq!(sentence.message.to_string(), "VM not found.");
}

#[test]
fn a_client_ignores_what_it_does_not_know_and_misses_nothing_optional() {
    let vm: Vm = serde_json::from_value(json!({
        "name": "a", "uuid": "u", "state": "stop", "node": "hv1", "memory": 1, "vcpu": 1,
        "invented_later": {"x": 1},
    }))
    .unwrap();
    assert_eq!((vm.node_limit, vm.tags.len()), (None, 0));
}
