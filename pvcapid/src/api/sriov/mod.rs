//! SR-IOV: cards that are divided, and their functions.

pub(super) mod pf;
pub(super) mod root;
pub(super) mod vf;

use pvc_common::id::NodeName;
use pvc_common::model::Sriov;

use crate::image::View;

/// The node of this name, if there is one, with its functions.
fn of_node<'a>(view: &'a View, text: &str) -> Option<(NodeName, Option<&'a Sriov>)> {
    let name = text.parse::<NodeName>().ok()?;
    let node = view.nodes.get(&name)?;
    Some((name, node.sriov.as_deref()))
}
