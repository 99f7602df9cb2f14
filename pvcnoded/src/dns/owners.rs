//! Whose names are whose, reckoned anew only when VMs, networks or nodes are others.

use std::collections::BTreeSet;
use std::sync::Arc;

use pvc_common::id::{NodeName, VmUuid, Vni};
use pvc_common::model::{Network, Vm};
use pvc_common::view::{Shared, View};
use pvc_plan::dns::Owners;

/// What was reckoned last, and from what.
#[derive(Default)]
pub(crate) struct Reckoned {
    networks: Shared<Vni, Network>,
    vms: Shared<VmUuid, Vm>,
    nodes: BTreeSet<NodeName>,
    owners: Arc<Owners>,
}

impl Reckoned {
    /// Whose names are whose by this view.
    pub(crate) const fn owners(&self) -> &Arc<Owners> {
        &self.owners
    }

    /// Looks at another view; whether names are others' by that.
    pub(crate) fn look(&mut self, view: &View) -> bool {
        // Nodes give signs of life several times a second.
        let same_nodes = self.nodes.iter().eq(view.nodes.keys());
        if same_nodes && self.networks.is(&view.networks) && self.vms.is(&view.vms) {
            return false;
        }
        (self.networks, self.vms) = (view.networks.clone(), view.vms.clone());
        self.nodes = view.nodes.keys().cloned().collect();
        let owners = Owners::of(&self.networks, &self.vms, &self.nodes);
        let differs = owners != *self.owners;
        self.owners = Arc::new(owners);
        differs
    }
}
