//! What goes to standard output, and what does not.

use serde_json::{Value, json};

use crate::support::{Desk, end, fixture};

#[test]
fn data_is_alone_on_standard_output() {
    let desk = Desk::new();
    desk.api.on("GET /vm", 200, fixture("vms.json"));
    let ended = desk.lab("vm list -f raw");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "web1\ndb1\n"));
    let port = desk.api.port();
    let expected = format!(
        "Using connection \"lab\" - Host: \"127.0.0.1:{port}\"  Scheme: \"http\"  \
         Prefix: \"/api/v1\"\n\n"
    );
    assert_eq!(ended.stderr, expected);
    assert_eq!(desk.run("-q -c lab vm list -f raw").stderr, "");
}

#[test]
fn json_is_what_the_api_said_including_what_this_client_does_not_know() {
    let desk = Desk::new();
    desk.api.on("GET /node", 200, fixture("nodes.json"));
    let dense = desk.lab("node list -f json").stdout;
    assert_eq!(dense.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&dense).unwrap(), fixture("nodes.json"));
    let indented = desk.lab("node list -f json-pretty").stdout;
    assert!(indented.starts_with("[\n  {\n    \"name\": \"hv1\""), "{indented}");
}

#[test]
fn one_thing_is_one_object_in_json() {
    let desk = Desk::new();
    desk.api.on("GET /vm/web1", 200, json!([fixture("vms.json")[0]]));
    let info: Value = serde_json::from_str(&desk.lab("vm info web1 -f json").stdout).unwrap();
    assert_eq!(info["name"], "web1");
    let vcpu: Value = serde_json::from_str(&desk.lab("vm vcpu get web1 -f json").stdout).unwrap();
    assert_eq!(vcpu, json!({"name": "web1", "vcpus": 2, "sockets": 1, "cores": 2, "threads": 1}));
    assert_eq!(desk.lab("vm memory get web1 -f raw").stdout, "2048\n");
}

#[test]
fn a_fence_is_found_by_its_id_and_by_its_node() {
    let desk = Desk::new();
    desk.api.on("GET /fence", 200, "[]");
    desk.api.on("GET /fence", 200, json!([fixture("fences.json")[1]]));
    desk.api.on("GET /fence/hv2-1763695123000", 200, json!([fixture("fences.json")[1]]));
    for name in ["hv2-1763695123000", "hv2"] {
        let shown = desk.lab(&format!("node fence show {name} -f json"));
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(shown, fixture("fences.json")[1], "{name}");
    }
    assert_eq!(desk.lab("node fence list hv2 --limit 3 -f raw").stdout, "hv2-1763695123000\n");
    assert_eq!(desk.asked().pop().unwrap(), "GET /fence?node=hv2&limit=3");
    let desk = Desk::new();
    desk.api.on("GET /fence", 200, "[]");
    let missing = desk.lab("node fence show hv9-1");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("`pvc node fence list` shows those that exist"), "{missing:?}");
}

#[test]
fn to_find_nothing_is_a_failure_only_if_something_was_asked_for() {
    let desk = Desk::new();
    desk.api.on("GET /vm", 404, json!({"message": "VM not found."}));
    for (command, code) in [("vm list", 0), ("vm list web", 1), ("vm list -t hv1", 1)] {
        let json = desk.lab(&format!("{command} -f json"));
        assert_eq!((json.code, json.stdout.as_str()), (Some(code), "[]\n"), "{command}");
        assert!(json.stderr.ends_with("There are no VMs that match.\n"), "{json:?}");
        let raw = desk.lab(&format!("{command} -f raw"));
        assert_eq!((raw.code, raw.stdout.as_str()), (Some(code), ""), "{command}");
    }
}

#[test]
fn filters_are_sent_as_they_were_given() {
    let desk = Desk::new();
    desk.api.on("GET /node", 200, "[]");
    desk.api.on("GET /vm", 200, "[]");
    assert_eq!(desk.lab("node list hv -ds run -cs primary -vs ready").code, Some(0));
    assert_eq!(desk.lab("vm list web -t hv1 -s start -g prod -n").code, Some(0));
    assert_eq!(
        desk.asked(),
        [
            "GET /node?limit=hv&daemon_state=run&coordinator_state=primary&domain_state=ready",
            "GET /vm?limit=web&node=hv1&state=start&tag=prod&negate=True",
        ]
    );
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let desk = Desk::new();
    desk.api.on("GET /vm", 200, fixture("vms.json"));
    desk.api.on("GET /network", 404, json!({"message": "Network not found."}));
    assert!(!desk.lab("vm list").stdout.contains('\u{1b}'));
    assert!(desk.lab("--color vm list").stdout.contains("\u{1b}[92mstart"));
    let mut command = desk.command("-c lab vm list");
    command.env("PVC_COLOUR", "1");
    assert!(end(command, "").stdout.contains('\u{1b}'));
}

#[test]
fn debugging_shows_the_traffic_but_no_key() {
    let desk = Desk::new();
    desk.api.on("GET /vm", 200, "[]");
    let ended = desk.run("-v -c lab vm list");
    assert!(ended.stderr.contains("API endpoint: http://127.0.0.1"), "{ended:?}");
    assert!(ended.stderr.contains("Response code: 200"), "{ended:?}");
    assert!(!ended.stderr.contains("secret"), "{ended:?}");
}

#[test]
fn a_backup_is_unwrapped_kept_private_and_restored_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.api.on("GET /backup", 200, json!(r#"{"/schema": {"": "15"}}"#));
    desk.api.on("POST /restore", 200, json!({"message": "Restore completed successfully."}));
    assert_eq!(desk.lab("cluster backup").stdout, "{\"/schema\":{\"\":\"15\"}}\n");
    let file = desk.path("backup.json");
    let shown = file.display();
    assert_eq!(desk.lab(&format!("cluster backup -f {shown}")).code, Some(0));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let restored = desk.lab(&format!("cluster restore -f {shown} -y"));
    assert_eq!(restored.stdout, "Restore completed successfully.\n", "{restored:?}");
    let sent = desk.api.received().pop().unwrap();
    assert_eq!(sent.body, "cluster_data=%7B%22%2Fschema%22%3A%7B%22%22%3A%2215%22%7D%7D");
}

#[test]
fn a_definition_is_dumped_indented() {
    let desk = Desk::new();
    desk.api.on("GET /vm/web1", 200, json!([fixture("vms.json")[0]]));
    assert_eq!(
        desk.lab("vm dump web1").stdout,
        "<domain type='kvm'>\n  <name>web1</name>\n</domain>\n"
    );
    let file = desk.path("web1.xml");
    assert_eq!(desk.lab(&format!("vm dump web1 -f {}", file.display())).stdout, "");
    assert!(std::fs::read_to_string(file).unwrap().ends_with("</domain>\n"));
}

#[test]
fn a_reader_who_leaves_early_is_no_failure() {
    let desk = Desk::new();
    desk.api.on("GET /vm", 200, fixture("vms.json"));
    let mut command = desk.command("-q -c lab vm list");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer);
    let ended = end(command, "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}
