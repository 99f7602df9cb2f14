//! What may change in a VM's definition and name.

use std::sync::Arc;

use pvc_common::model::Claim;
use pvc_common::zk::{Op, Version};

use super::*;

const UUID: &str = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10";
const XML: &str = "<domain><uuid>6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10</uuid><name>web1</name>
    <memory>2048</memory><vcpu>2</vcpu><os><type arch='x86_64'>hvm</type></os></domain>";

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(3) }
}

fn web1(state: VmState) -> Definable {
    let vm = Vm { name: seen("web1".parse().unwrap()), state: seen(state), ..Vm::default() };
    Definable { vm, xml: seen(XML.into()), volumes: seen(vec![]) }
}

fn modified(was: &Definable, xml: &str, restart: bool) -> Result<Change, ApiError> {
    let definition = pvc_domxml::validate_definition(xml).unwrap();
    modify(UUID.parse().unwrap(), was, xml, &definition, restart, &View::default())
}

#[test]
fn only_a_started_vm_is_restarted_for_its_new_definition() {
    let new = XML.replace("2048", "4096");
    assert_eq!(modified(&web1(VmState::Start), &new, false).unwrap().ops.len(), 2);
    assert_eq!(modified(&web1(VmState::Start), &new, true).unwrap().ops.len(), 3);
    assert_eq!(modified(&web1(VmState::Stop), &new, true).unwrap().ops.len(), 2);
}

#[test]
fn a_definition_brings_no_volumes_but_those_that_exist() {
    let disk = "<devices><disk type='network'><source protocol='rbd' name='vms/a'/>\
                <target dev='sda'/></disk></devices></domain>";
    let xml = XML.replace("</domain>", disk);
    let refused = modified(&web1(VmState::Stop), &xml, false).unwrap_err().to_string();
    assert!(refused.contains("volumes that do not exist: vms/a"), "{refused}");
    // The one that was lost before is not brought.
    let lost = seen(vec!["vms/a".parse().unwrap()]);
    let was = Definable { volumes: lost, ..web1(VmState::Stop) };
    assert!(modified(&was, &xml, false).is_ok());
}

#[test]
fn who_gives_hardware_to_a_vm_or_takes_it_is_told_how_it_moves_from_now_on() {
    let hardware = "<devices><interface type='hostdev'><source><address type='pci' domain='0' \
                    bus='0x3b' slot='0x0a' function='0x2'/></source></interface></devices></domain>";
    let with = XML.replace("</domain>", hardware);
    let said = |old: &str, new: &str, method: Option<MigrationMethod>| {
        let vm = Vm { migration_method: seen(method), ..web1(VmState::Stop).vm };
        let was = Definable { vm, xml: seen(old.into()), ..web1(VmState::Stop) };
        modified(&was, new, false).unwrap().message
    };
    let by_shutdown = Some(MigrationMethod::Shutdown);
    assert!(
        said(XML, &with, None).ends_with(
            "Its migration method is 'shutdown' now: hardware of a node cannot move live."
        )
    );
    assert!(said(&with, XML, by_shutdown).contains("Its migration method stays 'shutdown'"));
    for (old, new, method) in
        [(XML, XML, by_shutdown), (&*with, &*with, by_shutdown), (&*with, XML, None)]
    {
        assert_eq!(said(old, new, method), "Successfully modified configuration of VM 'web1'.");
    }
}

#[test]
fn a_definition_changes_neither_uuid_nor_name() {
    for (old, new) in [("6f1c2a3e", "00000000"), ("web1", "web2")] {
        assert!(modified(&web1(VmState::Stop), &XML.replace(old, new), false).is_err());
    }
}

#[test]
fn a_rename_reaches_the_definition() {
    let uuid = UUID.parse().unwrap();
    let new = "web2".parse().unwrap();
    let change = rename(uuid, &web1(VmState::Stop), &new, &View::default()).unwrap();
    let Op::Set { data, version, .. } = &change.ops[1] else { panic!("a set") };
    assert!(String::from_utf8_lossy(data).contains("<name>web2</name>"));
    assert_eq!(*version, Version(3));
}

#[test]
fn a_vm_that_may_run_keeps_its_name() {
    let uuid = UUID.parse().unwrap();
    let new = "web2".parse().unwrap();
    let claim = Claim::of("hv1".parse().unwrap());
    let stopping = Definable {
        vm: Vm { claim: seen(claim), ..web1(VmState::Stop).vm },
        ..web1(VmState::Stop)
    };
    for was in [web1(VmState::Start), stopping] {
        assert!(rename(uuid, &was, &new, &View::default()).is_err());
    }
}

#[test]
fn a_name_in_use_is_refused() {
    let mut view = View::default();
    let other = Vm { name: seen("web2".parse().unwrap()), ..Vm::default() };
    view.vms.insert("00000000-0000-4000-8000-000000000000".parse().unwrap(), Arc::new(other));
    let new = "web2".parse().unwrap();
    assert!(rename(UUID.parse().unwrap(), &web1(VmState::Stop), &new, &view).is_err());
}
