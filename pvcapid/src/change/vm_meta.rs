//! How a VM is placed and moved.

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::Vm;
use pvc_common::state::{MigrationMethod, Selector};
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, key};

use super::Change;
use crate::api::ApiError;

/// What is wished; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetaWish {
    /// The nodes it may run on; an empty list for any.
    pub(crate) limit: Option<Vec<String>>,
    /// By which measure its node is chosen; the inner `None` for the cluster's default.
    pub(crate) selector: Option<Option<Selector>>,
    /// Whether it starts when its node becomes ready.
    pub(crate) autostart: Option<bool>,
    /// The provisioner profile it was made from.
    pub(crate) profile: Option<String>,
    /// How it may be moved; the inner `None` for live before shutdown.
    pub(crate) method: Option<Option<MigrationMethod>>,
    /// Longest stop in a live migration, in milliseconds.
    pub(crate) max_downtime_ms: Option<u64>,
}

/// The nodes that a list names, each of which must exist.
pub(crate) fn checked_limit(names: &[String], view: &View) -> Result<Vec<NodeName>, ApiError> {
    let known = |name: &String| {
        let parsed = name.parse::<NodeName>().ok();
        parsed.filter(|node| view.nodes.contains_key(node)).ok_or_else(|| {
            ApiError::refused("no-such-node", format!("Specified node \"{name}\" is invalid."))
        })
    };
    names.iter().map(known).collect()
}

/// Writes what is wished.
pub(crate) fn set_meta(
    uuid: VmUuid,
    name: &str,
    vm: &Vm,
    profile: &Seen<Option<String>>,
    view: &View,
    wish: &MetaWish,
) -> Result<Change, ApiError> {
    if view.vms.get(&uuid).is_some_and(|vm| vm.has_hardware())
        && wish.method.is_some_and(|method| method != Some(MigrationMethod::Shutdown))
    {
        let why = format!(
            "ERROR: VM '{name}' has hardware of its node, with which it can only move by shutdown."
        );
        return Err(ApiError::refused("has-hardware", why));
    }
    let limit = wish.limit.as_deref().map(|names| checked_limit(names, view)).transpose()?;
    let ops: Vec<Option<Op>> = vec![
        limit.map(|limit| key::vm_node_limit(uuid).put(&vm.node_limit, &limit)),
        wish.selector.map(|selector| key::vm_selector(uuid).put(&vm.selector, &selector)),
        wish.autostart.map(|autostart| key::vm_autostart(uuid).put(&vm.autostart, &autostart)),
        // What shall not start by itself does not wait for a node to start on.
        (wish.autostart == Some(false))
            .then(|| key::vm_displaced(uuid).delete(&vm.displaced))
            .flatten(),
        wish.profile.as_ref().map(|text| key::vm_profile(uuid).put(profile, &Some(text.clone()))),
        wish.method.map(|method| key::vm_migration_method(uuid).put(&vm.migration_method, &method)),
        wish.max_downtime_ms.map(|ms| key::vm_max_downtime(uuid).put(&vm.max_downtime_ms, &ms)),
    ];
    if ops.iter().all(Option::is_none) {
        return Err(ApiError::refused("nothing-to-do", "ERROR: No updates to apply."));
    }
    let message = format!("Successfully modified PVC metadata of VM '{name}'.");
    Ok(Change::of(ops, message))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pvc_common::model::Node;
    use pvc_common::zk::Version;

    use super::*;

    fn set(wish: &MetaWish) -> Result<Change, ApiError> {
        let uuid = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".parse().unwrap();
        let seen = Seen::Value { value: None, version: Version(0) };
        let mut view = View::default();
        view.nodes.insert("hv1".parse().unwrap(), Arc::new(Node::default()));
        set_meta(uuid, "web1", &Vm::default(), &seen, &view, wish)
    }

    #[test]
    fn only_what_is_given_is_written() {
        let wish = MetaWish { selector: Some(None), ..MetaWish::default() };
        assert_eq!(set(&wish).unwrap().ops.len(), 1);
        let wish = MetaWish { limit: Some(vec![]), autostart: Some(true), ..wish };
        assert_eq!(set(&wish).unwrap().ops.len(), 3);
    }

    #[test]
    fn nothing_given_is_an_error() {
        assert!(set(&MetaWish::default()).is_err());
    }

    #[test]
    fn a_limit_names_nodes_that_exist() {
        let wish = |name: &str| MetaWish { limit: Some(vec![name.into()]), ..MetaWish::default() };
        assert!(set(&wish("hv1")).is_ok());
        assert!(set(&wish("hv9")).is_err());
        assert!(set(&wish("no host")).is_err());
    }
}
