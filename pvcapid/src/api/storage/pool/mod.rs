//! Pools.

pub(in crate::api) mod add;
pub(in crate::api) mod list;
pub(in crate::api) mod remove;
pub(in crate::api) mod set_pgs;
pub(in crate::api) mod show;

use axum::Json;
use pvc_common::api::Pool;
use pvc_common::id::PoolName;

use crate::api::ApiError;
use crate::api::args::Args;

/// The answer that lists pools; upstream's clients expect a refusal rather than an empty list.
fn listed(pools: Vec<Pool>) -> Result<Json<Vec<Pool>>, ApiError> {
    if pools.is_empty() { Err(ApiError::not_found("Pool")) } else { Ok(Json(pools)) }
}

/// The pool of this name, whether there is one or not.
pub(super) fn named(text: &str) -> Result<PoolName, ApiError> {
    text.parse().map_err(|_| {
        ApiError::refused("no-such-pool", format!("ERROR: There is no pool '{text}'."))
    })
}

/// A number of placement groups.
fn pgs(args: &Args) -> Result<u32, ApiError> {
    let text = args.required("pgs")?;
    text.parse().ok().filter(|pgs: &u32| pgs.is_power_of_two()).ok_or_else(|| {
        ApiError::argument(
            "pgs",
            format!("{text} is not valid; expected a power of two, such as 64"),
        )
    })
}
