//! The interfaces of VMs in networks, added and removed.

use serde_json::{Value, json};

use crate::support::{Desk, fixture};

/// The new definition in a request to change it, which names the one it was made of, too.
fn new_xml(body: &str) -> &str {
    let (new, old) = body.split_once("&old_xml=").unwrap_or_else(|| panic!("no old: {body}"));
    assert!(old.starts_with("%3Cdomain+type%3D%27kvm%27%3E%3Cname%3Eweb"), "{old}");
    new
}

const OK: &str = r#"{"message": "done"}"#;

const XML: &str = "<domain type='kvm'><name>web1</name><devices><interface type='bridge'>\
    <mac address='52:54:00:00:00:01'/><source bridge='vmbr1001'/><model type='virtio'/></interface>\
    <interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='vmbr1001'/>\
    </interface><interface type='bridge'><mac address='52:54:00:00:00:03'/>\
    <source bridge='brstorage'/></interface></devices></domain>";

fn lab() -> Value {
    json!([{"vni": 2000, "description": "lab", "type": "managed", "mtu": ""}])
}

fn with_vm(state: &str) -> Desk {
    let desk = Desk::new();
    let vm = json!({"name": "web1", "uuid": "u-1", "state": state, "node": "hv1",
                    "memory": 512, "vcpu": 1, "xml": XML});
    desk.api.on("GET /vm/web1", 200, json!([vm]));
    desk.api.on("PUT /vm/u-1", 200, OK);
    for name in ["2000", "lab"] {
        desk.api.on(&format!("GET /network/{name}"), 200, lab());
    }
    desk.api.on("GET /sriov/vf/hv1/ens1f0v9", 404, json!({"message": "VF not found."}));
    desk.api.on("GET /network/gone", 404, json!({"message": "Network not found."}));
    for method in ["POST", "DELETE"] {
        let accepted = json!({"task_id": "abc", "task_name": "vm.device", "run_on": "hv1"});
        desk.api.on(&format!("{method} /vm/u-1/device"), 202, accepted);
    }
    let done = json!({"state": "SUCCESS", "current": 2, "total": 2, "status": "done"});
    desk.api.on("GET /tasks/abc", 200, done);
    desk
}

#[test]
fn a_running_vm_gets_an_interface_at_once() {
    let desk = with_vm("start");
    let ended = desk.lab("vm network add web1 lab -a 52:54:00:AA:00:09 -m e1000");
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "done\nSUCCESS: done\n"),
        "{ended:?}"
    );
    let expected =
        ["GET /vm/web1", "GET /network/lab", "PUT /vm/u-1?restart=False", "POST /vm/u-1/device"];
    assert_eq!(desk.asked()[..4], expected);
    let received = desk.api.received();
    for part in
        ["mac+address%3D%2752%3A54%3A00%3Aaa%3A00%3A09", "bridge%3D%27vmbr2000", "type%3D%27e1000"]
    {
        assert!(received[2].body.contains(part) && received[3].body.contains(part), "{received:?}");
    }
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_lost() {
    let desk = with_vm("start");
    let why = "ERROR: Somebody else changed the VM's definition meanwhile; nothing was changed.";
    desk.api.on("PUT /vm/u-1", 409, json!({"message": why, "code": "definition-changed"}));
    assert_eq!(desk.lab("vm network add web1 lab").code, Some(0));
    assert!(new_xml(&desk.api.received()[2].body).contains("vmbr2000"));
    let before = desk.asked().len();
    let ended = desk.lab("vm network add web1 lab");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("Somebody else changed the VM's definition"), "{ended:?}");
    assert_eq!(desk.asked().len(), before + 3, "the VM is not given what its definition lacks");
}

#[test]
fn a_definition_whose_interface_the_running_vm_cannot_have_is_put_back() {
    let desk = with_vm("start");
    let refused = json!({"state": "FAILURE", "current": 1, "total": 1,
                         "status": "internal error: No more available PCI slots."});
    for (task, answer) in [("a", refused), ("b", json!({"message": "no task"}))] {
        let accepted = json!({"task_id": task, "task_name": "vm.device", "run_on": "hv1"});
        desk.api.on("POST /vm/u-2/device", 202, accepted);
        let status = if task == "a" { 200 } else { 404 };
        desk.api.on(&format!("GET /tasks/{task}"), status, answer);
    }
    let vm = json!({"name": "web2", "uuid": "u-2", "state": "start", "node": "hv1",
                    "memory": 512, "vcpu": 1, "xml": XML});
    desk.api.on("GET /vm/web2", 200, json!([vm]));
    desk.api.on("PUT /vm/u-2", 200, OK);
    let ended = desk.lab("vm network add web2 lab");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "done\n"), "{ended:?}");
    assert!(ended.stderr.contains("No more available PCI slots"), "{ended:?}");
    assert!(ended.stderr.contains("definition was put back as it was"), "{ended:?}");
    let received = desk.api.received();
    let put = |line: &&pvc_client::fake::Received| line.line.starts_with("PUT");
    let bodies: Vec<&str> = received.iter().filter(put).map(|one| one.body.as_str()).collect();
    let [written, back] = bodies[..] else { panic!("{received:?}") };
    let (new, old) = written.split_once("&old_xml=").unwrap();
    assert_eq!(back, format!("xml={old}&old_xml={}", new.strip_prefix("xml=").unwrap()));
    // What became of this one nobody knows: it may be plugged in yet.
    let ended = desk.lab("vm network add web2 lab");
    assert!(ended.stderr.contains("The definition was changed"), "{ended:?}");
    assert_eq!(desk.api.received().iter().filter(put).count(), 3);
}

#[test]
fn the_address_of_an_interface_has_one_option_by_two_names() {
    let desk = with_vm("stop");
    for command in
        ["add web1 lab --mac-address 52:54:00:00:00:09", "remove web1 --macaddr 52:54:00:00:00:02"]
    {
        let ended = desk.lab(&format!("vm network {command}"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

#[test]
fn a_vm_gets_an_interface_in_a_network_of_the_cluster_itself() {
    let desk = with_vm("stop");
    let ended = desk.lab("vm network add web1 upstream");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "done\n"), "{ended:?}");
    assert_eq!(desk.asked(), ["GET /vm/web1", "PUT /vm/u-1?restart=False"]);
    let body = desk.api.received()[1].body.clone();
    assert!(body.contains("bridge%3D%27brupstream"), "{body}");
    assert!(body.contains("address%3D%2752%3A54%3A00%3A"), "an address by chance: {body}");
}

#[test]
fn a_vm_gets_a_function_of_its_node_s_card_and_gives_it_back() {
    let card = || {
        let desk = with_vm("stop");
        let vfs = fixture("sriov-vfs.json");
        desk.api.on("GET /sriov/vf/hv1/ens1f0v1", 200, json!([vfs[1]]));
        desk
    };
    for (options, parts) in [
        ("", &["type%3D%27direct", "dev%3D%27ens1f0v1", "mode%3D%27passthrough"][..]),
        ("-d hostdev", &["type%3D%27hostdev", "bus%3D%270x3b%27+slot%3D%270x02%27", "ens1f0v1"]),
    ] {
        let desk = card();
        let ended = desk.lab(&format!("vm network add web1 ens1f0v1 -s {options}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "done\n"), "{ended:?}");
        let expected = ["GET /vm/web1", "GET /sriov/vf/hv1/ens1f0v1", "PUT /vm/u-1?restart=False"];
        assert_eq!(desk.asked(), expected);
        let body = desk.api.received()[2].body.clone();
        assert!(parts.iter().all(|part| body.contains(part)), "{body}");
    }
    let desk = card();
    let xml = XML.replace(
        "<interface type='bridge'><mac address='52:54:00:00:00:03'/><source bridge='brstorage'/>",
        "<interface type='direct'><mac address='52:54:00:00:00:03'/>\
         <source dev='ens1f0v1' mode='passthrough'/>",
    );
    let networks = json!([{"type": "direct", "vni": "macvtap:ens1f0v1", "mac": "52:54:00:00:00:03",
                           "model": "virtio"}]);
    let vm = json!({"name": "web2", "uuid": "u-1", "state": "stop", "node": "hv1", "memory": 512,
                    "vcpu": 1, "xml": xml, "networks": networks});
    desk.api.on("GET /vm/web2", 200, json!([vm]));
    let ended = desk.lab("vm network remove web2 ens1f0v1 -s");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!new_xml(&desk.api.received()[1].body).contains("ens1f0v1"));
}

#[test]
fn an_interface_is_removed_by_its_network_or_its_address() {
    for (command, mac) in
        [("storage", "03"), ("-m 52:54:00:00:00:02", "02"), ("1001 -m 52:54:00:00:00:01", "01")]
    {
        let desk = with_vm("start");
        let ended = desk.lab(&format!("vm network remove web1 {command}"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(
            desk.asked()[..3],
            ["GET /vm/web1", "PUT /vm/u-1?restart=False", "DELETE /vm/u-1/device"]
        );
        let received = desk.api.received();
        let address = format!("52%3A54%3A00%3A00%3A00%3A{mac}");
        assert!(
            !new_xml(&received[1].body).contains(&address) && received[2].body.contains(&address),
            "{command}"
        );
    }
    let desk = with_vm("start");
    assert_eq!(desk.lab("vm network remove web1 storage -r -y").code, Some(0));
    assert_eq!(desk.asked()[1], "PUT /vm/u-1?restart=True");
    let desk = with_vm("start");
    let ended = desk.lab("vm network remove web1 storage -L -y");
    assert!(ended.stderr.contains("Restart VM \"web1\" to apply changes? [y/N]"), "{ended:?}");
    assert_eq!(desk.asked()[1..], ["PUT /vm/u-1?restart=False"], "no answer is a no");
}

#[test]
fn an_interface_that_cannot_be_had_changes_nothing() {
    let desk = with_vm("start");
    for (command, code, told) in [
        ("add web1 gone", 1, "Network \"gone\" not found."),
        ("add web1 lab -a 52:54:00:00:00:01", 1, "the VM already has interface 52:54:00:00:00:01"),
        ("add web1 lab -a 01:00:5e:00:00:01", 2, "not of a group"),
        (
            "remove web1 1001",
            1,
            "more than one interface in network 1001: 52:54:00:00:00:01, 52:54",
        ),
        ("remove web1 2000", 1, "the VM has no interface in network 2000"),
        ("remove web1 lab", 1, "the VM has no interface in network 2000"),
        ("remove web1", 2, "NET"),
        ("add web1 ens1f0v9 -s", 1, "SR-IOV VF \"ens1f0v9\" not found on node \"hv1\"."),
        ("add web1 ens1f0v9 -s", 1, "`pvc network sriov vf list hv1` shows those that exist."),
        ("remove web1 ens1f0v9 -s", 1, "no interface on SR-IOV function ens1f0v9"),
        ("add web1 lab -m nosuchmodel", 2, "QEMU knows no such card; expected one such as virtio"),
        ("remove web1", 2, "required arguments were not provided:\n  <NET|--mac-address <MAC>>"),
        ("add web1 lab -l -L", 2, "cannot be used with"),
        ("add web1 lab -r -R", 2, "cannot be used with"),
    ] {
        let ended = desk.lab(&format!("vm network {command}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{command}: {ended:?}");
        assert!(ended.stderr.contains(told), "{command}: {ended:?}");
    }
    assert!(desk.asked().iter().all(|asked| asked.starts_with("GET")));
}
