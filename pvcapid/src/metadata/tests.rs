//! VMs ask what they are.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use pvc_ceph::fake::FakeCeph;
use pvc_common::zk::{Expected, Op};
use pvc_host::fake::FakeFirewall;
use pvc_zk::subtree::ensure_path;
use pvc_zk::{FakeTree, Mirror, Tree};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;

use super::*;
use crate::firewall::Tried;
use crate::serve::follow;
use crate::{Limits, Outside, Ports, Rules, Storage, View};

const WEB1: &str = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10";

fn definition(interfaces: &[(&str, &str)]) -> String {
    let interfaces = interfaces.iter().map(|(mac, bridge)| {
        format!(
            "<interface type='bridge'><mac address='{mac}'/><source bridge='{bridge}'/></interface>"
        )
    });
    let interfaces: String = interfaces.collect();
    format!(
        "<domain><memory unit='MiB'>1</memory><vcpu>1</vcpu><devices>{interfaces}</devices></domain>"
    )
}

/// A cluster with two VMs: `web1` has 10.1.0.100 by a lease, `db1` 10.1.0.10 by a reservation; a third
/// address belongs to no VM.
async fn cluster() -> (Router, Mirror<View>) {
    let tree = FakeTree::new();
    let web1 = format!("/domains/{WEB1}");
    let db1 = "/domains/7e2d3b4f-9b72-4c18-8e54-1c2a7b3d0f21";
    let net = "/networks/1001";
    let old = "/domains/8f3e4c50-ac83-4d29-9f65-2d3b8c4e1a32";
    let lease_of = |vni: u32, mac: &str| format!("/networks/{vni}/dhcp4_leases/{mac}/ipaddr");
    for (path, text) in [
        (web1.clone(), "web1".to_owned()),
        (format!("{web1}/profile"), "small".to_owned()),
        // Written as a person may write it, and once more in a network of another's.
        (
            format!("{web1}/xml"),
            definition(&[("52:54:00:00:00:02", "vmbr7"), ("52:54:00:AA:00:01", "vmbr1001")]),
        ),
        (db1.to_owned(), "db1".to_owned()),
        (format!("{db1}/xml"), definition(&[("52:54:00:00:00:02", "vmbr1001")])),
        (net.to_owned(), "office".to_owned()),
        (format!("{net}/nettype"), "managed".to_owned()),
        (format!("{net}/ip4_network"), "10.1.0.0/24".to_owned()),
        (lease_of(1001, "52:54:00:aa:00:01"), "10.1.0.100".to_owned()),
        (lease_of(1001, "52:54:00:00:00:09"), "10.1.0.109".to_owned()),
        (format!("{net}/dhcp4_reservations/52:54:00:00:00:02/ipaddr"), "10.1.0.10".to_owned()),
        ("/networks/7".to_owned(), "lab".to_owned()),
        ("/networks/7/nettype".to_owned(), "bridged".to_owned()),
        ("/networks/7/dhcp4_leases/52:54:00:00:00:02/ipaddr".to_owned(), "10.1.0.100".to_owned()),
        // It had the other one's addresses before, and leased some that are of neither now.
        ("/networks/1002".to_owned(), "moved".to_owned()),
        ("/networks/1002/nettype".to_owned(), "managed".to_owned()),
        ("/networks/1002/ip4_network".to_owned(), "10.2.0.0/24".to_owned()),
        (lease_of(1002, "52:54:00:00:00:11"), "10.1.0.100".to_owned()),
        (lease_of(1002, "52:54:00:00:00:12"), "10.1.0.112".to_owned()),
        (lease_of(1002, "52:54:00:00:00:13"), "10.2.0.113".to_owned()),
        // Parts of the loopback.
        ("/networks/1003/nettype".to_owned(), "managed".to_owned()),
        ("/networks/1003/ip4_network".to_owned(), "127.1.0.0/24".to_owned()),
        ("/networks/1004/nettype".to_owned(), "managed".to_owned()),
        ("/networks/1004/ip4_network".to_owned(), "127.2.0.0/24".to_owned()),
        (old.to_owned(), "old".to_owned()),
        (
            format!("{old}/xml"),
            definition(&[("52:54:00:00:00:12", "vmbr1002"), ("52:54:00:00:00:13", "vmbr1002")]),
        ),
    ] {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        ensure_path(&tree, if parent.is_empty() { "/" } else { parent }).await.unwrap();
        let entry = tree.get(&path).await.unwrap();
        let expected = entry.map_or(Expected::Absent, |entry| Expected::Version(entry.version));
        tree.commit(vec![Op::put(path, text, expected)]).await.unwrap();
    }
    let outside = Outside {
        storage: Storage::new(FakeCeph::new()),
        rules: Rules::new(Tried(FakeFirewall::new())),
    };
    let (app, mirror) = follow(&tree, outside, None, Limits::default(), Ports::default());
    mirror.complete().await.unwrap();
    (router(app), mirror)
}

/// What is answered to whoever asks from an address.
async fn ask(router: &Router, from: [u8; 4], path: &str) -> (u16, String) {
    let from = SocketAddr::new(Ipv4Addr::from(from).into(), 40_000);
    let request = Request::builder().uri(path).extension(ConnectInfo(from));
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_vm_is_told_what_it_is() {
    let (router, _mirror) = cluster().await;
    for (key, web1, db1) in [
        ("instance-id", WEB1, "7e2d3b4f-9b72-4c18-8e54-1c2a7b3d0f21"),
        ("name", "web1", "db1"),
        ("hostname", "web1", "db1"),
        ("profile", "small", ""),
        ("local-ipv4", "10.1.0.100", "10.1.0.10"),
        ("mac", "52:54:00:aa:00:01", "52:54:00:00:00:02"),
    ] {
        for version in ["latest", "2009-04-04"] {
            let path = format!("/{version}/meta-data/{key}");
            assert_eq!(ask(&router, [10, 1, 0, 100], &path).await, (200, web1.to_owned()), "{key}");
            assert_eq!(ask(&router, [10, 1, 0, 10], &path).await, (200, db1.to_owned()), "{key}");
        }
    }
    let (status, keys) = ask(&router, [10, 1, 0, 100], "/latest/meta-data/").await;
    assert!(status == 200 && keys.lines().any(|key| key == "instance-id"), "{keys}");
    for key in keys.lines() {
        let path = format!("/latest/meta-data/{key}");
        assert_eq!(ask(&router, [10, 1, 0, 100], &path).await.0, 200, "{key}");
    }
    assert_eq!(ask(&router, [10, 1, 0, 100], "/latest/user-data").await, (200, String::new()));
    assert_eq!(ask(&router, [10, 1, 0, 100], "/").await.1, VERSIONS);
}

#[tokio::test]
async fn a_stranger_is_told_why_it_is_told_nothing() {
    let (router, _mirror) = cluster().await;
    let of = "No VM has the interface 52:54:00:00:00:09, to which 10.1.0.109 belongs.\n";
    let none = "No network has a DHCP lease or reservation for 192.0.2.1.\n";
    for path in ["/latest/meta-data/", "/latest/meta-data/instance-id", "/latest/user-data"] {
        assert_eq!(ask(&router, [10, 1, 0, 109], path).await, (404, of.to_owned()));
        assert_eq!(ask(&router, [192, 0, 2, 1], path).await, (404, none.to_owned()));
    }
    let unknown = ask(&router, [10, 1, 0, 100], "/latest/meta-data/secret").await;
    assert_eq!(unknown, (404, "There is no such key.\n".to_owned()));
    assert_eq!(ask(&router, [10, 1, 0, 100], "/latest/x/y").await.0, 404);
}

#[tokio::test]
async fn a_lease_counts_in_its_network_only() {
    let (router, _mirror) = cluster().await;
    let name = "/latest/meta-data/name";
    // Leased by another network too, when that had it.
    assert_eq!(ask(&router, [10, 1, 0, 100], name).await, (200, "web1".to_owned()));
    // Whoever takes such an address is not told whose it was.
    let none = "No network has a DHCP lease or reservation for 10.1.0.112.\n";
    assert_eq!(ask(&router, [10, 1, 0, 112], name).await, (404, none.to_owned()));
    assert_eq!(ask(&router, [10, 2, 0, 113], name).await, (200, "old".to_owned()));
}

/// Asks over a connection of its own, and waits for the answer.
fn over_tcp(server: SocketAddr) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /latest/meta-data/name HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    // Whoever is sent away is answered nothing.
    drop(stream.read_to_string(&mut text));
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_keeps_connections_open_keeps_nobody_out_for_long() {
    let (router, _mirror) = cluster().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(door::admit(listener, router, |_| None));
    let answer = tokio::task::spawn_blocking(move || {
        let idle: Vec<_> = (0..8).map(|_| TcpStream::connect(server).unwrap()).collect();
        // One too many of this address is sent away, and nobody waits for it.
        let mut refused = TcpStream::connect(server).unwrap();
        refused.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(refused.read(&mut [0; 8]).unwrap_or(0), 0);
        drop(idle);
        // Places are free again as soon as those have gone.
        let begun = Instant::now();
        let mut answer = String::new();
        while answer.is_empty() && begun.elapsed() < Duration::from_secs(10) {
            answer = over_tcp(server);
        }
        answer
    });
    let answer = answer.await.unwrap();
    assert!(answer.contains("404") && answer.contains("reservation for 127.0.0.1"), "{answer}");
}

/// A connection from an address of the loopback, of which each network has a part.
async fn connect(from: [u8; 4], server: SocketAddr) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(Ipv4Addr::from(from).into(), 0)).unwrap();
    socket.connect(server).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_whose_guests_take_all_they_can_keeps_no_other_out() {
    let (router, mirror) = cluster().await;
    let view = mirror.complete().await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(door::admit(listener, router, move |ip| network_of(&view, ip)));
    let begun = Instant::now();
    let mut idle = Vec::new();
    for host in 1..=32 {
        for _ in 0..8 {
            idle.push(connect([127, 1, 0, host], server).await);
        }
    }
    // One of another network, and one of none.
    for from in [[127, 2, 0, 1], [127, 3, 0, 1]] {
        let mut other = connect(from, server).await;
        other.write_all(b"GET /latest/meta-data/name HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        other.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("404") && answer.contains("No network has"), "{answer}");
    }
    let waited = begun.elapsed();
    assert!(waited < door::STAY, "nobody had to go for them: {waited:?}");
}
