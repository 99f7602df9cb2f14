//! What is told of cards and functions, and who has them.

use super::*;

#[test]
fn a_function_is_recorded_with_all_that_its_card_says() {
    let case = Case::settled();
    for (suffix, text) in [
        ("", ""),
        ("/pf", "ens1f0"),
        ("/mtu", "1500"),
        ("/mac", "9e:12:00:00:00:01"),
        ("/phy_mac", "9e:12:00:00:00:01"),
        ("/config/vlan_id", "0"),
        ("/config/vlan_qos", "0"),
        ("/config/tx_rate_min", "0"),
        ("/config/tx_rate_max", "0"),
        ("/config/spoof_check", "True"),
        ("/config/link_state", "auto"),
        ("/config/trust", "False"),
        ("/config/query_rss", "False"),
        ("/pci/domain", "0000"),
        ("/pci/bus", "3b"),
        ("/pci/slot", "02"),
        ("/pci/function", "1"),
        ("/used", "False"),
        ("/used_by", ""),
    ] {
        assert_eq!(case.vf(1, suffix), text, "{suffix}");
    }
    assert_eq!(case.text("/nodes/hv1/sriov/pf/ens1f0/vfcount"), "2");
    assert_eq!(case.text("/nodes/hv1/sriov/pf/ens1f0/mtu"), "1500");
}

#[test]
fn a_function_whose_hardware_a_vm_has_is_not_lost() {
    let mut case = Case::settled();
    case.set("/nodes/hv1/sriov/vf/ens1f0v1/config/trust", "True");
    let function = case.card().functions.get_mut(&1).unwrap();
    function.device = None;
    function.settings.trust = Some(true);
    function.mac = Some("52:54:00:00:00:09".parse().unwrap());
    case.settle();
    assert_eq!(case.vf(1, "/mac"), "52:54:00:00:00:09", "the address that it has in the VM");
    assert_eq!(case.vf(1, "/phy_mac"), "9e:12:00:00:00:01");
    assert_eq!((case.vf(1, "/config/trust"), case.vf(1, "/mtu")), ("True", "1500"));
    assert_eq!(case.steps(), [""; 0]);
}

#[test]
fn a_function_that_is_first_seen_in_a_vm_is_recorded_all_the_same() {
    let mut case = Case::new(2);
    case.card().functions.get_mut(&1).unwrap().device = None;
    case.settle();
    assert_eq!(case.vf(1, "/mac"), "00:00:00:00:00:00");
    assert_eq!(case.vf(1, "/pci/function"), "1");
}

#[test]
fn usage_follows_the_vms_wherever_they_go() {
    let mut case = Case::settled();
    case.vm(1, "hv1", "ens1f0v0");
    assert_eq!(case.users(), ["1", ""], "defined, though it does not run");
    case.vm(1, "hv1", "ens1f0v1");
    assert_eq!(case.users(), ["", "1"], "modified");
    let vm = case.vm(1, "hv2", "ens1f0v1");
    vm.claim = seen(Claim::of(node("hv1")));
    assert_eq!(case.users(), ["", "1"], "assigned elsewhere, but still here");
    case.vm(1, "hv2", "ens1f0v1").claim = seen(Claim::of(node("hv2")));
    assert_eq!(case.users(), ["", ""], "gone");
    case.vm(1, "hv2", "ens1f0v1").claim = seen(Claim::moving(node("hv2"), node("hv1")));
    assert_eq!(case.users(), ["", "1"], "on its way here");
    case.vms.clear();
    assert_eq!(case.users(), ["", ""], "removed");
}

#[test]
fn hardware_is_known_by_its_place_too() {
    let mut case = Case::settled();
    let function = VmFunction { attachment: Attachment::Hostdev, name: None, pci: Some(place(1)) };
    case.vm(1, "hv1", "ens9v9").functions = vec![function];
    assert_eq!(case.users(), ["", "1"]);
}

#[test]
fn of_two_vms_the_one_that_runs_has_the_function() {
    let mut case = Case::settled();
    case.vm(1, "hv1", "ens1f0v0");
    case.vm(2, "hv1", "ens1f0v0").claim = seen(Claim::of(node("hv1")));
    assert_eq!(case.users(), ["2", ""]);
    assert_eq!(case.notes(), ["several VMs here have VF ens1f0v0: vm2, vm1"]);
}

#[test]
fn usage_is_true_also_while_the_card_does_not_show() {
    let mut case = Case::settled();
    case.seen.cards.clear();
    case.vm(1, "hv1", "ens1f0v0");
    assert_eq!(case.users(), ["1", ""]);
}

#[test]
fn what_is_configured_no_more_goes_once_nobody_has_it() {
    let mut case = Case::settled();
    case.wanted[0].functions = 1;
    case.vm(1, "hv1", "ens1f0v1");
    case.settle();
    assert_eq!(case.vf(1, "/used"), "True");
    assert!(
        case.notes()
            .iter()
            .any(|note| note == "VF ens1f0v1 is configured no more, but used by vm1")
    );
    case.vms.clear();
    case.settle();
    assert_eq!((case.vf(1, ""), case.vf(0, "")), ("absent", ""));
    case.vm(2, "hv1", "ens1f0v0");
    case.wanted.clear();
    case.settle();
    assert_eq!((case.vf(0, ""), case.text("/nodes/hv1/sriov/pf/ens1f0")), ("", ""));
    case.vms.clear();
    case.settle();
    assert_eq!(case.tree, BTreeMap::new());
}

#[test]
fn a_record_that_upstream_left_incomplete_is_completed_without_touching_what_is_set() {
    let mut case = Case::new(2);
    for (suffix, text) in [("", ""), ("/config", ""), ("/config/vlan_id", "7")] {
        case.set(&format!("/nodes/hv1/sriov/vf/ens1f0v0{suffix}"), text);
    }
    case.settle();
    assert_eq!((case.vf(0, "/config/vlan_id"), case.vf(0, "/pf")), ("7", "ens1f0"));
}
