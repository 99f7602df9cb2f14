//! The metrics of Ceph and ZooKeeper are passed on.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use pvcapid::Ports;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Answer, Cluster};

/// What a service answers to everything.
#[derive(Clone, Copy)]
enum Service {
    Says(&'static str),
    Hangs,
    /// More than any page has.
    Endless,
}

/// Listens as a service; its port.
async fn listen(service: Service) -> u16 {
    listen_at("127.0.0.1:0", service).await
}

/// The same at this address.
async fn listen_at(at: &str, service: Service) -> u16 {
    let listener = TcpListener::bind(at).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut asked = [0; 1024];
                let count = stream.read(&mut asked).await.unwrap();
                assert!(asked[..count].starts_with(b"GET /metrics HTTP/1.1\r\n"));
                match service {
                    Service::Says(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                    Service::Hangs => std::future::pending().await,
                    Service::Endless => {
                        let head = b"HTTP/1.1 200 OK\r\n\r\n";
                        stream.write_all(head).await.unwrap();
                        while stream.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
                    }
                }
            });
        }
    });
    port
}

/// A cluster whose managers and ZooKeeper exporters listen on this machine.
async fn cluster(ceph: u16, zookeeper: u16) -> Cluster {
    let cluster = Cluster::exporting(Ports { ceph, zookeeper }).await;
    let presence = r#"{"boot":"b","mesh":[],"addresses":["127.0.0.1"]}"#;
    cluster.write("/nodes/hv1/presence", presence).await;
    cluster.write("/ceph", "  services:\n    mgr: hv1(active, since 3d), standbys: hv2\n").await;
    cluster
}

/// A page, asked for without a token.
async fn page(cluster: &Cluster, path: &str) -> Answer {
    cluster.send(Request::get(format!("/api/v1/metrics{path}")).body(Body::empty()).unwrap()).await
}

fn text(answer: &Answer) -> &str {
    answer.body.as_str().unwrap()
}

const CEPH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n\
                    # TYPE ceph_health gauge\nceph_health 0";
const ZOOKEEPER: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                         2f\r\nzk_up{zk_host=\"hv1:2181\"} 1\n# TYPE zk_up gauge\n\r\n0\r\n\r\n";

#[tokio::test]
async fn what_others_tell_is_passed_on() {
    let (ceph, zookeeper) = (Service::Says(CEPH), Service::Says(ZOOKEEPER));
    let cluster = cluster(listen(ceph).await, listen(zookeeper).await).await;
    let of_ceph = page(&cluster, "/ceph").await.is(200);
    assert_eq!(text(&of_ceph), "# TYPE ceph_health gauge\nceph_health 0\n");
    let of_zookeeper = page(&cluster, "/zookeeper").await.is(200);
    assert_eq!(text(&of_zookeeper), "# TYPE zk_up gauge\nzk_up{zk_host=\"hv1\"} 1\n");
    let all = page(&cluster, "").await.is(200);
    for part in ["pvc_nodes 3\n", "\nceph_health 0\n", "\nzk_up{zk_host=\"hv1\"} 1\n"] {
        assert!(text(&all).contains(part), "{part} is not in\n{}", text(&all));
    }
}

/// What is said of a manager that is a standby by now: by default, and as its module may be set.
const STANDBYS: [&str; 3] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 7\r\n\r\nstandby",
    "HTTP/1.1 303 See Other\r\nLocation: http://127.0.0.9:1/\r\nContent-Length: 0\r\n\r\n",
];

#[tokio::test]
async fn the_active_manager_is_asked_although_another_was_active_a_moment_ago() {
    let standbys = STANDBYS.map(Service::Says).into_iter().chain([Service::Hangs]);
    for standby in standbys {
        let port = listen(standby).await;
        listen_at(&format!("127.0.0.2:{port}"), Service::Says(CEPH)).await;
        let cluster = cluster(port, 1).await;
        page(&cluster, "/ceph").await.is(503);
        let presence = r#"{"boot":"b","mesh":[],"addresses":["127.0.0.2"]}"#;
        cluster.write("/nodes/hv2/presence", presence).await;
        let of_ceph = page(&cluster, "/ceph").await.is(200);
        assert_eq!(text(&of_ceph), "# TYPE ceph_health gauge\nceph_health 0\n");
        assert!(text(&page(&cluster, "").await.is(200)).contains("\nceph_health 0\n"));
    }
}

#[tokio::test]
async fn who_does_not_tell_delays_nobody_and_hides_nothing() {
    let error = Service::Says("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n");
    let (hangs, endless) = (Service::Hangs, Service::Endless);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let nonsense = Service::Says("220 smtp.example.net ESMTP\r\n");
    for (ceph, zookeeper) in [
        (listen(error).await, listen(hangs).await),
        (nobody, listen(nonsense).await),
        (listen(endless).await, nobody),
    ] {
        let cluster = cluster(ceph, zookeeper).await;
        let asked = async {
            let (of_ceph, of_zookeeper, all) = tokio::join!(
                page(&cluster, "/ceph"),
                page(&cluster, "/zookeeper"),
                page(&cluster, "")
            );
            assert_eq!(of_ceph.is(503).message(), "Ceph's active manager tells no metrics.");
            let message = "The primary's ZooKeeper exporter tells no metrics.";
            assert_eq!(of_zookeeper.is(503).message(), message);
            assert!(text(&all.is(200)).contains("pvc_nodes 3\n"));
        };
        tokio::time::timeout(Duration::from_secs(30), asked).await.unwrap();
    }
}

#[tokio::test]
async fn without_a_manager_a_primary_or_an_address_there_are_none() {
    let cluster = Cluster::new().await;
    cluster.write("/ceph", "    mgr: no daemons active\n").await;
    page(&cluster, "/ceph").await.is(503);
    cluster.write("/ceph", "    mgr: hv1(active, since 3d)\n").await;
    page(&cluster, "/ceph").await.is(503);
    page(&cluster, "/zookeeper").await.is(503);
    cluster.write("/config/primary_node", "none").await;
    page(&cluster, "/zookeeper").await.is(503);
}
