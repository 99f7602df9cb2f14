//! What networks hold: reservations, leases and firewall rules.

use pvc_zk::CommitFault;
use serde_json::{Value, json};

use crate::support::{Cluster, encoded};

const LAB: &str = "description=lab&nettype=managed&ip4_network=10.2.0.0/24&ip4_gateway=10.2.0.1\
    &dhcp4=True&dhcp4_start=10.2.0.100&dhcp4_end=10.2.0.199";
const LEASE: &str = "/network/lab/lease";
const ACL: &str = "/network/lab/acl";

/// The example cluster with the network `lab`, an address leased in it, and one that is bridged.
async fn cluster() -> Cluster {
    let cluster = Cluster::new().await;
    cluster.post("/network/2000", LAB).await.is(200);
    cluster.post("/network/20", "description=campus&nettype=bridged").await.is(200);
    let lease = "/networks/2000/dhcp4_leases/52:54:00:00:00:99";
    for (suffix, text) in [
        ("", ""),
        ("/ipaddr", "10.2.0.150"),
        ("/hostname", "guest"),
        ("/expiry", "1700000000"),
        ("/clientid", "*"),
    ] {
        cluster.write(&format!("{lease}{suffix}"), text).await;
    }
    cluster
}

/// A field of each object of a list; nothing if there is none.
async fn listed(cluster: &Cluster, path: &str, field: &str) -> Vec<Value> {
    let answer = cluster.get(path).await;
    let list = answer.body.as_array().cloned().unwrap_or_default();
    list.iter().map(|one| one[field].clone()).collect()
}

#[tokio::test]
async fn an_address_is_kept_until_it_is_removed() {
    let cluster = cluster().await;
    let form = "macaddress=52:54:00:00:00:0A&ipaddress=10.2.0.10&hostname=web1";
    let answer = cluster.post(LEASE, form).await.is(200);
    assert_eq!(answer.message(), "DHCP reservation '52:54:00:00:00:0a' added successfully!");
    cluster.post(&format!("{LEASE}/52:54:00:00:00:0b"), "ipaddress=10.2.0.11").await.is(200);
    let root = "/networks/2000/dhcp4_reservations/52:54:00:00:00:0";
    for (path, text) in
        [("a", "static"), ("a/ipaddr", "10.2.0.10"), ("a/hostname", "web1"), ("b/hostname", "None")]
    {
        assert_eq!(cluster.read(&format!("{root}{path}")).await.as_deref(), Some(text), "{path}");
    }
    let one = json!([{"hostname": "web1", "ip4_address": "10.2.0.10", "mac_address": "52:54:00:00:00:0a", "timestamp": "static"}]);
    assert_eq!(cluster.get(&format!("{LEASE}/52:54:00:00:00:0A")).await.is(200).body, one);
    let all = ["static", "static", "1700000000"];
    assert_eq!(listed(&cluster, "/network/2000/lease", "timestamp").await, all);
    assert_eq!(
        listed(&cluster, &format!("{LEASE}?static=true"), "ip4_address").await,
        ["10.2.0.10", "10.2.0.11"]
    );
    assert_eq!(listed(&cluster, &format!("{LEASE}?limit=99"), "hostname").await, ["guest"]);
    for missing in [
        "/network/lab/lease?limit=nobody",
        "/network/lab/lease/52:54:00:00:00:ff",
        "/network/lab/lease/web1",
    ] {
        assert_eq!(cluster.get(missing).await.is(404).message(), "Lease not found.", "{missing}");
    }
    assert_eq!(cluster.get("/network/nowhere/lease").await.is(404).message(), "Network not found.");
    for (whose, done) in [
        ("52:54:00:00:00:0A", "DHCP static reservation '52:54:00:00:00:0a' removed successfully!"),
        ("10.2.0.11", "DHCP static reservation '52:54:00:00:00:0b' removed successfully!"),
        ("GUEST", "DHCP dynamic lease '52:54:00:00:00:99' removed successfully!"),
    ] {
        assert_eq!(cluster.delete(&format!("{LEASE}/{whose}")).await.is(200).message(), done);
        cluster.delete(&format!("{LEASE}/{whose}")).await.is(400);
    }
    cluster.get(LEASE).await.is(404);
}

#[tokio::test]
async fn who_has_both_a_reservation_and_a_lease_is_shown_with_both() {
    let cluster = cluster().await;
    let mac = "52:54:00:00:00:99";
    cluster
        .post(LEASE, &format!("macaddress={mac}&ipaddress=10.2.0.150&hostname=db1"))
        .await
        .is(200);
    let path = format!("{LEASE}/{mac}");
    assert_eq!(listed(&cluster, &path, "hostname").await, ["db1", "guest"]);
    assert!(cluster.delete(&path).await.is(200).message().starts_with("DHCP static"));
    assert!(cluster.delete(&path).await.is(200).message().starts_with("DHCP dynamic"));
}

#[tokio::test]
async fn an_address_that_cannot_be_kept_is_refused() {
    let cluster = cluster().await;
    cluster
        .post("/network/6", "description=six&nettype=managed&ip6_network=fd00:6::/64")
        .await
        .is(200);
    cluster
        .post(LEASE, "macaddress=52:54:00:00:00:01&ipaddress=10.2.0.9&hostname=web1")
        .await
        .is(200);
    let new = "macaddress=52:54:00:00:00:02";
    for (network, form, said) in [
        ("nowhere", format!("{new}&ipaddress=10.2.0.10"), "Could not find network 'nowhere'"),
        ("campus", format!("{new}&ipaddress=10.2.0.10"), "is bridged"),
        ("six", format!("{new}&ipaddress=10.2.0.10"), "has no IPv4 network"),
        ("lab", "ipaddress=10.2.0.10".to_owned(), "\"macaddress\":\"Missing"),
        ("lab", new.to_owned(), "\"ipaddress\":\"Missing"),
        ("lab", "macaddress=52:54:00&ipaddress=10.2.0.10".to_owned(), "six pairs of hex digits"),
        ("lab", "macaddress=01:00:5e:00:00:01&ipaddress=10.2.0.10".to_owned(), "not of a group"),
        ("lab", format!("{new}&ipaddress=10.2.0.999"), "an IPv4 address"),
        ("lab", format!("{new}&ipaddress=10.3.0.10"), "outside of network '10.2.0.0/24'"),
        ("lab", format!("{new}&ipaddress=10.2.0.255"), "of no host"),
        ("lab", format!("{new}&ipaddress=10.2.0.1"), "is the network's gateway"),
        ("lab", format!("{new}&ipaddress=10.2.0.9"), "reserved for 52:54:00:00:00:01"),
        ("lab", format!("{new}&ipaddress=10.2.0.150"), "leased to 52:54:00:00:00:99"),
        (
            "lab",
            format!("{new}&ipaddress=10.2.0.10&hostname=WEB1"),
            "reservation for 52:54:00:00:00:01",
        ),
        ("lab", format!("{new}&ipaddress=10.2.0.10&hostname=a.b"), "without a domain"),
        ("lab", format!("{new}&ipaddress=10.2.0.10&hostname=Gateway"), "is the gateway's"),
        ("lab", "macaddress=52:54:00:00:00:01&ipaddress=10.2.0.10".to_owned(), "already exists!"),
    ] {
        let answer = cluster.post(&format!("/network/{network}/lease"), &form).await.is(400);
        assert!(answer.body.to_string().contains(said), "{form}: {answer:?}");
        assert_eq!(
            listed(&cluster, LEASE, "ip4_address").await,
            ["10.2.0.9", "10.2.0.150"],
            "{form}"
        );
    }
    // A hardware address means something in its own network only.
    cluster
        .post("/network/7", "description=seven&nettype=managed&ip4_network=10.7.0.0/24")
        .await
        .is(200);
    cluster
        .post("/network/seven/lease", "macaddress=52:54:00:00:00:01&ipaddress=10.7.0.9")
        .await
        .is(200);
}

#[tokio::test]
async fn a_name_is_kept_once_in_a_domain_of_several_networks() {
    let cluster = cluster().await;
    for (vni, domain) in [(7, "LAB.local"), (8, "other.local")] {
        let form = format!(
            "description=n{vni}&nettype=managed&ip4_network=10.{vni}.0.0/24&domain={domain}"
        );
        cluster.post(&format!("/network/{vni}"), &form).await.is(200);
    }
    let form = |network: u32, mac: u32| {
        format!("macaddress=52:54:00:00:00:0{mac}&ipaddress=10.{network}.0.9&hostname=web1")
    };
    cluster.post(LEASE, &form(2, 1)).await.is(200);
    let answer = cluster.post("/network/7/lease", &form(7, 2)).await.is(400);
    assert_eq!(answer.body["code"], "hostname-in-use");
    assert!(answer.message().contains("network 'lab'"), "{answer:?}");
    cluster.post("/network/8/lease", &form(8, 3)).await.is(200);
}

#[tokio::test]
async fn a_lease_of_ipv6_is_listed_and_removed() {
    let cluster = cluster().await;
    cluster.put("/network/lab", "ip6_network=fd00:6::/64").await.is(200);
    for (ip, mac) in [("fd00:6::50", "52:54:00:00:00:98"), ("fd00:6::51", "")] {
        let root = format!("/networks/2000/dhcp6_leases/{ip}");
        for (suffix, text) in [
            ("", ""),
            ("/duid", "00:01"),
            ("/iaid", "7"),
            ("/hostname", "guest6"),
            ("/expiry", "1700000000"),
            ("/mac", mac),
        ] {
            cluster.write(&format!("{root}{suffix}"), text).await;
        }
    }
    let expected = json!({"hostname": "guest6", "ip4_address": "", "ip6_address": "fd00:6::50",
        "mac_address": "52:54:00:00:00:98", "timestamp": "1700000000"});
    let all = cluster.get(LEASE).await.is(200).body;
    assert_eq!(all[1], expected, "{all}");
    assert_eq!((&all[2]["mac_address"], all.as_array().unwrap().len()), (&json!(""), 3));
    assert!(all[0].get("ip6_address").is_none(), "as other versions have it: {all}");
    assert_eq!(cluster.get(&format!("{LEASE}/52:54:00:00:00:98")).await.body, json!([expected]));
    cluster.get(&format!("{LEASE}/None")).await.is(404);
    cluster.get(&format!("{LEASE}?static=true")).await.is(404);
    let one = format!("{LEASE}/fd00:6:0::50");
    let done = "DHCP dynamic lease 'fd00:6::50' removed successfully!";
    assert_eq!(cluster.delete(&one).await.is(200).message(), done);
    cluster.delete(&one).await.is(400);
    assert_eq!(cluster.read("/networks/2000/dhcp6_leases/fd00:6::50/duid").await, None);
    assert_eq!(cluster.get(LEASE).await.body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_gateway_is_no_address_that_is_leased() {
    let cluster = cluster().await;
    cluster.put("/network/lab", "ip6_network=fd00:6::/64").await.is(200);
    for (path, text) in [
        ("dhcp4_leases/52:54:00:00:00:98", ""),
        ("dhcp4_leases/52:54:00:00:00:98/ipaddr", "10.2.0.50"),
        ("dhcp6_leases/fd00:6::50", ""),
        ("dhcp6_leases/fd00:6::50/duid", "00:01"),
        ("dhcp6_leases/fd00:6::50/mac", "52:54:00:00:00:98"),
    ] {
        cluster.write(&format!("/networks/2000/{path}"), text).await;
    }
    for form in ["ip4_gateway=10.2.0.50", "ip6_gateway=fd00:6::50"] {
        let answer = cluster.put("/network/lab", form).await.is(400);
        assert_eq!(answer.body["code"], "address-in-use", "{form}");
        assert!(answer.message().contains("is leased"), "{answer:?}");
    }
    // What is so already keeps nothing else from being changed.
    cluster.write("/networks/2000/ip4_gateway", "10.2.0.50").await;
    cluster.write("/networks/2000/ip6_gateway", "fd00:6::50").await;
    cluster.put("/network/lab", "dhcp4=no&mtu=1400&ip6_network=fd00:6::/64").await.is(200);
}

#[tokio::test]
async fn one_address_is_kept_once_however_many_ask_at_once() {
    let cluster = cluster().await;
    let forms: Vec<String> =
        (1..=4).map(|at| format!("macaddress=52:54:00:00:00:0{at}&ipaddress=10.2.0.9")).collect();
    let (a, b, c, d) = tokio::join!(
        cluster.post(LEASE, &forms[0]),
        cluster.post(LEASE, &forms[1]),
        cluster.post(LEASE, &forms[2]),
        cluster.post(LEASE, &forms[3])
    );
    let done = [a, b, c, d].iter().filter(|answer| answer.status == 200).count();
    assert_eq!((done, listed(&cluster, LEASE, "mac_address").await.len()), (1, 2));
}

async fn rule(cluster: &Cluster, name: &str, more: &str) {
    cluster
        .post(ACL, &format!("description={name}&rule=tcp%20dport%2022%20accept{more}"))
        .await
        .is(200);
}

#[tokio::test]
async fn rules_are_kept_in_order_and_by_direction() {
    let cluster = cluster().await;
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] {
        rule(&cluster, name, "&direction=in").await;
    }
    rule(&cluster, "z", "&direction=out").await;
    let done = cluster
        .post(&format!("{ACL}/first"), "rule=%20ip%20saddr%2010.0.0.0/8%20drop%20&order=0")
        .await
        .is(200);
    assert_eq!(done.message(), "Firewall rule 'first' added successfully!");
    rule(&cluster, "third", "&order=2").await;
    rule(&cluster, "last", "&order=99").await;
    rule(&cluster, "before%20z", "&order=0&direction=out").await;
    let names = [
        "first", "a", "third", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "last",
        "before z", "z",
    ];
    assert_eq!(listed(&cluster, ACL, "description").await, names);
    let orders: Vec<u64> = (0..14).chain(0..2).collect();
    assert_eq!(listed(&cluster, ACL, "order").await, orders);
    let first = json!([{"direction": "in", "order": 0, "description": "first", "rule": "ip saddr 10.0.0.0/8 drop"}]);
    assert_eq!(cluster.get(&format!("{ACL}/first")).await.is(200).body, first);
    assert_eq!(
        cluster.read("/networks/2000/firewall_rules/out/z/order").await.as_deref(),
        Some("1")
    );
    assert_eq!(
        listed(&cluster, &format!("{ACL}?direction=out"), "direction").await,
        ["out", "out"]
    );
    assert_eq!(
        listed(&cluster, &format!("{ACL}?limit=^.$&direction=out"), "description").await,
        ["z"]
    );
    let done = cluster.delete(&format!("{ACL}/third")).await.is(200);
    assert_eq!(done.message(), "Firewall rule 'third' removed successfully!");
    cluster.delete(&format!("{ACL}/before%20z")).await.is(200);
    let orders: Vec<u64> = (0..13).chain(0..1).collect();
    assert_eq!(listed(&cluster, ACL, "order").await, orders);
    for missing in [format!("{ACL}/third"), format!("{ACL}/fir"), format!("{ACL}?limit=nothing")] {
        assert_eq!(cluster.get(&missing).await.is(404).message(), "ACL not found.", "{missing}");
    }
    cluster.get(&format!("{ACL}?direction=up")).await.is(400);
    assert_eq!(cluster.get("/network/nowhere/acl").await.is(404).message(), "Network not found.");
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_with_the_firewalls_words() {
    let cluster = cluster().await;
    rule(&cluster, "ssh", "").await;
    for (network, form, said) in [
        ("nowhere", "description=x&rule=drop", "Could not find network 'nowhere'"),
        ("campus", "description=x&rule=drop", "is bridged"),
        ("lab", "rule=drop", "\"description\":\"Missing"),
        ("lab", "description=x", "\"rule\":\"Missing"),
        ("lab", "description=ssh&rule=drop", "'ssh' already exists!"),
        ("lab", "description=ssh&rule=drop&direction=out", "'ssh' already exists!"),
        ("lab", "description=x&rule=drop&direction=up", "expected in, out"),
        ("lab", "description=x&rule=drop&order=-1", "whole number"),
        ("lab", "description=x&rule=&order=1", "one line"),
        (
            "lab",
            "description=x&rule=tcp%20port%201&direction=out",
            "syntax error in out: tcp port 1",
        ),
    ] {
        let answer = cluster.post(&format!("/network/{network}/acl"), form).await.is(400);
        assert!(answer.body.to_string().contains(said), "{form}: {answer:?}");
        assert_eq!(listed(&cluster, ACL, "description").await, ["ssh"], "{form}");
    }
    let answer = cluster.post(ACL, "description=x&rule=please%20wait").await.is(503);
    assert!(!answer.message().contains("nft"), "the cause is for the log: {answer:?}");
    for missing in ["x", "a;b", ".."] {
        cluster.delete(&format!("{ACL}/{}", encoded(missing))).await.is(400);
    }
}

#[tokio::test]
async fn what_upstream_left_of_rules_is_put_in_order() {
    let cluster = cluster().await;
    for (path, text) in [
        ("in/ssh", ""),
        ("in/ssh/rule", "tcp dport 22 accept"),
        ("in/ssh/order", "10"),
        ("in/web", ""),
        ("in/web/rule", "tcp dport 80 accept"),
        ("in/web/order", "2"),
        ("in/all", ""),
        ("in/all/rule", "drop"),
        ("in/all/order", "last"),
        ("out/ssh", ""),
        ("out/ssh/rule", "drop"),
        ("out/ssh/order", "0"),
    ] {
        cluster.write(&format!("/networks/2000/firewall_rules/{path}"), text).await;
    }
    crate::support::write(&cluster.tree, "/networks/2000/firewall_rules/in/ssh/description", "")
        .await;
    assert_eq!(
        listed(&cluster, ACL, "rule").await,
        ["tcp dport 80 accept", "tcp dport 22 accept", "drop", "drop"]
    );
    rule(&cluster, "new", "&order=1").await;
    assert_eq!(
        listed(&cluster, &format!("{ACL}?direction=in"), "description").await,
        ["web", "new", "ssh", "all"]
    );
    assert_eq!(listed(&cluster, &format!("{ACL}?direction=in"), "order").await, [0, 1, 2, 3]);
    let two = cluster.delete(&format!("{ACL}/ssh")).await.is(400);
    assert!(two.message().contains("say which"), "{two:?}");
    cluster.delete(&format!("{ACL}/ssh?direction=out")).await.is(200);
    cluster.delete(&format!("{ACL}/ssh")).await.is(200);
    assert_eq!(listed(&cluster, ACL, "description").await, ["web", "new", "all"]);
}

#[tokio::test]
async fn rules_added_at_once_have_places_of_their_own() {
    let cluster = cluster().await;
    tokio::join!(
        rule(&cluster, "a", "&order=0"),
        rule(&cluster, "b", "&order=0"),
        rule(&cluster, "c", ""),
        rule(&cluster, "d", "&direction=out")
    );
    let orders = listed(&cluster, &format!("{ACL}?direction=in"), "order").await;
    assert_eq!(orders, [0, 1, 2]);
}

#[tokio::test]
async fn a_rule_whose_write_is_not_confirmed_is_there_whole_or_not_at_all() {
    for (fault, names) in [
        (CommitFault::UnknownAndLost, &["a", "b"][..]),
        (CommitFault::UnknownButDone, &["new", "a", "b"]),
    ] {
        let cluster = cluster().await;
        rule(&cluster, "a", "").await;
        rule(&cluster, "b", "").await;
        cluster.own.fail_commit(fault);
        cluster.post(ACL, "description=new&rule=drop&order=0").await.is(503);
        // Any change that is seen brings the rest with it.
        rule(&cluster, "z", "&direction=out").await;
        let of_in = format!("{ACL}?direction=in");
        assert_eq!(listed(&cluster, &of_in, "description").await, names);
        let orders: Vec<usize> = (0..names.len()).collect();
        assert_eq!(listed(&cluster, &of_in, "order").await, orders);
    }
}
