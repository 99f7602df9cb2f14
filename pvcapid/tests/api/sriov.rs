//! SR-IOV: functions shown and set, and VMs that have them.

use serde_json::json;

use crate::support::{Cluster, DB1, WEB1, definition, encoded};

const VF0: &str = "/nodes/hv1/sriov/vf/ens1f0v0";

/// The example cluster, with a card of two functions in hv1 and one in hv2.
async fn cluster() -> Cluster {
    let cluster = Cluster::new().await;
    for (node, number) in [("hv1", 0), ("hv1", 1), ("hv2", 0)] {
        let card = format!("/nodes/{node}/sriov/pf/ens1f0");
        for (suffix, text) in [("", ""), ("/mtu", "9000"), ("/vfcount", "2")] {
            cluster.write(&format!("{card}{suffix}"), text).await;
        }
        let function = format!("/nodes/{node}/sriov/vf/ens1f0v{number}");
        for (suffix, text) in [
            ("", ""),
            ("/pf", "ens1f0"),
            ("/mtu", "1500"),
            ("/mac", "9e:12:00:00:00:00"),
            ("/phy_mac", "9e:12:00:00:00:00"),
            ("/config", ""),
            ("/config/vlan_id", "0"),
            ("/config/vlan_qos", "0"),
            ("/config/tx_rate_min", "0"),
            ("/config/tx_rate_max", "0"),
            ("/config/spoof_check", "True"),
            ("/config/link_state", "auto"),
            ("/config/trust", "False"),
            ("/config/query_rss", "False"),
            ("/pci/domain", "0000"),
            ("/pci/bus", "3b"),
            ("/pci/slot", "02"),
            ("/pci/function", &number.to_string()),
            ("/used", "False"),
            ("/used_by", ""),
        ] {
            cluster.write(&format!("{function}{suffix}"), text).await;
        }
    }
    cluster
}

/// A definition with one more interface.
fn with(uuid: &str, name: &str, interface: &str) -> String {
    definition(uuid, name, 2048).replace("<console", &format!("{interface}<console"))
}

fn macvtap(function: &str) -> String {
    format!("<interface type='direct'><source dev='{function}' mode='passthrough'/></interface>")
}

fn hostdev(function: &str, number: u32) -> String {
    format!(
        "<interface type='hostdev' managed='yes'><source><address type='pci' domain='0x0000' \
         bus='0x3b' slot='0x02' function='0x{number}'/></source>\
         <sriov_device>{function}</sriov_device></interface>"
    )
}

const NEW: &str = "11111111-2222-4333-8444-555555555555";

async fn defines(cluster: &Cluster, node: &str, interface: &str) -> (u16, String) {
    let form = format!("xml={}&node={node}", encoded(&with(NEW, "new1", interface)));
    let answer = cluster.post("/vm", &form).await;
    (answer.status.as_u16(), answer.message().to_owned())
}

#[tokio::test]
async fn cards_and_functions_are_shown_as_upstreams_clients_expect() {
    let cluster = cluster().await;
    assert_eq!(cluster.get("/sriov").await.is(200).body, json!(null));
    let pfs = json!([{"phy": "ens1f0", "mtu": "9000", "vfs": ["ens1f0v0", "ens1f0v1"]}]);
    for path in ["/sriov/pf?node=hv1", "/sriov/pf/hv1"] {
        assert_eq!(cluster.get(path).await.is(200).body, pfs);
    }
    let vf = json!({
        "phy": "ens1f0v0", "pf": "ens1f0", "mtu": "1500", "mac": "9e:12:00:00:00:00",
        "config": {
            "vlan_id": "0", "vlan_qos": "0", "tx_rate_min": "0", "tx_rate_max": "0",
            "link_state": "auto", "spoof_check": "True", "trust": "False", "query_rss": "False"
        },
        "pci": {"domain": "0000", "bus": "3b", "slot": "02", "function": "0"},
        "usage": {"used": "False", "domain": ""}
    });
    assert_eq!(cluster.get("/sriov/vf/hv1/ens1f0v0").await.is(200).body, json!([vf]));
    for (path, count) in
        [("/sriov/vf?node=hv1", 2), ("/sriov/vf/hv1?pf=ens1f0", 2), ("/sriov/vf/hv2", 1)]
    {
        assert_eq!(cluster.get(path).await.is(200).body.as_array().unwrap().len(), count, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let cluster = cluster().await;
    for (path, status, message) in [
        ("/sriov/pf/hv3", 404, "PF not found."),
        ("/sriov/pf/hv9", 404, "Node not found."),
        ("/sriov/vf/hv1?pf=ens9", 404, "VF not found."),
        ("/sriov/vf/hv9", 400, "ERROR: Specified node 'hv9' is invalid."),
        ("/sriov/vf/hv1/ens1f0v9", 404, "No VF 'ens1f0v9' found on node 'hv1'"),
    ] {
        assert_eq!(cluster.get(path).await.is(status).message(), message);
    }
    cluster.get("/sriov/pf").await.is(400);
    cluster.get("/sriov/vf").await.is(400);
}

#[tokio::test]
async fn settings_are_written_all_or_none() {
    let cluster = cluster().await;
    let form = "vlan_id=100&vlan_qos=3&tx_rate_max=500&link_state=enable&spoof_check=off&trust=yes";
    let answer = cluster.put("/sriov/vf/hv1/ens1f0v0", form).await.is(200);
    assert_eq!(
        answer.message(),
        "Successfully modified configuration of SR-IOV VF 'ens1f0v0' on node 'hv1'."
    );
    let shown = &cluster.get("/sriov/vf/hv1/ens1f0v0").await.body[0]["config"];
    assert_eq!((&shown["vlan_id"], &shown["spoof_check"]), (&json!("100"), &json!("False")));
    for (form, told) in [
        ("vlan_id=7&vlan_qos=8", "expected a whole number from 0 to 7"),
        ("vlan_id=4095", "expected a whole number from 0 to 4094"),
        ("vlan_id=7&tx_rate_min=fast", "expected a whole number"),
        ("vlan_id=-1", "expected a whole number"),
        ("vlan_id=7&link_state=up", "expected auto, enable, disable"),
        ("vlan_id=7&trust=maybe", "expected True or False"),
        ("vlan_id=7&tx_rate_min=501", "more than the greatest, 500"),
        ("", "No changes to apply."),
    ] {
        let answer = cluster.put("/sriov/vf/hv1/ens1f0v0", form).await.is(400);
        assert!(answer.body.to_string().contains(told), "{form}: {answer:?}");
    }
    assert_eq!(cluster.read(&format!("{VF0}/config/vlan_id")).await.unwrap(), "100");
    let answer = cluster.put("/sriov/vf/hv1/ens1f0v9", "vlan_id=7").await.is(400);
    assert_eq!(answer.message(), "ERROR: No VF 'ens1f0v9' found on node 'hv1'.");
}

#[tokio::test]
async fn a_vm_gets_a_function_that_its_node_has_and_nobody_else() {
    let cluster = cluster().await;
    let on = "ERROR: The VM cannot have its interfaces on node";
    for (node, interface, why) in [
        ("hv1", macvtap("ens1f0v9"), "'hv1': it has no VF ens1f0v9."),
        ("hv2", macvtap("ens1f0v1"), "'hv2': it has no VF ens1f0v1."),
        ("hv1", hostdev("ens1f0v9", 7), "'hv1': it has no VF ens1f0v9."),
        (
            "hv1",
            hostdev("ens1f0v0", 1),
            "'hv1': its VF ens1f0v0 is at PCI address 0000:3b:02.0, not at 0000:3b:02.1.",
        ),
    ] {
        assert_eq!(defines(&cluster, node, &interface).await, (400, format!("{on} {why}")));
    }
    assert_eq!(cluster.read(&format!("/domains/{NEW}")).await, None);
    assert_eq!(defines(&cluster, "hv1", &macvtap("ens1f0v0")).await.0, 200);
    let xml = with(WEB1, "web1", &macvtap("ens1f0v0"));
    let answer = cluster.put("/vm/web1", &format!("xml={}", encoded(&xml))).await.is(400);
    assert_eq!(answer.message(), format!("{on} 'hv1': its VF ens1f0v0 is used by VM new1."));
    assert_eq!(answer.body["code"], "vf-in-use");
    let xml = with(WEB1, "web1", &macvtap("ens1f0v1"));
    cluster.put("/vm/web1", &format!("xml={}", encoded(&xml))).await.is(200);
}

#[tokio::test]
async fn a_running_vm_is_given_a_function_that_its_node_has_and_nobody_else() {
    let cluster = cluster().await;
    assert_eq!(defines(&cluster, "hv1", &macvtap("ens1f0v0")).await.0, 200);
    let give = |device: String| {
        let cluster = &cluster;
        async move { cluster.post("/vm/web1/device", &format!("xml={}", encoded(&device))).await }
    };
    for (device, code) in [
        (macvtap("ens1f0v9"), "no-such-vf"),
        (hostdev("ens1f0v1", 0), "vf-elsewhere"),
        (macvtap("ens1f0v0"), "vf-in-use"),
    ] {
        assert_eq!(give(device.clone()).await.is(400).body["code"], code, "{device}");
    }
    give(macvtap("ens1f0v1")).await.is(202);
    let xml = with(WEB1, "web1", &hostdev("ens1f0v1", 1));
    cluster.put("/vm/web1", &format!("xml={}", encoded(&xml))).await.is(200);
    give(hostdev("ens1f0v1", 1)).await.is(202);
    // What a VM has it can be rid of, whatever became of it.
    let lost = encoded(&macvtap("ens1f0v9"));
    cluster.delete(&format!("/vm/web1/device?xml={lost}")).await.is(202);
}

#[tokio::test]
async fn a_vm_moves_only_to_a_node_that_has_its_function_free() {
    let cluster = cluster().await;
    assert_eq!(defines(&cluster, "hv1", &macvtap("ens1f0v1")).await.0, 200);
    let moved = |vm: &'static str| {
        let cluster = &cluster;
        async move { cluster.post(&format!("/vm/{vm}/node"), "action=move&node=hv2").await }
    };
    let answer = moved("new1").await.is(400);
    assert_eq!(
        answer.message(),
        "ERROR: VM 'new1' cannot have its interfaces on node 'hv2': it has no VF ens1f0v1."
    );
    assert_eq!(cluster.read(&format!("/domains/{NEW}/node")).await.unwrap(), "hv1");
    let xml = with(NEW, "new1", &macvtap("ens1f0v0"));
    cluster.put("/vm/new1", &format!("xml={}", encoded(&xml))).await.is(200);
    let xml = with(DB1, "db1", &macvtap("ens1f0v0"));
    cluster.put("/vm/db1", &format!("xml={}", encoded(&xml))).await.is(200);
    let answer = moved("new1").await.is(400);
    assert!(answer.message().ends_with("its VF ens1f0v0 is used by VM db1."), "{answer:?}");
    let xml = definition(DB1, "db1", 2048);
    cluster.put("/vm/db1", &format!("xml={}", encoded(&xml))).await.is(200);
    moved("new1").await.is(200);
}

#[tokio::test]
async fn a_vm_with_hardware_moves_by_shutdown_only() {
    let cluster = cluster().await;
    let method = format!("/domains/{NEW}/migration_method");
    assert_eq!(defines(&cluster, "hv1", &hostdev("ens1f0v0", 0)).await.0, 200);
    assert_eq!(cluster.read(&method).await.unwrap(), "shutdown");
    let answer = cluster.post("/vm/new1/meta", "migration_method=live").await.is(400);
    assert_eq!(
        answer.message(),
        "ERROR: VM 'new1' has hardware of its node, with which it can only move by shutdown."
    );
    let form = "action=migrate&node=hv2&force_live=true";
    let answer = cluster.post("/vm/new1/node", form).await.is(400);
    assert_eq!(answer.body["code"], "has-hardware");
    let web1 = format!("/domains/{WEB1}/migration_method");
    let xml = with(WEB1, "web1", &hostdev("ens1f0v1", 1));
    cluster.put("/vm/web1", &format!("xml={}", encoded(&xml))).await.is(200);
    assert_eq!(cluster.read(&web1).await.unwrap(), "shutdown");
}

#[tokio::test]
async fn two_that_want_the_same_function_at_once_do_not_both_get_it() {
    let cluster = cluster().await;
    let change = |vm: &'static str, uuid: &'static str| {
        let xml = with(uuid, vm, &macvtap("ens1f0v0"));
        let cluster = &cluster;
        async move { cluster.put(&format!("/vm/{vm}"), &format!("xml={}", encoded(&xml))).await }
    };
    assert_eq!(defines(&cluster, "hv1", "").await.0, 200);
    let (a, b) = tokio::join!(change("web1", WEB1), change("new1", NEW));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}
