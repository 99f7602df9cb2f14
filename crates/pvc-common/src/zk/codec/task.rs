//! Text forms of tasks: JSON, for they are ours.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fence::{decode, encode, id, word};
use super::{BadText, Text};
use crate::model::{RunOn, TaskOrder, TaskProgress, Work};
use crate::state::Word;

/// What stands for whoever is primary; a node of that name is `node primary`.
const PRIMARY: &str = "primary";

#[derive(Serialize, Deserialize)]
struct OrderText {
    #[serde(flatten)]
    work: Work,
    run_on: String,
    ordered_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct ProgressText {
    phase: String,
    by: String,
    current: u32,
    total: u32,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}

impl Text for TaskOrder {
    fn encode(&self) -> String {
        let run_on = match &self.run_on {
            RunOn::Node(node) => format!("node {node}"),
            RunOn::Primary => PRIMARY.to_owned(),
        };
        encode(&OrderText { work: self.work.clone(), run_on, ordered_ms: self.ordered_ms })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let OrderText { work, run_on, ordered_ms } = decode(text)?;
        let run_on = match run_on.strip_prefix("node ") {
            Some(node) => RunOn::Node(id(node)?),
            None if run_on == PRIMARY => RunOn::Primary,
            None => {
                let why = format!("`{run_on}` is nobody: expected `node <name>` or `{PRIMARY}`");
                return Err(BadText(why));
            }
        };
        Ok(Self { work, run_on, ordered_ms })
    }
}

impl Text for TaskProgress {
    fn encode(&self) -> String {
        encode(&ProgressText {
            phase: self.phase.text().to_owned(),
            by: self.by.to_string(),
            current: self.current,
            total: self.total,
            status: self.status.clone(),
            result: self.result.clone(),
        })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let ProgressText { phase, by, current, total, status, result } = decode(text)?;
        Ok(Self { phase: word(&phase)?, by: id(&by)?, current, total, status, result })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::TaskPhase;

    #[test]
    fn a_task_reads_back_as_it_was_written() {
        let domain = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        for run_on in [RunOn::Primary, RunOn::Node("primary".parse().unwrap())] {
            let work = Work::FlushLocks { domain };
            let order = TaskOrder { work, run_on, ordered_ms: 7 };
            assert_eq!(TaskOrder::decode(&order.encode()), Ok(order.clone()));
            let stranger = order.encode().replace("vm.flush_locks", "vm.flush_all");
            assert!(TaskOrder::decode(&stranger).is_err());
        }
        let progress = TaskProgress {
            phase: TaskPhase::Success,
            by: "hv1".parse().unwrap(),
            current: 2,
            total: 2,
            status: "done \"twice\"".to_owned(),
            result: Some(serde_json::json!({"locks": 2})),
        };
        assert_eq!(TaskProgress::decode(&progress.encode()), Ok(progress));
        assert!(TaskProgress::decode("{}").is_err());
    }

    #[test]
    fn an_order_has_the_names_that_clients_know() {
        let domain = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let work = Work::DetachDevice { domain, xml: "<disk/>".to_owned() };
        let text = TaskOrder { work, run_on: RunOn::Primary, ordered_ms: 7 }.encode();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["name"], "vm.device_detach");
        assert_eq!(value["kwargs"]["domain"], "00000000-0000-4000-8000-000000000001");
        assert_eq!(value["kwargs"]["xml"], "<disk/>");
    }
}
