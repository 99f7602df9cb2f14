//! VMs.

pub(super) mod console;
pub(super) mod define;
pub(super) mod device;
pub(super) mod list;
pub(super) mod locks;
pub(super) mod meta;
pub(super) mod modify;
pub(super) mod node;
pub(super) mod remove;
pub(super) mod rename;
pub(super) mod show;
pub(super) mod state;
pub(super) mod tag;

use std::sync::Arc;

use pvc_common::id::VmUuid;
use pvc_common::model::RunOn;

use super::error::ApiError;
use crate::app::App;
use crate::fetch;
use crate::image::{Shown, View};
use crate::listing::Listing;

/// The answer that lists VMs; upstream's clients expect a refusal rather than an empty list.
fn listed(vms: Vec<Arc<Shown>>) -> Result<Listing<Shown>, ApiError> {
    if vms.is_empty() { Err(ApiError::not_found("VM")) } else { Ok(Listing::new(vms)) }
}

/// The VM of this name or UUID, which must exist.
fn existing(view: &View, text: &str) -> Result<Arc<Shown>, ApiError> {
    view.find_vm(text).cloned().ok_or_else(|| ApiError::not_found("VM"))
}

/// The node that a VM is assigned to, for what concerns it.
fn home(shown: &Shown) -> Result<RunOn, ApiError> {
    let node = shown.vm().node.get().and_then(Option::as_ref);
    node.cloned().map(RunOn::Node).ok_or_else(|| {
        let message = format!("ERROR: VM '{}' is assigned to no node.", shown.name());
        ApiError::refused("no-node", message)
    })
}

/// As [`existing`], for a change: upstream's clients expect another refusal.
fn changeable(view: &View, text: &str) -> Result<Target, ApiError> {
    let shown = existing(view, text).map_err(|_| no_such_vm(text))?;
    Ok(Target { uuid: shown.uuid(), name: shown.name().to_owned() })
}

fn no_such_vm(text: &str) -> ApiError {
    let message = format!("ERROR: Could not find VM '{text}' in the cluster!");
    ApiError::refused("no-such-vm", message)
}

/// The VM that a change is about.
struct Target {
    uuid: VmUuid,
    name: String,
}

impl Target {
    /// The VM as the tree holds it now.
    async fn read(&self, app: &App) -> Result<pvc_common::model::Vm, ApiError> {
        let vm = fetch::vm(app.store(), self.uuid).await?;
        if vm.state.get().is_none() && vm.name.get().is_none() {
            return Err(no_such_vm(&self.name));
        }
        Ok(vm)
    }
}
