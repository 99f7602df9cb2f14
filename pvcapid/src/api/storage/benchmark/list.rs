//! `GET /storage/ceph/benchmark`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Benchmark;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;

/// Lists benchmarks, in the order in which they were begun.
#[utoipa::path(get, path = "/api/v1/storage/ceph/benchmark", operation_id = "benchmark_list",
    tag = "storage",
    params(("job" = Option<String>, Query, description = "Only the one of this name")),
    responses((status = 200, body = [Benchmark]), (status = 404, description = "None")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<Benchmark>>, ApiError> {
    let wanted = args.text("job").filter(|job| !job.is_empty());
    let view = app.view()?;
    let found =
        view.benchmarks.iter().filter(|(job, _)| wanted.is_none_or(|it| it == job.as_str()));
    let found = found.filter_map(|(job, benchmark)| {
        let record = benchmark.record.get()?;
        Some(Benchmark {
            id: record.id,
            job: job.to_string(),
            test_format: record.test_format,
            benchmark_result: record.result.clone(),
        })
    });
    let mut found: Vec<Benchmark> = found.collect();
    found.sort_by_key(|benchmark| benchmark.id);
    if found.is_empty() {
        return Err(ApiError::missing("No benchmark found."));
    }
    Ok(Json(found))
}
