//! Networks: what is asked and what is sent.

use serde_json::{Value, json};

use crate::support::Desk;

const OK: &str = r#"{"message": "done"}"#;

fn network() -> Value {
    json!([{"vni": 2000, "description": "lab", "type": "managed", "mtu": ""}])
}

#[test]
fn a_network_is_made_and_changed_with_what_was_said() {
    let desk = Desk::new();
    desk.api.on("POST /network", 200, OK);
    desk.api.on("PUT /network/2000", 200, OK);
    let least = desk.lab("network add 20 -d campus -p bridged");
    assert_eq!((least.code, least.stdout.as_str()), (Some(0), "done\n"), "{least:?}");
    let most = "network add 2000 -d lab -p managed -m 1400 -n lab.example.org --dns-server 10.0.0.1 \
                --dns-server 10.0.0.2 -i 10.2.0.0/24 -g 10.2.0.1 -i6 fd00:2::/64 -g6 fd00:2::1 --dhcp \
                --dhcp-start 10.2.0.100 --dhcp-end 10.2.0.199";
    assert_eq!(desk.lab(most).code, Some(0));
    assert_eq!(
        desk.lab("network modify 2000 --no-dhcp --dhcp-start= -n= --dns-server=").code,
        Some(0)
    );
    assert_eq!(
        desk.asked(),
        [
            "POST /network?vni=20&description=campus&nettype=bridged&mtu=&dhcp4=False",
            "POST /network?vni=2000&description=lab&nettype=managed&mtu=1400&domain=lab.example.org\
             &name_servers=10.0.0.1&name_servers=10.0.0.2&ip4_network=10.2.0.0%2F24\
             &ip4_gateway=10.2.0.1&ip6_network=fd00%3A2%3A%3A%2F64&ip6_gateway=fd00%3A2%3A%3A1\
             &dhcp4=True&dhcp4_start=10.2.0.100&dhcp4_end=10.2.0.199",
            "PUT /network/2000?domain=&name_servers=&dhcp4=False&dhcp4_start=",
        ]
    );
    for wrong in ["add 5 -d x", "add 5 -p managed", "add 5 -d x -p vlan", "add -d x -p managed"] {
        assert_eq!(desk.lab(&format!("network {wrong}")).code, Some(2), "{wrong}");
    }
}

#[test]
fn nothing_of_a_network_is_removed_unless_the_answer_is_yes() {
    let desk = Desk::new();
    for (command, question, asked) in [
        ("remove lab", "Remove network \"lab\"? [y/N]", "DELETE /network/lab"),
        ("remove lab --force", "Remove network \"lab\"? [y/N]", "DELETE /network/lab?force=True"),
        (
            "dhcp remove lab 52:54:00:00:00:01",
            "loses its DNS name and its metadata until it renews the lease, which may take a day.\n\
             Remove DHCP lease \"52:54:00:00:00:01\" in network \"lab\"? [y/N]",
            "DELETE /network/lab/lease/52:54:00:00:00:01",
        ),
        (
            "acl remove lab ssh",
            "Remove firewall rule \"ssh\" in network \"lab\"?",
            "DELETE /network/lab/acl/ssh",
        ),
    ] {
        let desk_line = asked.split('?').next().unwrap();
        desk.api.on(desk_line, 200, OK);
        let before = desk.asked().len();
        let no = desk.lab_told(&format!("network {command}"), "n\n");
        assert!(no.stderr.contains(question), "{no:?}");
        assert_eq!((no.code, desk.asked().len()), (Some(0), before));
        assert_eq!(desk.lab(&format!("network {command} -y")).stdout, "done\n");
        assert_eq!(desk.asked()[before], asked);
    }
}

#[test]
fn addresses_and_rules_are_added_as_they_were_said() {
    let desk = Desk::new();
    desk.api.on("POST /network/lab/lease", 200, OK);
    desk.api.on("POST /network/lab/acl", 200, OK);
    assert_eq!(desk.lab("network dhcp add lab 10.2.0.9 web1 52:54:00:00:00:01").stdout, "done\n");
    assert_eq!(desk.lab("network acl add lab -d ssh -r drop").stdout, "done\n");
    assert_eq!(desk.lab("network acl add lab --out -d ssh -r drop -o 2").stdout, "done\n");
    assert_eq!(
        desk.asked(),
        [
            "POST /network/lab/lease?macaddress=52%3A54%3A00%3A00%3A00%3A01&ipaddress=10.2.0.9&hostname=web1",
            "POST /network/lab/acl?description=ssh&direction=in&rule=drop",
            "POST /network/lab/acl?description=ssh&direction=out&rule=drop&order=2",
        ]
    );
    let refusal = json!({"message": "ERROR: The firewall does not take the rule: syntax error"});
    desk.api.on("POST /network/other/acl", 400, refusal);
    let refused = desk.lab("network acl add other -d x -r nonsense");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("does not take the rule: syntax error"), "{refused:?}");
}

#[test]
fn what_belongs_to_a_network_that_is_missing_is_not_an_empty_list() {
    let desk = Desk::new();
    let missing = json!({"message": "Network not found.", "code": "not-found"});
    for (network, status, answer) in [("lab", 200, network()), ("nosuch", 404, missing.clone())] {
        desk.api.on(&format!("GET /network/{network}"), status, answer);
        for part in ["acl", "lease"] {
            desk.api.on(&format!("GET /network/{network}/{part}"), 404, missing.clone());
        }
    }
    for (list, what) in [("acl", "ACLs"), ("dhcp", "leases")] {
        let none = desk.lab(&format!("network {list} list lab"));
        assert_eq!(none.code, Some(0), "{none:?}");
        assert!(none.stderr.contains(&format!("There are no {what} that match.")), "{none:?}");
        for format in ["pretty", "json"] {
            let ended = desk.lab(&format!("network {list} list nosuch -f {format}"));
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
            assert!(ended.stderr.contains("Network \"nosuch\" not found."), "{ended:?}");
        }
    }
}

#[test]
fn of_two_that_exclude_each_other_only_one_is_accepted() {
    let desk = Desk::new();
    for both in [
        "network acl add lab --in --out -d x -r drop",
        "network acl list lab --in --out",
        "network modify lab --dhcp --no-dhcp",
        "vm network remove web1 lab -l -L",
        "vm vcpu set web1 2 -r -R",
        "vm flush-locks web1 --wait --no-wait",
        "cluster task abc --wait --no-wait",
        "connection add x -a a --ssl --no-ssl",
    ] {
        let ended = desk.lab(both);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{both}: {ended:?}");
        assert!(ended.stderr.contains("cannot be used with"), "{both}: {ended:?}");
    }
    assert_eq!(desk.asked(), [""; 0]);
}

#[test]
fn a_network_is_shown_with_what_it_holds() {
    let desk = Desk::new();
    desk.api.on("GET /network/lab", 200, network());
    let kept = json!([{"hostname": "web1", "ip4_address": "10.2.0.9",
                       "mac_address": "52:54:00:00:00:01", "timestamp": "static"}]);
    desk.api.on("GET /network/2000/lease", 200, kept);
    desk.api.on("GET /network/2000/acl", 404, json!({"message": "ACL not found."}));
    let shown = desk.lab("network info lab");
    assert!(shown.stdout.contains("10.2.0.9") && !shown.stdout.contains("Firewall"), "{shown:?}");
    assert_eq!(desk.asked()[1..], ["GET /network/2000/lease?static=True", "GET /network/2000/acl"]);
    assert_eq!(desk.lab("network info lab -f long").stdout, shown.stdout);
    let dense = desk.lab("network info lab -f json");
    assert!(dense.stdout.starts_with("{\"vni\":2000,"), "{dense:?}");
    let json: Value = serde_json::from_str(&dense.stdout).unwrap();
    assert_eq!(json["reservations"][0]["ip4_address"], "10.2.0.9");
    assert_eq!(json["rules"], json!([]));
    desk.api.on("GET /network", 200, network());
    assert_eq!(desk.lab("network list -f raw").stdout, "2000\n");
    desk.api.on("GET /network/9", 404, json!({"message": "Network not found."}));
    let missing = desk.lab("network info 9");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("Network \"9\" not found."), "{missing:?}");
}
