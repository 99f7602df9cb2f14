//! What the nodes keep for themselves: the networks between them, and what they send each other there.

use std::net::{IpAddr, TcpListener, UdpSocket};

use crate::site::{
    CLUSTER, Guest, LOST, Node, STORAGE, UPSTREAM, bridged, network, own_namespace, route,
};

#[tokio::test(flavor = "current_thread")]
async fn a_guest_gets_nothing_into_the_networks_between_the_nodes_whatever_rules_say() {
    if !own_namespace() {
        return;
    }
    let (mut node, [guest, _, other]) = Node::router().await;
    for net in [3, CLUSTER, STORAGE, UPSTREAM] {
        route(net);
    }
    let strange = Guest::new(3, 2);
    let nodes = [CLUSTER, STORAGE].map(|net| Guest::new(net, 2));
    let upstream = Guest::new(UPSTREAM, 2);
    let _listeners = nodes.each_ref().map(|node| node.listen(16509));
    let _others = [upstream.listen(16509), other.listen(16509)];
    // As it was: what a router has, it forwards.
    guest.connect(nodes[0].v4, 16509);

    node.has(1, network(&["accept"], &["accept"]));
    node.has(2, network(&[], &[]));
    node.has(3, bridged());
    node.activate().await;
    for from in [&guest, &strange] {
        for to in &nodes {
            from.is_kept_from(to.v4, 16509);
        }
        from.is_kept_from(nodes[0].v6, 16509);
        from.connect(upstream.v4, 16509);
        from.connect(other.v4, 16509);
    }
    // Neither with the network nor without any.
    node.restart();
    for net in [1, 2, 3] {
        node.has_no(net);
    }
    node.activate().await;
    guest.is_kept_from(nodes[0].v4, 16509);
    guest.connect(upstream.v4, 16509);
    // Between the nodes all is as it was.
    nodes[0].connect(nodes[1].v4, 16509);
}

/// The router's own address in a network.
fn nodes_side(net: u32) -> IpAddr {
    format!("10.{net}.0.1").parse().unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_bridged_network_reaches_nothing_of_the_node() {
    if !own_namespace() {
        return;
    }
    let (mut node, [guest, ..]) = Node::router().await;
    let router = [IpAddr::from([10, 1, 0, 1]), "fd00:1::1".parse().unwrap()];
    let _listeners = [53, 16509].map(|port| TcpListener::bind(("::", port)).unwrap());
    guest.connect(router[0], 16509);
    node.has(1, bridged());
    node.activate().await;
    for router in router {
        for port in [53, 16509] {
            guest.is_kept_from(router, port);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_nodes_send_each_other_is_taken_from_where_nodes_are_only() {
    if !own_namespace() {
        return;
    }
    let (mut node, [guest, ..]) = Node::router().await;
    for net in [CLUSTER, STORAGE, UPSTREAM] {
        route(net);
    }
    let [cluster, storage, upstream] = [CLUSTER, STORAGE, UPSTREAM].map(|net| Guest::new(net, 2));
    node.activate().await;
    for port in [4789, 7411] {
        let target = nodes_side(CLUSTER);
        assert!(arrives(&cluster, target, port), "{port}");
        assert!(arrives(&storage, nodes_side(STORAGE), port), "{port}");
        assert!(!arrives(&upstream, target, port), "{port}");
        assert!(!arrives(&guest, target, port), "{port}");
        // Nor with the address of a node, by another device; nor by this one, with another.
        upstream.also_has("10.255.0.9");
        assert!(!arrives_from(&upstream, "10.255.0.9", target, port), "{port}");
        cluster.also_has("192.0.2.9");
        assert!(!arrives_from(&cluster, "192.0.2.9", target, port), "{port}");
    }
    assert!(arrives(&upstream, nodes_side(CLUSTER), 7412), "what else there is, is not ours");
}

fn arrives(guest: &Guest, target: IpAddr, port: u16) -> bool {
    arrives_from(guest, "0.0.0.0", target, port)
}

/// Whether a datagram with this sender's address gets to a port of the node.
fn arrives_from(guest: &Guest, sender: &'static str, target: IpAddr, port: u16) -> bool {
    let service = UdpSocket::bind(("0.0.0.0", port)).unwrap();
    service.set_read_timeout(Some(LOST)).unwrap();
    guest.inside(move || {
        let socket = UdpSocket::bind((sender, 0)).unwrap();
        socket.send_to(b"hello", (target, port)).unwrap();
    });
    service.recv_from(&mut [0; 16]).is_ok()
}
