//! Firewall rules of networks.

pub(in crate::api) mod add;
pub(in crate::api) mod list;
pub(in crate::api) mod remove;
pub(in crate::api) mod show;

use axum::Json;
use pvc_common::api::NetworkAcl;
use pvc_common::zk::key::Direction;

use crate::api::ApiError;

/// The words for what a rule is about.
const DIRECTIONS: [(&str, Direction); 2] = [("in", Direction::In), ("out", Direction::Out)];

/// The answer that lists rules; upstream's clients expect a refusal rather than an empty list.
fn listed(rules: Vec<NetworkAcl>) -> Result<Json<Vec<NetworkAcl>>, ApiError> {
    if rules.is_empty() { Err(ApiError::not_found("ACL")) } else { Ok(Json(rules)) }
}
