//! Networks that VMs are in.

use pvc_common::id::Vni;
use pvc_common::view::View;
use pvc_domxml::Interface;

use crate::api::ApiError;

/// Refuses networks that a definition adds to those that it `had` and that do not exist: the VM could
/// not start.
pub(super) fn check_networks(
    had: &[Interface],
    now: &[Interface],
    view: &View,
) -> Result<(), ApiError> {
    let missing = now.iter().filter_map(network).filter(|vni| {
        let is_lost = had.iter().any(|interface| network(interface) == Some(*vni));
        !is_lost && !view.networks.contains_key(vni)
    });
    let missing: Vec<String> = missing.map(|vni| vni.to_string()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let why = format!(
        "ERROR: The VM definition names networks that do not exist: {}. Add them first.",
        missing.join(", ")
    );
    Err(ApiError::refused("no-such-network", why))
}

/// The network that an interface is in; `None` if that is none of the cluster's.
fn network(interface: &Interface) -> Option<Vni> {
    interface.source.strip_prefix("vmbr").filter(|_| interface.kind == "bridge")?.parse().ok()
}
