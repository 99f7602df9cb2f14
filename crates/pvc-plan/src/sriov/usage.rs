//! Which VM has which function: told by where VMs are and what their definitions name, so that it is
//! true again by itself after whatever happened to them.

use std::collections::BTreeMap;

use pvc_common::id::{NodeName, PciAddress, SriovName, VmUuid};
use pvc_common::model::{Vm, VmFunction};
use pvc_common::view::View;

/// The VMs that have functions of one node: those assigned to it, and those that it may be running.
#[derive(Clone, Debug)]
pub struct Usage<'a> {
    /// In the order of their claim on it: who may be running here before who shall.
    vms: Vec<(VmUuid, &'a [VmFunction])>,
}

impl<'a> Usage<'a> {
    /// The usage of a node's functions.
    #[must_use]
    pub fn of(view: &'a View, node: &NodeName) -> Self {
        let with_functions = view.vms.iter().filter(|(_, vm)| !vm.functions.is_empty());
        let mut here: Vec<(bool, VmUuid, &[VmFunction])> = with_functions
            .filter(|(_, vm)| assigned(vm, node) || may_run(vm, node))
            .map(|(uuid, vm)| (!may_run(vm, node), *uuid, vm.functions.as_slice()))
            .collect();
        here.sort_by_key(|(waits, uuid, _)| (*waits, *uuid));
        Self { vms: here.into_iter().map(|(_, uuid, functions)| (uuid, functions)).collect() }
    }

    /// The VMs whose definitions name this function, the one that has it first.
    pub fn vms_of(
        &self,
        name: &SriovName,
        place: Option<PciAddress>,
    ) -> impl Iterator<Item = VmUuid> {
        let naming = self
            .vms
            .iter()
            .filter(move |(_, functions)| functions.iter().any(|one| one.is(name, place)));
        naming.map(|(uuid, _)| *uuid)
    }
}

fn assigned(vm: &Vm, node: &NodeName) -> bool {
    vm.node.get().is_some_and(|assigned| assigned.as_ref() == Some(node))
}

fn may_run(vm: &Vm, node: &NodeName) -> bool {
    let claim = vm.claim.get();
    claim.is_some_and(|claim| claim.holder == *node || claim.incoming.as_ref() == Some(node))
}

/// The names of VMs, as people know them.
pub(super) fn names(view: &View, vms: &[VmUuid]) -> String {
    let name = |uuid: &VmUuid| {
        let known = view.vms.get(uuid).and_then(|vm| vm.name.get());
        known.map_or_else(|| uuid.to_string(), ToString::to_string)
    };
    vms.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// By name, the functions of a node and their places.
pub(super) fn places(view: &View, node: &NodeName) -> BTreeMap<SriovName, Option<PciAddress>> {
    let sriov = view.nodes.get(node).and_then(|node| node.sriov.as_ref());
    let vfs = sriov.into_iter().flat_map(|sriov| &sriov.vfs);
    vfs.map(|(name, vf)| (name.clone(), vf.pci_address())).collect()
}
