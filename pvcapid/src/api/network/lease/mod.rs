//! Addresses that networks keep for interfaces, and those that DHCP gave away.

pub(in crate::api) mod add;
pub(in crate::api) mod list;
pub(in crate::api) mod remove;
pub(in crate::api) mod show;

use axum::Json;
use pvc_common::api::NetworkLease;

use crate::api::ApiError;

/// The answer that lists leases; upstream's clients expect a refusal rather than an empty list.
fn listed(leases: Vec<NetworkLease>) -> Result<Json<Vec<NetworkLease>>, ApiError> {
    if leases.is_empty() { Err(ApiError::not_found("Lease")) } else { Ok(Json(leases)) }
}
