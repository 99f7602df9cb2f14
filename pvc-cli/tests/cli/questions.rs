//! Questions before something is interrupted or lost.

use serde_json::json;

use crate::support::{Desk, end};

const OK: &str = r#"{"message": "done"}"#;

const XML: &str = "<domain type='kvm'><name>web1</name><memory unit='MiB'>512</memory>\
    <vcpu>1</vcpu></domain>";

fn with_vm() -> Desk {
    let desk = Desk::new();
    let vm = json!({"name": "web1", "uuid": "u-1", "state": "start", "node": "hv1",
                    "memory": 512, "vcpu": 1, "xml": XML});
    desk.api.on("GET /vm/web1", 200, json!([vm]));
    desk.api.on("PUT /vm/web1", 200, OK);
    desk.api.on("PUT /vm/u-1", 200, OK);
    desk
}

#[test]
fn nothing_is_removed_unless_the_answer_is_yes() {
    let desk = Desk::new();
    desk.api.on("DELETE /vm/web1", 200, OK);
    for answer in ["n\n", "\n", "maybe\n"] {
        let ended = desk.lab_told("vm remove web1", answer);
        assert_eq!(ended.code, Some(0));
        assert!(ended.stderr.contains("\"web1\" and its disks? [y/N]"), "{ended:?}");
        assert!(ended.stderr.ends_with("Aborted.\n"), "{ended:?}");
    }
    assert_eq!(desk.lab("vm remove web1").stdout, "", "no answer is a no");
    assert!(desk.asked().is_empty());
    assert_eq!(desk.lab_told("vm remove web1", "y\n").stdout, "done\n");
    assert_eq!(desk.asked(), ["DELETE /vm/web1?delete_disks=True"]);
}

#[test]
fn an_answer_given_beforehand_is_not_asked_for() {
    let desk = Desk::new();
    desk.api.on("POST /vm/web1/state", 200, OK);
    let ended = desk.lab("vm stop web1 --yes");
    assert!(!ended.stderr.contains("[y/N]"), "{ended:?}");
    assert_eq!(desk.run("-u -c lab vm stop web1").stdout, "done\n");
    let mut command = desk.command("-c lab vm stop web1 --force");
    command.env("PVC_UNSAFE", "1");
    assert_eq!(end(command, "").stdout, "done\n");
    assert_eq!(
        desk.asked()[1..],
        [
            "POST /vm/web1/state?state=stop&force=False&wait=False",
            "POST /vm/web1/state?state=stop&force=True&wait=False",
        ]
    );
}

#[test]
fn a_death_is_confirmed_by_a_yes_and_by_the_nodes_name() {
    let desk = Desk::new();
    desk.api.on("POST /node/hv3/fence", 200, OK);
    for answers in ["n\n", "y\n", "y\nhv2\n", "y\ny\n", "yes\nHV3\n"] {
        let ended = desk.lab_told("node fence confirm-dead hv3", answers);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{answers:?}");
        assert!(ended.stderr.ends_with("Aborted.\n"), "{ended:?}");
    }
    assert!(desk.asked().is_empty());
    let ended = desk.lab_told("node fence confirm-dead hv3", "y\nhv3\n");
    assert!(ended.stderr.contains("Take node \"hv3\" for dead? [y/N]"), "{ended:?}");
    assert!(ended.stderr.contains("Type \"hv3\" to confirm:"), "{ended:?}");
    assert_eq!(ended.stdout, "done\n");
    let request = "POST /node/hv3/fence?action=confirm-dead&yes-i-really-mean-it=yes";
    assert_eq!(desk.asked(), [request]);
}

#[test]
fn a_script_confirms_a_death_in_either_spelling() {
    let desk = Desk::new();
    desk.api.on("POST /node/hv3/fence", 200, OK);
    for command in [
        "-c lab node fence confirm-dead hv3 --yes",
        "-c lab node fence --confirm-dead hv3 --yes",
        "-u -c lab node fence --confirm-dead hv3",
    ] {
        assert_eq!(desk.run(command).stdout, "done\n", "{command}");
    }
    assert!(desk.asked().iter().all(|asked| asked.contains("action=confirm-dead")));
    assert_eq!(desk.lab("node fence --confirm-dead hv3").stdout, "", "no answer is a no");
    for command in ["node fence -y", "node fence --confirm-dead hv3 list", "node fence"] {
        assert_eq!(desk.lab(command).code, Some(2), "{command}");
    }
    assert_eq!(desk.asked().len(), 3);
}

#[test]
fn a_fence_is_ordered_after_one_question_and_cancelled_without() {
    let desk = Desk::new();
    desk.api.on("POST /node/hv3/fence", 200, OK);
    assert_eq!(desk.lab_told("node fence start hv3", "n\n").stdout, "");
    assert_eq!(desk.lab_told("node fence start hv3", "y\n").stdout, "done\n");
    assert_eq!(desk.lab("node fence cancel hv3").stdout, "done\n");
    assert_eq!(
        desk.asked(),
        [
            "POST /node/hv3/fence?action=fence&yes-i-really-mean-it=yes",
            "POST /node/hv3/fence?action=cancel",
        ]
    );
}

#[test]
fn a_change_of_processors_keeps_the_rest_of_the_definition() {
    let desk = with_vm();
    let ended = desk.lab("vm vcpu set web1 4 --topology 2,2,1 --no-restart");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "done\n"), "{ended:?}");
    let sent = desk.api.received().pop().unwrap();
    assert!(sent.line.contains("restart=False"), "{sent:?}");
    assert!(sent.body.contains("topology+sockets%3D%272%27+cores%3D%272%27"), "{sent:?}");
    let wrong = desk.lab("vm vcpu set web1 4 --topology 2,4,1 -R");
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("topology 2/4/1 is not 4 vCPUs"), "{wrong:?}");
}

#[test]
fn a_change_of_memory_is_applied_at_once_only_if_wanted() {
    let desk = with_vm();
    let later = desk.lab_told("vm memory set web1 1024", "n\n");
    assert!(later.stderr.contains("Restart VM \"web1\" to apply changes? [y/N]"), "{later:?}");
    assert!(later.stderr.contains("on next VM start/restart."), "{later:?}");
    assert_eq!(desk.lab("vm memory set web1 1024 -r -y").code, Some(0));
    let asked = desk.asked();
    assert_eq!(asked[1], "PUT /vm/u-1?restart=False");
    assert_eq!(asked[3], "PUT /vm/u-1?restart=True");
}

#[test]
fn an_agreement_beforehand_is_no_wish_for_a_restart() {
    let set = "vm vcpu set web1 4";
    for (command, answer, restart) in [
        (format!("-c lab {set} -y"), "", false),
        (format!("-c lab {set} -y"), "n\n", false),
        (format!("-c lab {set} -y"), "y\n", true),
        (format!("-u -c lab {set}"), "", false),
        (format!("-u -c lab {set}"), "y\n", false),
        (format!("-u -c lab {set} -r"), "", true),
        (format!("-c lab {set} -y -r"), "", true),
        (format!("-c lab {set} -r"), "", false),
        (format!("-u -c lab {set} -R"), "y\n", false),
    ] {
        let desk = with_vm();
        let ended = end(desk.command(&command), answer);
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        let expected = format!("PUT /vm/u-1?restart={}", if restart { "True" } else { "False" });
        assert_eq!(desk.asked()[1], expected, "{command} {answer:?}");
    }
}

#[test]
fn a_modification_is_shown_before_it_is_written() {
    let desk = with_vm();
    let file = desk.file("new.xml", &XML.replace("512", "1024"));
    let declined = desk.lab_told(&format!("vm modify web1 {file}"), "n\n");
    assert!(declined.stderr.contains("-  <memory unit='MiB'>512</memory>"), "{declined:?}");
    assert!(declined.stderr.contains("+  <memory unit='MiB'>1024</memory>"), "{declined:?}");
    assert!(declined.stderr.ends_with("Aborted.\n"), "{declined:?}");
    assert_eq!(desk.asked().len(), 1);
    let written = desk.lab(&format!("vm modify web1 {file} -y -r"));
    assert_eq!(written.stdout, "done\n");
    assert_eq!(desk.asked()[2], "PUT /vm/web1?restart=True");
}

#[test]
fn a_modification_that_changes_nothing_is_not_written() {
    let desk = with_vm();
    let file = desk.file("same.xml", &XML.replace("><", ">\n <"));
    let same = desk.lab(&format!("vm modify web1 {file}"));
    assert_eq!(same.stdout, "Aborting with no modifications.\n", "{same:?}");
    let broken = desk.file("broken.xml", "<domain>");
    let ended = desk.lab(&format!("vm modify web1 {broken} -y"));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("The definition is not valid"), "{ended:?}");
    assert_eq!(desk.asked().len(), 2, "only reads");
}

#[test]
fn a_definition_can_be_edited_in_the_persons_editor() {
    use std::os::unix::fs::PermissionsExt;
    let desk = with_vm();
    let editor = desk.file("editor", "#!/bin/sh\nsed -i s/512/777/ \"$1\"\n");
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = desk.command("-c lab vm modify web1 --editor --yes");
    command.env("EDITOR", editor);
    let ended = end(command, "");
    assert_eq!(ended.stdout, "done\n", "{ended:?}");
    assert!(desk.api.received().pop().unwrap().body.contains("777"));
}
