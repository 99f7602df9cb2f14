//! What Prometheus is told.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;

use crate::exposition::{Family, read};
use crate::support::{Cluster, DB1, WEB1, definition};

const UPSTREAM: &str = include_str!("upstream-metrics.txt");
/// What is served beside upstream's metrics, by page.
const OURS: [(&str, &str); 8] = [
    ("health", "pvc_node_fenceable"),
    ("health", "pvc_node_suspected_by"),
    ("health", "pvc_fences_in_progress"),
    ("health", "pvc_fences"),
    ("resource", "pvc_network_dhcp_leases"),
    ("resource", "pvc_network_dhcp6_leases"),
    ("resource", "pvc_network_dhcp_addresses"),
    ("resource", "pvc_network_dhcp_addresses_used"),
];

/// The statistics that upstream knows of.
const VM_STATS: &str = r#"{"cpu_stats":{"cpu_time":17,"user_time":5,"system_time":6},
    "mem_stats":{"actual":1,"rss":2,"unused":3,"available":4,"usable":5,"disk_caches":6,
    "swap_in":7,"swap_out":8,"major_fault":9,"minor_fault":10,"hugetlb_pgalloc":11,
    "hugetlb_pgfail":12},
    "disk_stats":[{"name":"/var/web1.img","rd_req":1,"rd_bytes":2,"wr_req":3,"wr_bytes":4}],
    "net_stats":[{"name":"tap0","bridge":"vmbr1001","rd_bytes":5,"wr_packets":6}]}"#;
const OSD_STATS: &str = r#"{"up":1,"in":1,"utilization":20.456,"var":1.01,"pgs":64,"kb":100,
    "kb_used":20,"kb_used_data":15,"kb_used_omap":1,"kb_used_meta":4,"kb_avail":80,"weight":1.0,
    "reweight":1.0,"class":"ssd","wr_ops":1,"wr_data":2,"rd_ops":3,"rd_data":4}"#;
const POOL_STATS: &str = r#"{"id":1,"stored_bytes":1,"free_bytes":2,"used_bytes":3,
    "used_percent":33.333,"num_objects":4,"num_object_clones":5,"num_object_copies":6,
    "num_objects_missing_on_primary":7,"num_objects_unfound":8,"num_objects_degraded":9,
    "read_ops":10,"read_bytes":11,"write_ops":12,"write_bytes":13}"#;

/// A page, asked for without a token.
async fn page(cluster: &Cluster, path: &str) -> String {
    let request = Request::get(format!("/api/v1/metrics{path}")).body(Body::empty()).unwrap();
    let answer = cluster.send(request).await.is(200);
    let format = answer.headers[CONTENT_TYPE].to_str().unwrap();
    assert!(format.starts_with("text/plain"), "{format}");
    answer.body.as_str().unwrap().to_owned()
}

/// The numbers of a metric by one of its labels.
fn by<'a>(family: &'a Family, label: &str) -> Vec<(&'a str, &'a str)> {
    let samples = family.samples.iter();
    samples.map(|(labels, number)| (labels[label].as_str(), number.as_str())).collect()
}

/// Asserts that a page has these lines.
#[track_caller]
fn has(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|one| one == *line), "{line} is not in\n{page}");
    }
}

#[tokio::test]
async fn every_metric_of_upstream_is_served_with_its_labels() {
    let cluster = Cluster::new().await;
    cluster.write(&format!("/domains/{WEB1}/stats"), VM_STATS).await;
    cluster.write("/ceph/osds/0/stats", OSD_STATS).await;
    cluster.write("/ceph/pools/vms/pgs", "64").await;
    cluster.write("/ceph/pools/vms/stats", POOL_STATS).await;
    for path in ["health", "resource"] {
        let served = read(&page(&cluster, &format!("/{path}")).await);
        let mut known = Vec::new();
        for line in UPSTREAM.lines().filter(|line| line.split(' ').next() == Some(path)) {
            let mut words = line.split(' ').skip(1);
            let name = words.next().unwrap();
            let mut labels: Vec<_> = words.collect();
            labels.sort_unstable();
            let family = served.get(name).unwrap_or_else(|| panic!("{name} is not served"));
            assert!(!family.samples.is_empty(), "{name} has no samples");
            for (found, _) in &family.samples {
                assert_eq!(found.keys().collect::<Vec<_>>(), labels, "{name}");
            }
            known.push(name);
        }
        known.extend(OURS.iter().filter(|(page, _)| *page == path).map(|(_, name)| name));
        known.sort_unstable();
        assert_eq!(served.keys().collect::<Vec<_>>(), known, "nothing else is served");
    }
}

#[tokio::test]
async fn the_health_page_counts_the_cluster() {
    let text = page(&Cluster::new().await, "/health").await;
    read(&text);
    has(
        &text,
        &[
            r#"pvc_info{primary_node="hv1",version="1.0.3",upstream_ip="10.0.0.250/24"} 1"#,
            "pvc_cluster_maintenance 0",
            "pvc_cluster_health 93",
            r#"pvc_cluster_faults{status="new"} 1"#,
            r#"pvc_cluster_faults{status="ack"} 1"#,
            r#"pvc_node_health{node="hv2"} 95"#,
            r#"pvc_node_daemon_states{state="run"} 3"#,
            r#"pvc_node_daemon_states{state="fenced"} 0"#,
            r#"pvc_node_domain_states{state="flushed"} 1"#,
            r#"pvc_vm_states{state="start"} 1"#,
            r#"pvc_vm_states{state="mirror"} 0"#,
            r#"pvc_ceph_osd_up_states{state="up"} 1"#,
            r#"pvc_ceph_osd_up_states{state="down"} 0"#,
            r#"pvc_ceph_osd_up_states{state="unknown"} 1"#,
            r#"pvc_ceph_osd_in_states{state="out"} 0"#,
            r#"pvc_ceph_osd_in_states{state="unknown"} 1"#,
            "pvc_nodes 3",
            "pvc_vms 2",
            "pvc_osds 2",
            "pvc_networks 1",
            "pvc_pools 1",
            "pvc_volumes 1",
            "pvc_snapshots 1",
        ],
    );
    assert!(!text.contains(r#"pvc_node_health{node="hv1"}"#), "nobody has checked hv1");
}

#[tokio::test]
async fn the_resource_page_measures_the_cluster() {
    let text = page(&Cluster::new().await, "/resource").await;
    read(&text);
    has(
        &text,
        &[
            // 0.42 of 16 processors; 27,000 MiB and so on of 192,000 less one node's 64,000.
            "pvc_cluster_cpu_utilization 2.63",
            "pvc_cluster_memory_real_utilization 21.09",
            "pvc_cluster_memory_allocated_utilization 4.80",
            "pvc_cluster_memory_provisioned_utilization 9.60",
            "pvc_cluster_disk_utilization 10.25",
            "# HELP pvc_node_load_average Load average of a node in the last minute",
            "# TYPE pvc_node_load_average gauge",
            r#"pvc_node_load_average{node="hv1"} 0.42"#,
            r#"pvc_node_kernel{node="hv1",kernel="6.1.0-18-amd64"} 1"#,
            r#"pvc_node_used_memory_utilization{node="hv1"} 14.06"#,
            r#"pvc_vm_state{vm="web1",state="start"} 0"#,
            r#"pvc_vm_state{vm="db1",state="stop"} 7"#,
            r#"pvc_vm_tags{vm="web1",tags="backup"} 1"#,
            r#"pvc_vm_migrated{vm="web1",last_node=""} 0"#,
            r#"pvc_vm_vnc_listen_port{vm="web1"} 5900"#,
            r#"pvc_vm_memory{vm="web1"} 2048"#,
            r#"pvc_vm_memory_stats_rss{vm="web1"} 500000"#,
            r#"pvc_vm_network_rd_bits{vm="web1",vni="1001"} 40"#,
            r#"pvc_vm_disk_wr_bytes{vm="web1",disk="sda"} 4"#,
            r#"pvc_ceph_osd_util{osd="0"} 20.50"#,
            r#"pvc_ceph_pool_volumes{pool="vms"} 1"#,
        ],
    );
    assert!(!text.contains(r#"rss{vm="db1"}"#), "a stopped VM takes no memory");
}

#[tokio::test]
async fn the_whole_page_is_both_in_one() {
    let cluster = Cluster::new().await;
    let parts = page(&cluster, "/health").await + &page(&cluster, "/resource").await;
    let whole = page(&cluster, "").await;
    assert_eq!(whole, parts);
    read(&whole);
}

#[tokio::test]
async fn states_that_upstream_does_not_expect_break_nothing() {
    let cluster = Cluster::new().await;
    for (state, number, shown) in [
        ("migrate-live", "1", "migrate-live"),
        ("delete", "11", "delete"),
        ("paused", "100", "unknown"),
        ("", "100", "unknown"),
    ] {
        cluster.write(&format!("/domains/{DB1}/state"), state).await;
        let whole = read(&page(&cluster, "").await);
        let of_db1 = whole["pvc_vm_state"].samples.iter().find(|(of, _)| of["vm"] == "db1");
        let (labels, found) = of_db1.unwrap();
        assert_eq!((labels["state"].as_str(), found.as_str()), (shown, number), "{state}");
        let counts = by(&whole["pvc_vm_states"], "state");
        assert!(counts.contains(&(shown, "1")), "{state}: {counts:?}");
    }
}

#[tokio::test]
async fn no_description_can_forge_a_metric() {
    let cluster = Cluster::new().await;
    let hostile = "\"} 1\npvc_cluster_health 100\n# TYPE pvc_x counter\\\n{a=\"b\",vm=\"db1\"} é";
    let escaped = hostile.replace('"', "&quot;").replace('\n', "&#10;");
    let xml = definition(WEB1, "web1", 2048)
        .replace("<memory", &format!("<description>{escaped}</description><memory"));
    cluster.write(&format!("/domains/{WEB1}/xml"), &xml).await;
    cluster.write(&format!("/domains/{WEB1}/failedreason"), "\\\"\n").await;
    let whole = read(&page(&cluster, "").await);
    let descriptions = by(&whole["pvc_vm_description"], "description");
    assert!(descriptions.contains(&(hostile, "1")), "{descriptions:?}");
    let reasons = by(&whole["pvc_vm_failed_reason"], "failed_reason");
    assert!(reasons.contains(&("\\\"\n", "1")), "{reasons:?}");
    assert_eq!(whole["pvc_cluster_health"].samples.len(), 1);
}

#[tokio::test]
async fn vms_without_a_name_of_their_own_are_told_apart_by_their_uuids() {
    let cluster = Cluster::new().await;
    for (text, names) in [("db2", ["db2", "web1"]), ("web1", [WEB1, DB1]), ("", [DB1, "web1"])] {
        cluster.write(&format!("/domains/{DB1}"), text).await;
        let resource = read(&page(&cluster, "/resource").await);
        let mut found: Vec<_> = by(&resource["pvc_vm_memory"], "vm");
        found.sort_unstable();
        assert_eq!(found, names.map(|name| (name, "2048")), "{text}");
    }
}

#[tokio::test]
async fn whoever_asks_is_answered_in_turn_even_after_one_who_has_gone() {
    let cluster = Cluster::new().await;
    for _ in 0..20 {
        // Most go before they have their page, but some pages are faster.
        drop(tokio::time::timeout(Duration::ZERO, page(&cluster, "")).await);
    }
    let pages = tokio::join!(page(&cluster, ""), page(&cluster, ""), page(&cluster, ""));
    assert!(pages.0 == pages.1 && pages.1 == pages.2);
}

#[tokio::test]
async fn an_empty_cluster_has_metrics_too() {
    let whole = read(&page(&Cluster::empty().await, "").await);
    assert_eq!(whole["pvc_vms"].samples, [(<_>::default(), "0".to_owned())]);
    assert_eq!(whole["pvc_cluster_cpu_utilization"].samples, [(<_>::default(), "0.00".to_owned())]);
    assert!(whole["pvc_vm_state"].samples.is_empty());
}

#[tokio::test]
async fn there_are_no_metrics_where_they_are_switched_off() {
    let cluster = Cluster::without_metrics().await;
    for path in ["", "/health", "/resource", "/ceph", "/zookeeper"] {
        cluster.get(&format!("/metrics{path}")).await.is(404);
    }
    cluster.get("/status").await.is(200);
}
