//! Does what tasks are about.

use pvc_common::id::NodeName;
use pvc_common::model::Work;
use pvc_libvirt::Hypervisor;
use pvc_zk::Tree;
use serde_json::Value;

use super::osd::Rack;
use super::tracker::{Lost, Tracker};
use super::{Storage, Tools};

/// Why a task does not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// It cannot be done; for people.
    Failed(String),
    /// It is another's now: nothing is told of it.
    Lost,
}

impl From<Lost> for Stop {
    fn from(_: Lost) -> Self {
        Self::Lost
    }
}

/// What came of a task: for people, and for programs.
pub(super) type Done = Result<(String, Value), Stop>;

/// Does tasks.
pub(super) struct Hands<T, H, C> {
    me: NodeName,
    tools: Tools<T, H, C>,
}

impl<T: Tree, H: Hypervisor, C: Storage> Hands<T, H, C> {
    pub(super) const fn new(me: NodeName, tools: Tools<T, H, C>) -> Self {
        Self { me, tools }
    }

    /// Does a task and tells of it, unless it is another's.
    pub(super) async fn see_through(&self, work: &Work, tracker: &mut Tracker<T>) {
        let outcome = match tracker.begin().await {
            Ok(was_begun) => self.carry_out(work, tracker, was_begun).await,
            Err(Lost) => return,
        };
        let told = match outcome {
            Ok(done) => tracker.end(Ok(done)).await,
            Err(Stop::Failed(why)) => tracker.end(Err(why)).await,
            Err(Stop::Lost) => Err(Lost),
        };
        if let Err(Lost) = told {
            tracing::info!("this task is another's now, or was deleted");
        }
    }

    /// Each may be repeated: `was_begun` says that it may have been done in part.
    async fn carry_out(&self, work: &Work, tracker: &mut Tracker<T>, was_begun: bool) -> Done {
        let tree = &self.tools.tree;
        match work {
            Work::FlushLocks { domain } => {
                super::locks::flush(tree, self.ceph()?, *domain, tracker).await
            }
            Work::AttachDevice { domain, xml } => {
                super::device::attach(self.hypervisor()?, *domain, xml, was_begun).await
            }
            Work::DetachDevice { domain, xml } => {
                super::device::detach(self.hypervisor()?, *domain, xml, tracker).await
            }
            Work::Benchmark { pool, name, seconds } => {
                let what = (pool, name, *seconds);
                super::benchmark::run(tree, self.ceph()?, what, tracker).await
            }
            Work::AddOsds { .. }
            | Work::ReplaceOsds { .. }
            | Work::RefreshOsds { .. }
            | Work::RemoveOsd { .. }
            | Work::AddDbGroup { .. } => {
                super::osd::carry_out(tree, &self.me, self.rack()?, work, tracker).await
            }
        }
    }

    fn ceph(&self) -> Result<&C, Stop> {
        let why = || Stop::Failed("There is no storage on this node.".to_owned());
        self.tools.ceph.as_ref().ok_or_else(why)
    }

    fn rack(&self) -> Result<&dyn Rack, Stop> {
        let why = || Stop::Failed("There is no storage on this node.".to_owned());
        self.tools.rack.as_deref().ok_or_else(why)
    }

    fn hypervisor(&self) -> Result<&H, Stop> {
        let why = || Stop::Failed("This node runs no VMs.".to_owned());
        self.tools.hypervisor.as_ref().ok_or_else(why)
    }
}
