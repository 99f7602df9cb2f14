//! `GET /tasks`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use pvc_common::api::{TaskEntry, TaskList};

use crate::api::ApiError;
use crate::app::App;
use crate::task::entry;

/// Lists the tasks that are not over, by the node that does them.
#[utoipa::path(get, path = "/api/v1/tasks", operation_id = "task_list", tag = "task",
    responses((status = 200, body = TaskList)))]
pub(in crate::api) async fn list(State(app): State<App>) -> Result<Json<TaskList>, ApiError> {
    let view = app.view()?;
    let mut active: BTreeMap<String, Vec<TaskEntry>> = BTreeMap::new();
    let mut reserved: BTreeMap<String, Vec<TaskEntry>> = BTreeMap::new();
    for (id, task) in view.tasks.iter().filter(|(_, task)| !task.is_over()) {
        let Some(order) = task.order.get() else { continue };
        let (worker, entry) = entry(&view, id, order);
        let list = if task.progress.get().is_some() { &mut active } else { &mut reserved };
        list.entry(worker).or_default().push(entry);
    }
    let scheduled = Some(BTreeMap::new());
    Ok(Json(TaskList { scheduled, active: Some(active), reserved: Some(reserved) }))
}
