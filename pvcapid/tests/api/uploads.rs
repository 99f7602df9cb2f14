//! Volumes are filled from files, whole or not at all.

use std::future::IntoFuture;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::stream::{self, StreamExt};
use pvc_ceph::fake::{FakeCeph, Mood};
use pvc_ceph::{ImageFormat, Lock};
use pvc_common::id::VolumeId;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::support::{Answer, Cluster, DB1, TOKEN, WEB1};

const MIB: usize = 1 << 20;
const VOLUME: &str = "/storage/ceph/volume";

fn volume() -> VolumeId {
    "data/a".parse().unwrap()
}

/// A cluster with a pool `data` that has a volume `a` of 8 MiB.
async fn cluster() -> Cluster {
    let cluster = Cluster::new().await;
    let pool = "pool=data&pgs=8&replcfg=copies=1,mincopies=1&tier=default";
    cluster.post("/storage/ceph/pool", pool).await.is(200);
    cluster.post(VOLUME, "pool=data&volume=a&size=8M").await.is(200);
    cluster
}

fn disk(mark: u8) -> Vec<u8> {
    vec![mark; 2 * MIB]
}

const BEGINNING: &str = "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.img\"\r\n\
                         content-type: application/octet-stream\r\n\r\n";
const END: &str = "\r\n--B--\r\n";

/// A form with a file in its only field.
fn form(file: &[u8]) -> Vec<u8> {
    [BEGINNING.as_bytes(), file, END.as_bytes()].concat()
}

fn request(path: &str) -> axum::http::request::Builder {
    Request::post(format!("/api/v1{path}"))
        .header("X-Api-Key", TOKEN)
        .header(CONTENT_TYPE, "multipart/form-data; boundary=B")
}

async fn send(cluster: &Cluster, path: &str, body: Vec<u8>) -> Answer {
    let length = body.len();
    let request = request(path).header(CONTENT_LENGTH, length);
    cluster.send(request.body(Body::from(body)).unwrap()).await
}

async fn upload(cluster: &Cluster, format: ImageFormat, file: &[u8]) -> Answer {
    let path = format!("{VOLUME}/data/a/upload?image_format={format}&file_size={}", file.len());
    send(cluster, &path, form(file)).await
}

async fn stats(cluster: &Cluster) -> Value {
    let text = cluster.read("/ceph/volumes/data/a/stats").await.unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_volume_is_filled_from_an_image_of_any_format() {
    let cluster = cluster().await;
    let before = stats(&cluster).await;
    for (format, mark, says) in [
        (ImageFormat::Raw, 1, "Wrote uploaded file to volume 'a' in pool 'data'."),
        (ImageFormat::Qcow2, 2, "Converted and wrote uploaded file to volume 'a' in pool 'data'."),
        (ImageFormat::Vmdk, 3, "Converted and wrote uploaded file to volume 'a' in pool 'data'."),
    ] {
        let file = FakeCeph::file(format, &disk(mark));
        assert_eq!(upload(&cluster, format, &file).await.is(200).message(), says);
        assert!(cluster.ceph.content(&volume()) == disk(mark), "{format}");
        assert!(!cluster.ceph.has_received(&volume()), "{format}");
        assert_eq!(stats(&cluster).await, before, "{format}");
    }
    // As upstream's clients send it.
    let path = format!("{VOLUME}/data/a/upload?image_format=raw");
    send(&cluster, &path, form(&disk(4))).await.is(200);
    assert!(cluster.ceph.content(&volume()) == disk(4));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_the_volume_is_touched() {
    let cluster = cluster().await;
    let raw = disk(1);
    let qcow2 = FakeCeph::file(ImageFormat::Qcow2, &raw);
    let mut with_base = qcow2.clone();
    with_base[8..16].copy_from_slice(&400_u64.to_be_bytes());
    let mut large = qcow2.clone();
    large[24..32].copy_from_slice(&(9_u64 << 20).to_be_bytes());
    let mut large_vmdk = FakeCeph::file(ImageFormat::Vmdk, &raw);
    large_vmdk[12..20].copy_from_slice(&(9_u64 << 11).to_le_bytes());
    let other_field = String::from_utf8(form(b"x")).unwrap().replace("\"file\"", "\"image\"");
    let numbers = "disk of 9437184 bytes; volume 'data/a' has only 8388608";
    for (path, body, says) in [
        ("data/none/upload?image_format=raw", form(&raw), "There is no volume 'none'"),
        ("none/a/upload?image_format=raw", form(&raw), "There is no volume 'a' in pool 'none'"),
        ("data/a/upload", form(&raw), "Missing required parameter"),
        ("data/a/upload?image_format=iso", form(&raw), "expected raw, qcow2, vmdk"),
        ("data/a/upload?image_format=raw&file_size=x", form(&raw), "expected a whole number"),
        ("data/a/upload?image_format=raw&file_size=5", form(&raw), "longer than the 5 bytes"),
        ("data/a/upload?image_format=raw&file_size=2097153", form(&raw), "has 2097152 bytes"),
        ("data/a/upload?image_format=raw&file_size=9437184", form(&raw), numbers),
        ("data/a/upload?image_format=raw", form(&vec![0; 9 * MIB]), "disk of at least 9"),
        ("data/a/upload?image_format=raw", form(&vec![0; 8 * MIB + 512]), "disk of 8389120 bytes"),
        ("data/a/upload?image_format=qcow2", form(&large), numbers),
        ("data/a/upload?image_format=vmdk", form(&large_vmdk), numbers),
        ("data/a/upload?image_format=qcow2", form(&raw), "not a qcow2 image"),
        ("data/a/upload?image_format=vmdk", form(&qcow2), "is qcow2, not vmdk"),
        ("data/a/upload?image_format=raw", form(&qcow2), "is qcow2, not raw"),
        ("data/a/upload?image_format=vdi", form(b""), "not a vdi image"),
        ("data/a/upload?image_format=vpc", form(&raw), "cannot be read as a vpc image"),
        ("data/a/upload?image_format=qcow2", form(&with_base), "refers to another file"),
        ("data/a/upload?image_format=raw", other_field.into_bytes(), "its only field, 'file'"),
        ("data/a/upload?image_format=raw", b"--B--\r\n".to_vec(), "its only field, 'file'"),
        ("data/a/upload?image_format=raw", b"no form".to_vec(), "multipart"),
    ] {
        let answer = send(&cluster, &format!("{VOLUME}/{path}"), body).await.is(400);
        assert!(answer.body.to_string().contains(says), "{path}: {answer:?}");
        assert!(cluster.ceph.content(&volume()).is_empty(), "{path}");
        assert!(!cluster.ceph.has_received(&volume()), "{path}");
        assert!(stats(&cluster).await["id"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_form_or_of_unknown_length_is_refused() {
    let cluster = cluster().await;
    let path = format!("{VOLUME}/data/a/upload?image_format=raw");
    let file: io::Result<_> = Ok(form(&disk(1)));
    let without_length = request(&path).body(Body::from_stream(stream::iter([file]))).unwrap();
    let answer = cluster.send(without_length).await.is(400);
    assert!(answer.body.to_string().contains("file_size"), "{answer:?}");
    let answer = cluster.post(&path, "file=x").await.is(400);
    assert_eq!(answer.body["code"], "bad-body", "{answer:?}");
}

#[tokio::test]
async fn a_volume_in_use_is_not_filled() {
    let cluster = cluster().await;
    let address = "10.0.0.1:0/7".parse().unwrap();
    let lock = Lock { id: "auto 1".to_owned(), locker: "client.7".to_owned(), address };
    assert!(cluster.ceph.lock(volume(), lock));
    let answer = upload(&cluster, ImageFormat::Raw, &disk(1)).await.is(400);
    assert_eq!(answer.message(), "ERROR: data/a is in use.");
    cluster.write(&format!("/domains/{WEB1}/rbdlist"), "data/a").await;
    let answer = upload(&cluster, ImageFormat::Raw, &disk(1)).await.is(400);
    assert_eq!(answer.message(), "ERROR: VM 'web1' runs with volume 'data/a'; stop it first.");
}

#[tokio::test]
async fn a_pool_has_room_for_the_file_beside_the_volume_or_it_is_refused() {
    let cluster = cluster().await;
    let pool = r#"{"id":7,"free_bytes":1048576,"stored_bytes":0}"#;
    cluster.write("/ceph/pools/data/stats", pool).await;
    let answer = upload(&cluster, ImageFormat::Raw, &disk(1)).await.is(400);
    assert_eq!(answer.body["code"], "too-large", "{answer:?}");
}

/// What comes of a file before something happens.
fn cut_short(
    volume: &str,
    then: impl stream::Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Request<Body> {
    let part = [BEGINNING.as_bytes(), &disk(1)].concat();
    let body = stream::iter([Ok(Bytes::from(part))]).chain(then);
    let path = format!("{VOLUME}/data/{volume}/upload?image_format=raw&file_size={}", 4 * MIB);
    request(&path).body(Body::from_stream(body)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_breaks_off_leaves_the_volume_as_it_was_and_nothing_behind() {
    let cluster = cluster().await;
    let reset = stream::once(async {
        // Later than what comes with the form's head.
        tokio::task::yield_now().await;
        Err(io::ErrorKind::ConnectionReset.into())
    });
    for (request, status, says) in [
        (cut_short("a", reset), 400, "broke off"),
        // It ends in order, but in the middle.
        (cut_short("a", stream::empty()), 400, "broke off"),
        (cut_short("a", stream::pending()), 408, "Nothing of the file came for 60 s"),
    ] {
        let answer = cluster.send(request).await.is(status);
        assert!(answer.message().contains(says), "{answer:?}");
        assert!(cluster.ceph.content(&volume()).is_empty(), "{says}");
        assert!(!cluster.ceph.has_received(&volume()), "{says}");
        assert!(stats(&cluster).await["id"].is_string(), "{says}");
    }
    upload(&cluster, ImageFormat::Raw, &disk(2)).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn what_ceph_does_not_take_or_tell_leaves_the_volume_as_it_was() {
    let cluster = cluster().await;
    for (command, mood, status) in [
        ("rbd info", Mood::Hangs, 503),
        ("rbd import", Mood::Hangs, 503),
        ("rbd import", Mood::Deafens, 503),
        ("rbd import", Mood::Refuses, 400),
        ("rbd rm", Mood::Refuses, 400),
        ("qemu-img info", Mood::Hangs, 503),
        ("qemu-img info", Mood::Absent, 503),
        ("qemu-img convert", Mood::Absent, 503),
    ] {
        cluster.ceph.set_mood_at(command, mood);
        let answer = upload(&cluster, ImageFormat::Raw, &disk(1)).await.is(status);
        assert!(!answer.message().contains("holds a part"), "{command} {mood:?}: {answer:?}");
        cluster.ceph.set_mood_at(command, Mood::Well);
        assert!(cluster.ceph.content(&volume()).is_empty(), "{command} {mood:?}");
        assert!(!cluster.ceph.has_received(&volume()), "{command} {mood:?}");
        assert!(stats(&cluster).await["id"].is_string(), "{command} {mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_holds_a_part_of_an_image_is_not_taken_for_whole() {
    let cluster = cluster().await;
    let whole = stats(&cluster).await;
    let path = format!("{VOLUME}/data/a");
    cluster.write(&format!("/domains/{DB1}/rbdlist"), "data/a").await;
    for (mood, status) in [(Mood::Hangs, 503), (Mood::Deafens, 503), (Mood::Refuses, 400)] {
        cluster.ceph.set_mood_at("qemu-img convert", mood);
        let answer = upload(&cluster, ImageFormat::Raw, &disk(1)).await.is(status);
        assert!(answer.message().contains("volume 'data/a' holds a part of it"), "{answer:?}");
        cluster.ceph.set_mood_at("qemu-img convert", Mood::Well);
        assert!(!cluster.ceph.has_received(&volume()));
        // Also when it is looked at again.
        for _ in 0..2 {
            assert_eq!(stats(&cluster).await.get("id"), None);
            let renamed = cluster.put(&path, "new_name=b").await.is(400);
            let says = "holds only a part of an image; upload it again, or remove it";
            assert!(renamed.message().contains(says), "{renamed:?}");
            cluster.post(VOLUME, "pool=data&volume=a&size=8M").await.is(400);
            cluster.post(&format!("{path}/scan"), "").await.is(200);
            let started = cluster.post("/vm/db1/state", "state=start").await.is(400);
            assert!(started.message().contains(says), "{started:?}");
        }
        upload(&cluster, ImageFormat::Raw, &disk(2)).await.is(200);
        assert_eq!(stats(&cluster).await, whole);
    }
    cluster.post("/vm/db1/state", "state=start").await.is(200);
    cluster.ceph.set_mood_at("qemu-img convert", Mood::Refuses);
    upload(&cluster, ImageFormat::Raw, &disk(1)).await.is(400);
    cluster.delete(&path).await.is(200);
    assert_eq!(cluster.read("/ceph/volumes/data/a").await, None);
}

#[tokio::test]
async fn a_volume_that_holds_a_part_of_an_image_is_whole_after_a_roll_back() {
    let cluster = cluster().await;
    let snapshot = "/storage/ceph/snapshot/data/a/s";
    cluster.post(snapshot, "").await.is(200);
    cluster.ceph.set_mood_at("qemu-img convert", Mood::Refuses);
    upload(&cluster, ImageFormat::Raw, &disk(1)).await.is(400);
    cluster.post(&format!("{snapshot}/rollback"), "").await.is(200);
    assert!(stats(&cluster).await["id"].is_string());
}

#[tokio::test]
async fn no_more_than_a_few_images_are_received_at_once() {
    const AT_ONCE: usize = 4;
    let cluster = cluster().await;
    let volume = |number: usize| format!("v{number}");
    for number in 0..AT_ONCE {
        let arguments = format!("pool=data&volume={}&size=8M", volume(number));
        cluster.post(VOLUME, &arguments).await.is(200);
    }
    // Each comes in part, and then nothing of it until its sender goes on.
    let (mut senders, mut answers) = (Vec::new(), Vec::new());
    for number in 0..AT_ONCE {
        let (go, gone) = oneshot::channel::<()>();
        let (come, came) = oneshot::channel();
        let rest = stream::once(async {
            come.send(()).unwrap();
            drop(gone.await);
            Ok(Bytes::from([&disk(1), END.as_bytes()].concat()))
        });
        let (router, request) = (cluster.router.clone(), cut_short(&volume(number), rest));
        answers.push(tokio::spawn(router.oneshot(request)));
        came.await.unwrap();
        senders.push(go);
    }
    let refused = upload(&cluster, ImageFormat::Raw, &disk(2)).await.is(429);
    assert_eq!(refused.body["code"], "too-many-uploads");
    let says = "ERROR: 4 images are being received already; upload it when one of them is done.";
    assert_eq!(refused.message(), says);
    assert!(cluster.ceph.content(&self::volume()).is_empty());
    assert!(stats(&cluster).await["id"].is_string());
    drop(senders);
    for answer in answers {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    upload(&cluster, ImageFormat::Raw, &disk(2)).await.is(200);
}

/// A refusal that comes while the file is still being sent reaches its sender.
#[tokio::test]
async fn whoever_still_sends_reads_why_the_file_is_refused() {
    let cluster = cluster().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = cluster.router.clone().into_make_service();
    let serving = tokio::spawn(axum::serve(listener, service).into_future());
    let length = 64 * MIB;
    let head = format!(
        "POST /api/v1{VOLUME}/data/a/upload?image_format=qcow2 HTTP/1.1\r\nHost: x\r\n\
         X-Api-Key: {TOKEN}\r\nContent-Type: multipart/form-data; boundary=B\r\n\
         Content-Length: {length}\r\n\r\n{BEGINNING}"
    );
    let (mut from, mut to) = tokio::net::TcpStream::connect(address).await.unwrap().into_split();
    let sending = tokio::spawn(async move {
        to.write_all(head.as_bytes()).await.unwrap();
        let piece = vec![0; MIB];
        for _ in 0..length / MIB - 1 {
            to.write_all(&piece).await.unwrap();
        }
        to
    });
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(10), from.read(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer[..read.unwrap().unwrap()]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("not a qcow2 image"), "{answer}");
    // It was not cut off either.
    drop(tokio::time::timeout(Duration::from_secs(10), sending).await.unwrap().unwrap());
    serving.abort();
}
