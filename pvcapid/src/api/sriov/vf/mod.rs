//! Virtual functions: what cards are divided into.

pub(in crate::api) mod list;
pub(in crate::api) mod set;
pub(in crate::api) mod show;

use pvc_common::id::{NodeName, SriovName};
use pvc_common::model::Vf;

use crate::api::ApiError;
use crate::api::sriov::of_node;
use crate::image::View;

/// The function of this name on this node, which must be there.
fn existing<'a>(
    view: &'a View,
    node: &str,
    vf: &str,
) -> Result<(NodeName, SriovName, &'a Vf), ApiError> {
    let found = || {
        let (node, sriov) = of_node(view, node)?;
        let (name, vf) = sriov?.vfs.get_key_value(&vf.parse::<SriovName>().ok()?)?;
        Some((node, name.clone(), vf))
    };
    found().ok_or_else(|| ApiError::missing(format!("No VF '{vf}' found on node '{node}'")))
}
