//! `GET /tasks/{task_id}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::TaskState;
use pvc_common::id::TaskId;

use crate::api::ApiError;
use crate::app::App;
use crate::task::state;

/// Tells how far a task is; one that nobody knows is said to be pending.
#[utoipa::path(get, path = "/api/v1/tasks/{task_id}", operation_id = "task_show", tag = "task",
    params(("task_id" = String, Path, description = "As the answer that accepted it says")),
    responses((status = 200, body = TaskState)))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(task_id): Path<String>,
) -> Result<Json<TaskState>, ApiError> {
    let view = app.view()?;
    let id: Option<TaskId> = task_id.parse().ok();
    let task = id.and_then(|id| view.tasks.get(&id));
    Ok(Json(task.map_or_else(TaskState::pending, |task| state(&view, task))))
}
