//! Tasks: what is ordered, and what is told of it.

use serde_json::{Value, json};

use crate::support::{Answer, Cluster, DB1, WEB1, encoded};

const DISK: &str =
    "<disk type='file'><source file='/a.img'/><target dev='vdz' bus='virtio'/></disk>";

/// The order that an answer speaks of, as the tree holds it.
async fn ordered(cluster: &Cluster, answer: &Answer) -> Value {
    let id = answer.body["task_id"].as_str().unwrap();
    assert!(id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(answer.headers["location"], format!("/api/v1/tasks/{id}"));
    serde_json::from_str(&cluster.read(&format!("/tasks/{id}")).await.unwrap()).unwrap()
}

async fn tell(cluster: &Cluster, answer: &Answer, phase: &str, current: u64, status: &str) {
    let progress = json!({"phase": phase, "by": "hv2", "current": current, "total": 4,
        "status": status});
    let id = answer.body["task_id"].as_str().unwrap();
    cluster.write(&format!("/tasks/{id}/progress"), &progress.to_string()).await;
}

#[tokio::test]
async fn a_task_is_ordered_of_the_vms_node_and_told_of() {
    let cluster = Cluster::new().await;
    let nothing = json!({"scheduled": {}, "active": {}, "reserved": {}});
    assert_eq!(cluster.get("/tasks").await.is(200).body, nothing);
    let answer = cluster.post("/vm/db1/locks", "").await.is(202);
    assert_eq!(answer.body["task_name"], "vm.flush_locks");
    assert_eq!(answer.body["run_on"], "hv2");
    let order = ordered(&cluster, &answer).await;
    assert_eq!((&order["name"], &order["run_on"]), (&json!("vm.flush_locks"), &json!("node hv2")));
    let id = answer.body["task_id"].as_str().unwrap();
    let entry = json!([{"id": id, "name": "vm.flush_locks", "args": [],
        "kwargs": {"domain": DB1, "run_on": "hv2"}}]);
    let tasks = cluster.get("/tasks").await.is(200).body;
    assert_eq!(tasks["reserved"], json!({"pvcworkerd@hv2": entry}));
    let path = format!("/tasks/{id}");
    let pending = json!({"state": "PENDING", "current": 0, "total": 1,
        "status": "Pending job start"});
    assert_eq!(cluster.get(&path).await.is(200).body, pending);
    tell(&cluster, &answer, "RUNNING", 1, "at it").await;
    let tasks = cluster.get("/tasks").await.body;
    assert_eq!((&tasks["active"]["pvcworkerd@hv2"], &tasks["reserved"]), (&entry, &json!({})));
    let running = json!({"state": "RUNNING", "current": 1, "total": 4, "status": "at it"});
    assert_eq!(cluster.get(&path).await.body, running);
    tell(&cluster, &answer, "SUCCESS", 4, "done").await;
    assert_eq!(cluster.get("/tasks").await.body, nothing);
    let done = json!({"state": "SUCCESS", "current": 4, "total": 4, "status": "done"});
    assert_eq!(cluster.get(&path).await.body, done);
}

#[tokio::test]
async fn a_task_that_nobody_knows_is_pending_and_one_that_waits_says_for_what() {
    let cluster = Cluster::new().await;
    let pending = json!({"state": "PENDING", "current": 0, "total": 1,
        "status": "Pending job start"});
    for nobody in ["0badcafe", "a%2Fb"] {
        assert_eq!(cluster.get(&format!("/tasks/{nobody}")).await.is(200).body, pending);
    }
    let answer = cluster.post("/vm/db1/locks", "").await.is(202);
    let path = format!("/tasks/{}", answer.body["task_id"].as_str().unwrap());
    cluster.write("/nodes/hv2/daemonstate", "dead").await;
    let status = "Pending job start (waiting for node hv2, which is dead)";
    assert_eq!(cluster.get(&path).await.body["status"], status);
    tell(&cluster, &answer, "FAILURE", 1, "it was not to be").await;
    assert_eq!(cluster.get(&path).await.body["status"], "it was not to be");
}

#[tokio::test]
async fn a_task_of_the_future_is_a_failure_and_hides_no_other() {
    let cluster = Cluster::new().await;
    cluster.write("/tasks/00000001", r#"{"name":"vm.paint","run_on":"primary"}"#).await;
    cluster.post("/vm/db1/locks", "").await.is(202);
    assert_eq!(cluster.get("/tasks/00000001").await.is(200).body["state"], "FAILURE");
    assert_eq!(cluster.get("/tasks").await.body["reserved"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn devices_are_for_vms_that_run() {
    let cluster = Cluster::new().await;
    let form = format!("xml={}", encoded(DISK));
    for (answer, name) in [
        (cluster.post("/vm/web1/device", &form).await, "vm.device_attach"),
        (cluster.delete(&format!("/vm/web1/device?{form}")).await, "vm.device_detach"),
    ] {
        let answer = answer.is(202);
        assert_eq!(
            (&answer.body["task_name"], &answer.body["run_on"]),
            (&json!(name), &json!("hv1"))
        );
        let order = ordered(&cluster, &answer).await;
        assert_eq!(order["kwargs"], json!({"domain": WEB1, "xml": DISK}));
    }
    let stopped = cluster.post("/vm/db1/device", &form).await.is(400);
    assert!(stopped.message().contains("state stop"), "{stopped:?}");
    cluster.post("/vm/web1/device", "").await.is(400);
    let broken =
        cluster.post("/vm/web1/device", &format!("xml={}", encoded("<disk"))).await.is(400);
    assert!(broken.message().contains("XML document is not valid"), "{broken:?}");
    cluster.post("/vm/none/device", &form).await.is(404);
    cluster.post("/vm/none/locks", "").await.is(404);
}

#[tokio::test]
async fn there_are_no_tasks_until_all_nodes_know_them() {
    let cluster = Cluster::new().await;
    cluster.write("/schema/version", "17").await;
    let refused = cluster.post("/vm/db1/locks", "").await.is(400);
    assert_eq!(refused.body["code"], "not-upgraded");
}

#[tokio::test]
async fn what_shall_become_of_osds_is_ordered_of_their_node() {
    let cluster = Cluster::new().await;
    cluster.write("/ceph/osds/0/node", "hv2").await;
    let sure = "yes-i-really-mean-it=yes";
    let new = "node=hv3&device=/dev/sdb&weight=1.5&ext_db_size=6G&osd_count=2";
    let database = "node=hv3&device=detect:SAMSUNG:800GB:0";
    for (answer, name, node, kwargs) in [
        (
            cluster.post("/storage/ceph/osd", new).await,
            "osd.add",
            "hv3",
            json!({"device": "/dev/sdb", "weight": "1.5", "ext_db_ratio": null,
                "ext_db_size": 6_442_450_944_u64, "split_count": 2}),
        ),
        (
            cluster.post("/storage/ceph/osddb", database).await,
            "osd.add_db_vg",
            "hv3",
            json!({"device": "detect:SAMSUNG:800GB:0"}),
        ),
        (
            cluster.post("/storage/ceph/osd/0", &format!("new_device=/dev/sdc&{sure}")).await,
            "osd.replace",
            "hv2",
            json!({"osd_id": "0", "new_device": "/dev/sdc", "weight": null, "ext_db_ratio": null,
                "ext_db_size": null}),
        ),
        (
            cluster.put("/storage/ceph/osd/0", "device=/dev/sdb").await,
            "osd.refresh",
            "hv2",
            json!({"osd_id": "0", "device": "/dev/sdb"}),
        ),
        (
            cluster.delete(&format!("/storage/ceph/osd/0?force=False&{sure}")).await,
            "osd.remove",
            "hv2",
            json!({"osd_id": "0", "force_flag": false, "skip_zap_flag": false}),
        ),
    ] {
        let answer = answer.is(202);
        assert_eq!(answer.body["task_name"], name);
        assert_eq!(answer.body["run_on"], node);
        assert_eq!(ordered(&cluster, &answer).await["kwargs"], kwargs);
    }
}

#[tokio::test]
async fn what_cannot_become_of_osds_is_refused() {
    let cluster = Cluster::new().await;
    for (form, status) in [
        ("", 400),
        ("node=hv9&device=/dev/sdb&weight=1", 400),
        ("node=hv3&device=sdb&weight=1", 400),
        ("node=hv3&device=/dev/sdb&weight=heavy", 400),
        ("node=hv3&device=/dev/sdb&weight=1&osd_count=0", 400),
        ("node=hv3&device=/dev/sdb&weight=1&ext_db_ratio=2", 400),
        ("node=hv3&device=/dev/sdb&weight=1&ext_db_ratio=0.05&ext_db_size=1G", 400),
    ] {
        cluster.post("/storage/ceph/osd", form).await.is(status);
    }
    cluster.delete("/storage/ceph/osd/0").await.is(400);
    cluster.delete("/storage/ceph/osd/0?yes-i-really-mean-it=yes").await.is(400);
    cluster.delete("/storage/ceph/osd/7?yes-i-really-mean-it=yes").await.is(404);
    cluster.put("/storage/ceph/osd/7", "device=/dev/sdb").await.is(404);
    assert_eq!(cluster.get("/tasks").await.body["reserved"], json!({}));
}

#[tokio::test]
async fn benchmarks_are_ordered_of_the_primary_and_listed() {
    let cluster = Cluster::new().await;
    let none = cluster.get("/storage/ceph/benchmark").await.is(404);
    assert_eq!(none.message(), "No benchmark found.");
    let answer = cluster.post("/storage/ceph/benchmark", "pool=vms&name=first").await.is(202);
    assert_eq!(answer.body["task_name"], "storage.benchmark");
    assert_eq!(answer.body["run_on"], "hv1 (primary)");
    let order = ordered(&cluster, &answer).await;
    assert_eq!(order["kwargs"], json!({"pool": "vms", "name": "first", "seconds": 75}));
    let answer = cluster.post("/storage/ceph/benchmark", "pool=vms&seconds=5").await.is(202);
    let order = ordered(&cluster, &answer).await;
    let name = order["kwargs"]["name"].as_str().unwrap();
    assert!(name.ends_with("_hv1") && name.as_bytes()[10] == b'T', "{name}");
    let record =
        |id: u64, result: Value| json!({"id": id, "test_format": 2, "result": result}).to_string();
    let result = json!({"seq_read": {"jobs": []}});
    cluster.write("/ceph/benchmarks/zeroth", &record(1, result.clone())).await;
    cluster.write("/ceph/benchmarks/first", &record(2, "Running".into())).await;
    let shown = |id: u64, job: &str, result: Value| json!({"id": id, "job": job, "test_format": 2, "benchmark_result": result});
    let (zeroth, first) = (shown(1, "zeroth", result), shown(2, "first", "Running".into()));
    let all = cluster.get("/storage/ceph/benchmark").await.is(200).body;
    assert_eq!(all, json!([zeroth, first]));
    let one = cluster.get("/storage/ceph/benchmark?job=zeroth").await.is(200).body;
    assert_eq!(one, json!([zeroth]));
    for (form, message) in [
        ("pool=none", "ERROR: Pool 'none' is not valid."),
        ("pool=vms&name=first", "ERROR: There is a benchmark 'first' already."),
    ] {
        let refused = cluster.post("/storage/ceph/benchmark", form).await.is(400);
        assert_eq!(refused.message(), message);
    }
    for form in ["", "pool=vms&seconds=0", "pool=vms&name=a/b"] {
        cluster.post("/storage/ceph/benchmark", form).await.is(400);
    }
}
