//! SR-IOV: what is asked and sent.

use serde_json::json;

use crate::support::{Desk, fixture};

#[test]
fn functions_are_listed_for_a_node_and_a_card() {
    let desk = Desk::new();
    desk.api.on("GET /sriov/pf/hv1", 200, fixture("sriov-pfs.json"));
    desk.api.on("GET /sriov/vf/hv1", 200, fixture("sriov-vfs.json"));
    let ended = desk.lab("network sriov pf list hv1");
    assert!(ended.stdout.contains("ens1f0v0, ens1f0v1, ens1f0v2"), "{ended:?}");
    let ended = desk.lab("network sriov vf list hv1 ens1f0");
    assert!(ended.stdout.contains("6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10"), "{ended:?}");
    assert_eq!(desk.asked(), ["GET /sriov/pf/hv1", "GET /sriov/vf/hv1?pf=ens1f0"]);
}

#[test]
fn a_node_without_functions_is_no_failure_and_a_missing_function_is() {
    let desk = Desk::new();
    let missing = json!({"message": "VF not found.", "code": "not-found"});
    desk.api.on("GET /sriov/vf/hv1", 404, missing.clone());
    desk.api.on("GET /sriov/vf/hv1/ens1f0v9", 404, missing);
    desk.api.on("GET /sriov/pf/hv1", 404, json!({"message": "PF not found."}));
    desk.api.on("GET /node/hv1", 200, json!([{"name": "hv1"}]));
    for (list, told) in [
        ("vf list hv1", "There are no VFs that match."),
        ("pf list hv1", "Node 'hv1' has no PFs: `sriov_enable` is off there, or no card"),
    ] {
        let ended = desk.lab(&format!("network sriov {list}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
        assert!(ended.stderr.contains(told), "{ended:?}");
    }
    for kind in ["pf", "vf"] {
        desk.api.on(&format!("GET /sriov/{kind}/hv9"), 404, json!({"message": "Not found."}));
        desk.api.on("GET /node/hv9", 404, json!({"message": "Node not found."}));
        let ended = desk.lab(&format!("network sriov {kind} list hv9"));
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("Node \"hv9\" not found."), "{ended:?}");
    }
    let ended = desk.lab("network sriov vf info hv1 ens1f0v9");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("SR-IOV VF \"ens1f0v9\" not found on node \"hv1\"."),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("`pvc network sriov vf list hv1`"), "{ended:?}");
}

#[test]
fn only_what_is_given_is_set() {
    let desk = Desk::new();
    desk.api.on("PUT /sriov/vf/hv1/ens1f0v1", 200, json!({"message": "done"}));
    let options = "--vlan-id 100 --tx-rate-max 0 --link-state enable --spoof-check off --trust on";
    let ended = desk.lab(&format!("network sriov vf set hv1 ens1f0v1 {options}"));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "done\n"), "{ended:?}");
    let request = "PUT /sriov/vf/hv1/ens1f0v1?vlan_id=100&tx_rate_max=0&link_state=enable\
                   &spoof_check=false&trust=true";
    assert_eq!(desk.asked(), [request]);
}

#[test]
fn what_makes_no_sense_is_not_sent() {
    let desk = Desk::new();
    for options in ["", "--vlan-id 4095", "--vlan-qos 8", "--trust maybe", "--link-state up"] {
        let ended = desk.lab(&format!("network sriov vf set hv1 ens1f0v1 {options}"));
        assert_eq!(ended.code, Some(2), "{options}: {ended:?}");
    }
    assert_eq!(desk.asked(), [""; 0]);
}
