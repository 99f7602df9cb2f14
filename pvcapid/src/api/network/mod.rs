//! Client networks.

pub(super) mod acl;
pub(super) mod add;
pub(super) mod lease;
pub(super) mod list;
pub(super) mod modify;
pub(super) mod remove;
pub(super) mod show;
mod wanted;

use std::sync::Arc;

use axum::Json;
use pvc_common::api;
use pvc_common::model::Network;

use super::error::ApiError;
use crate::change::network::find;
use crate::image::View;

/// The answer that lists networks; upstream's clients expect a refusal rather than an empty list.
fn listed(networks: Vec<api::Network>) -> Result<Json<Vec<api::Network>>, ApiError> {
    if networks.is_empty() { Err(ApiError::not_found("Network")) } else { Ok(Json(networks)) }
}

/// The network of this number or description, to be shown.
fn existing(view: &View, text: &str) -> Result<Arc<Network>, ApiError> {
    let vni = find(view, text).map_err(|_| ApiError::not_found("Network"))?;
    view.networks.get(&vni).cloned().ok_or_else(|| ApiError::not_found("Network"))
}

/// What a check found wrong with an argument, as a refusal.
fn checked<T>(argument: &str, checked: Result<T, String>) -> Result<T, ApiError> {
    checked.map_err(|why| ApiError::argument(argument, why))
}
