//! Tasks: long work that a node does on behalf of a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Says that a task was accepted (status 202); `Location` points to its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskAccepted {
    /// Under which name its state can be asked for.
    pub task_id: String,
    /// What it does, such as `vm.flush_locks`.
    pub task_name: String,
    /// The node that does it; `hv1 (primary)` when any primary would do.
    pub run_on: String,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskState {
    /// `PENDING`, `RUNNING`, `SUCCESS` or `FAILURE`; `PENDING` also for tasks nobody knows.
    pub state: String,
    /// Steps done.
    pub current: u64,
    /// Steps in all.
    pub total: u64,
    /// What it is doing, or why it failed.
    pub status: String,
    /// What came of it, once it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
}

impl TaskState {
    /// What is answered for a task that has not started, or that nobody knows.
    #[must_use]
    pub fn pending() -> Self {
        Self {
            state: "PENDING".into(),
            current: 0,
            total: 1,
            status: "Pending job start".into(),
            result: None,
        }
    }
}

/// One task as its worker knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskEntry {
    /// Under which name its state can be asked for.
    pub id: String,
    /// What it does.
    pub name: String,
    /// Arguments by position.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub args: Vec<Value>,
    /// Arguments by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub kwargs: serde_json::Map<String, Value>,
}

/// All tasks, each list by worker; absent when no worker answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskList {
    /// To start at a later time.
    #[serde(default)]
    pub scheduled: Option<BTreeMap<String, Vec<TaskEntry>>>,
    /// Running.
    #[serde(default)]
    pub active: Option<BTreeMap<String, Vec<TaskEntry>>>,
    /// Waiting for their worker.
    #[serde(default)]
    pub reserved: Option<BTreeMap<String, Vec<TaskEntry>>>,
}
