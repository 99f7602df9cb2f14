//! Which VMs a node cannot have.

use super::*;

fn macvtap(name: &str) -> VmFunction {
    VmFunction { attachment: Attachment::Macvtap, name: Some(sriov(name)), pci: None }
}

fn hostdev(name: Option<&str>, number: u32) -> VmFunction {
    let attachment = Attachment::Hostdev;
    VmFunction { attachment, name: name.map(sriov), pci: Some(place(number)) }
}

fn lacks(case: &Case, on: &str, functions: &[VmFunction]) -> Option<String> {
    Some(lack(&case.view(), &node(on), Some(uuid(1)), functions)?.to_string())
}

#[test]
fn a_node_has_what_it_has_and_is_free() {
    let mut case = Case::settled();
    case.vm(1, "hv1", "ens1f0v0");
    case.vm(2, "hv2", "ens1f0v1");
    for functions in [
        vec![],
        vec![macvtap("ens1f0v0")],
        vec![hostdev(Some("ens1f0v1"), 1)],
        vec![hostdev(None, 1)],
    ] {
        assert_eq!(lacks(&case, "hv1", &functions), None, "{functions:?}");
    }
}

#[test]
fn each_reason_says_what_is_the_matter() {
    let mut case = Case::settled();
    case.vm(2, "hv1", "ens1f0v1");
    for (on, functions, why) in [
        ("hv2", vec![macvtap("ens1f0v0")], "it has no VF ens1f0v0"),
        ("hv1", vec![macvtap("ens1f0v9")], "it has no VF ens1f0v9"),
        ("hv1", vec![hostdev(Some("ens1f0v5"), 5)], "it has no VF ens1f0v5"),
        ("hv2", vec![hostdev(None, 1)], "it has no VF at PCI address 0000:3b:02.1"),
        ("hv1", vec![macvtap("ens1f0v1")], "its VF ens1f0v1 is used by VM vm2"),
        ("hv1", vec![hostdev(None, 1)], "its VF ens1f0v1 is used by VM vm2"),
        (
            "hv1",
            vec![hostdev(Some("ens1f0v0"), 1)],
            "its VF ens1f0v0 is at PCI address 0000:3b:02.0, not at 0000:3b:02.1",
        ),
        (
            "hv1",
            vec![macvtap("ens1f0v0"), hostdev(Some("ens1f0v0"), 0)],
            "the VM has its VF ens1f0v0 twice",
        ),
    ] {
        assert_eq!(lacks(&case, on, &functions).as_deref(), Some(why), "{functions:?}");
    }
}

#[test]
fn devices_that_are_no_functions_are_not_judged() {
    let case = Case::settled();
    assert_eq!(lacks(&case, "hv2", &[macvtap("eno1")]), None);
    let gpu = VmFunction {
        attachment: Attachment::Hostdev,
        name: None,
        pci: Some("0000:65:00.0".parse().unwrap()),
    };
    assert_eq!(lacks(&case, "hv2", &[gpu]), None);
}
