//! Networks are made, changed and removed; what makes no sense is refused, and nothing is half done.

use pvc_common::zk::key;
use pvc_zk::CommitFault;
use pvc_zk::subtree::Branch;
use serde_json::{Value, json};

use crate::support::{Answer, Cluster, encoded};

/// A network that can be made.
const LAB: &str = "vni=2000&description=lab&nettype=managed&ip4_network=10.2.0.0/24\
    &ip4_gateway=10.2.0.1&dhcp4=True&dhcp4_start=10.2.0.100&dhcp4_end=10.2.0.199";

/// The example cluster with the network `lab` and one that is bridged.
async fn cluster() -> Cluster {
    let cluster = Cluster::new().await;
    cluster.post("/network", LAB).await.is(200);
    cluster.post("/network", "vni=20&description=campus&nettype=bridged").await.is(200);
    cluster
}

/// What the tree holds of networks.
async fn networks(cluster: &Cluster) -> Vec<(String, String)> {
    let branch = Branch::read(&cluster.tree, key::NETWORKS).await.unwrap();
    let znodes = branch.znodes().iter();
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    znodes.map(|(path, entry)| (path.clone(), text(&entry.data))).collect()
}

/// Each of these is refused with these words, and changes nothing.
#[track_caller]
fn refused(answer: Answer, said: &str, request: &str) {
    let answer = answer.is(400);
    assert!(answer.body.to_string().contains(said), "{request}: {said}: {answer:?}");
}

#[tokio::test]
async fn a_network_is_made_with_all_that_the_tree_holds_of_one() {
    let cluster = Cluster::new().await;
    let answer =
        cluster.post("/network", &format!("{LAB}&mtu=&name_servers=10.2.0.9")).await.is(200);
    assert_eq!(answer.message(), "Network 'lab' added successfully!");
    let expected = json!([{
        "vni": 2000, "description": "lab", "type": "managed", "mtu": "", "domain": "lab.local",
        "name_servers": ["10.2.0.9"],
        "ip6": {"network": "None", "gateway": "None", "dhcp_flag": "False"},
        "ip4": {"network": "10.2.0.0/24", "gateway": "10.2.0.1", "dhcp_flag": "True",
                "dhcp_start": "10.2.0.100", "dhcp_end": "10.2.0.199"},
    }]);
    for name in ["2000", "lab"] {
        assert_eq!(cluster.get(&format!("/network/{name}")).await.is(200).body, expected);
    }
    for (path, text) in [
        ("", "lab"),
        ("/nettype", "managed"),
        ("/mtu", ""),
        ("/domain", "lab.local"),
        ("/name_servers", "10.2.0.9"),
        ("/ip4_network", "10.2.0.0/24"),
        ("/ip4_gateway", "10.2.0.1"),
        ("/dhcp4_flag", "True"),
        ("/dhcp4_start", "10.2.0.100"),
        ("/dhcp4_end", "10.2.0.199"),
        ("/ip6_network", "None"),
        ("/ip6_gateway", "None"),
        ("/dhcp6_flag", "False"),
        ("/firewall_rules", ""),
        ("/firewall_rules/in", ""),
        ("/firewall_rules/out", ""),
        ("/dhcp4_reservations", ""),
        ("/dhcp4_leases", ""),
    ] {
        assert_eq!(
            cluster.read(&format!("/networks/2000{path}")).await.as_deref(),
            Some(text),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_network_of_the_paths_number_is_made() {
    let cluster = Cluster::new().await;
    let form =
        "description=six&nettype=managed&ip6_network=fd00:6::/64&domain=six.example.org&mtu=1400";
    cluster.post("/network/3000", form).await.is(200);
    let made = cluster.get("/network/six").await.is(200).body[0].clone();
    assert_eq!(
        (&made["vni"], &made["mtu"], &made["domain"]),
        (&json!(3000), &json!("1400"), &json!("six.example.org"))
    );
    let ip6 = json!({"network": "fd00:6::/64", "gateway": "fd00:6::1", "dhcp_flag": "True"});
    assert_eq!(made["ip6"], ip6, "the gateway is the first address");
    cluster
        .post("/network/30", "description=vlan&nettype=bridged&dhcp4=False&ip4_network=")
        .await
        .is(200);
    let made = cluster.get("/network/30").await.body[0].clone();
    assert_eq!((&made["type"], &made["domain"]), (&json!("bridged"), &json!("None")));
    assert_eq!(cluster.read("/nettype").await, None, "nothing is written beside the networks");
}

#[tokio::test]
async fn networks_are_listed_by_number_and_found_by_number_or_description() {
    let cluster = cluster().await;
    for (query, expected) in [
        ("", vec![20, 1001, 2000]),
        ("?limit=00", vec![1001, 2000]),
        ("?limit=^20", vec![20, 2000]),
        ("?limit=office|lab", vec![1001, 2000]),
        ("?limit=^a|^2000$", vec![2000]),
    ] {
        let list = cluster.get(&format!("/network{query}")).await.is(200);
        let vnis: Vec<_> =
            list.body.as_array().unwrap().iter().map(|n| n["vni"].as_u64().unwrap()).collect();
        assert_eq!(vnis, expected, "{query}");
    }
    for path in ["/network?limit=nothing", "/network/9", "/network/of*", "/network/lab2"] {
        assert_eq!(cluster.get(path).await.is(404).message(), "Network not found.", "{path}");
    }
    cluster.get("/network?limit=(").await.is(400);
    assert_eq!(
        Cluster::empty().await.get("/network").await.is(404).message(),
        "Network not found."
    );
}

#[tokio::test]
async fn what_upstream_left_is_shown_as_far_as_it_is_understood() {
    let cluster = Cluster::new().await;
    for (path, text) in [
        ("/networks/1001/mtu", "None"),
        ("/networks/1001/ip4_network", "all"),
        ("/networks/1001/name_servers", ""),
        ("/networks/1001/dhcp4_flag", "perhaps"),
    ] {
        cluster.write(path, text).await;
    }
    let office = cluster.get("/network/1001").await.is(200).body[0].clone();
    assert_eq!((&office["mtu"], &office["name_servers"]), (&json!(""), &json!([])));
    assert_eq!(
        (&office["ip4"]["network"], &office["ip4"]["dhcp_flag"]),
        (&json!("None"), &json!("False"))
    );
    let answer = cluster.put("/network/1001", "ip4_gateway=10.1.0.1").await;
    refused(answer, "IPv4 network cannot be understood", "what depends on it");
    cluster.put("/network/1001", "mtu=1400").await.is(200);
    cluster.put("/network/1001", "ip4_network=10.1.0.0/24&dhcp4=no").await.is(200);
}

/// Each of these networks is refused with these words, and nothing is made.
async fn makes_nothing(cluster: &Cluster, cases: &[(String, &str)]) {
    let before = networks(cluster).await;
    for (form, said) in cases {
        refused(cluster.post("/network", form).await, said, form);
        assert_eq!(networks(cluster).await, before, "{form}");
    }
}

fn managed(more: &str) -> String {
    format!("vni=5&description=new&nettype=managed&{more}")
}

#[tokio::test]
async fn a_network_that_makes_no_sense_is_refused_and_nothing_is_made() {
    let of = |form: &str| form.to_owned();
    let bridged = |more: &str| format!("vni=5&description=new&nettype=bridged&{more}");
    let cases = [
        (of("description=new&nettype=managed"), "\"vni\":\"Missing"),
        (of("vni=5&nettype=managed"), "\"description\":\"Missing"),
        (of("vni=5&description=new"), "\"nettype\":\"Missing"),
        (of("vni=5&description=new&nettype=vlan"), "expected managed, bridged"),
        (of("vni=0&description=new&nettype=managed"), "from 1 to 16777215"),
        (of("vni=16777216&description=new&nettype=managed"), "from 1 to 16777215"),
        (of("vni=007&description=new&nettype=managed"), "whole number"),
        (of("vni=4095&description=new&nettype=bridged"), "up to 4094"),
        (of("vni=2000&description=new&nettype=managed"), "VNI '2000' already exists!"),
        (of("vni=5&description=lab&nettype=managed"), "description 'lab' already exists!"),
        (of("vni=5&description=42&nettype=managed"), "look like a VNI"),
        (of("vni=5&description=my-&nettype=managed"), "A domain must be given"),
        (bridged("ip4_network=10.3.0.0/24"), "is bridged"),
        (bridged("domain=a.b"), "is bridged"),
        (bridged("name_servers=10.0.0.1"), "is bridged"),
        (bridged("dhcp4=yes"), "is bridged"),
        (managed("dhcp4=ture"), "\"dhcp4\":\"ture is not valid; expected True or False"),
        (managed("ip4_network=169.0.0.0/8"), "not of a loopback"),
        (managed("mtu=100"), "from 576 to 65535"),
        (managed("mtu=1000&ip6_network=fd00:5::/64"), "at least 1280"),
        (managed("domain=a..b"), "\"domain\":"),
        (managed("name_servers=10.0.0.1,x"), "\"name_servers\":"),
        (managed("ip4_network=10.3.0.0"), "\"ip4_network\":"),
        (managed("ip4_network=10.3.0.7/24"), "first address: 10.3.0.0/24"),
        (managed("ip6_network=fd00:5::/48"), "64 bits"),
    ];
    makes_nothing(&cluster().await, &cases).await;
}

#[tokio::test]
async fn addresses_that_do_not_go_together_are_refused() {
    let net = |more: &str| managed(&format!("ip4_network=10.3.0.0/24&{more}"));
    let net6 = |more: &str| managed(&format!("ip6_network=fd00:5::/64&{more}"));
    let dhcp = |more: &str| net(&format!("ip4_gateway=10.3.0.1&{more}"));
    let range = "'10.3.0.0/24'; expected an address from 10.3.0.1 to 10.3.0.254";
    let cases = [
        (managed("ip4_gateway=10.3.0.1"), "no IPv4 network"),
        (managed("ip6_gateway=fd00:5::1"), "no IPv6 network"),
        (net("ip4_gateway=10.4.0.1"), range),
        (net("ip4_gateway=10.3.0.0"), "of no host"),
        (net("ip4_gateway=10.3.0.255"), "of no host"),
        (net6("ip6_gateway=fd00:6::1"), "expected one such as fd00:5::1"),
        (net6("ip6_gateway=fd00:5::"), "expected one such as fd00:5::1"),
        (managed("dhcp4=True"), "start and end addresses are required"),
        (dhcp("dhcp4=True&dhcp4_start=10.3.0.9"), "start and end addresses are required"),
        (dhcp("dhcp4_end=10.3.0.9"), "only one was given"),
        (managed("dhcp4=True&dhcp4_start=10.3.0.9&dhcp4_end=10.3.0.19"), "no IPv4 network"),
        (net("dhcp4=True&dhcp4_start=10.3.0.9&dhcp4_end=10.3.0.19"), "needs an IPv4 gateway"),
        (dhcp("dhcp4_start=10.4.0.9&dhcp4_end=10.4.0.19"), "'10.4.0.9' is outside"),
        (dhcp("dhcp4_start=10.3.0.9&dhcp4_end=10.3.0.255"), "'10.3.0.255' is of no host"),
        (dhcp("dhcp4_start=10.3.0.19&dhcp4_end=10.3.0.9"), "reversed"),
        (dhcp("dhcp4_start=10.3.0.1&dhcp4_end=10.3.0.9"), "contains the gateway"),
    ];
    makes_nothing(&cluster().await, &cases).await;
}

#[tokio::test]
async fn addresses_of_others_are_refused() {
    let cluster = cluster().await;
    cluster.write("/config/upstream_ip", "10.9.0.250/24").await;
    let presence = r#"{"boot":"b","mesh":["10.8.0.1:7411"],"addresses":["10.7.0.1","fd00:7::1"]}"#;
    cluster.write("/nodes/hv1/presence", presence).await;
    let presence = r#"{"boot":"b","mesh":[],"addresses":["10.6.0.2"],"networks":["10.6.0.2/16"]}"#;
    cluster.write("/nodes/hv2/presence", presence).await;
    let net = |cidr: &str| managed(&format!("ip4_network={cidr}"));
    let cases = [
        (net("10.2.0.0/24"), "overlaps with '10.2.0.0/24' of network 'lab' (VNI 2000)"),
        (net("10.2.0.128/25"), "overlaps"),
        (net("10.0.0.0/8"), "overlaps"),
        (net("10.9.0.0/25"), "the cluster's own upstream network"),
        (net("10.8.0.0/24"), "'10.8.0.1', an address of node 'hv1'"),
        (net("10.6.9.0/24"), "overlaps with '10.6.0.0/16', which node 'hv2' is in"),
        (net("10.7.0.0/24"), "'10.7.0.1', an address of node 'hv1'"),
        (managed("ip6_network=fd00:7::/64"), "'fd00:7::1', an address of node 'hv1'"),
    ];
    makes_nothing(&cluster, &cases).await;
    cluster.post("/network", &net("10.3.0.0/24")).await.is(200);
    refused(cluster.put("/network/5", "ip4_network=10.2.0.0/16").await, "overlaps", "a change");
}

#[tokio::test]
async fn hostile_texts_get_nowhere() {
    let cluster = cluster().await;
    let before = networks(&cluster).await;
    for hostile in [
        "a\nb",
        "a;reboot",
        "a'b",
        "a\"b",
        "$(reboot)",
        "`reboot`",
        "a{}",
        "../1001",
        "a b",
        "\u{202e}a",
    ] {
        let text = encoded(hostile);
        for argument in [
            "description",
            "domain",
            "name_servers",
            "mtu",
            "ip4_network",
            "ip4_gateway",
            "ip6_network",
            "ip6_gateway",
            "dhcp4_start",
            "dhcp4_end",
        ] {
            let form = format!("description=new&nettype=managed&{argument}={text}");
            refused(cluster.post("/network/5", &form).await, argument, hostile);
            refused(
                cluster.put("/network/lab", &format!("{argument}={text}")).await,
                argument,
                hostile,
            );
        }
        let form = format!("macaddress=52:54:00:00:00:01&ipaddress=10.2.0.9&hostname={text}");
        refused(cluster.post("/network/lab/lease", &form).await, "hostname", hostile);
        let form = format!("description={}&rule=accept", encoded(&format!("x{hostile}")));
        if hostile != "a b" {
            refused(cluster.post("/network/lab/acl", &form).await, "description", hostile);
        }
        refused(
            cluster.post(&format!("/network/{text}"), "description=new&nettype=managed").await,
            "vni",
            hostile,
        );
    }
    refused(
        cluster.post("/network/lab/acl", "description=x&rule=accept%0Aflush").await,
        "one line",
        "rule",
    );
    assert_eq!(networks(&cluster).await, before);
}

#[tokio::test]
async fn only_what_is_given_is_changed_and_nothing_clears() {
    let cluster = cluster().await;
    cluster
        .post(
            "/network/3000",
            "description=six&nettype=managed&ip6_network=fd00:6::/64&name_servers=fd00:6::9",
        )
        .await
        .is(200);
    let answer = cluster.put("/network/2000", "description=lab2&mtu=1400").await.is(200);
    assert_eq!(answer.message(), "Network '2000' modified successfully!");
    let was = cluster.get("/network/lab2").await.is(200).body[0].clone();
    assert_eq!(
        (&was["mtu"], &was["domain"], &was["ip4"]["dhcp_start"]),
        (&json!("1400"), &json!("lab.local"), &json!("10.2.0.100"))
    );
    let ip4 = async |form: &str| {
        cluster.put("/network/2000", form).await.is(200);
        cluster.get("/network/2000").await.body[0]["ip4"].clone()
    };
    let moved =
        ip4("ip4_network=10.5.0.0/24&ip4_gateway=10.5.0.1&dhcp4_start=10.5.0.2&dhcp4_end=10.5.0.9")
            .await;
    assert_eq!((&moved["dhcp_flag"], &moved["gateway"]), (&json!("True"), &json!("10.5.0.1")));
    let answer = cluster.put("/network/2000", "ip4_network=").await.is(400);
    assert!(answer.message().ends_with("give one, or switch it off."), "{answer:?}");
    let answer = cluster.put("/network/2000", "ip4_network=&dhcp4=no&ip4_gateway=10.5.0.1");
    let answer = answer.await.is(400);
    assert!(answer.message().ends_with("give one, or clear it."), "{answer:?}");
    let off = ip4("dhcp4=False").await;
    assert_eq!(off["dhcp_start"], json!("10.5.0.2"), "it may be switched on again");
    let off = ip4("dhcp4_start=&dhcp4_end=").await;
    assert_eq!(
        (&off["dhcp_flag"], &off["dhcp_start"], &off["network"]),
        (&json!("False"), &json!("None"), &json!("10.5.0.0/24"))
    );
    ip4("dhcp4_start=10.5.0.2&dhcp4_end=10.5.0.9").await;
    let none = ip4("ip4_network=").await;
    for part in ["network", "gateway", "dhcp_start", "dhcp_end"] {
        assert_eq!(none[part], json!("None"), "{part} goes with the network: {none}");
    }
    cluster.put("/network/2000", "domain=x.example.org&mtu=").await.is(200);
    cluster.put("/network/2000", "domain=").await.is(200);
    let now = cluster.get("/network/2000").await.body[0].clone();
    assert_eq!(
        (&now["domain"], &now["mtu"]),
        (&json!("lab2.local"), &json!("")),
        "there is always a domain"
    );
    let ip6 = async |form: &str| {
        cluster.put("/network/six", form).await.is(200);
        let six = cluster.get("/network/six").await.body[0].clone();
        (
            six["ip6"]["network"].clone(),
            six["ip6"]["gateway"].clone(),
            six["ip6"]["dhcp_flag"].clone(),
        )
    };
    assert_eq!(ip6("mtu=1300").await, (json!("fd00:6::/64"), json!("fd00:6::1"), json!("True")));
    assert_eq!(ip6("ip6_gateway=fd00:6::7").await.1, json!("fd00:6::7"));
    assert_eq!(ip6("ip6_network=fd00:6::/64").await.1, json!("fd00:6::7"), "it is in the network");
    assert_eq!(ip6("ip6_network=fd00:8::/64").await.1, json!("fd00:8::1"));
    assert_eq!(ip6("ip6_gateway=").await, (json!("fd00:8::/64"), json!("None"), json!("True")));
    assert_eq!(ip6("ip6_network=").await, (json!("None"), json!("None"), json!("False")));
    let six = cluster.get("/network/six").await.body[0].clone();
    assert_eq!(six["name_servers"], json!(["fd00:6::9"]), "they were not spoken of");
    cluster.put("/network/six", "name_servers=").await.is(200);
    assert_eq!(cluster.get("/network/six").await.body[0]["name_servers"], json!([]));
}

#[tokio::test]
async fn a_change_that_makes_no_sense_changes_nothing() {
    let cluster = cluster().await;
    cluster
        .post("/network/lab/lease", "macaddress=52:54:00:00:00:01&ipaddress=10.2.0.9")
        .await
        .is(200);
    let before = networks(&cluster).await;
    for (network, form, said) in [
        ("9", "mtu=1400", "Could not find network '9'"),
        ("lab", "", "No updates"),
        ("lab", "dhcp4=ture", "expected True or False"),
        ("lab", "dhcp4=", "No updates"),
        ("lab", "description=office", "already exists!"),
        ("lab", "description=", "\"description\":"),
        ("lab", "mtu=1400&ip4_gateway=10.3.0.1", "outside of network"),
        ("lab", "ip4_network=", "no IPv4 network"),
        ("lab", "ip4_gateway=", "needs an IPv4 gateway"),
        ("lab", "dhcp4_end=", "start and end addresses are required"),
        ("lab", "ip4_network=10.2.0.0/26", "outside"),
        (
            "lab",
            "ip4_network=10.2.0.0/28&dhcp4=no&dhcp4_start=&dhcp4_end=&ip4_gateway=10.2.0.9",
            "cannot be the gateway",
        ),
        (
            "lab",
            "ip4_network=10.3.0.0/24&dhcp4=no&dhcp4_start=&dhcp4_end=&ip4_gateway=",
            "reservation for 52:54:00:00:00:01",
        ),
        ("lab", "ip4_network=&dhcp4=no&dhcp4_start=&dhcp4_end=&ip4_gateway=", "remove it first"),
        ("lab", "mtu=700&ip6_network=fd00:5::/64", "at least 1280"),
        ("campus", "ip4_network=10.3.0.0/24", "is bridged"),
        ("campus", "domain=campus.example.org", "is bridged"),
    ] {
        refused(cluster.put(&format!("/network/{network}"), form).await, said, form);
        assert_eq!(networks(&cluster).await, before, "{form}");
    }
    cluster.put("/network/lab", "ip4_network=10.2.0.0/23").await.is(200);
    cluster.put("/network/campus", "mtu=9000&domain=").await.is(200);
}

#[tokio::test]
async fn a_description_with_an_underscore_makes_a_domain() {
    let cluster = Cluster::new().await;
    cluster.post("/network/5", "description=my_net&nettype=managed").await.is(200);
    assert_eq!(cluster.get("/network/5").await.body[0]["domain"], "my_net.local");
}

#[tokio::test]
async fn what_was_wrong_before_keeps_nothing_else_from_being_changed() {
    let cluster = cluster().await;
    let reservation = "/networks/2000/dhcp4_reservations/52:54:00:00:00:01";
    for (path, text) in [
        (reservation.to_owned(), "static"),
        (format!("{reservation}/ipaddr"), "10.9.0.9"),
        (format!("{reservation}/hostname"), "web1"),
        ("/networks/2000/dhcp4_end".to_owned(), "10.3.0.199"),
    ] {
        cluster.write(&path, text).await;
    }
    for form in ["dhcp4=no", "dhcp4=yes", "dhcp4_start=10.2.0.50", "ip4_gateway=10.2.0.2"] {
        cluster.put("/network/lab", form).await.is(200);
    }
    for (form, said) in [
        ("dhcp4_end=10.4.0.199", "'10.4.0.199' is outside"),
        ("dhcp4_start=10.4.0.1", "'10.4.0.1' is outside"),
        ("ip4_gateway=", "needs an IPv4 gateway"),
        ("dhcp4_end=", "start and end addresses are required"),
    ] {
        refused(cluster.put("/network/lab", form).await, said, form);
    }
    cluster.write("/networks/2000/ip6_gateway", "fd00:9::1").await;
    cluster.write("/networks/2000/ip6_network", "fd00:8::/64").await;
    cluster.write("/networks/2000/mtu", "1000").await;
    cluster.put("/network/lab", "mtu=1100").await.is(400);
    cluster.put("/network/lab", "mtu=1400").await.is(200);
}

#[tokio::test]
async fn a_network_that_vms_use_is_removed_only_by_force() {
    let cluster = cluster().await;
    refused(cluster.delete("/network/office").await, "is used by VMs: db1, web1.", "office");
    assert_eq!(
        cluster.delete("/network/lab").await.is(200).message(),
        "Network 'lab' removed successfully!"
    );
    assert_eq!(
        cluster.delete("/network/1001?force=True").await.is(200).message(),
        "Network 'office' removed successfully!"
    );
    refused(cluster.delete("/network/lab").await, "Could not find network 'lab'", "again");
    let left: Vec<_> = networks(&cluster).await.into_iter().map(|(path, _)| path).collect();
    assert!(
        left.iter().all(|path| path == "/networks" || path.starts_with("/networks/20")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_network_of_thousands_of_leases_is_removed_step_by_step() {
    let cluster = cluster().await;
    for at in 0..300_u32 {
        let root =
            format!("/networks/2000/dhcp4_leases/52:54:00:00:{:02x}:{:02x}", at / 256, at % 256);
        for (suffix, text) in [
            ("", ""),
            ("/ipaddr", "10.2.0.9"),
            ("/hostname", ""),
            ("/expiry", "1"),
            ("/clientid", "*"),
        ] {
            crate::support::write(&cluster.tree, &format!("{root}{suffix}"), text).await;
        }
    }
    cluster.own.fail_commit(CommitFault::UnknownButDone);
    cluster.delete("/network/lab").await.is(503);
    assert!(cluster.read("/networks/2000/nettype").await.is_some());
    cluster.delete("/network/lab").await.is(200);
    assert_eq!(cluster.read("/networks/2000").await, None);
}

#[tokio::test]
async fn two_networks_at_once_do_not_overlap() {
    let cluster = Cluster::new().await;
    let form =
        |vni: u32| format!("vni={vni}&description=n{vni}&nettype=managed&ip4_network=10.3.0.0/24");
    let (one, two) = (form(5), form(6));
    let (a, b) = tokio::join!(cluster.post("/network", &one), cluster.post("/network", &two));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn a_change_beside_anothers_is_decided_anew() {
    let cluster = cluster().await;
    cluster.write("/networks/2000/ip4_gateway", "10.2.0.5").await;
    let answer = cluster.put("/network/lab", "dhcp4_start=10.2.0.2").await;
    refused(answer, "contains the gateway 10.2.0.5", "what another wrote counts");
    let value: Value = cluster.get("/network/lab").await.body[0]["ip4"]["gateway"].clone();
    assert_eq!(value, "10.2.0.5");
}
