//! From what is wanted and what is there to what is done.

use super::*;

fn vni(number: u32) -> Vni {
    number.to_string().parse().unwrap()
}

fn carriers() -> Carriers {
    Carriers {
        tunnels: Some(Tunnels { local: Ipv4Addr::new(10, 0, 0, 1), mtu: 1500 }),
        trunk: Some(Trunk { device: "eno4".to_owned(), mtu: Some(1500), shared: false }),
    }
}

fn wanted(networks: &[(u32, NetworkType, Option<u32>)]) -> BTreeMap<Vni, Wanted> {
    let one = |(number, kind, mtu): &(u32, NetworkType, Option<u32>)| {
        (vni(*number), Wanted { kind: Ok(*kind), mtu: *mtu })
    };
    networks.iter().map(one).collect()
}

fn tunnel(vni: u32) -> LinkKind {
    let local = Some(Ipv4Addr::new(10, 0, 0, 1));
    LinkKind::Vxlan(Tunnel { vni, port: 4789, local, learning: false })
}

fn vlan(id: u16) -> LinkKind {
    LinkKind::Vlan { id, carrier: "eno4".to_owned() }
}

const MAC: [u8; 6] = [0x0a, 0x70, 10, 0, 0, 1];

fn port(kind: LinkKind, bridge: &str, mtu: u32) -> Device {
    let port_of = Some(bridge.to_owned());
    Device { kind, up: true, mtu, port_of, ..Device::default() }
}

fn switch(mtu: u32) -> Device {
    Device { kind: LinkKind::Bridge, up: true, mtu, mac: Some(MAC), ..Device::default() }
}

/// A machine with a device for VLANs, and these.
fn seen(devices: &[(&str, Device)]) -> Devices {
    let trunk = Device { up: true, mtu: 1500, mac: Some([2; 6]), ..Device::default() };
    let all = devices.iter().cloned().chain([("eno4", trunk)]);
    Devices::new(all.map(|(name, device)| (name.to_owned(), device)).collect())
}

/// Managed network 7 in order.
fn in_order() -> [(&'static str, Device); 2] {
    [("vmbr7", switch(1450)), ("vxlan7", port(tunnel(7), "vmbr7", 1450))]
}

fn vnet(bridge: &str) -> Device {
    port(LinkKind::Other, bridge, 1450)
}

#[track_caller]
fn check(wanted: &BTreeMap<Vni, Wanted>, seen: &Devices, steps: &[&str], faults: &[(u32, &str)]) {
    check_on(&carriers(), wanted, seen, steps, faults);
}

#[track_caller]
fn check_on(
    carriers: &Carriers,
    wanted: &BTreeMap<Vni, Wanted>,
    seen: &Devices,
    steps: &[&str],
    faults: &[(u32, &str)],
) {
    let plan = plan(wanted, carriers, seen);
    let all = plan.trunk.iter().chain(plan.networks.values().flat_map(|work| &work.steps));
    assert_eq!(all.map(ToString::to_string).collect::<Vec<_>>(), steps);
    let found =
        plan.networks.iter().filter_map(|(vni, work)| Some((vni.get(), work.fault.as_deref()?)));
    assert_eq!(found.collect::<Vec<_>>(), faults);
}

const MANAGED: NetworkType = NetworkType::Managed;
const BRIDGED: NetworkType = NetworkType::Bridged;

#[test]
fn a_managed_network_is_a_vxlan_in_a_bridge() {
    check(
        &wanted(&[(7, MANAGED, None)]),
        &seen(&[]),
        &[
            "make vxlan7 (vxlan 7 from 10.0.0.1)",
            "quiet vxlan7",
            "mtu vxlan7 1450",
            "make vmbr7 (bridge)",
            "address vmbr7 0a:70:0a:00:00:01",
            "quiet vmbr7",
            "mtu vmbr7 1450",
            "up vmbr7",
            "join vxlan7 vmbr7",
            "unlearning vxlan7",
            "up vxlan7",
        ],
        &[],
    );
}

#[test]
fn a_bridged_network_is_a_vlan_in_a_bridge_with_the_address_of_its_device() {
    check(
        &wanted(&[(7, BRIDGED, Some(1400))]),
        &seen(&[]),
        &[
            "make vlan7 (vlan 7 of eno4)",
            "quiet vlan7",
            "mtu vlan7 1400",
            "make vmbr7 (bridge)",
            "address vmbr7 02:02:02:02:02:02",
            "quiet vmbr7",
            "mtu vmbr7 1400",
            "up vmbr7",
            "join vlan7 vmbr7",
            "up vlan7",
        ],
        &[],
    );
}

#[test]
fn what_is_in_order_is_left_alone() {
    check(&wanted(&[(7, MANAGED, None)]), &seen(&in_order()), &[], &[]);
}

#[test]
fn one_network_among_many_is_touched_alone() {
    let both = wanted(&[(7, MANAGED, None), (8, MANAGED, None), (9, MANAGED, Some(1400))]);
    let nine = [("vmbr9", switch(1450)), ("vxlan9", port(tunnel(9), "vmbr9", 1450))];
    let eight = [("vmbr8", switch(1450)), ("vxlan8", port(tunnel(8), "vmbr8", 1450))];
    let seen = seen(&[in_order(), eight, nine].concat());
    check(&both, &seen, &["mtu vxlan9 1400", "mtu vmbr9 1400"], &[]);
}

#[test]
fn a_network_whose_type_changed_gets_another_port_and_keeps_its_vms() {
    let [bridge, vxlan] = in_order();
    check(
        &wanted(&[(7, BRIDGED, None)]),
        &seen(&[bridge, vxlan, ("vnet0", vnet("vmbr7"))]),
        &[
            "remove vxlan7",
            "make vlan7 (vlan 7 of eno4)",
            "quiet vlan7",
            "mtu vlan7 1500",
            "mtu vmbr7 1500",
            "join vlan7 vmbr7",
            "up vlan7",
        ],
        &[],
    );
}

#[test]
fn a_port_that_upstream_made_is_made_anew() {
    let upstreams = LinkKind::Vxlan(Tunnel { vni: 7, port: 4789, local: None, learning: true });
    let device = Device { learned_from: true, ..port(upstreams, "vmbr7", 1450) };
    let bridge = Device { link_local: true, mac: Some([6; 6]), ..switch(1450) };
    check(
        &wanted(&[(7, MANAGED, None)]),
        &seen(&[("vmbr7", bridge), ("vxlan7", device)]),
        &[
            "remove vxlan7",
            "make vxlan7 (vxlan 7 from 10.0.0.1)",
            "quiet vxlan7",
            "mtu vxlan7 1450",
            "address vmbr7 0a:70:0a:00:00:01",
            "quiet vmbr7",
            "join vxlan7 vmbr7",
            "unlearning vxlan7",
            "up vxlan7",
        ],
        &[],
    );
}

#[test]
fn a_network_that_is_gone_leaves_nothing() {
    let [bridge, vxlan] = in_order();
    let vlan = ("vlan7", port(vlan(7), "vmbr7", 1500));
    check(
        &wanted(&[]),
        &seen(&[bridge, vxlan, vlan]),
        &["remove vxlan7, vlan7, vmbr7 as group 1342177287"],
        &[],
    );
}

#[test]
fn nothing_of_others_goes_with_a_network() {
    let grouped = |vni: u32| Device { group: 1_342_177_280 + vni, ..Device::default() };
    let [bridge, vxlan] = in_order();
    let left = Device { group: 1_342_177_287, ..vxlan.1.clone() };
    check(
        &wanted(&[]),
        &seen(&[bridge.clone(), ("vxlan7", left), ("wan0", grouped(8))]),
        &["remove vxlan7, vmbr7 as group 1342177287"],
        &[],
    );
    check(
        &wanted(&[]),
        &seen(&[bridge.clone(), vxlan, ("wan0", grouped(7))]),
        &["remove vxlan7", "remove vmbr7"],
        &[],
    );
    check(&wanted(&[]), &seen(&[bridge]), &["remove vmbr7"], &[]);
}

#[test]
fn a_bridge_with_a_vm_in_it_stays_and_leads_nowhere() {
    let [bridge, vxlan] = in_order();
    let vms = [("vnet0", vnet("vmbr7")), ("vnet1", vnet("vmbr7"))];
    let why = "there is no such network any more, but vmbr7 has vnet0 and 1 more in it, and leads \
               nowhere";
    let found = [&[bridge, vxlan.clone()], &vms[..]].concat();
    check(&wanted(&[]), &seen(&found), &["remove vxlan7", "down vmbr7"], &[(7, why)]);
    let off = ("vmbr7", Device { up: false, ..switch(1450) });
    let found = [std::slice::from_ref(&off), &vms[..]].concat();
    check(&wanted(&[]), &seen(&found), &[], &[(7, why)]);
    // It leads to the others again if the network comes back.
    let found = [&[off, vxlan], &vms[..]].concat();
    check(&wanted(&[(7, MANAGED, None)]), &seen(&found), &["up vmbr7"], &[]);
}

#[test]
fn devices_of_others_are_left_alone() {
    let others = [
        ("vmbr07", switch(1500)),
        ("vmbr8", vnet("vmbr7")),
        ("vxlan9", Device::default()),
        ("brcluster", switch(1500)),
    ];
    check(&wanted(&[]), &seen(&others), &[], &[]);
    check(
        &wanted(&[(9, MANAGED, None)]),
        &seen(&others),
        &[],
        &[(9, "vxlan9 is there already, and is something else")],
    );
}

#[test]
fn packets_are_never_larger_than_what_carries_them() {
    let jumbo = wanted(&[(7, MANAGED, Some(9000))]);
    let why = "packets of 9000 bytes were asked for; at most 1450 fit here";
    check(&jumbo, &seen(&in_order()), &[], &[(7, why)]);
    let tiny = wanted(&[(7, MANAGED, Some(10))]);
    let why = "packets of 10 bytes were asked for; at least 68 are needed";
    check(&tiny, &seen(&in_order()), &[], &[(7, why)]);
}

#[test]
fn what_this_node_cannot_carry_is_a_fault_of_that_network_only() {
    let all = wanted(&[(7, MANAGED, None), (8, BRIDGED, None), (5000, BRIDGED, None)]);
    let vlan_number = (5000, "no VLAN has a number above 4094");
    let nothing = Carriers::default();
    check_on(
        &nothing,
        &all,
        &seen(&in_order()),
        &[],
        &[
            (7, "this node has no address in the cluster network"),
            (8, "no bridge_device is configured on this node"),
            (5000, "no bridge_device is configured on this node"),
        ],
    );
    let trunk = Trunk { device: "eno9".to_owned(), mtu: None, shared: false };
    let missing = Carriers { trunk: Some(trunk), ..carriers() };
    check_on(
        &missing,
        &all,
        &seen(&in_order()),
        &[],
        &[(8, "there is no device eno9, the bridge_device"), vlan_number],
    );
}

#[test]
fn a_network_that_cannot_be_understood_stays_as_it_is() {
    let why = "its type in the tree cannot be understood";
    let wanted = BTreeMap::from([(vni(7), Wanted { kind: Err(why), mtu: None })]);
    check(&wanted, &seen(&in_order()), &[], &[(7, why)]);
}

#[test]
fn the_device_for_vlans_is_made_ready_unless_a_network_of_the_nodes_has_it() {
    let bridged = wanted(&[(7, BRIDGED, None)]);
    let off = Device { up: false, mtu: 1500, mac: Some(MAC), ..Device::default() };
    let order = [("vmbr7", switch(9000)), ("vlan7", port(vlan(7), "vmbr7", 9000))];
    let seen = seen(&order);
    let mut all = seen.all;
    all.insert("eno4".to_owned(), off);
    let seen = Devices::new(all);
    let trunk = |shared| Trunk { device: "eno4".to_owned(), mtu: Some(9000), shared };
    let own = Carriers { trunk: Some(trunk(false)), ..carriers() };
    check_on(&own, &bridged, &seen, &["mtu eno4 9000", "up eno4"], &[]);
    let shared = Carriers { trunk: Some(trunk(true)), ..carriers() };
    let smaller = ["up eno4", "mtu vlan7 1500", "mtu vmbr7 1500"];
    check_on(&shared, &bridged, &seen, &smaller, &[]);
    check_on(&own, &wanted(&[]), &super::tests::seen(&[]), &[], &[]);
}
