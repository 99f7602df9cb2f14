//! `POST /storage/ceph/benchmark`

use axum::extract::State;
use pvc_common::api::TaskAccepted;
use pvc_common::id::{BadId, JobName, PoolName};
use pvc_common::model::{RunOn, Work};

use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::task::{Accepted, order};

/// How long each of the eight tests lasts.
const SECONDS: u32 = 75;

/// Measures how fast a pool is, which takes all the speed it has; a task.
#[utoipa::path(post, path = "/api/v1/storage/ceph/benchmark", operation_id = "benchmark_run",
    tag = "storage",
    params(("pool" = String, Query, description = "The pool"),
        ("name" = Option<String>, Query, description = "The name of the run; its time and node by default"),
        ("seconds" = Option<u32>, Query, description = "How long each of its eight tests lasts; 75 by default")),
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not as expected")))]
pub(in crate::api) async fn run(State(app): State<App>, args: Args) -> Result<Accepted, ApiError> {
    let text = args.required("pool")?;
    let view = app.view()?;
    let pool: Option<PoolName> = text.parse().ok().filter(|pool| view.pools.contains_key(pool));
    let pool = pool.ok_or_else(|| {
        ApiError::refused("no-such-pool", format!("ERROR: Pool '{text}' is not valid."))
    })?;
    let primary = view.cluster.primary_node.get().and_then(Option::as_ref);
    let by_time = || {
        let time = pvc_runtime::log::local_time().replace(' ', "T");
        primary.map_or_else(|| time.clone(), |node| format!("{time}_{node}"))
    };
    let name =
        args.text("name").filter(|name| !name.is_empty()).map_or_else(by_time, str::to_owned);
    let name: JobName =
        name.parse().map_err(|bad: BadId| ApiError::argument("name", bad.to_string()))?;
    if view.benchmarks.contains_key(&name) {
        let message = format!("ERROR: There is a benchmark '{name}' already.");
        return Err(ApiError::refused("name-in-use", message));
    }
    let seconds = args.number("seconds")?.unwrap_or(SECONDS);
    if !(1..=3600).contains(&seconds) {
        return Err(ApiError::argument("seconds", "expected a whole number from 1 to 3600"));
    }
    order(&app, Work::Benchmark { pool, name, seconds }, RunOn::Primary).await
}
