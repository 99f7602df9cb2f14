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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<String>,
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
            memory: self.memory.clone(),
        })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let ProgressText { phase, by, current, total, status, result, memory } = decode(text)?;
        Ok(Self { phase: word(&phase)?, by: id(&by)?, current, total, status, result, memory })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::TaskPhase;

    const VM: &str = "00000000-0000-4000-8000-000000000001";

    #[test]
    fn a_task_reads_back_as_it_was_written() {
        let domain = VM.parse().unwrap();
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
            memory: Some("blank /dev/sdb".to_owned()),
        };
        assert_eq!(TaskProgress::decode(&progress.encode()), Ok(progress));
        assert!(TaskProgress::decode("{}").is_err());
    }

    #[test]
    fn every_kind_of_work_reads_back() {
        let (osd_id, domain) = (crate::id::OsdId(3), VM.parse().unwrap());
        let disk = || "detect:SAMSUNG:800GB:0".parse().unwrap();
        let (weight, ratio) = ("1.5".parse().unwrap(), "0.05".parse().unwrap());
        for work in [
            Work::AttachDevice { domain, xml: "<disk/>".to_owned() },
            Work::AddOsds {
                device: disk(),
                weight,
                ext_db_ratio: Some(ratio),
                ext_db_size: None,
                split_count: 2,
            },
            Work::ReplaceOsds {
                osd_id,
                new_device: disk(),
                weight: None,
                ext_db_ratio: None,
                ext_db_size: Some(1 << 30),
            },
            Work::RefreshOsds { osd_id, device: disk() },
            Work::RemoveOsd { osd_id, force_flag: true, skip_zap_flag: false },
            Work::AddDbGroup { device: disk() },
            Work::Benchmark {
                pool: "vms".parse().unwrap(),
                name: "2026-01-31 12:00:00".parse().unwrap(),
                seconds: 75,
            },
        ] {
            let order = TaskOrder { work, run_on: RunOn::Primary, ordered_ms: 7 };
            let text = order.encode();
            assert_eq!(TaskOrder::decode(&text), Ok(order.clone()));
            let name = format!("{{\"name\":\"{}\"", order.work.name());
            assert!(text.starts_with(&name), "{text}");
        }
    }

    #[test]
    fn an_order_has_the_names_that_clients_know() {
        let domain = VM.parse().unwrap();
        let work = Work::DetachDevice { domain, xml: "<disk/>".to_owned() };
        let text = TaskOrder { work, run_on: RunOn::Primary, ordered_ms: 7 }.encode();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["name"], "vm.device_detach");
        assert_eq!(value["kwargs"]["domain"], "00000000-0000-4000-8000-000000000001");
        assert_eq!(value["kwargs"]["xml"], "<disk/>");
    }
}
