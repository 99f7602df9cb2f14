//! How fast a pool is.

use std::io;
use std::time::Duration;

use pvc_ceph::{Benchmark, CephError, Load, Volumes};
use pvc_common::id::{JobName, PoolName, VolumeId};
use pvc_common::model::BenchmarkRecord;
use pvc_common::state::Word;
use pvc_common::unit::Bytes;
use pvc_common::view::Builder;
use pvc_common::zk::{Seen, key};
use pvc_host::fact::{CpuTime, Memory, counters, cpu_time, memory};
use pvc_zk::subtree::Branch;
use pvc_zk::{CommitError, Tree};
use serde_json::{Value, json};

use super::hands::{Done, Stop};
use super::tracker::Tracker;

/// What is written to. Its space is not taken before it is written.
const VOLUME: &str = "pvcbenchmark";
const SIZE: Bytes = Bytes(64 << 30);

/// The shape of the result: all figures of `fio` by test, and what the node did meanwhile.
const FORMAT: i64 = 2;

/// Until its result is there.
const RUNNING: &str = "Running";

/// Measures a pool. What a former attempt has measured is measured again: it was broken off.
pub(super) async fn run<T: Tree, C: Volumes + Benchmark>(
    tree: &T,
    ceph: &C,
    (pool, job, seconds): (&PoolName, &JobName, u32),
    tracker: &mut Tracker<T>,
) -> Done {
    let volume =
        VolumeId { pool: pool.clone(), volume: VOLUME.parse().expect("letters are a name") };
    if tree.get(&key::volume(&volume).into_path()).await.map_err(unanswered)?.is_some() {
        return Err(Stop::Failed(format!("There is a volume {volume} already.")));
    }
    let mut record = announce(tree, job).await?;
    let measured = measure(ceph, &volume, seconds, tracker).await;
    let removed = ceph.remove_volume(&volume).await;
    match measured {
        Ok(result) => {
            record.1.result = result;
            let put = key::benchmark(job).put(&record.0, &record.1);
            tree.commit(vec![put]).await.map_err(|error| not_written(&error))?;
            removed.map_err(|error| failed(&error))?;
            Ok((format!("Benchmark '{job}' of pool '{pool}' is complete"), json!({})))
        }
        Err(Stop::Failed(why)) => {
            let delete = key::benchmark(job).delete(&record.0);
            tree.commit(delete.into_iter().collect()).await.map_err(|error| not_written(&error))?;
            Err(Stop::Failed(why))
        }
        Err(Stop::Lost) => Err(Stop::Lost),
    }
}

/// Writes down that it runs; answers what is written, and as what it was seen.
async fn announce<T: Tree>(
    tree: &T,
    job: &JobName,
) -> Result<(Seen<BenchmarkRecord>, BenchmarkRecord), Stop> {
    let branch = Branch::read(tree, key::BENCHMARKS).await.map_err(unanswered)?;
    let mut builder = Builder::full();
    for (path, entry) in branch.znodes() {
        builder.set(path, Some((&entry.data, entry.version)));
    }
    let view = builder.snapshot();
    let ids = view.benchmarks.values().filter_map(|it| Some(it.record.get()?.id));
    let seen = view.benchmarks.get(job).map(|it| it.record.clone()).unwrap_or_default();
    let new = BenchmarkRecord {
        id: ids.max().unwrap_or(0) + 1,
        test_format: FORMAT,
        result: RUNNING.into(),
    };
    match &seen {
        Seen::Value { value, .. } if value.result == RUNNING => {
            let record = value.clone();
            Ok((seen, record))
        }
        Seen::Value { .. } | Seen::Bad { .. } => {
            Err(Stop::Failed(format!("There is a benchmark '{job}' already.")))
        }
        Seen::Absent => {
            let key = key::benchmark(job);
            tree.commit(vec![key.create(&new)]).await.map_err(|error| not_written(&error))?;
            let entry = tree.get(key.path()).await.map_err(unanswered)?;
            Ok((Seen::read(entry.as_ref().map(|it| (&it.data[..], it.version))), new))
        }
    }
}

/// Loads a new volume in every way.
async fn measure<T: Tree, C: Volumes + Benchmark>(
    ceph: &C,
    volume: &VolumeId,
    seconds: u32,
    tracker: &mut Tracker<T>,
) -> Result<Value, Stop> {
    let total = u32::try_from(Load::ALL.len()).unwrap_or(u32::MAX);
    tracker.set_total(total + 1);
    tracker.tell(0, format!("Making volume {volume}")).await?;
    ceph.remove_volume(volume).await.map_err(|error| failed(&error))?;
    ceph.create_volume(volume, SIZE).await.map_err(|error| failed(&error))?;
    let mut results = serde_json::Map::new();
    for (done, load) in (1..).zip(Load::ALL) {
        tracker.tell(done, format!("Measuring {}", load.text())).await?;
        let before = Usage::now();
        let lasting = Duration::from_secs(seconds.into());
        let found = ceph.load(volume, *load, lasting).await.map_err(|error| failed(&error))?;
        let mut found: Value = serde_json::from_str(found.text())
            .map_err(|error| Stop::Failed(format!("The result cannot be read: {error}.")))?;
        if let (Ok(before), Ok(after), Some(found)) = (before, Usage::now(), found.as_object_mut())
        {
            found.extend(before.until(&after, seconds));
        }
        results.insert(load.text().to_owned(), found);
    }
    Ok(Value::Object(results))
}

/// What this node did.
struct Usage {
    cpu: CpuTime,
    memory: Memory,
    received: u64,
    sent: u64,
}

impl Usage {
    fn now() -> io::Result<Self> {
        let traffic = counters()?;
        Ok(Self {
            cpu: cpu_time()?,
            memory: memory()?,
            received: traffic.values().map(|it| it.rx_bytes).sum(),
            sent: traffic.values().map(|it| it.tx_bytes).sum(),
        })
    }

    /// What it did in that time, as clients know it.
    fn until(&self, after: &Self, seconds: u32) -> serde_json::Map<String, Value> {
        let percent = |part: u64, whole: u64| {
            #[expect(clippy::cast_precision_loss, reason = "only for percentages")]
            let percent = part as f64 * 100.0 / whole.max(1) as f64;
            (percent * 10.0).round() / 10.0
        };
        let busy = after.cpu.busy.saturating_sub(self.cpu.busy);
        let total = after.cpu.total.saturating_sub(self.cpu.total);
        let bps = |before: u64, after: u64| {
            after.saturating_sub(before).saturating_mul(8) / u64::from(seconds.max(1))
        };
        let (received, sent) = (bps(self.received, after.received), bps(self.sent, after.sent));
        let memory = percent(after.memory.used_mib, after.memory.total_mib);
        let found = json!({
            "avg_cpu_util_percent": { "total": percent(busy, total) },
            "avg_memory_util_percent": { "total": memory },
            "avg_network_util_bps": { "recv": received, "sent": sent, "total": received + sent },
        });
        found.as_object().cloned().unwrap_or_default()
    }
}

fn failed(error: &CephError) -> Stop {
    Stop::Failed(format!("{error}."))
}

fn unanswered(error: impl std::fmt::Display) -> Stop {
    Stop::Failed(format!("The cluster's database does not answer: {error}."))
}

fn not_written(error: &CommitError) -> Stop {
    Stop::Failed(format!("The cluster's database was not written: {error}."))
}
