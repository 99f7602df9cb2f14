//! What is said, and with which code it ends, when something is wrong.

use serde_json::json;

use crate::support::{Desk, end};

#[test]
fn an_api_that_is_not_there_is_named() {
    let desk = Desk::empty();
    assert_eq!(desk.run("connection add off -a 127.0.0.1 -p 1").code, Some(0));
    let ended = desk.run("-c off vm list");
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("Failed to connect to the API"), "{ended:?}");
    assert!(ended.stderr.contains("http://127.0.0.1:1/api/v1"), "{ended:?}");
    assert!(ended.stderr.contains("Hint:"), "{ended:?}");
}

#[test]
fn a_wrong_key_is_refused_without_showing_it() {
    let desk = Desk::new();
    desk.api.demand_key("another");
    let ended = desk.lab("vm list");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("refused the API key"), "{ended:?}");
    assert!(!ended.stderr.contains("secret"), "{ended:?}");
}

#[test]
fn a_vm_that_does_not_exist_is_said_to_be_missing() {
    let desk = Desk::new();
    desk.api.on("GET /vm/nope", 404, json!({"message": "VM not found."}));
    desk.api.on("GET /vm/two", 200, json!([{"name": "a"}, {"name": "b"}]));
    let missing = desk.lab("vm info nope");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("VM \"nope\" not found."), "{missing:?}");
    assert!(missing.stderr.contains("`pvc vm list`"), "{missing:?}");
    let two = desk.lab("vm info two -f json");
    assert_eq!(two.code, Some(1));
    assert!(two.stderr.contains("VM \"two\" not found"), "{two:?}");
}

#[test]
fn a_refusal_is_passed_on_and_nothing_is_printed_as_data() {
    let desk = Desk::new();
    let refusal = json!({"message": "ERROR: VM 'web1' is not in 'start' state!"});
    desk.api.on("POST /vm/web1/state", 400, refusal);
    let ended = desk.lab("vm shutdown web1 -y");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("Error: VM 'web1' is not in 'start' state!"), "{ended:?}");
}

#[test]
fn an_answer_of_another_program_is_told_apart() {
    let desk = Desk::new();
    desk.api.on("GET /node", 200, "<html>");
    let ended = desk.lab("node list");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("Is this the API of PVC"), "{ended:?}");
}

#[test]
fn a_wrong_command_line_exits_with_two() {
    let desk = Desk::new();
    for wrong in ["vm list -f yaml", "vm", "no-such-noun", "vm vcpu set web1 0", "vm meta web1"] {
        let ended = desk.lab(wrong);
        assert_eq!(ended.code, Some(2), "{wrong}: {ended:?}");
        assert_eq!(ended.stdout, "", "{wrong}");
    }
    assert!(desk.asked().is_empty());
}

#[test]
fn a_damaged_store_is_named_and_left_alone() {
    let desk = Desk::empty();
    std::fs::create_dir(desk.path("store")).unwrap();
    let file = desk.file("store/pvc.json", "{");
    let ended = desk.run("connection add lab -a 10.0.0.1");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&file), "{ended:?}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "{");
}

#[test]
fn silence_is_kept_also_about_failures() {
    let desk = Desk::new();
    let mut command = desk.command("-c lab vm info nope");
    command.env("PVC_SILENT", "1");
    let ended = end(command, "");
    assert_eq!(ended.code, Some(1));
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}

#[test]
fn a_definition_that_cannot_be_read_is_not_sent() {
    let desk = Desk::new();
    let ended = desk.lab("vm define /no/such/file");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("/no/such/file"), "{ended:?}");
    let backup = desk.file("backup", "[1]");
    let restore = desk.lab(&format!("cluster restore -f {backup} -y"));
    assert_eq!(restore.code, Some(1));
    assert!(restore.stderr.contains("is not a backup"), "{restore:?}");
    assert!(desk.asked().is_empty());
}
