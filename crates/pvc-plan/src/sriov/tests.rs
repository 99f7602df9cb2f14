//! One node with a card, as the tree, the machine and the VMs have it.

mod lacking;
mod machine;
mod recording;

use std::collections::BTreeMap;
use std::sync::Arc;

use pvc_common::id::{NodeName, PciAddress, SriovName, VmUuid};
use pvc_common::model::{Attachment, Claim, Vm, VmFunction};
use pvc_common::observed::{Card, CardFunction, FoundSettings, FunctionDevice, SriovTable};
use pvc_common::state::VfLinkState;
use pvc_common::view::{Builder, Scope, View};
use pvc_common::zk::{Op, Seen, Version};

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(0) }
}

fn node(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn sriov(text: &str) -> SriovName {
    text.parse().unwrap()
}

fn uuid(n: u32) -> VmUuid {
    format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

/// Where an X710 has its functions: 0000:3b:02.0 and on.
fn place(number: u32) -> PciAddress {
    format!("0000:3b:{:02x}.{}", 2 + number / 8, number % 8).parse().unwrap()
}

/// A function as its card brings it up.
fn fresh(number: u32) -> CardFunction {
    CardFunction {
        pci: Some(place(number)),
        device: Some(FunctionDevice {
            name: format!("ens1f0v{number}"),
            up: false,
            mtu: 1500,
            mac: Some(format!("9e:12:00:00:00:0{number}").parse().unwrap()),
        }),
        mac: None,
        settings: FoundSettings {
            vlan: Some((0, 0)),
            rate: Some((0, 0)),
            spoof_check: Some(true),
            link_state: Some(VfLinkState::Auto),
            trust: Some(false),
            query_rss: None,
        },
    }
}

/// The cluster at hv1, whose card ens1f0 is to be divided into two.
struct Case {
    wanted: Vec<Wanted>,
    seen: SriovTable,
    tree: BTreeMap<String, (Vec<u8>, i32)>,
    vms: Vec<(u32, Vm)>,
}

impl Case {
    /// The card is there, switched on and divided; the tree knows nothing of it.
    fn new(functions: u32) -> Self {
        let card = Card {
            up: true,
            mtu: 1500,
            capacity: Some(64),
            functions: (0..functions).map(|number| (number, fresh(number))).collect(),
        };
        Self {
            wanted: vec![Wanted { device: sriov("ens1f0"), mtu: None, functions: 2 }],
            seen: SriovTable {
                hands_through: true,
                cards: [(sriov("ens1f0"), card)].into(),
                unseen: BTreeMap::new(),
            },
            tree: BTreeMap::new(),
            vms: Vec::new(),
        }
    }

    /// As it is once all that is planned was done.
    fn settled() -> Self {
        let mut case = Self::new(2);
        case.settle();
        case
    }

    fn card(&mut self) -> &mut Card {
        self.seen.cards.get_mut(&sriov("ens1f0")).unwrap()
    }

    fn set(&mut self, path: &str, text: &str) {
        let version = self.tree.get(path).map_or(0, |(_, version)| version + 1);
        self.tree.insert(path.to_owned(), (text.as_bytes().to_vec(), version));
    }

    fn text(&self, path: &str) -> &str {
        self.tree.get(path).map_or("absent", |(data, _)| std::str::from_utf8(data).unwrap())
    }

    /// A VM that is assigned to `on` and has this function by macvtap.
    fn vm(&mut self, n: u32, on: &str, function: &str) -> &mut Vm {
        let function =
            VmFunction { attachment: Attachment::Macvtap, name: Some(sriov(function)), pci: None };
        let name = format!("vm{n}").parse().unwrap();
        let vm = Vm {
            name: seen(name),
            node: seen(Some(node(on))),
            functions: vec![function],
            ..Vm::default()
        };
        self.vms.retain(|(known, _)| *known != n);
        self.vms.push((n, vm));
        &mut self.vms.last_mut().unwrap().1
    }

    fn view(&self) -> View {
        let mut builder = Builder::new(Scope::Decisions);
        for (path, (data, version)) in &self.tree {
            builder.set(path, Some((data, Version(*version))));
        }
        let mut view = (*builder.snapshot()).clone();
        for (n, vm) in &self.vms {
            view.vms.insert(uuid(*n), Arc::new(vm.clone()));
        }
        assert!(view.faults.is_empty(), "{:?}", view.faults);
        view
    }

    fn plan(&self) -> Plan {
        let (me, view) = (node("hv1"), self.view());
        plan(&Situation { me: &me, wanted: &self.wanted, seen: &self.seen, view: Some(&view) })
    }

    fn steps(&self) -> Vec<String> {
        self.plan().steps.iter().map(ToString::to_string).collect()
    }

    fn notes(&self) -> Vec<String> {
        let view = self.view();
        self.plan().notes.iter().map(|note| note.text(&view)).collect()
    }

    /// Does what the plan writes, as ZooKeeper would, and sees that nothing is left to write.
    fn settle(&mut self) {
        for write in self.plan().writes {
            match write {
                Write::Record { ops, .. } => ops.into_iter().for_each(|op| self.commit(op)),
                Write::Forget { path } => {
                    let below = format!("{path}/");
                    self.tree.retain(|at, _| *at != path && !at.starts_with(&below));
                }
            }
        }
        assert_eq!(self.plan().writes, [], "what was written is not written again");
    }

    fn commit(&mut self, op: Op) {
        match op {
            Op::Create { path, data } => {
                let parent = path.rsplit_once('/').unwrap().0;
                let known = ["/nodes/hv1/sriov/pf", "/nodes/hv1/sriov/vf"];
                assert!(known.contains(&parent) || self.tree.contains_key(parent), "{path}");
                assert!(self.tree.insert(path, (data, 0)).is_none());
            }
            Op::Set { path, data, version } => {
                let entry = self.tree.get_mut(&path).unwrap();
                assert_eq!(entry.1, version.0);
                *entry = (data, entry.1 + 1);
            }
            other => panic!("{other:?}"),
        }
    }

    /// What a function's key holds.
    fn vf(&self, number: u32, suffix: &str) -> &str {
        self.text(&format!("/nodes/hv1/sriov/vf/ens1f0v{number}{suffix}"))
    }

    /// Who has each function, as the tree says after what is planned.
    fn users(&mut self) -> Vec<String> {
        self.settle();
        let user = |number| {
            let (used, by) = (self.vf(number, "/used"), self.vf(number, "/used_by"));
            assert_eq!(used == "True", !by.is_empty());
            by.trim_start_matches("00000000-0000-4000-8000-").trim_start_matches('0').to_owned()
        };
        (0..2).map(user).collect()
    }
}

#[test]
fn functions_are_named_after_their_card() {
    let number = |name: &str| vf_number(&sriov("ens1f0"), &sriov(name));
    assert_eq!(number("ens1f0v12"), Some(12));
    for other in ["ens1f1v2", "ens1f0", "ens1f0v", "ens1f0vx", "ens1f0v+1", "ens1f0v1v2"] {
        assert_eq!(number(other), None, "{other}");
    }
}

#[test]
fn nobody_claims_what_is_assigned_elsewhere() {
    let mut case = Case::settled();
    let vm = case.vm(1, "hv2", "ens1f0v0");
    vm.claim = seen(Claim::of(node("hv2")));
    assert_eq!(case.users(), ["", ""]);
}
