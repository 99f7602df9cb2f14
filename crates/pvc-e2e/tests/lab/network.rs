//! Networks of VMs, between hosts.

use std::time::Duration;

use pvc_e2e::lab::{Lab, Stand, until};

/// How long a change of the tree may take to be in force everywhere, on a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// FRR is configured anew, and its peers find each other.
const TOLD: Duration = Duration::from_secs(90);
/// A bridge with something in it is looked at again so often.
const AGAIN: Duration = Duration::from_secs(60);

const VNI: u32 = 407_707;
const VLAN: u32 = 407;

/// Removes the networks and what is in them, however the test ends.
struct Removed<'a>(&'a Lab);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        for host in self.0.hosts() {
            for name in ["e2e-one", "e2e-two"] {
                self.0.try_on(host, &["ip", "netns", "del", name]);
            }
        }
        self.0.remove_network(VNI);
        self.0.remove_network(VLAN);
    }
}

/// The devices of the test's networks on a host.
fn devices(lab: &Lab, host: &str) -> Vec<String> {
    let links = lab.on(host, &["ip", "-brief", "link"]);
    let names = links.lines().filter_map(|line| line.split([' ', '@']).next());
    let ours = |name: &&str| [VNI, VLAN].iter().any(|vni| name.ends_with(&vni.to_string()));
    names.filter(ours).map(str::to_owned).collect()
}

#[track_caller]
fn await_devices(lab: &Lab, limit: Duration, expected: &[String]) {
    for host in lab.hosts() {
        until(&format!("{host} to have {expected:?}"), limit, || {
            let mut seen = devices(lab, host);
            seen.sort();
            if seen == expected { Ok(()) } else { Err(format!("{seen:?}")) }
        });
    }
}

/// Where a host sends what is for this address: by the words of `bridge fdb`.
fn way(lab: &Lab, host: &str, mac: &str) -> String {
    let all = lab.on(host, &["bridge", "fdb", "show", "dev", &format!("vxlan{VNI}")]);
    all.lines().filter(|line| line.starts_with(mac) && line.contains(" dst ")).collect()
}

#[track_caller]
fn await_ping(lab: &Lab, from: &Stand, to: &str) {
    until(&format!("{to} to answer"), TOLD, || {
        let said = lab.inside(from, &["ping", "-c1", "-W1", to]);
        if said.code == 0 { Ok(()) } else { Err(said.out) }
    });
}

fn complaint(lab: &Lab, node: &str) -> String {
    let checks = lab.node(node).health_details;
    checks
        .into_iter()
        .find(|check| check.name == "networks")
        .map_or_else(String::new, |c| c.message)
}

#[test]
fn two_vms_of_a_network_reach_each_other_on_different_hosts_and_nothing_is_left_of_it() {
    let lab = Lab::take();
    lab.await_rest();
    let _removed = Removed(&lab);
    let [one, two, three, ..] = lab.hosts() else { panic!("three hosts") };
    lab.make_network(VNI, "managed");
    let expected = [format!("vmbr{VNI}"), format!("vxlan{VNI}")];
    await_devices(&lab, SOON, &expected);

    let (mac_a, mac_b) = ("52:54:00:00:77:01", "52:54:00:00:77:02");
    let a = lab.stand(one, "e2e-one", VNI, mac_a, "10.77.7.1/24");
    let b = lab.stand(two, "e2e-two", VNI, mac_b, "10.77.7.2/24");
    await_ping(&lab, &a, "10.77.7.2");
    let sized =
        |size| lab.inside(&a, &["ping", "-c1", "-W2", "-Mdo", "-s", size, "10.77.7.2"]).code;
    assert_eq!((sized("1422"), sized("1423")), (0, 1), "packets of 1450 bytes fit, and no larger");
    for mac in [mac_a, mac_b] {
        until(&format!("{three} to know the way to {mac}"), SOON, || {
            let way = way(&lab, three, mac);
            if way.contains("extern_learn") { Ok(()) } else { Err(way) }
        });
    }
    a_gateway_is_known(&lab, three, one);
    a_daemon_that_starts_anew_disturbs_nobody(&lab, one, &a, "10.77.7.2");

    lab.fall(&b).ok().unwrap();
    let b = lab.stand(three, "e2e-two", VNI, mac_b, "10.77.7.2/24");
    // What a VM does that arrives.
    let _ = lab.inside(&b, &["ping", "-c1", "-W1", "10.77.7.1"]);
    await_ping(&lab, &a, "10.77.7.2");

    a_network_that_cannot_be_harms_no_other(&lab, one);
    await_ping(&lab, &a, "10.77.7.2");

    lab.remove_network(VNI).ok().unwrap();
    until(&format!("{one} to say what is in the way"), AGAIN, || {
        let seen = complaint(&lab, one);
        if seen.contains("e2e-one") { Ok(()) } else { Err(seen) }
    });
    // There are no rules any more for what it may send, so it sends nothing.
    until("nothing to get through", AGAIN, || {
        let said = lab.inside(&a, &["ping", "-c2", "-W1", "10.77.7.2"]);
        if said.code != 0 { Ok(()) } else { Err(said.out) }
    });
    for stand in [&a, &b] {
        lab.fall(stand).ok().unwrap();
    }
    await_devices(&lab, AGAIN, &[]);
}

/// The address of a bridge, as the primary has it, is told to the others.
fn a_gateway_is_known(lab: &Lab, on: &str, to: &str) {
    let (bridge, address) = (format!("vmbr{VNI}"), "10.77.7.254/24");
    lab.on(on, &["ip", "address", "add", address, "dev", &bridge]);
    let mac = lab.on(on, &["cat", &format!("/sys/class/net/{bridge}/address")]);
    until("the way to the gateway to be known", SOON, || {
        let way = way(lab, to, mac.trim());
        if way.contains("extern_learn") { Ok(()) } else { Err(way) }
    });
    lab.on(on, &["ip", "address", "del", address, "dev", &bridge]);
}

fn a_daemon_that_starts_anew_disturbs_nobody(lab: &Lab, host: &str, from: &Stand, to: &str) {
    let script = format!(
        "systemctl restart --no-block pvcnoded; ip netns exec e2e-one ping -q -c60 -i0.05 -W1 {to}"
    );
    let said = lab.on(host, &["sh", "-c", &script]);
    assert!(said.contains(" 0% packet loss"), "{said}");
    lab.await_node(host, SOON);
    await_ping(lab, from, to);
}

/// A kernel without VLANs says so of that network; one with them has it.
fn a_network_that_cannot_be_harms_no_other(lab: &Lab, host: &str) {
    let probe =
        ["ip", "link", "add", "link", "eno2", "name", "e2e-probe", "type", "vlan", "id", "9"];
    let has_vlans = lab.try_on(host, &probe).code == 0;
    lab.try_on(host, &["ip", "link", "del", "e2e-probe"]);
    lab.make_network(VLAN, "bridged");
    until(&format!("network {VLAN} to be or not to be"), SOON, || {
        let (seen, said) = (devices(lab, host), complaint(lab, host));
        let is = seen.contains(&format!("vlan{VLAN}"));
        let is_not = said.contains(&format!("network {VLAN}")) && said.contains("of the kind vlan");
        if if has_vlans { is } else { is_not } { Ok(()) } else { Err(format!("{seen:?} {said}")) }
    });
    lab.remove_network(VLAN).ok().unwrap();
}
