//! `GET /tasks`

use axum::Json;
use pvc_common::api::TaskList;

/// Lists all tasks by worker. No endpoint of this version starts any.
#[utoipa::path(get, path = "/api/v1/tasks", operation_id = "task_list", tag = "task",
    responses((status = 200, body = TaskList)))]
pub(in crate::api) async fn list() -> Json<TaskList> {
    let none = Some(std::collections::BTreeMap::new());
    Json(TaskList { scheduled: none.clone(), active: none.clone(), reserved: none })
}
