//! Nodes.

pub(super) mod coordinator_state;
pub(super) mod daemon_state;
pub(super) mod domain_state;
pub(super) mod fence;
pub(super) mod list;
pub(super) mod log;
pub(super) mod show;

use axum::Json;
use pvc_common::api::Node;
use pvc_common::id::NodeName;

use super::error::ApiError;
use super::limit::Limit;
use crate::image::View;

/// The node of this name, which must exist.
fn existing(view: &View, text: &str) -> Result<NodeName, ApiError> {
    let name = text.parse::<NodeName>().ok().filter(|name| view.nodes.contains_key(name));
    name.ok_or_else(|| ApiError::not_found("Node"))
}

/// As [`existing`], for a change: upstream's clients expect another refusal.
fn changeable(view: &View, text: &str) -> Result<NodeName, ApiError> {
    existing(view, text).map_err(|_| {
        let message = format!("ERROR: No node named {text} is present in the cluster.");
        ApiError::refused("no-such-node", message)
    })
}

/// The nodes that a pattern takes; `None` takes all.
fn taken<'a>(view: &'a View, limit: Option<&'a Limit>) -> impl Iterator<Item = &'a NodeName> {
    view.nodes.keys().filter(move |name| limit.is_none_or(|limit| limit.takes(name.as_str())))
}

/// The answer that lists nodes; upstream's clients expect a refusal rather than an empty list.
fn listed(nodes: Vec<Node>) -> Result<Json<Vec<Node>>, ApiError> {
    if nodes.is_empty() { Err(ApiError::not_found("Node")) } else { Ok(Json(nodes)) }
}
