//! `pvc vm flush-locks`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::TaskWait;
use crate::shell::Shell;
use crate::wait;

/// Release the locks that are left on the volumes of a stopped VM.
///
/// They may stay behind when a node dies, and keep the VM from starting.
#[derive(Debug, Args)]
pub(crate) struct FlushLocks {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    wait: TaskWait,
}

impl FlushLocks {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        wait::task(&session, &call::vm::flush_locks(&self.vm), self.wait.is_wanted()).await
    }
}
