//! Where VMs of dead nodes can go, and which VMs those are: reckoned once for an activation.

use std::collections::BTreeMap;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::Vm;
use pvc_common::view::View;
use pvc_common::zk::Seen;

use super::agree::Agreement;
use crate::place::Ledger;

/// The living, and what is placed on them; the dead, and what they had.
///
/// One for all fences of an activation: what is placed for one dead node counts for the next, and
/// a rack that dies is not looked for node by node in all VMs of the cluster. What a refused
/// transaction would have placed counts until the next activation.
pub(super) struct Targets<'a> {
    view: &'a View,
    agreement: &'a Agreement,
    ledger: Option<Ledger<'a>>,
    concerned: Option<Concerned<'a>>,
}

/// By node, the VMs that it may be running or should run.
type Concerned<'a> = BTreeMap<&'a NodeName, Vec<(VmUuid, &'a Vm)>>;

impl<'a> Targets<'a> {
    /// Reckons nothing yet: most activations place nothing.
    pub(super) const fn new(view: &'a View, agreement: &'a Agreement) -> Self {
        Self { view, agreement, ledger: None, concerned: None }
    }

    /// The accounts of those that live.
    pub(super) fn ledger(&mut self) -> &mut Ledger<'a> {
        self.ledger.get_or_insert_with(|| {
            let mut ledger = Ledger::open(self.view);
            for (name, node) in &self.view.nodes {
                if self.agreement.is_accused(name) || node.liveness.fence != Seen::Absent {
                    ledger.exclude(name);
                }
            }
            ledger
        })
    }

    /// The VMs that are assigned to the node, or that it claims or is to take over.
    pub(super) fn vms_of(&mut self, node: &NodeName) -> &[(VmUuid, &'a Vm)] {
        let concerned = self.concerned.get_or_insert_with(|| concerned(self.view));
        concerned.get(node).map_or(&[], Vec::as_slice)
    }
}

fn concerned(view: &View) -> Concerned<'_> {
    let mut by_node = Concerned::new();
    for (uuid, vm) in &view.vms {
        let claim = vm.claim.get();
        let assigned = vm.node.get().and_then(Option::as_ref);
        let holder = claim.map(|claim| &claim.holder).filter(|holder| assigned != Some(holder));
        let incoming = claim
            .and_then(|claim| claim.incoming.as_ref())
            .filter(|incoming| assigned != Some(incoming) && holder != Some(incoming));
        for node in [assigned, holder, incoming].into_iter().flatten() {
            by_node.entry(node).or_default().push((*uuid, vm));
        }
    }
    by_node
}
