//! What a new VM must be, and what is written for it.

use std::sync::Arc;

use pvc_common::model::{Liveness, Node, Presence, StaticData, Vm};
use pvc_common::state::{DaemonState, DomainState};
use pvc_common::unit::Vcpus;
use pvc_common::zk::{Seen, Version};

use super::*;

const XML: &str = "<domain><uuid>6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10</uuid><name>web1</name>
    <memory>2048</memory><vcpu>2</vcpu><os><type arch='x86_64'>hvm</type></os><devices>
    <disk type='network'><source protocol='rbd' name='vms/web1_sda'/><target dev='sda'/></disk>
    </devices></domain>";

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(0) }
}

fn hv(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn cluster() -> View {
    let mut view = View::default();
    for (name, cpu_count, free) in [("hv1", 2, 10_000), ("hv2", 8, 20_000)] {
        let facts = StaticData {
            cpu_count,
            kernel: "6.1".into(),
            os: "GNU/Linux".into(),
            arch: "x86_64".into(),
        };
        let node = Node {
            daemon_state: seen(DaemonState::Run),
            domain_state: seen(DomainState::Ready),
            static_data: seen(facts),
            mem_total: seen(Mib(free)),
            mem_free: seen(Mib(free)),
            vcpu_alloc: seen(Vcpus(0)),
            cpu_load: seen(0.0),
            domains_count: seen(0),
            ..Node::default()
        };
        view.nodes.insert(name.parse().unwrap(), Arc::new(node));
    }
    let presence = seen(Presence { without_vms: true, ..Presence::default() });
    let liveness = Liveness { presence, ..Liveness::default() };
    let quorum = Node { liveness, ..Node::clone(&view.nodes[&hv("hv2")]) };
    view.nodes.insert(hv("hv3"), Arc::new(quorum));
    view.volumes.insert("vms/web1_sda".parse().unwrap(), Arc::default());
    view
}

fn outcome(xml: &str, wish: &NewVm, view: &View) -> Result<Vec<(String, String)>, String> {
    let definition = pvc_domxml::validate_definition(xml).unwrap();
    let change = define(xml, &definition, wish, view).map_err(|error| format!("{error:?}"))?;
    let write = |op: &Op| match op {
        Op::Create { path, data } => {
            let suffix = path.trim_start_matches(key::vm_name(definition.uuid).path());
            (suffix.to_owned(), String::from_utf8(data.clone()).unwrap())
        }
        other => panic!("a new VM is only created: {other:?}"),
    };
    Ok(change.ops.iter().map(write).collect())
}

#[test]
fn a_new_vm_has_no_volumes_but_those_that_exist() {
    let disk = |name: &str| format!("<disk type='network'><source protocol='rbd' name='{name}'/>");
    let others = XML.replace(&disk("vms/web1_sda"), &disk("vms/web1_sdb"));
    let more = format!("{}<target dev='sdb'/></disk><disk type='network'>", disk("none/a"));
    let others = others.replace("<disk type='network'>", &more);
    let refused = outcome(&others, &NewVm::default(), &cluster()).unwrap_err();
    let says = "names volumes that do not exist: none/a, vms/web1_sdb. Add them first.";
    assert!(refused.contains(says), "{refused}");
    let file = "<disk type='file'><source file='/none'/>";
    let file = XML.replace(&disk("vms/web1_sda"), file);
    assert!(outcome(&file, &NewVm::default(), &cluster()).is_ok());
}

#[test]
fn a_new_vm_is_stopped_on_the_best_node_with_every_key() {
    let wish = NewVm { tags: vec![("web".parse().unwrap(), true)], ..NewVm::default() };
    let written = outcome(XML, &wish, &cluster()).unwrap();
    let text = |suffix: &str| {
        written.iter().find(|(path, _)| path == suffix).map(|(_, text)| text.as_str())
    };
    for (suffix, expected) in [
        ("", "web1"),
        ("/state", "stop"),
        ("/node", "hv2"),
        ("/rbdlist", "vms/web1_sda"),
        ("/node_selector", "none"),
        ("/migration_method", "none"),
        ("/migration_max_downtime", "300"),
        ("/node_autostart", "False"),
        ("/node_limit", ""),
        ("/profile", "None"),
        ("/tags/web", "web"),
        ("/tags/web/type", "user"),
        ("/tags/web/protected", "True"),
        ("/consolelog", ""),
        ("/migrate_origin", ""),
    ] {
        assert_eq!(text(suffix), Some(expected), "{suffix}");
    }
    assert_eq!(text("/claim"), None, "nobody runs it");
}

#[test]
fn a_name_or_uuid_is_used_once() {
    let named = |uuid: &str| {
        let mut view = cluster();
        let vm = Vm { name: seen("web1".parse().unwrap()), ..Vm::default() };
        view.vms.insert(uuid.parse().unwrap(), Arc::new(vm));
        view
    };
    for (uuid, why) in [
        ("6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10", "with UUID"),
        ("00000000-0000-4000-8000-000000000000", "with name"),
    ] {
        let error = outcome(XML, &NewVm::default(), &named(uuid)).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_given_node_must_exist_be_permitted_and_be_large_enough() {
    let hv1 = NewVm { node: Some("hv1".into()), ..NewVm::default() };
    assert!(outcome(XML, &hv1, &cluster()).is_ok());
    for (xml, wish, why) in [
        (XML.to_owned(), NewVm { node: Some("hv9".into()), ..NewVm::default() }, "is invalid"),
        (XML.to_owned(), NewVm { node: Some("hv3".into()), ..NewVm::default() }, "runs no VMs"),
        (
            XML.to_owned(),
            NewVm { limit: vec!["hv2".parse().unwrap()], ..hv1.clone() },
            "not in the VM's node limit",
        ),
        (XML.replace(">2048<", ">10000<"), hv1.clone(), "more memory"),
        (XML.replace("<vcpu>2", "<vcpu>3"), hv1, "more vCPUs"),
    ] {
        let error = outcome(&xml, &wish, &cluster()).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn without_a_fitting_node_every_reason_is_told() {
    let error =
        outcome(&XML.replace(">2048<", ">50000<"), &NewVm::default(), &cluster()).unwrap_err();
    assert!(error.contains("hv1: ") && error.contains("hv2: "), "{error}");
}
