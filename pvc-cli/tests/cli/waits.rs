//! `--wait`: it ends when the goal is reached, and its exit code tells the truth.

use serde_json::{Value, json};

use crate::support::{Desk, fixture};

fn vm(state: &str, node: &str) -> Value {
    json!([{"name": "web1", "uuid": "u", "state": state, "node": node, "last_node": "hv3",
            "memory": 1, "vcpu": 1, "failed_reason": if state == "fail" { "no disk" } else { "" }}])
}

fn node(domain_state: &str, vms: u32) -> Value {
    let mut node = fixture("nodes.json")[0].clone();
    node["domain_state"] = domain_state.into();
    node["domains_count"] = vms.into();
    json!([node])
}

#[test]
fn a_flush_is_followed_until_the_node_is_empty() {
    let desk = Desk::new();
    desk.api.on("POST /node/hv1/domain-state", 200, json!({"message": "Removing node hv1"}));
    for (state, vms) in [("ready", 2), ("flush", 2), ("flush", 1), ("flushed", 0)] {
        desk.api.on("GET /node/hv1", 200, node(state, vms));
    }
    let ended = desk.lab("node flush hv1 --wait");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "Node hv1 is out of service.\n");
    let told = ended.stderr.lines().skip(2).collect::<Vec<_>>();
    let expected = [
        "Removing node hv1",
        "hv1: ready, waiting for it to begin",
        "hv1: flush, 2 VMs left",
        "hv1: flush, 1 VM left",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_cancelled_flush_has_failed() {
    let desk = Desk::new();
    desk.api.on("POST /node/hv1/domain-state", 200, json!({"message": "Removing node hv1"}));
    desk.api.on("GET /node/hv1", 200, node("flush", 2));
    desk.api.on("GET /node/hv1", 200, node("unflush", 1));
    let ended = desk.lab("node flush hv1 --wait");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("was set to unflush meanwhile"), "{ended:?}");
}

#[test]
fn a_migration_is_followed_to_its_target() {
    let desk = Desk::new();
    desk.api.on("POST /vm/web1/node", 200, json!({"message": "Migrating VM 'web1'"}));
    desk.api.on("GET /vm/web1", 200, vm("start", "hv1"));
    desk.api.on("GET /vm/web1", 200, vm("migrate", "hv2"));
    desk.api.on("GET /vm/web1", 200, vm("start", "hv2"));
    let ended = desk.lab("vm migrate web1 --wait");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "VM 'web1' is on node 'hv2'.\n");
    assert_eq!(
        desk.asked()[1],
        "POST /vm/web1/node?action=migrate&force=false&wait=false&force_live=false"
    );
}

#[test]
fn a_vm_that_fails_on_the_way_ends_with_its_reason() {
    let desk = Desk::new();
    desk.api.on("POST /vm/web1/state", 200, json!({"message": "Restarting VM 'web1'."}));
    desk.api.on("GET /vm/web1", 200, vm("restart", "hv1"));
    desk.api.on("GET /vm/web1", 200, vm("fail", "hv1"));
    let ended = desk.lab("vm restart web1 --wait --yes");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("failed on node 'hv1': no disk"), "{ended:?}");
}

#[test]
fn waiting_survives_an_api_that_is_away_for_a_moment() {
    let desk = Desk::new();
    desk.api.on("POST /vm/web1/state", 200, json!({"message": "Shutting down VM 'web1'"}));
    desk.api.on("GET /vm/web1", 200, vm("shutdown", "hv1"));
    for _ in 0..3 {
        desk.api.on("GET /vm/web1", 503, "{}");
    }
    desk.api.on("GET /vm/web1", 200, vm("stop", "hv1"));
    let ended = desk.lab("vm shutdown web1 -w -y");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "Shut down VM 'web1'.\n"));
    assert!(ended.stderr.contains("the API does not answer"), "{ended:?}");
}

#[test]
fn a_request_that_is_refused_is_not_waited_for() {
    let desk = Desk::new();
    desk.api.on("GET /vm/web1", 200, vm("start", "hv1"));
    desk.api.on("POST /vm/web1/node", 400, json!({"message": "ERROR: no valid target"}));
    let ended = desk.lab("vm move web1 -w");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("no valid target"), "{ended:?}");
}

#[test]
fn without_waiting_the_apis_message_is_the_result() {
    let desk = Desk::new();
    desk.api.on("POST /node/hv2/coordinator-state", 200, json!({"message": "Setting node hv2"}));
    assert_eq!(desk.lab("node primary hv2").stdout, "Setting node hv2\n");
    assert_eq!(desk.asked(), ["POST /node/hv2/coordinator-state?state=primary"]);
}

#[test]
fn a_failed_task_exits_with_one() {
    let desk = Desk::new();
    desk.api.on(
        "GET /tasks/abc",
        200,
        json!({"state": "RUNNING", "current": 1, "total": 4, "status": "copying"}),
    );
    desk.api.on(
        "GET /tasks/abc",
        200,
        json!({"state": "FAILURE", "current": 1, "total": 1, "status": "TaskFailure: no space"}),
    );
    let ended = desk.lab("cluster task abc");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("[#####---------------]  25%  copying"), "{ended:?}");
    assert!(ended.stderr.contains("FAILURE: TaskFailure: no space"), "{ended:?}");
}

#[test]
fn who_is_primary_is_told_by_the_exit_code_alone() {
    let desk = Desk::new();
    desk.api.on("GET /status/primary_node", 204, "");
    desk.api.on("GET /status/primary_node", 200, json!({"primary_node": "hv1"}));
    let yes = desk.lab("node is-primary hv1");
    assert_eq!((yes.code, yes.stdout.as_str(), yes.stderr.as_str()), (Some(0), "", ""));
    let no = desk.lab("node is-primary hv2");
    assert_eq!((no.code, no.stdout.as_str(), no.stderr.as_str()), (Some(1), "", ""));
}

#[test]
fn a_fence_is_followed_to_its_end_even_while_the_api_moves() {
    let desk = Desk::new();
    let fence = |phase: &str| {
        let mut fence = fixture("fences.json")[0].clone();
        fence["phase"] = phase.into();
        fence["moved"] = json!([{"vm": "u", "name": "web1", "to": "hv1"}]);
        fence["evidence"][0]["verdict"] = "proved".into();
        json!([fence, fixture("fences.json")[1]])
    };
    desk.api.on("GET /fence", 200, json!([fixture("fences.json")[1]]));
    desk.api.on("POST /node/hv3/fence", 200, json!({"message": "Ordered the fence"}));
    desk.api.on("GET /fence", 200, json!([fixture("fences.json")[1]]));
    desk.api.on("GET /fence", 200, fence("proving"));
    for _ in 0..3 {
        desk.api.on("GET /fence", 503, "{}");
    }
    desk.api.on("GET /fence", 200, fence("recovering"));
    desk.api.on("GET /fence", 200, fence("finished"));
    let ended = desk.lab("node fence start hv3 --yes --wait");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "Node hv3 is fenced, proved by ipmi: 1 VM moved.\n");
    let told = ended.stderr.lines().skip(2).collect::<Vec<_>>();
    let expected = [
        "Ordered the fence",
        "hv3: ordered, waiting for a coordinator",
        "hv3: proving",
        "the API does not answer",
        "hv3: recovering, proved by ipmi: 1 VM moved",
    ];
    assert_eq!(told, expected);
}
