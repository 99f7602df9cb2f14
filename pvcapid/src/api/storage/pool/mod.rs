//! Pools.

pub(in crate::api) mod list;
pub(in crate::api) mod show;

use axum::Json;
use pvc_common::api::Pool;

use crate::api::ApiError;

/// The answer that lists pools; upstream's clients expect a refusal rather than an empty list.
fn listed(pools: Vec<Pool>) -> Result<Json<Vec<Pool>>, ApiError> {
    if pools.is_empty() { Err(ApiError::not_found("Pool")) } else { Ok(Json(pools)) }
}
