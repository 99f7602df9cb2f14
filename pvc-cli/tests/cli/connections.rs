//! The store of connections.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{Desk, end, fixture};

fn stored(desk: &Desk) -> Value {
    let text = fs::read_to_string(desk.path("store/pvc.json")).expect("the store exists");
    serde_json::from_str(&text).expect("the store is JSON")
}

#[test]
fn a_connection_is_stored_for_its_owner_alone() {
    let desk = Desk::empty();
    let added = desk.run("connection add lab -a 10.0.0.1 -k hunter2 -d Lab --ssl");
    assert_eq!(added.code, Some(0), "{added:?}");
    assert!(!added.stdout.contains("hunter2"));
    let file = desk.path("store/pvc.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let expected = json!({"lab": {"api_key": "hunter2", "description": "Lab",
        "host": "10.0.0.1", "port": 7370, "scheme": "https"}});
    assert_eq!(stored(&desk), expected);
    assert!(
        fs::read_to_string(&file).unwrap().starts_with("{\n    \"lab\": {\n        \"api_key\"")
    );
}

#[test]
fn the_environment_can_set_the_stores_permissions() {
    let desk = Desk::empty();
    let mut command = desk.command("connection add lab -a 10.0.0.1");
    command.env("PVC_CLIENT_DB_PERMS", "640");
    assert_eq!(end(command, "").code, Some(0));
    let mode = fs::metadata(desk.path("store/pvc.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let mut command = desk.command("connection list");
    command.env("PVC_CLIENT_DB_PERMS", "rw");
    let ended = end(command, "");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("PVC_CLIENT_DB_PERMS"), "{ended:?}");
}

#[test]
fn what_this_client_does_not_understand_survives_a_change() {
    let desk = Desk::empty();
    fs::create_dir(desk.path("store")).unwrap();
    desk.file(
        "store/pvc.json",
        r#"{"other": {"future": [1]}, "old": {"description": "d",
        "host": "h", "port": "7370", "scheme": "http", "api_key": ""}}"#,
    );
    assert_eq!(desk.run("connection add lab -a 10.0.0.1").code, Some(0));
    assert_eq!(stored(&desk)["other"], json!({"future": [1]}));
    let list = desk.run("connection list -f raw");
    assert_eq!(list.stdout, "lab\nold\n");
    assert!(list.stderr.contains("\"other\""), "{list:?}");
}

#[test]
fn a_removed_connection_is_gone() {
    let desk = Desk::new();
    assert_eq!(desk.run("connection remove lab").code, Some(0));
    let again = desk.run("connection remove lab");
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("No connection \"lab\" found"), "{again:?}");
    let unknown = desk.lab("node list");
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("Invalid connection \"lab\" specified"), "{unknown:?}");
}

#[test]
fn keys_are_listed_only_on_demand() {
    let desk = Desk::new();
    assert!(!desk.run("connection list").stdout.contains("secret"));
    assert!(desk.run("connection list -k").stdout.contains("secret"));
    let json: Value = serde_json::from_str(&desk.run("connection list -f json").stdout).unwrap();
    assert_eq!(json[0]["api_key"], "xxxxxx");
}

#[test]
fn a_key_can_be_given_without_showing_it_in_the_list_of_processes() {
    let desk = Desk::empty();
    let ended = end(desk.command("connection add lab -a 10.0.0.1 -k -"), "hunter2\n");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(stored(&desk)["lab"]["api_key"], "hunter2");
}

#[test]
fn this_machines_own_api_needs_no_connection() {
    let desk = Desk::empty();
    desk.api.on("GET /node", 200, fixture("nodes.json"));
    desk.api.demand_key("local-key");
    let config = desk.file(
        "pvcapid.yaml",
        &format!(
            "pvc:\n  coordinators: [hv1]\n  api:\n    listen_address: 0.0.0.0\n    \
             listen_port: {}\n    authentication:\n      enabled: yes\n      tokens:\n        \
             - {{description: a, token: local-key}}\n",
            desk.api.port()
        ),
    );
    let mut command = desk.command("node list -f raw");
    command.env("PVC_CONFIG_FILE", config);
    let ended = end(command, "");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "hv1\nhv2\nhv3\n"), "{ended:?}");
    let without = desk.run("node list");
    assert_eq!(without.code, Some(1));
    assert!(without.stderr.contains("No connection specified"), "{without:?}");
}

#[test]
fn the_state_of_every_cluster_is_shown_whether_it_answers_or_not() {
    let desk = Desk::new();
    desk.api.on("GET /status", 200, fixture("status.json"));
    assert_eq!(desk.run("connection add off -a 127.0.0.1 -p 1").code, Some(0));
    let detail = desk.run("connection detail");
    assert_eq!(detail.code, Some(0), "{detail:?}");
    let rows: Vec<&str> = detail.stdout.lines().collect();
    assert!(rows[1].starts_with("lab   N/A          45%"), "{detail:?}");
    assert!(rows[2].starts_with("off   N/A          Unreachable"), "{detail:?}");
    let json = desk.run("connection detail -f json").stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[0]["nodes"], &json[0]["error"]), (&json!(3), &Value::Null));
    assert!(json[1]["error"].as_str().unwrap().contains("Connection refused"));
}
