//! `GET /faults`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Fault;
use utoipa::IntoParams;

use super::shown::{by_time, faults};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;

/// By what faults are sorted.
#[derive(Clone, Copy, Default)]
enum SortKey {
    FirstReported,
    #[default]
    LastReported,
    AcknowledgedAt,
    Status,
    HealthDelta,
    Message,
}

const WORDS: [(&str, SortKey); 6] = [
    ("first_reported", SortKey::FirstReported),
    ("last_reported", SortKey::LastReported),
    ("acknowledged_at", SortKey::AcknowledgedAt),
    ("status", SortKey::Status),
    ("health_delta", SortKey::HealthDelta),
    ("message", SortKey::Message),
];

/// Arguments of a list of faults.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// `first_reported`, `last_reported`, `acknowledged_at` (the newest first), `status`,
    /// `health_delta` or `message`; `last_reported` if it is not given.
    #[param(value_type = Option<String>)]
    sort_key: SortKey,
}

/// Lists all faults.
#[utoipa::path(get, path = "/api/v1/faults", operation_id = "fault_list", tag = "fault",
    params(ListArgs),
    responses((status = 200, body = [Fault]), (status = 400, description = "Bad sort key")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<Fault>>, ApiError> {
    let ListArgs { sort_key } =
        ListArgs { sort_key: args.choice("sort_key", &WORDS)?.unwrap_or_default() };
    let mut faults = faults(&*app.view()?);
    faults.sort_by(|a, b| match sort_key {
        SortKey::FirstReported => by_time(&b.first_reported, &a.first_reported),
        SortKey::LastReported => by_time(&b.last_reported, &a.last_reported),
        SortKey::AcknowledgedAt => by_time(&b.acknowledged_at, &a.acknowledged_at),
        SortKey::Status => a.status.cmp(&b.status),
        SortKey::HealthDelta => a.health_delta.cmp(&b.health_delta),
        SortKey::Message => a.message.cmp(&b.message),
    });
    Ok(Json(faults))
}
