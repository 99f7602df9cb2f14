//! Another definition for a VM, or another name.

use std::sync::Arc;

use pvc_common::id::{BadId, VmName, VmUuid, VolumeId};
use pvc_common::model::{Vm, VmFunction};
use pvc_common::state::{MigrationMethod, VmState};
use pvc_common::view::View;
use pvc_common::zk::{Seen, key};
use pvc_domxml::{Definition, describe, edit};

use super::sriov::{check_functions, has_hardware};
use super::vm_mac::check_macs;
use super::vm_network::check_interfaces;
use super::{Change, check_fit, unreadable};
use crate::api::ApiError;
use crate::image::shown_xml;

/// A VM with the parts that a definition changes.
pub(crate) struct Definable {
    /// The VM.
    pub(crate) vm: Vm,
    /// Its definition.
    pub(crate) xml: Seen<Arc<str>>,
    /// Its volumes.
    pub(crate) volumes: Seen<Vec<VolumeId>>,
}

/// Refuses a change that was made of another definition than there is by now: what others changed
/// meanwhile would be lost.
pub(crate) fn unchanged(was: &Definable, old: Option<&str>) -> Result<(), ApiError> {
    let Some(old) = old else { return Ok(()) };
    if was.xml.get().is_some_and(|now| shown_xml(now) == shown_xml(old)) {
        return Ok(());
    }
    let why = "ERROR: Somebody else changed the VM's definition meanwhile; nothing was changed. \
               Read it again and repeat the change.";
    Err(ApiError::changed("definition-changed", why))
}

/// Replaces a VM's definition, which takes effect at its next start; `restart` asks for one.
pub(crate) fn modify(
    uuid: VmUuid,
    was: &Definable,
    xml: &str,
    definition: &Definition,
    restart: bool,
    view: &View,
) -> Result<Change, ApiError> {
    let vm = &was.vm;
    if definition.uuid != uuid {
        let why = "ERROR: The UUID of a VM cannot be changed.";
        return Err(ApiError::refused("uuid-changed", why));
    }
    let now = vm.name.get().ok_or_else(|| unreadable("The VM's name"))?;
    if definition.name != *now {
        let why = "ERROR: The name of a VM cannot be changed by its definition; rename it.";
        return Err(ApiError::refused("name-changed", why));
    }
    let functions = VmFunction::of_definition(xml);
    if let Some(Some(node)) = vm.node.get() {
        check_fit(definition, node, view)?;
        // What it lost shall not keep the rest from being changed.
        let had = was.xml.get().map(|xml| VmFunction::of_definition(xml)).unwrap_or_default();
        if functions != had {
            check_functions(Some(uuid), &functions, node, view)?;
        }
    }
    let volumes = volumes(definition)?;
    // One that it lost shall not keep the rest from being changed.
    let had = was.volumes.get().map_or(&[][..], Vec::as_slice);
    let new: Vec<VolumeId> = volumes.iter().filter(|one| !had.contains(one)).cloned().collect();
    exist(&new, view)?;
    // Nor shall a network that is gone, or an address that was another's already.
    let had = was.xml.get().and_then(|xml| describe(xml).ok());
    let had = had.map(|description| description.networks).unwrap_or_default();
    check_interfaces(&had, &definition.description.networks, view)?;
    check_macs(uuid, &had, &definition.description.networks, view)?;
    // Hardware that is handed to a VM cannot move with it.
    let method = &vm.migration_method;
    let by_shutdown = Some(MigrationMethod::Shutdown);
    let forced = has_hardware(&functions) && method.copied() != Some(by_shutdown);
    // A VM that does not run has the new definition at its next start anyway.
    let restarts = restart && vm.state.copied() == Some(VmState::Start);
    let ops = [
        Some(key::vm_xml(uuid).put(&was.xml, &xml.into())),
        Some(key::vm_rbd_list(uuid).put(&was.volumes, &volumes)),
        forced.then(|| key::vm_migration_method(uuid).put(method, &by_shutdown)),
        restarts.then(|| key::vm_state(uuid).put(&vm.state, &VmState::Restart)),
    ];
    let had = was.xml.get().is_some_and(|xml| has_hardware(&VmFunction::of_definition(xml)));
    let lost = had && !has_hardware(&functions) && method.copied() == Some(by_shutdown);
    let note = if forced {
        " Its migration method is 'shutdown' now: hardware of a node cannot move live."
    } else if lost {
        // Who runs on has the hardware until the next start; and whether the method was somebody's
        // own wish before, nobody knows.
        " Its migration method stays 'shutdown' until another is set in its metadata."
    } else {
        ""
    };
    let message = format!("Successfully modified configuration of VM '{now}'.{note}");
    Ok(Change::of(ops, message))
}

/// The volumes that a definition uses.
pub(super) fn volumes(definition: &Definition) -> Result<Vec<VolumeId>, ApiError> {
    let images = definition.description.rbd_images().into_iter();
    let volumes = images.map(|image| image.parse());
    volumes.collect::<Result<_, BadId>>().map_err(|bad| {
        ApiError::refused("bad-xml", format!("ERROR: The VM definition is not valid: {bad}"))
    })
}

/// Refuses volumes that the cluster does not have: the VM could not start.
pub(super) fn exist(volumes: &[VolumeId], view: &View) -> Result<(), ApiError> {
    let missing = volumes.iter().filter(|volume| !view.volumes.contains_key(volume));
    let missing: Vec<String> = missing.map(ToString::to_string).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let why = format!(
        "ERROR: The VM definition names volumes that do not exist: {}. Add them first.",
        missing.join(", ")
    );
    Err(ApiError::refused("no-such-volume", why))
}

/// Gives a stopped VM another name, in its definition too.
pub(crate) fn rename(
    uuid: VmUuid,
    was: &Definable,
    new: &VmName,
    view: &View,
) -> Result<Change, ApiError> {
    let vm = &was.vm;
    let old = vm.name.get().ok_or_else(|| unreadable("The VM's name"))?;
    if view.vms.iter().any(|(other, vm)| *other != uuid && vm.name.get() == Some(new)) {
        let why = format!("ERROR: A VM named '{new}' already exists in the cluster!");
        return Err(ApiError::refused("vm-exists", why));
    }
    let stopped = matches!(vm.state.copied(), Some(VmState::Stop | VmState::Disable));
    if !stopped || vm.claim.get().is_some() {
        let why = format!("ERROR: VM '{old}' is not in stopped state; stop it before renaming it.");
        return Err(ApiError::refused("not-stopped", why));
    }
    let xml = was.xml.get().ok_or_else(|| unreadable("The VM's definition"))?;
    let xml = edit::set_name(xml, new)
        .map_err(|error| ApiError::refused("bad-xml", format!("ERROR: {error}")))?;
    let ops = [
        Some(key::vm_name(uuid).put(&vm.name, new)),
        Some(key::vm_xml(uuid).put(&was.xml, &xml.into())),
        key::vm_state(uuid).check(&vm.state),
    ];
    Ok(Change::of(ops, format!("Successfully renamed VM '{old}' to '{new}'.")))
}

#[cfg(test)]
mod tests;
