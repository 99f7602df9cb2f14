//! `pvc cluster task`.

use std::collections::BTreeMap;

use clap::Args;
use pvc_client::call;
use pvc_common::api::{TaskEntry, TaskList, TaskState};
use serde::{Deserialize, Serialize};

use crate::failure::Outcome;
use crate::format::{Form, ListFormat, ListStyle};
use crate::paint::Paint;
use crate::session::Session;
use crate::shell::Shell;
use crate::show::{Cell, Table};
use crate::wait::{self, TaskWatch};

/// Show tasks, or wait for one.
#[derive(Debug, Args)]
pub(crate) struct Task {
    /// Task to wait for.
    #[arg(value_name = "TASK_ID")]
    id: Option<String>,
    /// Wait until the task is finished, and fail if it fails (the default).
    #[arg(long, conflicts_with = "no_wait")]
    wait: bool,
    /// Show the state that the task has now.
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
    #[command(flatten)]
    format: ListFormat,
}

/// One task of the list, with what the lists by worker only say around it.
#[derive(Debug, Deserialize, Serialize)]
struct Row {
    r#type: String,
    worker: String,
    #[serde(flatten)]
    task: TaskEntry,
}

impl Task {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        match &self.id {
            None => list(&session, self.format).await,
            Some(id) if self.no_wait && !self.wait => show(&session, id, self.format).await,
            Some(id) => wait::until(&session, TaskWatch::new(id)).await,
        }
    }
}

async fn show(session: &Session, id: &str, format: ListFormat) -> Outcome {
    session
        .show(&call::cluster::task(id), format.form(), |task: TaskState, _| {
            format!("{}: {}", task.state, task.status)
        })
        .await
}

async fn list(session: &Session, format: ListFormat) -> Outcome {
    let tasks: TaskList = session.read(&call::cluster::tasks()).await?;
    let rows = rows(tasks);
    let paint = session.out.paint();
    match format.form() {
        Form::Json(json) => session.out.json(&rows, json),
        Form::Laid(ListStyle::Raw) if rows.is_empty() => Ok(()),
        Form::Laid(style) => session.out.data(&render(&rows, style, paint)),
    }
}

fn rows(tasks: TaskList) -> Vec<Row> {
    let of = |kind: &str, workers: Option<BTreeMap<String, Vec<TaskEntry>>>| {
        let mut rows = Vec::new();
        for (worker, tasks) in workers.unwrap_or_default() {
            rows.extend(tasks.into_iter().map(|task| Row {
                r#type: kind.to_owned(),
                worker: worker.clone(),
                task,
            }));
        }
        rows
    };
    let mut rows = of("active", tasks.active);
    rows.extend(of("pending", tasks.reserved));
    rows.extend(of("scheduled", tasks.scheduled));
    rows
}

fn render(rows: &[Row], style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let ids: Vec<&str> = rows.iter().map(|row| row.task.id.as_str()).collect();
        return ids.join("\n");
    }
    let mut table = Table::new(&[
        ("Tasks", &["ID", "Name", "Status", "Worker"]),
        ("Arguments", &["Name", "Data"]),
    ]);
    for row in rows {
        let mut left: Vec<Cell> = vec![
            (&row.task.id).into(),
            (&row.task.name).into(),
            (&row.r#type).into(),
            (&row.worker).into(),
        ];
        let arguments = &row.task.kwargs;
        if arguments.is_empty() {
            left.extend([Cell::plain("N/A"), Cell::plain("N/A")]);
            table.row(left);
            continue;
        }
        for (name, data) in arguments {
            let data = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
            let mut line = std::mem::replace(&mut left, vec![Cell::plain(""); 4]);
            line.extend([name.into(), data.into()]);
            table.row(line);
        }
    }
    table.render(paint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tasks_of_all_workers_are_one_list() {
        let tasks: TaskList = serde_json::from_value(json!({
            "active": {"w@hv1": [{"id": "a", "name": "osd.add",
                                  "kwargs": {"node": "hv1", "weight": 1.0}}]},
            "reserved": {"w@hv2": [{"id": "b", "name": "vm.flush_locks"}]},
            "scheduled": null,
        }))
        .unwrap();
        let rows = rows(tasks);
        let table = render(&rows, ListStyle::Pretty, Paint::new(false));
        crate::golden::check("render/cluster-task.txt", &table);
        assert_eq!(serde_json::to_value(&rows).unwrap()[1]["type"], "pending");
    }
}
