//! OSDs of this node: carries out what `pvc_plan::osd` decides.

mod rack;
mod started;
mod wake;

use std::time::Duration;

use pvc_common::id::{Disk, NodeName, OsdId};
use pvc_common::model::{Osd, Work};
use pvc_common::unit::{Bytes, Ratio};
use pvc_common::view::{Builder, Shared};
use pvc_common::zk::{Op, key};
use pvc_plan::osd::{
    Add, Course, DbSize, Failure, Memory, Next, Refresh, Remove, Replace, Stage, Step, Task, World,
};
use pvc_zk::subtree::Branch;
use pvc_zk::{CommitError, Tree, TreeError};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::hands::{Done, Stop};
use super::tracker::Tracker;

pub use rack::{OsdUnits, Parts, Programs, Rack, Sight, Turn};
pub use started::Started;
pub use wake::{Report, Waker};

/// How often is looked at what is waited for: neither Ceph nor a disk tells by itself, and a look takes
/// several programs.
const LOOK: Duration = Duration::from_secs(3);

/// How often in a row not all can be seen before the task is given up.
const BLIND: u32 = 5;

/// Does a task about OSDs.
pub(super) async fn carry_out<T: Tree>(
    tree: &T,
    me: &NodeName,
    rack: &dyn Rack,
    work: &Work,
    tracker: &mut Tracker<T>,
) -> Done {
    let _turn = rack.alone().await;
    let task = task(rack, work).await?;
    let memory: Option<Memory> = tracker
        .memory()
        .map(str::parse)
        .transpose()
        .map_err(|bad: pvc_plan::osd::BadMemory| Stop::Failed(format!("{bad}.")))?;
    let mut course = Course::new(task, memory);
    let mut told = String::new();
    loop {
        let (osds, sight) = look(tree, rack, &course).await?;
        let Sight { map, machine, safety } = &sight;
        let world = World { me, osds: &osds, map, machine, safety };
        match course.next(world, Instant::now().into_std()) {
            Next::Do(stage) => {
                tracker.set_total(stage.of);
                tracker.tell(stage.number.saturating_sub(1), stage.text.clone()).await?;
                if let Err(failure) = act(tree, rack, &stage, tracker).await? {
                    tracing::warn!("{}: {failure:?}", stage.text);
                    course.failed(&stage, failure).map_err(Stop::Failed)?;
                }
                told.clear();
            }
            Next::Wait(waiting) => {
                if told != waiting.text {
                    tracker.set_total(waiting.of);
                    let done = waiting.number.saturating_sub(1);
                    tracker.tell(done, waiting.text.clone()).await?;
                    told = waiting.text;
                }
                sleep(LOOK).await;
            }
            Next::Done(text) => {
                let all: Vec<String> =
                    std::iter::once(text).chain(course.warnings().iter().cloned()).collect();
                return Ok((all.join("; "), json!({})));
            }
            Next::Fail(why) => return Err(Stop::Failed(why)),
        }
    }
}

/// What the plan calls it.
async fn task(rack: &dyn Rack, work: &Work) -> Result<Task, Stop> {
    let find = async |disk: &Disk| rack.find(disk).await.map_err(Stop::Failed);
    Ok(match work {
        Work::AddOsds { device, weight, ext_db_ratio, ext_db_size, split_count } => {
            Task::Add(Add {
                disk: find(device).await?,
                weight: *weight,
                db: db(*ext_db_ratio, *ext_db_size)?,
                count: *split_count,
            })
        }
        Work::ReplaceOsds { osd_id, new_device, weight, ext_db_ratio, ext_db_size } => {
            Task::Replace(Replace {
                osd: *osd_id,
                disk: find(new_device).await?,
                weight: *weight,
                db: db(*ext_db_ratio, *ext_db_size)?,
            })
        }
        Work::RefreshOsds { osd_id, device } => {
            Task::Refresh(Refresh { osd: *osd_id, disk: find(device).await? })
        }
        Work::RemoveOsd { osd_id, force_flag, skip_zap_flag } => {
            Task::Remove(Remove { osd: *osd_id, force: *force_flag, keep_data: *skip_zap_flag })
        }
        Work::AddDbGroup { device } => Task::AddDbGroup { disk: find(device).await? },
        Work::FlushLocks { .. }
        | Work::AttachDevice { .. }
        | Work::DetachDevice { .. }
        | Work::Benchmark { .. } => {
            return Err(Stop::Failed("This is not about OSDs.".to_owned()));
        }
    })
}

fn db(ratio: Option<Ratio>, size: Option<u64>) -> Result<Option<DbSize>, Stop> {
    match (ratio, size) {
        (Some(ratio), None) => Ok(Some(DbSize::Ratio(ratio))),
        (None, Some(size)) => Ok(Some(DbSize::Size(Bytes(size)))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            Err(Stop::Failed("Both a ratio and a size of the database were given.".to_owned()))
        }
    }
}

/// All that is judged by. What cannot be seen once may be a passing trouble.
async fn look<T: Tree>(
    tree: &T,
    rack: &dyn Rack,
    course: &Course,
) -> Result<(Shared<OsdId, Osd>, Sight), Stop> {
    let (disks, at_stake) = (course.devices(), course.at_stake());
    let mut blind = 0;
    loop {
        let why = match osds(tree).await {
            Ok(osds) => match rack.look(&disks, &at_stake).await {
                Ok(sight) => return Ok((osds, sight)),
                Err(why) => why,
            },
            Err(error) => error.to_string(),
        };
        blind += 1;
        tracing::warn!("cannot see how far it is: {why}");
        if blind >= BLIND {
            return Err(Stop::Failed(why));
        }
        sleep(LOOK).await;
    }
}

/// The OSDs in the tree, which this daemon's view does not hold.
async fn osds<T: Tree>(tree: &T) -> Result<Shared<OsdId, Osd>, TreeError> {
    let branch = Branch::read(tree, key::OSDS).await?;
    let mut builder = Builder::full();
    for (path, entry) in branch.znodes() {
        builder.set(path, Some((&entry.data, entry.version)));
    }
    Ok(builder.snapshot().osds.clone())
}

async fn act<T: Tree>(
    tree: &T,
    rack: &dyn Rack,
    stage: &Stage,
    tracker: &mut Tracker<T>,
) -> Result<Result<(), Failure>, Stop> {
    Ok(match &stage.step {
        Step::Remember(memory) => {
            tracker.remember(stage.number.saturating_sub(1), memory.to_string()).await?;
            Ok(())
        }
        Step::Record { ops, .. } => commit(tree, ops.clone()).await,
        Step::Forget { osd, guard, .. } => match Branch::read(tree, key::osd(*osd).path()).await {
            Ok(branch) => {
                let ops = guard.iter().cloned().chain(branch.deletes()).collect();
                commit(tree, ops).await
            }
            Err(error) => Err(Failure::Unknown(error.to_string())),
        },
        Step::TakeOut(_)
        | Step::PutIn(_)
        | Step::Stop(_)
        | Step::MarkDown(_)
        | Step::Destroy { .. }
        | Step::Purge { .. }
        | Step::Place { .. }
        | Step::Zap(_)
        | Step::RemoveVolume(_)
        | Step::Prepare(_)
        | Step::AddDb { .. }
        | Step::Activate(_)
        | Step::Partition(_)
        | Step::CreateDbGroup { .. } => rack.act(&stage.step).await,
    })
}

async fn commit<T: Tree>(tree: &T, ops: Vec<Op>) -> Result<(), Failure> {
    tree.commit(ops).await.map_err(|error| match error {
        CommitError::Refused { .. } => Failure::Refused(error.to_string()),
        CommitError::Superseded { .. } | CommitError::Unknown { .. } => {
            Failure::Unknown(error.to_string())
        }
    })
}
