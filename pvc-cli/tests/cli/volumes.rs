//! The volumes of a VM, added and removed.

use serde_json::{Value, json};

use crate::support::Desk;

const OK: &str = r#"{"message": "done"}"#;

const XML: &str = "<domain type='kvm'><name>web1</name><devices>\
    <disk type='network' device='disk'><auth username='libvirt'>\
    <secret type='ceph' uuid='11111111-2222-4333-8444-555555555555'/></auth>\
    <source protocol='rbd' name='vms/web1_sda'><host name='hv1' port='6789'/></source>\
    <target dev='sda' bus='scsi'/></disk></devices></domain>";

fn task(state: &str, status: &str) -> Value {
    json!({"state": state, "current": 1, "total": 2, "status": status})
}

fn with_vm(state: &str) -> Desk {
    let desk = Desk::new();
    let vm = json!({"name": "web1", "uuid": "u-1", "state": state, "node": "hv1",
                    "memory": 512, "vcpu": 1, "xml": XML});
    desk.api.on("GET /vm/web1", 200, json!([vm]));
    desk.api.on("PUT /vm/u-1", 200, OK);
    desk.api.on("GET /storage/ceph/volume/vms/data", 200, json!([{"name": "data", "pool": "vms"}]));
    for method in ["POST", "DELETE"] {
        let accepted = json!({"task_id": "abc", "task_name": "vm.device", "run_on": "hv1"});
        desk.api.on(&format!("{method} /vm/u-1/device"), 202, accepted);
    }
    desk.api.on("GET /tasks/abc", 200, task("RUNNING", "attaching"));
    desk
}

#[test]
fn a_running_vm_gets_a_new_volume_at_once() {
    let desk = with_vm("start");
    desk.api.on("GET /tasks/abc", 200, task("SUCCESS", "attached"));
    let ended = desk.lab("vm volume add web1 vms/data -b virtio");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "done\nSUCCESS: attached\n"));
    assert!(ended.stderr.contains("Task ID: abc (vm.device) assigned to node hv1"), "{ended:?}");
    assert!(!ended.stderr.contains("[y/N]"), "{ended:?}");
    let expected = [
        "GET /storage/ceph/volume/vms/data",
        "GET /vm/web1",
        "PUT /vm/u-1?restart=False",
        "POST /vm/u-1/device",
    ];
    assert_eq!(desk.asked()[..4], expected);
    let received = desk.api.received();
    for part in ["uuid%3D%2711111111", "name%3D%27vms%2Fdata%27", "dev%3D%27sdb%27+bus%3D%27virtio"]
    {
        assert!(received[2].body.contains(part), "{part}: {:?}", received[2]);
        assert!(received[3].body.contains(part), "{part}: {:?}", received[3]);
    }
    assert!(received[3].body.starts_with("xml=%3Cdisk"), "{:?}", received[3]);
}

#[test]
fn a_volume_that_cannot_be_attached_leaves_the_definition_again() {
    let desk = with_vm("start");
    desk.api.on("GET /tasks/abc", 200, task("FAILURE", "TaskFailure: no slot"));
    let ended = desk.lab("vm volume add web1 vms/data");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "done\n"));
    assert!(ended.stderr.contains("TaskFailure: no slot"), "{ended:?}");
    assert!(ended.stderr.contains("definition was put back as it was"), "{ended:?}");
    assert_eq!(desk.asked().last().unwrap(), "PUT /vm/u-1?restart=False");
    let ended = desk.lab("vm volume remove web1 vms/web1_sda");
    assert!(ended.stderr.contains("the VM has the device until its next start"), "{ended:?}");
    assert_eq!(desk.asked().iter().filter(|asked| asked.starts_with("PUT")).count(), 3);
    desk.api.on("PUT /vm/u-1", 409, json!({"message": "Somebody else changed it."}));
    let ended = desk.lab("vm volume add web1 vms/data");
    assert!(ended.stderr.contains("could not be put back (Somebody else changed it)"), "{ended:?}");
}

#[test]
fn a_vm_that_does_not_run_gets_a_volume_at_its_next_start() {
    let desk = with_vm("stop");
    let ended = desk.lab("vm volume add web1 vms/data -d sdx");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "done\n"), "{ended:?}");
    assert!(ended.stderr.contains("next start applies this"), "{ended:?}");
    assert_eq!(desk.asked().len(), 3);
    assert!(desk.api.received()[2].body.contains("dev%3D%27sdx%27"));
}

#[test]
fn a_volume_is_removed_live_or_with_a_restart() {
    let desk = with_vm("start");
    desk.api.on("GET /tasks/abc", 200, task("SUCCESS", "detached"));
    let live = desk.lab("vm volume remove web1 vms/web1_sda");
    assert_eq!(live.stdout, "done\nSUCCESS: detached\n", "{live:?}");
    assert_eq!(desk.asked()[1..3], ["PUT /vm/u-1?restart=False", "DELETE /vm/u-1/device"]);
    let body = desk.api.received()[1].body.clone();
    let (new, old) = body.split_once("&old_xml=").unwrap();
    assert!(new.ends_with("%3Cdevices%3E%3C%2Fdevices%3E%3C%2Fdomain%3E"), "{new}");
    assert!(old.contains("web1_sda"), "what it was made of: {old}");
    let desk = with_vm("start");
    assert_eq!(desk.lab("vm volume remove web1 vms/web1_sda -r -y").code, Some(0));
    assert_eq!(desk.lab_told("vm volume remove web1 vms/web1_sda -L", "n\n").code, Some(0));
    let asked = desk.asked();
    assert_eq!((asked[1].as_str(), asked.len()), ("PUT /vm/u-1?restart=True", 4));
    assert_eq!(asked[3], "PUT /vm/u-1?restart=False");
}

#[test]
fn a_volume_that_is_not_there_or_there_already_changes_nothing() {
    let desk = with_vm("start");
    desk.api.on("GET /storage/ceph/volume/vms/no", 404, json!({"message": "Volume not found."}));
    desk.api.on("GET /storage/ceph/volume/vms/web1_sda", 200, json!([{"name": "", "pool": ""}]));
    for (command, code, told) in [
        ("add web1 vms/no", 1, "Storage volume \"vms/no\" not found."),
        ("add web1 vms/web1_sda", 1, "the VM already has volume vms/web1_sda"),
        ("add web1 /x.img -t file", 1, "no file disk to take after"),
        ("add web1 data", 2, "expected pool/volume"),
        ("remove web1 vms/no", 1, "the VM has no volume vms/no"),
    ] {
        let ended = desk.lab(&format!("vm volume {command}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{ended:?}");
        assert!(ended.stderr.contains(told), "{ended:?}");
    }
    assert!(desk.asked().iter().all(|asked| asked.starts_with("GET")));
}

#[test]
fn locks_are_released_by_a_task_that_can_be_left_to_itself() {
    let desk = Desk::new();
    let accepted = json!({"task_id": "abc", "task_name": "vm.flush_locks", "run_on": "hv1"});
    desk.api.on("POST /vm/web1/locks", 202, accepted);
    desk.api.on("GET /tasks/abc", 200, task("FAILURE", "TaskFailure: the VM is running"));
    let left = desk.lab("vm flush-locks web1 --no-wait");
    assert_eq!((left.code, left.stdout.as_str()), (Some(0), "Task ID: abc assigned to node hv1\n"));
    let waited = desk.lab("vm flush-locks web1");
    assert_eq!((waited.code, waited.stdout.as_str()), (Some(1), ""));
    assert!(waited.stderr.contains("the VM is running"), "{waited:?}");
}
