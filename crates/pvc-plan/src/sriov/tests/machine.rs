//! What is done to cards and functions.

use super::*;

#[test]
fn a_card_that_comes_up_is_divided_at_its_packet_size() {
    let mut case = Case::new(0);
    case.seen.hands_through = false;
    case.wanted[0].mtu = Some(9000);
    case.card().up = false;
    assert_eq!(
        case.steps(),
        [
            "let the kernel hand hardware to VMs",
            "set the packet size of ens1f0 to 9000",
            "switch on ens1f0",
            "divide ens1f0 into 2 VFs",
        ]
    );
}

#[test]
fn a_card_that_is_in_order_is_left_alone() {
    let case = Case::settled();
    assert_eq!(case.plan(), Plan::default());
}

#[test]
fn packet_sizes_reach_the_functions_whose_hardware_is_here() {
    let mut case = Case::settled();
    case.wanted[0].mtu = Some(9000);
    case.card().mtu = 9000;
    case.card().functions.get_mut(&1).unwrap().device = None;
    assert_eq!(case.steps(), ["set the packet size of ens1f0v0 to 9000"]);
}

#[test]
fn what_people_set_is_set_on_the_card_and_nothing_else() {
    for (suffix, text, step) in [
        ("/config/vlan_id", "100", "set VLAN 100, priority 0 on VF 1 of ens1f0"),
        ("/config/vlan_qos", "3", "set VLAN 0, priority 3 on VF 1 of ens1f0"),
        ("/config/tx_rate_min", "10", "set rate of sending 10 to 0 Mbit/s on VF 1 of ens1f0"),
        ("/config/tx_rate_max", "500", "set rate of sending 0 to 500 Mbit/s on VF 1 of ens1f0"),
        ("/config/spoof_check", "False", "set spoof check off on VF 1 of ens1f0"),
        ("/config/link_state", "disable", "set link state disable on VF 1 of ens1f0"),
        ("/config/trust", "True", "set trust on on VF 1 of ens1f0"),
    ] {
        let mut case = Case::settled();
        case.set(&format!("/nodes/hv1/sriov/vf/ens1f0v1{suffix}"), text);
        assert_eq!(case.steps(), [step]);
        assert_eq!(case.notes(), [""; 0]);
    }
}

#[test]
fn settings_survive_a_restart_of_the_machine() {
    let mut case = Case::settled();
    case.set("/nodes/hv1/sriov/vf/ens1f0v1/config/vlan_id", "100");
    case.card().functions.clear();
    assert_eq!(case.steps(), ["divide ens1f0 into 2 VFs"]);
    case.settle();
    case.card().functions = (0..2).map(|number| (number, fresh(number))).collect();
    assert_eq!(case.steps(), ["set VLAN 100, priority 0 on VF 1 of ens1f0"]);
}

#[test]
fn a_setting_that_the_card_does_not_know_is_told_and_not_tried_for_ever() {
    let mut case = Case::settled();
    case.set("/nodes/hv1/sriov/vf/ens1f0v0/config/query_rss", "True");
    assert_eq!(case.steps(), [""; 0]);
    assert_eq!(case.notes(), ["the card does not know how to set query RSS on on VF ens1f0v0"]);
}

#[test]
fn a_kernel_without_sriov_is_told_once_for_a_card_and_nothing_more() {
    let mut case = Case::new(0);
    case.card().capacity = None;
    case.card().up = false;
    case.seen.hands_through = false;
    let plan = case.plan();
    assert_eq!((plan.steps, plan.writes), (vec![], vec![]));
    assert_eq!(case.notes(), ["ens1f0 cannot be divided: this kernel or the card knows no SR-IOV"]);
    case.seen.cards.clear();
    assert_eq!(case.notes(), ["there is no network device ens1f0"]);
}

#[test]
fn more_than_a_card_has_is_told_and_not_tried() {
    let mut case = Case::new(0);
    case.wanted[0].functions = 65;
    assert_eq!(case.steps(), [""; 0]);
    assert_eq!(case.notes(), ["ens1f0 cannot be divided into 65 VFs, 64 is the most"]);
}

#[test]
fn a_card_is_not_divided_anew_under_those_who_use_it() {
    let mut case = Case::settled();
    case.wanted[0].functions = 4;
    assert_eq!(case.steps(), ["divide ens1f0 into 4 VFs"]);
    case.vm(7, "hv1", "ens1f0v1");
    case.card().functions.get_mut(&0).unwrap().device.as_mut().unwrap().up = true;
    assert_eq!(case.steps(), [""; 0]);
    assert_eq!(
        case.notes(),
        [
            "ens1f0 has 2 VFs, 4 are configured; it is not divided anew while VMs use them (vm7) and ens1f0v0 are switched on"
        ]
    );
}

#[test]
fn before_the_cluster_is_known_nothing_is_taken_from_anybody() {
    let mut case = Case::settled();
    case.wanted[0].functions = 4;
    let me = node("hv1");
    let alone = |case: &Case| {
        plan(&Situation { me: &me, wanted: &case.wanted, seen: &case.seen, view: None })
    };
    assert_eq!(alone(&case), Plan::default());
    case.card().functions.clear();
    assert_eq!(alone(&case).steps, case.plan().steps, "but there is nothing to take from");
}

#[test]
fn a_device_of_another_name_is_told() {
    let mut case = Case::settled();
    case.card().functions.get_mut(&0).unwrap().device.as_mut().unwrap().name = "eth7".to_owned();
    assert_eq!(
        case.notes(),
        ["the device of VF ens1f0v0 is called eth7, so no VM can have it by macvtap"]
    );
}
