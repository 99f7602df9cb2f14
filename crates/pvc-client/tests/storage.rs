//! Requests about storage, and files that are sent.

mod support;

use std::io::{Seek, Write};
use std::sync::{Arc, Mutex};

use pvc_client::call::storage::osd::{ExtDb, NewOsd, Replacement};
use pvc_client::call::storage::snapshot::Place;
use pvc_client::call::storage::{self, osd, pool, snapshot, volume};
use pvc_client::fake::FakeApi;
use pvc_client::{ClientError, Destructive, Upload};
use serde_json::json;

use support::{client, line_of};

#[tokio::test]
async fn ceph_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    line_of(storage::status(), "GET /storage/ceph/status").await;
    line_of(storage::utilization(), "GET /storage/ceph/utilization").await;
    let set = "POST /storage/ceph/option?option=noout&action=set";
    line_of(storage::set_option("noout", true), set).await;
    let unset = "POST /storage/ceph/option?option=noout&action=unset";
    line_of(storage::set_option("noout", false), unset).await;
    line_of(storage::benchmarks(None), "GET /storage/ceph/benchmark").await;
    line_of(storage::benchmarks(Some("a")), "GET /storage/ceph/benchmark?job=a").await;
    let run = storage::run_benchmark("vms", Some("a"), None, &agreed);
    line_of(run, "POST /storage/ceph/benchmark?pool=vms&name=a").await;
}

#[tokio::test]
async fn osd_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    line_of(osd::list(Some("1")), "GET /storage/ceph/osd?limit=1").await;
    let line = "POST /storage/ceph/osddb?node=hv1&device=%2Fdev%2Fsdb";
    line_of(osd::add_db_vg("hv1", "/dev/sdb", &agreed), line).await;
    let new = NewOsd {
        node: "hv1".into(),
        device: "/dev/sdb".into(),
        weight: "1.0".into(),
        ext_db: Some(ExtDb::Ratio("0.05".into())),
        count: Some(2),
    };
    let line = "POST /storage/ceph/osd?node=hv1&device=%2Fdev%2Fsdb&weight=1.0\
                &ext_db_ratio=0.05&osd_count=2";
    line_of(osd::add(&new, &agreed), line).await;
    let by = Replacement {
        device: "/dev/sdc".into(),
        old_device: Some("/dev/sdb".into()),
        weight: None,
        ext_db: Some(ExtDb::Size("6G".into())),
    };
    let line = "POST /storage/ceph/osd/1?new_device=%2Fdev%2Fsdc&old_device=%2Fdev%2Fsdb\
                &ext_db_size=6G&yes-i-really-mean-it=yes";
    line_of(osd::replace("1", &by, &agreed), line).await;
    line_of(osd::refresh("1", "/dev/sdb", &agreed), "PUT /storage/ceph/osd/1?device=%2Fdev%2Fsdb")
        .await;
    let line = "DELETE /storage/ceph/osd/1?yes-i-really-mean-it=yes";
    line_of(osd::remove("1", false, &agreed), line).await;
    line_of(osd::remove("1", true, &agreed), &format!("{line}&force=True")).await;
    line_of(osd::set_in("1", true), "POST /storage/ceph/osd/1/state?state=in").await;
    line_of(osd::set_in("1", false), "POST /storage/ceph/osd/1/state?state=out").await;
}

#[tokio::test]
async fn pool_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    line_of(pool::list(None), "GET /storage/ceph/pool").await;
    line_of(
        pool::add("vms", 64, "copies=3,mincopies=2", "ssd"),
        "POST /storage/ceph/pool?pool=vms&pgs=64&replcfg=copies%3D3%2Cmincopies%3D2&tier=ssd",
    )
    .await;
    let line = "DELETE /storage/ceph/pool/vms?yes-i-really-mean-it=yes";
    line_of(pool::remove("vms", &agreed), line).await;
    line_of(pool::set_pgs("vms", 128, &agreed), "PUT /storage/ceph/pool/vms?pgs=128").await;
}

#[tokio::test]
async fn volume_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    let line = "GET /storage/ceph/volume?limit=a&pool=vms";
    line_of(volume::list(Some("a"), Some("vms")), line).await;
    line_of(volume::info("vms", "a"), "GET /storage/ceph/volume/vms/a").await;
    let line = "POST /storage/ceph/volume?volume=a&pool=vms&size=10G";
    line_of(volume::add("vms", "a", "10G", false), line).await;
    line_of(volume::add("vms", "a", "10G", true), &format!("{line}&force=True")).await;
    line_of(volume::remove("vms", "a", &agreed), "DELETE /storage/ceph/volume/vms/a").await;
    let line = "PUT /storage/ceph/volume/vms/a?new_size=20G&force=True";
    line_of(volume::resize("vms", "a", "20G", true, &agreed), line).await;
    let line = "PUT /storage/ceph/volume/vms/a?new_name=b";
    line_of(volume::rename("vms", "a", "b", &agreed), line).await;
    let line = "POST /storage/ceph/volume/vms/a/clone?new_volume=b&force=True";
    line_of(volume::clone("vms", "a", "b", true), line).await;
}

#[tokio::test]
async fn snapshot_operations_make_the_documented_requests() {
    let agreed = Destructive::agreed();
    let place = Place { pool: "vms".into(), volume: "a".into(), snapshot: "s".into() };
    let line = "GET /storage/ceph/snapshot?limit=s&volume=a&pool=vms";
    line_of(snapshot::list(Some("s"), Some("a"), Some("vms")), line).await;
    let line = "POST /storage/ceph/snapshot?snapshot=s&volume=a&pool=vms";
    line_of(snapshot::add(&place), line).await;
    let line = "PUT /storage/ceph/snapshot/vms/a/s?new_name=t";
    line_of(snapshot::rename(&place, "t"), line).await;
    line_of(snapshot::remove(&place, &agreed), "DELETE /storage/ceph/snapshot/vms/a/s").await;
    let line = "POST /storage/ceph/snapshot/vms/a/s/rollback";
    line_of(snapshot::rollback(&place, &agreed), line).await;
}

fn file_of(content: &[u8], length: u64) -> Upload {
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    file.write_all(content).expect("it can be written");
    file.rewind().expect("it can be rewound");
    Upload { file: tokio::fs::File::from_std(file), name: "a.img".into(), length }
}

#[tokio::test]
async fn a_file_is_sent_in_pieces_and_arrives_whole() {
    let api = FakeApi::start();
    api.on("POST /storage/ceph/volume/vms/a/upload", 200, json!({"message": "done"}));
    let content = "0123456789abcdef".repeat(200_000);
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let request = volume::upload("vms", "a", "qcow2", 3_200_000);
    let upload = file_of(content.as_bytes(), 3_200_000);
    let answer = client(&api)
        .upload(&request, upload, move |sent| teller.lock().unwrap().push(sent))
        .await
        .unwrap();
    assert_eq!(answer.message().unwrap(), "done");
    let received = api.received().remove(0);
    assert!(received.line.ends_with("upload?image_format=qcow2&file_size=3200000"), "{received:?}");
    assert!(received.body.contains("name=\"file\"; filename=\"a.img\""), "no such field");
    assert!(received.body.contains(&content), "the file is not whole");
    let told = told.lock().unwrap();
    assert!(told.len() > 3 && told.is_sorted(), "{told:?}");
    assert_eq!(told.last(), Some(&3_200_000));
}

#[tokio::test]
async fn a_raw_image_is_sent_without_its_size() {
    let api = FakeApi::start();
    api.on("POST /storage/ceph/volume/vms/a/upload", 200, json!({"message": "done"}));
    let request = volume::upload("vms", "a", "raw", 3);
    // More has been added to the file since its size was looked at.
    client(&api).upload(&request, file_of(b"abcdef", 3), drop).await.unwrap();
    let received = api.received().remove(0);
    assert!(received.line.ends_with("upload?image_format=raw"), "{received:?}");
    assert!(received.body.contains("abc\r\n"), "{received:?}");
}

#[tokio::test]
async fn a_file_that_became_shorter_is_no_success() {
    let api = FakeApi::start();
    api.on("POST /storage/ceph/volume/vms/a/upload", 200, json!({"message": "done"}));
    let request = volume::upload("vms", "a", "raw", 10);
    let error = client(&api).upload(&request, file_of(b"abc", 10), drop).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("became shorter"), "{error}");
}
