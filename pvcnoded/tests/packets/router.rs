//! What gets through, and what does not.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pvc_zk::Tree;

use crate::site::{Guest, LOST, Node, PATIENCE, listing, network, own_namespace};

const ESTABLISHED: &str = "ct state established,related accept";

#[tokio::test(flavor = "current_thread")]
async fn a_packet_passes_if_the_network_that_it_leaves_and_the_one_that_it_enters_let_it() {
    if !own_namespace() {
        return;
    }
    let (mut node, [a, neighbour, b]) = Node::router().await;
    let leaving = ["tcp dport 8080 accept", "tcp dport 9090 accept", ESTABLISHED, "drop"];
    let entering = ["tcp dport 8080 accept", "tcp dport 7070 accept", ESTABLISHED, "drop"];
    node.has(1, network(&[ESTABLISHED, "drop"], &leaving));
    node.has(2, network(&entering, &[ESTABLISHED, "drop"]));
    node.activate().await;
    let _listeners =
        [7070, 8080, 9090].map(|port| [a.listen(port), neighbour.listen(port), b.listen(port)]);
    a.connect(b.v4, 8080);
    a.connect(b.v6, 8080);
    a.is_kept_from(b.v4, 9090);
    a.is_kept_from(b.v6, 9090);
    a.is_kept_from(b.v4, 7070);
    b.is_kept_from(a.v4, 8080);
    // Within a network nobody stands between guests.
    a.connect(neighbour.v4, 7070);
    a.connect(neighbour.v6, 9090);

    // What was not accepted is when the rules say so, and no longer when the network is gone.
    node.has(2, network(&["tcp dport 9090 accept", ESTABLISHED, "drop"], &[]));
    node.activate().await;
    a.connect(b.v4, 9090);
    a.is_kept_from(b.v4, 8080);
}

#[tokio::test(flavor = "current_thread")]
async fn a_node_serves_guests_what_they_need_and_nothing_else() {
    if !own_namespace() {
        return;
    }
    let (mut node, [guest, ..]) = Node::router().await;
    node.has(1, network(&[], &[]));
    let metadata = IpAddr::from([169, 254, 169, 254]);
    let gateways = [IpAddr::from([10, 1, 0, 1]), "fd00:1::1".parse().unwrap()];
    assert!(
        std::process::Command::new("ip")
            .args(["addr", "add", "169.254.169.254/32", "dev", "lo"])
            .status()
            .unwrap()
            .success()
    );
    let _listeners = [22, 53, 80, 7370].map(|port| TcpListener::bind(("::", port)).unwrap());
    guest.connect(gateways[0], 22);
    node.activate().await;
    for gateway in gateways {
        guest.connect(gateway, 53);
        for port in [22, 80, 7370] {
            guest.is_kept_from(gateway, port);
        }
        // Another address of the node is no way around.
        guest.is_kept_from(IpAddr::from([10, 2, 0, 1]), 22);
    }
    guest.connect(metadata, 80);
    guest.is_kept_from(metadata, 22);
    for port in [53, 67, 123] {
        assert!(arrives(&guest, gateways[0], port), "{port}");
    }
    assert!(arrives(&guest, gateways[1], 547));
    assert!(!arrives(&guest, gateways[0], 547), "DHCPv6 is of IPv6");
    assert!(!arrives(&guest, gateways[0], 161));
}

/// Whether a datagram of the guest's gets to a service of the node.
fn arrives(guest: &Guest, gateway: IpAddr, port: u16) -> bool {
    let service = UdpSocket::bind(("::", port)).unwrap();
    service.set_read_timeout(Some(LOST)).unwrap();
    guest.inside(move || {
        let any: IpAddr = if gateway.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
        let socket = UdpSocket::bind((any, 0)).unwrap();
        socket.send_to(b"hello", (gateway, port)).unwrap();
    });
    service.recv_from(&mut [0; 16]).is_ok()
}

#[tokio::test(flavor = "current_thread")]
async fn a_bad_rule_spoils_nothing_but_itself() {
    if !own_namespace() {
        return;
    }
    let (mut node, [a, _, b]) = Node::router().await;
    let others =
        std::process::Command::new("nft").args(["add", "table", "inet", "filter"]).status();
    assert!(others.unwrap().success());
    let bad =
        ["frobnicate", "tcp dport 8080 accept", "masquerade", "accept; flush ruleset", "drop"];
    node.has(1, network(&[], &["tcp dport { 8080, 9090 } accept", "drop"]));
    node.has(2, network(&bad, &[]));
    let report = node.activate().await;
    assert_eq!((report.changed, report.omitted.len()), (2, 1), "{report}");
    let _listeners = [8080, 9090].map(|port| b.listen(port));
    a.connect(b.v4, 8080);
    a.is_kept_from(b.v4, 9090);
    let told = node.tree.get("/faults/FIREWALL_1002/message").await.unwrap().unwrap().data;
    let told = String::from_utf8(told).unwrap();
    for part in [
        "Network 1002: firewall rule `rule0` (in) is left out: syntax error",
        "`rule2` (in) is left out: Could not process rule: Operation not supported",
        "`rule3` (in) is left out: `;` at character 7",
    ] {
        assert!(told.contains(part), "{told}");
    }

    // Neither a restart nor a further look changes a thing, nor is anything of others' touched.
    let before = listing("ruleset");
    assert!(before.contains("table inet filter"), "{before}");
    node.restart();
    assert_eq!(node.activate().await.changed, 0);
    assert_eq!(unnumbered(&listing("ruleset")), unnumbered(&before));
}

/// A listing without what packets change in it.
fn unnumbered(listing: &str) -> String {
    let line = |line: &str| match line.split_once("counter packets ") {
        Some((before, rest)) => {
            format!("{before} {}", rest.split_once("# ").map_or("", |(_, handle)| handle))
        }
        None => line.to_owned(),
    };
    listing.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "current_thread")]
async fn what_others_do_to_rules_opens_and_shuts_nothing_for_long() {
    if !own_namespace() {
        return;
    }
    let (mut node, [a, _, b]) = Node::router().await;
    node.has(1, network(&[], &["tcp dport { 8080, 9090 } accept", "drop"]));
    node.has(2, network(&["tcp dport 8080 accept", "drop"], &[]));
    node.activate().await;
    let _listeners = [8080, 9090].map(|port| b.listen(port));
    a.is_kept_from(b.v4, 9090);
    let chain = listing("chains inet");
    let chain = chain.split_whitespace().find(|word| word.starts_with("vxlan1002-in-")).unwrap();
    for others in [
        "flush table inet pvc".to_owned(),
        format!("flush chain inet pvc {chain}"),
        format!("insert rule inet pvc {chain} accept"),
    ] {
        let done = std::process::Command::new("nft").args(others.split(' ')).status();
        assert!(done.unwrap().success(), "{others}");
        a.connect(b.v4, 9090);
        // A daemon that has seen nothing yet looks at once.
        node.restart();
        assert!(node.activate().await.changed > 0, "{others}");
        a.is_kept_from(b.v4, 9090);
        a.connect(b.v4, 8080);
        node.restart();
        assert_eq!(node.activate().await.changed, 0, "{others}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_is_lost_while_rules_are_replaced() {
    if !own_namespace() {
        return;
    }
    let (mut node, [a, _, b]) = Node::router().await;
    let ways = [["tcp dport 8080 accept", ESTABLISHED], ["ip saddr 10.9.9.9 drop", ESTABLISHED]];
    let rules =
        |place: usize| ["udp dport 4000 accept", ways[place % 2][0], ways[place % 2][1], "drop"];
    let out = |place: usize| ["udp sport 4000 accept", ways[place % 2][1], "drop"];
    node.has(1, network(&[], &[]));
    node.has(2, network(&rules(0), &out(0)));
    node.activate().await;
    let listener = b.listen(8080);
    let mut stream = a.connect(b.v4, 8080);
    let (mut other, _) = listener.accept().unwrap();

    // Each answer is waited for: one that is lost is missed.
    let is_over = Arc::new(AtomicBool::new(false));
    let (over, server, client) = (Arc::clone(&is_over), b.datagrams(4000), a.datagrams(0));
    client.connect((b.v4, 4000)).unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 16];
        while let Ok((length, from)) = server.recv_from(&mut bytes) {
            server.send_to(&bytes[..length], from).unwrap();
        }
    });
    let exchange = std::thread::spawn(move || {
        let (mut exchanged, mut lost, mut bytes) = (0_u32, 0_u32, [0; 16]);
        client.set_read_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
        while !over.load(Ordering::Relaxed) {
            client.send(b"ping").unwrap();
            match client.recv(&mut bytes) {
                Ok(_) => exchanged += 1,
                Err(_) => lost += 1,
            }
        }
        (exchanged, lost)
    });
    for place in 1..=100 {
        node.has(2, network(&rules(place), &out(place)));
        assert_eq!(node.activate().await.changed, 1);
        assert!(!exchange.is_finished(), "it goes on");
    }
    is_over.store(true, Ordering::Relaxed);
    let (exchanged, lost) = exchange.join().unwrap();
    assert_eq!(lost, 0, "of {exchanged}");
    assert!(exchanged > 100, "only {exchanged} in all that time");

    // A connection goes on by the rules for those that are there, although new ones are not accepted.
    node.has(2, network(&[ESTABLISHED, "drop"], &[ESTABLISHED, "drop"]));
    node.activate().await;
    a.is_kept_from(b.v4, 8080);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    other.write_all(b"still here").unwrap();
    let mut bytes = [0; 10];
    stream.read_exact(&mut bytes).unwrap();
    stream.write_all(b"so am I").unwrap();
    assert_eq!(&bytes, b"still here");
}
