//! Networks that VMs are in, and the cards by which they are.

use pvc_common::id::Vni;
use pvc_common::view::View;
use pvc_domxml::{Interface, USUAL_CARDS, is_card};

use super::network::parse::quoted;
use crate::api::ApiError;

/// Refuses interfaces that a definition adds to those that it `had`, and with which the VM could not
/// start: in networks that do not exist, or with cards that nobody knows.
pub(super) fn check_interfaces(
    had: &[Interface],
    now: &[Interface],
    view: &View,
) -> Result<(), ApiError> {
    check_networks(had, now, view)?;
    let mut models = now.iter().map(|interface| interface.model.as_str());
    let known = |model: &str| {
        model.is_empty() || is_card(model) || had.iter().any(|interface| interface.model == model)
    };
    match models.find(|model| !known(model)) {
        None => Ok(()),
        Some(model) => {
            let why = format!(
                "ERROR: The VM definition has an interface of model {}, which QEMU does not know; \
                 expected one such as {USUAL_CARDS}.",
                quoted(model)
            );
            Err(ApiError::refused("no-such-model", why))
        }
    }
}

fn check_networks(had: &[Interface], now: &[Interface], view: &View) -> Result<(), ApiError> {
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
