//! Storage: what is asked, what is sent, and what comes of tasks.

use serde_json::{Value, json};

use crate::support::{Desk, fixture};

const OK: &str = r#"{"message": "done"}"#;

fn accepts(desk: &Desk, line: &str, status: &str) {
    let accepted = json!({"task_id": "abc", "task_name": "osd.add", "run_on": "hv1"});
    desk.api.on(line, 202, accepted);
    let (state, current) =
        if status == "TaskFailure: no disk" { ("FAILURE", 1) } else { ("SUCCESS", 9) };
    let states = [("RUNNING", 2, "wiping"), (state, current, status)];
    for (state, current, status) in states {
        let state = json!({"state": state, "current": current, "total": 5, "status": status});
        desk.api.on("GET /tasks/abc", 200, state);
    }
}

#[test]
fn an_osd_is_made_by_a_task_that_is_followed_to_its_end() {
    let desk = Desk::new();
    accepts(&desk, "POST /storage/ceph/osd", "made OSD 3");
    let ended = desk.lab("storage osd add hv1 /dev/sdb --ext-db-size 6G -y");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "SUCCESS: made OSD 3\n"));
    assert!(ended.stderr.contains("Task ID: abc (osd.add) assigned to node hv1\n"), "{ended:?}");
    assert!(ended.stderr.contains("[########------------]  40%  wiping\n"), "{ended:?}");
    let request = "POST /storage/ceph/osd?node=hv1&device=%2Fdev%2Fsdb&weight=1.0&ext_db_size=6G";
    assert_eq!(desk.asked(), [request, "GET /tasks/abc", "GET /tasks/abc"]);
}

#[test]
fn a_task_that_fails_is_a_failure_with_its_reason() {
    let desk = Desk::new();
    accepts(&desk, "PUT /storage/ceph/osd/3", "TaskFailure: no disk");
    let ended = desk.lab("storage osd refresh 3 /dev/sdb -y");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("FAILURE: TaskFailure: no disk"), "{ended:?}");
}

#[test]
fn a_task_can_be_left_to_itself() {
    let desk = Desk::new();
    accepts(&desk, "POST /storage/ceph/benchmark", "measured");
    let ended = desk.lab("storage benchmark run vms --name first --no-wait -y");
    assert_eq!(ended.stdout, "Task ID: abc assigned to node hv1\n", "{ended:?}");
    assert_eq!(desk.asked(), ["POST /storage/ceph/benchmark?pool=vms&name=first"]);
}

#[test]
fn a_volume_group_for_databases_is_made_by_either_command() {
    for command in ["storage create-db-vg", "storage osd create-db-vg"] {
        let desk = Desk::new();
        accepts(&desk, "POST /storage/ceph/osddb", "made it");
        let ended = desk.lab_told(&format!("{command} hv1 detect:X:1TB:0"), "y\n");
        assert_eq!(ended.stdout, "SUCCESS: made it\n", "{ended:?}");
        let request = "POST /storage/ceph/osddb?node=hv1&device=detect%3AX%3A1TB%3A0";
        assert_eq!(desk.asked()[0], request);
    }
}

#[test]
fn nothing_is_lost_or_moved_unless_the_answer_is_yes() {
    let desk = Desk::new();
    for (command, question) in [
        ("osd add hv1 /dev/sdb", "Make an OSD of \"/dev/sdb\" on node \"hv1\""),
        ("osd replace 1 /dev/sdc", "Destroy OSD \"1\""),
        ("osd remove 1", "Destroy OSD \"1\""),
        ("pool remove vms", "Remove pool \"vms\" and all its volumes"),
        ("pool set-pgs vms 64", "Set the placement groups of pool \"vms\" to 64"),
        ("benchmark run vms", "Run a storage benchmark on pool \"vms\""),
        ("volume remove vms a", "Remove volume \"vms/a\" and its snapshots"),
        ("volume resize vms a 20G", "Resize volume \"vms/a\" to \"20G\""),
        ("volume rename vms a b", "Rename volume \"vms/a\" to \"b\""),
        ("volume snapshot remove vms a s", "Remove snapshot \"vms/a@s\""),
        ("volume snapshot rollback vms a s", "Roll the volume back to snapshot \"vms/a@s\""),
    ] {
        let ended = desk.lab_told(&format!("storage {command}"), "n\n");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{command}");
        assert!(ended.stderr.contains(question), "{command}: {ended:?}");
        assert!(ended.stderr.ends_with("Aborted.\n"), "{command}: {ended:?}");
    }
    assert!(desk.asked().is_empty());
}

#[test]
fn every_change_is_one_request_and_shows_what_the_api_says() {
    let desk = Desk::new();
    for (command, request) in [
        ("osd out 1", "POST /storage/ceph/osd/1/state?state=out"),
        ("osd set noout", "POST /storage/ceph/option?option=noout&action=set"),
        (
            "pool add vms 64 -t ssd",
            "POST /storage/ceph/pool?pool=vms&pgs=64&replcfg=copies%3D3%2Cmincopies%3D2&tier=ssd",
        ),
        ("pool remove vms -y", "DELETE /storage/ceph/pool/vms?yes-i-really-mean-it=yes"),
        ("volume add vms a 10G", "POST /storage/ceph/volume?volume=a&pool=vms&size=10G"),
        ("volume resize vms a 20g -f -y", "PUT /storage/ceph/volume/vms/a?new_size=20g&force=True"),
        (
            "volume clone vms a b -f",
            "POST /storage/ceph/volume/vms/a/clone?new_volume=b&force=True",
        ),
        ("volume snapshot add vms a s", "POST /storage/ceph/snapshot?snapshot=s&volume=a&pool=vms"),
        ("volume snapshot rollback vms a s -y", "POST /storage/ceph/snapshot/vms/a/s/rollback"),
    ] {
        let line = request.split('?').next().unwrap();
        desk.api.on(line, 200, OK);
        assert_eq!(desk.lab(&format!("storage {command}")).stdout, "done\n", "{command}");
        assert_eq!(desk.asked().last().unwrap(), request);
    }
}

#[test]
fn what_makes_no_sense_is_not_sent() {
    let desk = Desk::new();
    for wrong in [
        "volume add vms a 10X",
        "volume resize vms a -y big",
        "pool add vms many",
        "pool add vms 64 --replcfg 3,2",
        "pool set-pgs vms 0",
        "osd in first",
        "osd add hv1 /dev/sdb -w heavy",
        "osd add hv1 /dev/sdb -r 2",
        "osd add hv1 /dev/sdb -r 0.1 -s 6G",
        "volume upload vms a /dev/null -f iso",
        "osd list -f yaml",
    ] {
        let ended = desk.lab(&format!("storage {wrong}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{wrong}: {ended:?}");
    }
    assert!(desk.asked().is_empty());
}

#[test]
fn a_refusal_of_the_storage_is_passed_on() {
    let desk = Desk::new();
    let refusal = "ERROR: Requested volume size '9T' is greater than the available free space";
    desk.api.on("POST /storage/ceph/volume", 400, json!({"message": refusal}));
    let ended = desk.lab("storage volume add vms a 9T");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("Error: Requested volume size '9T'"), "{ended:?}");
}

#[test]
fn what_ceph_says_is_shown_as_it_says_it() {
    let desk = Desk::new();
    let text =
        json!({"type": "status", "primary_node": "hv1", "ceph_data": "cluster:\n  ok\u{1b}\n"});
    desk.api.on("GET /storage/ceph/status", 200, &text);
    desk.api.on("GET /storage/ceph/utilization", 200, &text);
    for command in ["storage status", "storage util -f pretty"] {
        assert_eq!(desk.lab(command).stdout, "cluster:\n  ok\u{fffd}\n", "{command}");
    }
    let json = desk.lab("storage status -f json").stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), text);
}

#[test]
fn lists_are_filtered_by_the_api_and_can_be_had_in_every_format() {
    let desk = Desk::new();
    desk.api.on("GET /storage/ceph/volume", 200, fixture("volumes.json"));
    let list = "storage volume list web -p vms";
    assert!(desk.lab(list).stdout.contains("web1_sda  vms   10G"));
    let json = desk.lab(&format!("{list} -f json")).stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), fixture("volumes.json"));
    assert_eq!(desk.asked(), vec!["GET /storage/ceph/volume?limit=web&pool=vms"; 2]);
    desk.api.on("GET /storage/ceph/snapshot", 404, json!({"message": "Not found."}));
    let none = desk.lab("storage volume snapshot list s -o a -f json");
    assert_eq!((none.code, none.stdout.as_str()), (Some(1), "[]\n"), "{none:?}");
    assert_eq!(desk.asked()[2], "GET /storage/ceph/snapshot?limit=s&volume=a");
}

#[test]
fn one_benchmark_is_one_object_or_missing() {
    let desk = Desk::new();
    desk.api.on("GET /storage/ceph/benchmark", 200, json!([fixture("benchmarks.json")[1]]));
    desk.api.on("GET /storage/ceph/benchmark", 404, json!({"message": "No benchmark found."}));
    let json = desk.lab("storage benchmark info running -f json").stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["benchmark_result"], "Running");
    let missing = desk.lab("storage benchmark info no");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("`pvc storage benchmark list`"), "{missing:?}");
}

#[test]
fn an_image_is_uploaded_whole_and_its_way_is_shown() {
    let desk = Desk::new();
    desk.api.on("GET /storage/ceph/volume/vms/a", 200, json!([{"name": "a", "pool": "vms"}]));
    desk.api.on("POST /storage/ceph/volume/vms/a/upload", 200, OK);
    let content = "0123456789abcdef".repeat(1 << 18);
    let image = desk.file("web1.img", &content);
    let ended = desk.lab(&format!("storage volume upload vms a {image} -f qcow2"));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "done\n"), "{ended:?}");
    let told: Vec<&str> = ended.stderr.lines().skip(2).collect();
    let expected = [
        "Uploading file (total size 4.0 MiB)...",
        "[####----------------]  20%  sending",
        "[##########----------]  50%  sending",
        "[##############------]  70%  sending",
        "[####################] 100%  storing the image",
    ];
    assert_eq!(told, expected);
    let sent = desk.api.received().pop().unwrap();
    assert!(sent.line.ends_with("/upload?image_format=qcow2&file_size=4194304"), "{}", sent.line);
    assert!(sent.body.contains(&content), "the image is not whole");
    assert_eq!(desk.run(&format!("-q -c lab storage volume upload vms a {image}")).stderr, "");
}

#[test]
fn an_image_is_not_sent_to_a_volume_that_is_not_there() {
    let desk = Desk::new();
    desk.api.on("GET /storage/ceph/volume/vms/a", 404, json!({"message": "Volume not found."}));
    let image = desk.file("web1.img", "x");
    let ended = desk.lab(&format!("storage volume upload vms a {image}"));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("Storage volume \"vms/a\" not found."), "{ended:?}");
    assert_eq!(desk.asked().len(), 1);
    let empty = desk.file("empty.img", "");
    let home = desk.path("");
    for wrong in [empty.as_str(), "/no/such/file", &home.to_string_lossy()] {
        let ended = desk.lab(&format!("storage volume upload vms a {wrong}"));
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(wrong), "{ended:?}");
    }
    assert_eq!(desk.asked().len(), 1);
}
