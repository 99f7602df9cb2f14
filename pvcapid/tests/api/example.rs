//! Upstream's example tree, with two more nodes and a second VM.

use crate::support::{DB1, WEB1, definition};

const STATS: &str = r#"{"state":"RUNNING","mem_stats":{"actual":2097152,"rss":500000},
    "cpu_stats":{"cpu_time":17},
    "disk_stats":[{"name":"/var/web1.img","rd_req":1,"rd_bytes":2,"wr_req":3,"wr_bytes":4}],
    "net_stats":[{"name":"tap0","bridge":"vmbr1001","rd_bytes":5,"wr_packets":6}]}"#;

const NETWORK_STATS: &str = r#"{"ens4":{"rx_bps":1,"rx_pps":2,"tx_bps":3,"tx_pps":4,
    "total_bps":4,"total_pps":6,"link_speed":10000000000,"state":"up"}}"#;

const CLUSTER: &[(&str, &str)] = &[
    ("/schema/version", "18"),
    ("/config", "pvc1"),
    ("/config/maintenance", "false"),
    ("/config/primary_node", "hv1"),
    ("/config/primary_node/sync_lock", ""),
    ("/config/fence_lock", ""),
    ("/config/upstream_ip", "10.0.0.250/24"),
    ("/config/migration_target_selector", "mem"),
    ("/networks/1001", "office"),
    ("/networks/1001/nettype", "managed"),
    ("/tasks", ""),
    ("/ceph/osds/0", ""),
    (
        "/ceph/osds/0/stats",
        r#"{"up":1,"in":1,"kb":100,"kb_used":20,"kb_avail":80,"utilization":20.5}"#,
    ),
    ("/ceph/osds/1", ""),
    ("/ceph/osds/1/stats", r#"{"uuid":"|","utilization":"|","up":0,"in":0}"#),
    ("/ceph/pools/vms", ""),
    ("/ceph/volumes/vms/web1_sda", ""),
    ("/ceph/snapshots/vms/web1_sda/snap1", ""),
    ("/faults/NODE_PLUGIN_DPKG_HV2", ""),
    ("/faults/NODE_PLUGIN_DPKG_HV2/status", "new"),
    ("/faults/NODE_PLUGIN_DPKG_HV2/delta", "5"),
    ("/faults/NODE_PLUGIN_DPKG_HV2/message", "old packages"),
    ("/faults/NODE_PLUGIN_DPKG_HV2/first_time", "2024-01-01 00:00:00"),
    ("/faults/NODE_PLUGIN_DPKG_HV2/last_time", "2024-01-02 00:00:00"),
    ("/faults/NODE_PLUGIN_DPKG_HV2/ack_time", ""),
    ("/faults/VM_FAILED_DB1", ""),
    ("/faults/VM_FAILED_DB1/status", "ack"),
    ("/faults/VM_FAILED_DB1/delta", "10"),
    ("/faults/VM_FAILED_DB1/message", "db1 failed"),
    ("/faults/VM_FAILED_DB1/first_time", "2024-01-03 00:00:00"),
    ("/faults/VM_FAILED_DB1/last_time", "2024-01-03 00:00:00"),
    ("/faults/VM_FAILED_DB1/ack_time", "2024-01-04 00:00:00"),
    ("/logs/hv1/messages", "one\ntwo\nthree"),
];

/// What web1 has and db1 has not.
const WEB1_ONLY: &[(&str, &str)] = &[
    ("/claim", "hv1"),
    ("/snapshots/s1", "s1"),
    ("/snapshots/s1/timestamp", "1700000000.5"),
    ("/snapshots/s1/xml", "<domain/>"),
    ("/snapshots/s1/rbdsnaplist", "vms/web1_sda@s1"),
    ("/tags/backup", "backup"),
    ("/tags/backup/type", "user"),
    ("/tags/backup/protected", "True"),
];

/// Every path with its text, parents first.
pub(crate) fn example() -> Vec<(String, String)> {
    let text = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    let mut tree: Vec<_> = CLUSTER.iter().map(text).collect();
    tree.extend(node("hv1", "coordinator", "primary", "ready"));
    tree.extend(node("hv2", "coordinator", "secondary", "ready"));
    tree.extend(node("hv3", "hypervisor", "client", "flushed"));
    tree.extend(vm(WEB1, "web1", "hv1", "start"));
    tree.extend(vm(DB1, "db1", "hv2", "stop"));
    let path =
        |(suffix, text): &(&str, &str)| (format!("/domains/{WEB1}{suffix}"), (*text).to_owned());
    tree.extend(WEB1_ONLY.iter().map(path));
    tree
}

fn node(node: &str, mode: &str, part: &str, domain: &str) -> Vec<(String, String)> {
    let runs_web1 = node == "hv1";
    let complains = node == "hv2";
    let texts = [
        ("", mode),
        ("/keepalive", "1700000005"),
        ("/daemonmode", mode),
        ("/daemonstate", "run"),
        ("/routerstate", part),
        ("/domainstate", domain),
        ("/staticdata", "16 6.1.0-18-amd64 GNU/Linux x86_64"),
        ("/pvcversion", "1.0.3"),
        ("/activeschema", "15"),
        ("/latestschema", "15"),
        ("/runningdomains", if runs_web1 { WEB1 } else { "" }),
        ("/domainscount", if runs_web1 { "1" } else { "0" }),
        ("/memtotal", "64000"),
        ("/memused", "9000"),
        ("/memfree", "54000"),
        ("/memalloc", "2048"),
        ("/memprov", "4096"),
        ("/vcpualloc", "2"),
        ("/cpuload", "0.42"),
        ("/ipmipassword", "hunter2"),
        ("/monitoring_plugins", "disk load"),
        ("/monitoring_health", if complains { "95" } else { "None" }),
        ("/monitoring_data/load", ""),
        ("/monitoring_data/load/last_run", "1700000000"),
        ("/monitoring_data/load/health_delta", if complains { "5" } else { "0" }),
        ("/monitoring_data/load/message", "Current load is 0.42"),
        ("/monitoring_data/load/data", "{\"load\": 0.42}"),
        ("/monitoring_data/load/runtime", "0.01"),
        ("/network_stats", NETWORK_STATS),
    ];
    texts.map(|(suffix, text)| (format!("/nodes/{node}{suffix}"), text.to_owned())).into()
}

fn vm(uuid: &str, name: &str, node: &str, state: &str) -> Vec<(String, String)> {
    let runs = state == "start";
    let xml = definition(uuid, name, 2048);
    let texts = [
        ("", name),
        ("/xml", &xml),
        ("/state", state),
        ("/node", node),
        ("/lastnode", ""),
        ("/failedreason", ""),
        ("/rbdlist", ""),
        ("/profile", "None"),
        ("/stats", if runs { STATS } else { "" }),
        ("/consolelog", "login:\nroot\n# "),
        ("/vnc", if runs { "0.0.0.0:5900" } else { "" }),
        ("/node_autostart", "False"),
        ("/migration_method", "none"),
        ("/migration_max_downtime", "300"),
        ("/node_selector", "none"),
        ("/node_limit", if runs { "hv1,hv2" } else { "" }),
        ("/snapshots", ""),
        ("/migrate_sync_lock", ""),
        ("/tags", ""),
    ];
    texts.map(|(suffix, text)| (format!("/domains/{uuid}{suffix}"), text.to_owned())).into()
}
