//! Removing networks.

use pvc_common::id::Vni;
use pvc_common::model::Vm;
use pvc_common::view::View;
use pvc_common::zk::key;
use pvc_domxml::describe;

use super::found::Found;
use super::refuse;
use crate::api::ApiError;
use crate::change::Change;
use crate::image::runs_in;

/// How many keys of a kind are deleted in one transaction: a tenth of what it takes.
const FEW: usize = 1000;
/// How many VMs are named before the rest is counted.
const NAMED: usize = 10;

/// Refuses to take a network away from VMs that have an interface in it.
pub(crate) fn unused(vni: Vni, view: &View) -> Result<(), ApiError> {
    let bridge = format!("vmbr{vni}");
    let users = view.vms.iter().filter_map(|(uuid, vm)| {
        let until = if is_defined_in(vm, &bridge) {
            ""
        } else if runs_in(vm, &bridge) {
            " (until it is restarted)"
        } else {
            return None;
        };
        let name = vm.name.get().map_or_else(|| uuid.to_string(), ToString::to_string);
        Some(format!("{name}{until}"))
    });
    let mut names: Vec<String> = users.collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort_unstable();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let why = format!(
        "Network {vni} is used by VMs: {}{more}. Take their interfaces out of it first, or use \
         force to remove it nevertheless.",
        names.join(", ")
    );
    refuse("in-use", why)
}

fn is_defined_in(vm: &Vm, bridge: &str) -> bool {
    let details = vm.details.as_deref();
    let xml = details.and_then(|details| details.xml.get()).map_or("", |xml| xml);
    // To read a definition takes its time; most do not even mention the bridge.
    xml.contains(bridge)
        && describe(xml).is_ok_and(|vm| vm.networks.iter().any(|net| net.source == bridge))
}

/// The next step of a removal, without a message while more is to be done after it.
///
/// What there may be thousands of goes first: half of it missing hurts nobody who wants all of it
/// gone, and who asks again goes on. All the rest goes at once.
pub(crate) fn remove(found: &Found) -> Result<Change, ApiError> {
    let (vni, name) = (found.existing()?.vni, found.name());
    let leases = [key::network_leases(vni), key::network_leases6(vni)];
    for many in leases.into_iter().chain([key::network_reservations(vni)]) {
        let mut ops = found.deletes(&many);
        if ops.len() > FEW {
            ops.truncate(FEW);
            return Ok(Change { ops, message: String::new() });
        }
    }
    let message = format!("Network '{name}' removed successfully!");
    Ok(Change { ops: found.deletes(&key::network(vni)), message })
}
