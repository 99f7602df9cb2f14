//! Devices that running VMs are given.

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::VmFunction;
use pvc_common::view::View;
use pvc_domxml::describe;

use super::sriov::check_functions;
use super::vm_mac::check_macs;
use super::vm_network::check_interfaces;
use crate::api::ApiError;

/// Refuses a device that a VM cannot have on its node, as a definition with it would be refused.
/// What its definition has already is its own.
pub(crate) fn check_device(
    vm: VmUuid,
    node: &NodeName,
    device: &str,
    view: &View,
) -> Result<(), ApiError> {
    let known = view.vms.get(&vm).and_then(|vm| vm.details.as_deref()?.xml.get());
    let interfaces = |xml: &str| describe(xml).map(|described| described.networks);
    let had = known.and_then(|xml| interfaces(xml).ok()).unwrap_or_default();
    let alone = format!("<domain><devices>{device}</devices></domain>");
    let now = interfaces(&alone).unwrap_or_default();
    check_interfaces(&had, &now, view)?;
    check_macs(vm, &had, &now, view)?;
    check_functions(Some(vm), &VmFunction::of_definition(&alone), node, view)
}
