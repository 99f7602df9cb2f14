//! A new VM.

use pvc_common::id::{NodeName, TagName};
use pvc_common::model::{Resources, VmFunction};
use pvc_common::state::{MigrationMethod, Selector, VmState};
use pvc_common::unit::Mib;
use pvc_common::view::View;
use pvc_common::zk::key::vm_suffix;
use pvc_common::zk::{Expected, Op, key};
use pvc_domxml::Definition;
use pvc_plan::place::{Ledger, Request};

use super::sriov::{check_functions, has_hardware};
use super::vm_mac::check_macs;
use super::vm_modify::{exist, volumes};
use super::vm_move::runs_vms;
use super::vm_network::check_interfaces;
use super::{Change, vm_tag};
use crate::api::ApiError;

/// How long a live migration may stop a VM unless its owner says otherwise, in milliseconds.
const MAX_DOWNTIME_MS: u64 = 300;

/// What is wished of a new VM besides its definition.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewVm {
    /// Its node; `None` for the best one.
    pub(crate) node: Option<String>,
    /// The nodes it may run on; none for any.
    pub(crate) limit: Vec<NodeName>,
    /// By which measure its node is chosen.
    pub(crate) selector: Option<Selector>,
    /// Whether it starts when its node becomes ready.
    pub(crate) autostart: bool,
    /// How it may be moved.
    pub(crate) method: Option<MigrationMethod>,
    /// Longest stop in a live migration, in milliseconds.
    pub(crate) max_downtime_ms: Option<u64>,
    /// Its tags, and whether each is protected.
    pub(crate) tags: Vec<(TagName, bool)>,
}

/// Creates a VM, stopped, with everything the tree holds of one.
pub(crate) fn define(
    xml: &str,
    definition: &Definition,
    wish: &NewVm,
    view: &View,
) -> Result<Change, ApiError> {
    let (uuid, name) = (definition.uuid, &definition.name);
    free(definition, view)?;
    let volumes = volumes(definition)?;
    exist(&volumes, view)?;
    check_interfaces(&[], &definition.description.networks, view)?;
    check_macs(uuid, &[], &definition.description.networks, view)?;
    let functions = VmFunction::of_definition(xml);
    let node = node(definition, &functions, wish, view)?;
    // Hardware that is handed to a VM cannot move with it.
    let method =
        if has_hardware(&functions) { Some(MigrationMethod::Shutdown) } else { wish.method };
    let create = |suffix: &str, text: String| {
        let path = format!("{}{suffix}", key::vm_name(uuid).path());
        Op::put(path, text, Expected::Absent)
    };
    let empty = |suffix: &str| create(suffix, String::new());
    let mut ops = vec![
        key::vm_name(uuid).create(name),
        key::vm_xml(uuid).create(&xml.into()),
        key::vm_state(uuid).create(&VmState::Stop),
        key::vm_profile(uuid).create(&None),
        key::vm_node(uuid).create(&Some(node)),
        key::vm_rbd_list(uuid).create(&volumes),
        key::vm_autostart(uuid).create(&wish.autostart),
        key::vm_migration_method(uuid).create(&method),
        key::vm_max_downtime(uuid).create(&wish.max_downtime_ms.unwrap_or(MAX_DOWNTIME_MS)),
        key::vm_selector(uuid).create(&wish.selector),
        key::vm_node_limit(uuid).create(&wish.limit),
    ];
    ops.extend(
        [
            vm_suffix::STATS,
            vm_suffix::LAST_NODE,
            vm_suffix::FAILED_REASON,
            vm_suffix::CONSOLE_LOG,
            vm_suffix::VNC,
            vm_suffix::MIGRATE_SYNC_LOCK,
            vm_suffix::SNAPSHOTS,
            vm_suffix::MIGRATE_ORIGIN,
            vm_suffix::TAGS,
        ]
        .map(empty),
    );
    for (tag, protected) in &wish.tags {
        ops.extend(vm_tag::create(uuid, tag, *protected));
    }
    let message = format!("Added new VM with Name '{name}' and UUID '{uuid}' to database.");
    Ok(Change { ops, message })
}

/// Whether neither the UUID nor the name is taken.
fn free(definition: &Definition, view: &View) -> Result<(), ApiError> {
    let (uuid, name) = (definition.uuid, &definition.name);
    let taken = |what: &str, text: &str| {
        let message = format!("ERROR: VM with {what} '{text}' already exists in the cluster!");
        Err(ApiError::refused("vm-exists", message))
    };
    if view.vms.contains_key(&uuid) {
        return taken("UUID", &uuid.to_string());
    }
    if view.vms.values().any(|vm| vm.name.get() == Some(name)) {
        return taken("name", name.as_str());
    }
    Ok(())
}

/// What a definition needs of a node.
fn needs(definition: &Definition) -> Resources {
    Resources { memory: definition.memory, vcpus: definition.vcpus, rbd_only: false }
}

fn node(
    definition: &Definition,
    functions: &[VmFunction],
    wish: &NewVm,
    view: &View,
) -> Result<NodeName, ApiError> {
    let Some(given) = &wish.node else {
        let request = Request {
            vm: None,
            except: None,
            limit: &wish.limit,
            selector: wish.selector,
            needs: needs(definition),
            functions,
        };
        return Ledger::open(view).place(&request).map_err(|none| {
            let why = format!("ERROR: No node was given and none could be chosen: {none}");
            ApiError::refused("no-target", why)
        });
    };
    let parsed = given.parse::<NodeName>().ok().filter(|node| view.nodes.contains_key(node));
    let node = parsed.ok_or_else(|| {
        ApiError::refused("no-such-node", format!("ERROR: Specified node '{given}' is invalid."))
    })?;
    if !wish.limit.is_empty() && !wish.limit.contains(&node) {
        let why = format!("ERROR: Specified node '{node}' is not in the VM's node limit.");
        return Err(ApiError::refused("not-in-limit", why));
    }
    runs_vms(view, &node)?;
    check_fit(definition, &node, view)?;
    check_functions(None, functions, &node, view)?;
    Ok(node)
}

/// Refuses a definition that its node could never run, be it empty.
pub(crate) fn check_fit(
    definition: &Definition,
    node: &NodeName,
    view: &View,
) -> Result<(), ApiError> {
    let Some(facts) = view.nodes.get(node) else { return Ok(()) };
    let total: Option<Mib> = facts.mem_total.copied();
    if let Some(total) = total.filter(|total| definition.memory >= *total) {
        let why = format!(
            "ERROR: VM configuration specifies more memory ({} MiB) than node '{node}' has \
             available ({total} MiB).",
            definition.memory
        );
        return Err(ApiError::refused("too-large", why));
    }
    let present = facts.static_data.get().map(|facts| facts.cpu_count);
    if let Some(present) = present.filter(|present| definition.vcpus.0 > *present) {
        let why = format!(
            "ERROR: VM configuration specifies more vCPUs ({}) than node '{node}' has \
             processors ({present}).",
            definition.vcpus
        );
        return Err(ApiError::refused("too-large", why));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
