//! Tasks as requests order them and ask about them. Nodes do them; see `pvc_common::model::Task`.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderName, LOCATION};
use pvc_common::api::{TaskAccepted, TaskEntry, TaskState};
use pvc_common::id::TaskId;
use pvc_common::model::{RunOn, Task, TaskOrder, Work};
use pvc_common::state::{DaemonState, Word};
use pvc_common::zk::{Seen, key};
use serde_json::Value;
use uuid::Uuid;

use crate::api::ApiError;
use crate::app::App;
use crate::apply::apply;
use crate::change::Change;
use crate::image::View;

/// The layout of the tree that first knew tasks.
const SINCE: u32 = 18;

/// The answer to a request that ordered a task (202).
pub(crate) type Accepted = (StatusCode, [(HeaderName, String); 1], Json<TaskAccepted>);

/// Orders a task: it is done by and by, also if this daemon ends.
pub(crate) async fn order(app: &App, work: Work, run_on: RunOn) -> Result<Accepted, ApiError> {
    let view = app.view()?;
    if view.cluster.schema_version.copied() < Some(SINCE) {
        let message = "ERROR: There are no tasks until every node runs this version of PVC.";
        return Err(ApiError::refused("not-upgraded", message));
    }
    let node = match &run_on {
        RunOn::Node(node) => node.to_string(),
        RunOn::Primary => {
            let primary = view.cluster.primary_node.get().and_then(Option::as_ref);
            primary.map_or_else(|| "(primary)".to_owned(), |node| format!("{node} (primary)"))
        }
    };
    let name = work.name().to_owned();
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ordered_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    let order = TaskOrder { work, run_on, ordered_ms };
    // Another attempt takes another name: this one may be somebody's.
    let id = apply(app, || async {
        let id = new_id();
        let op = key::task(&id).create(&order);
        Ok(Change { ops: vec![op], message: id.to_string() })
    })
    .await?;
    tracing::info!(task.id = id, task.name = name, "ordered of {node}");
    let location = format!("/api/v1/tasks/{id}");
    let accepted = TaskAccepted { task_id: id, task_name: name, run_on: node };
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(accepted)))
}

/// Eight hexadecimal digits, as clients expect.
fn new_id() -> TaskId {
    let uuid = Uuid::new_v4().simple().to_string();
    uuid[..8].parse().expect("hexadecimal digits are a name")
}

/// How far a task is.
pub(crate) fn state(view: &View, task: &Task) -> TaskState {
    let order = match &task.order {
        Seen::Value { value, .. } => value,
        Seen::Absent => return TaskState::pending(),
        Seen::Bad { why, .. } => {
            return failed(format!("It cannot be understood, and is not done: {why}."));
        }
    };
    let mut shown = match &task.progress {
        Seen::Value { value, .. } => TaskState {
            state: value.phase.text().to_owned(),
            current: value.current.into(),
            total: value.total.into(),
            status: value.status.clone(),
            result: value.result.clone(),
        },
        Seen::Absent => TaskState::pending(),
        Seen::Bad { why, .. } => return failed(format!("How far it is cannot be read: {why}.")),
    };
    if let Some(why) = holds_up(view, order).filter(|_| !task.is_over()) {
        shown.status = format!("{} ({why})", shown.status);
    }
    shown
}

fn failed(status: String) -> TaskState {
    TaskState { state: "FAILURE".to_owned(), current: 1, total: 1, status, result: None }
}

/// Why nobody does a task at present.
fn holds_up(view: &View, order: &TaskOrder) -> Option<String> {
    let node = match &order.run_on {
        RunOn::Node(node) => node,
        RunOn::Primary => match view.cluster.primary_node.get().and_then(Option::as_ref) {
            Some(node) => node,
            None => return Some("waiting for a primary".to_owned()),
        },
    };
    match view.nodes.get(node).map(|found| found.daemon_state.copied()) {
        Some(Some(DaemonState::Run)) => None,
        Some(state) => {
            let state = state.map_or("of unknown state", Word::text);
            Some(format!("waiting for node {node}, which is {state}"))
        }
        None => Some(format!("there is no node {node}")),
    }
}

/// A task with its arguments, and the worker it is listed under.
pub(crate) fn entry(view: &View, id: &TaskId, order: &TaskOrder) -> (String, TaskEntry) {
    let node = match &order.run_on {
        RunOn::Node(node) => Some(node),
        RunOn::Primary => view.cluster.primary_node.get().and_then(Option::as_ref),
    };
    let node = node.map_or_else(|| "primary".to_owned(), ToString::to_string);
    let work = serde_json::to_value(&order.work).unwrap_or_default();
    let mut kwargs = match work.get("kwargs") {
        Some(Value::Object(kwargs)) => kwargs.clone(),
        Some(_) | None => serde_json::Map::new(),
    };
    kwargs.insert("run_on".to_owned(), Value::String(node.clone()));
    let entry = TaskEntry {
        id: id.to_string(),
        name: order.work.name().to_owned(),
        args: Vec::new(),
        kwargs,
    };
    // Upstream's name for whoever does tasks on a node.
    (format!("pvcworkerd@{node}"), entry)
}
