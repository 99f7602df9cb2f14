//! What the client is refused: it says why, fails, and nothing is changed.

use std::fs;

use pvc_e2e::lab::{Lab, Said};

/// The cluster's address, where its API is.
const FLOATING: &str = "10.100.0.254";

/// Everything a refused command might have changed.
fn everything(lab: &Lab) -> Vec<(String, String, String)> {
    let vms = lab.try_vms().unwrap().into_iter().map(|vm| (vm.name, vm.state, vm.node));
    let nodes = lab.try_nodes().unwrap().into_iter();
    vms.chain(nodes.map(|node| (node.name, node.coordinator_state, node.domain_state))).collect()
}

/// Checks that a command was refused with these words.
#[track_caller]
fn refused(said: &Said, words: &[&str]) {
    assert_ne!(said.code, 0, "{said:?}");
    assert_ne!(said.code, 124, "it took too long: {said:?}");
    assert_eq!(said.out, "", "errors are no data: {said:?}");
    for word in words {
        assert!(said.err.contains(word), "`{word}` is not said: {said:?}");
    }
}

#[test]
fn what_does_not_exist_is_named_and_nothing_changes() {
    let lab = Lab::take();
    let before = everything(&lab);
    refused(&lab.try_pvc(&["node", "flush", "--wait", "hv9"]), &["hv9"]);
    refused(&lab.try_pvc(&["node", "primary", "hv9"]), &["hv9"]);
    refused(&lab.try_pvc(&["vm", "start", "e2e-nobody"]), &["e2e-nobody"]);
    refused(&lab.try_pvc(&["vm", "migrate", "--wait", "e2e-nobody"]), &["e2e-nobody"]);
    refused(&lab.try_pvc(&["vm", "no-such-verb"]), &["no-such-verb"]);
    assert_eq!(everything(&lab), before);
}

#[test]
fn a_definition_that_is_none_is_refused_with_what_is_wrong() {
    let lab = Lab::take();
    let before = everything(&lab);
    let file = lab.definition("tick", "e2e-wrong", |xml| xml);
    let good = fs::read_to_string(&file).unwrap();
    let path = file.to_str().unwrap();
    let cases = [
        ("this is not XML".to_owned(), "XML"),
        (good.replace("</domain>", ""), "XML"),
        (good.replace("domain", "network"), "domain"),
        (good.replace("<name>e2e-wrong</name>", ""), "name"),
    ];
    for (definition, word) in cases {
        fs::write(&file, definition).unwrap();
        refused(&lab.try_pvc(&["vm", "define", path]), &[word]);
    }
    fs::write(&file, good).unwrap();
    refused(&lab.try_pvc(&["vm", "define", "--target", "hv9", path]), &["hv9"]);
    refused(&lab.try_pvc(&["vm", "define", "/no/such/file.xml"]), &["/no/such/file.xml"]);
    assert_eq!(everything(&lab), before);
}

#[test]
fn a_wrong_key_and_a_wrong_address_are_told_apart() {
    let lab = Lab::take();
    let before = everything(&lab);
    let add = ["connection", "add", "e2e-stranger", "--address", FLOATING, "--no-ssl"];
    lab.pvc(&[&add[..], &["--api-key", "not-the-key"]].concat());
    let said = lab.try_pvc(&["--connection", "e2e-stranger", "vm", "list"]);
    lab.pvc(&[&add[..], &["--port", "7371"]].concat());
    let unreachable = lab.try_pvc(&["--connection", "e2e-stranger", "vm", "list"]);
    lab.pvc(&["connection", "remove", "e2e-stranger"]);

    refused(&said, &["key"]);
    assert!(!said.err.contains("not-the-key"), "a key is not for everybody's eyes: {said:?}");
    refused(&unreachable, &[FLOATING, "7371"]);
    assert_eq!(everything(&lab), before);
}
