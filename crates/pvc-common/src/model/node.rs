//! A node as the tree holds it.

use super::{Liveness, NodeDetails, Sriov};
use crate::id::VmUuid;
use crate::state::{CoordinatorState, DaemonMode, DaemonState, DomainState};
use crate::unit::{Mib, Vcpus};
use crate::zk::{BadText, Seen, Text};

/// What does not change while a node is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticData {
    /// Logical processors.
    pub cpu_count: u32,
    /// Kernel release.
    pub kernel: String,
    /// Operating system, such as `GNU/Linux`.
    pub os: String,
    /// Machine architecture, such as `x86_64`.
    pub arch: String,
}

impl Text for StaticData {
    fn encode(&self) -> String {
        format!("{} {} {} {}", self.cpu_count, self.kernel, self.os, self.arch)
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let [cpus, kernel, os, arch] = words[..] else {
            return Err(BadText(format!(
                "`{text}` is not a node's static data: expected four words"
            )));
        };
        Ok(Self {
            cpu_count: u32::decode(cpus)?,
            kernel: kernel.to_owned(),
            os: os.to_owned(),
            arch: arch.to_owned(),
        })
    }
}

/// A node as the tree holds it, without its BMC's credentials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its mode once more, as the data of its own znode.
    pub znode: Seen<String>,
    /// Coordinator or hypervisor.
    pub mode: Seen<DaemonMode>,
    /// UNIX seconds by the node's own clock; only its change says anything.
    pub keepalive: Seen<u64>,
    /// What its daemon is doing.
    pub daemon_state: Seen<DaemonState>,
    /// Its part in the coordination.
    pub coordinator_state: Seen<CoordinatorState>,
    /// Whether it takes VMs.
    pub domain_state: Seen<DomainState>,
    /// Processors, kernel, operating system, architecture.
    pub static_data: Seen<StaticData>,
    /// Version of its daemon.
    pub pvc_version: Seen<String>,
    /// Schema version its daemon has loaded.
    pub active_schema: Seen<u32>,
    /// Newest schema version its daemon could load.
    pub latest_schema: Seen<u32>,
    /// The VMs that ran there at its last keepalive.
    pub running_domains: Seen<Vec<VmUuid>>,
    /// How many VMs ran there at its last keepalive.
    pub domains_count: Seen<u32>,
    /// Load average of one minute.
    pub cpu_load: Seen<f64>,
    /// Virtual processors of running VMs.
    pub vcpu_alloc: Seen<Vcpus>,
    /// Total memory.
    pub mem_total: Seen<Mib>,
    /// Used memory.
    pub mem_used: Seen<Mib>,
    /// Available memory.
    pub mem_free: Seen<Mib>,
    /// Memory of running VMs.
    pub mem_alloc: Seen<Mib>,
    /// Memory of all VMs assigned to it.
    pub mem_prov: Seen<Mib>,
    /// Health in percent, or `None`.
    pub health: Seen<String>,
    /// Whether it lives, as far as anybody knows.
    pub liveness: Liveness,
    /// Its SR-IOV functions; `None` where it has none, or they were not asked for.
    pub sriov: Option<Box<Sriov>>,
    /// What people are shown of it; `None` where that was not asked for, or is not there.
    pub details: Option<Box<NodeDetails>>,
}

impl Node {
    /// Whether its daemon says that it runs no VMs at all.
    #[must_use]
    pub fn is_without_vms(&self) -> bool {
        self.liveness.presence.get().is_some_and(|presence| presence.without_vms)
    }

    /// Whether VMs may be placed there: serving, in service, and meant for VMs.
    #[must_use]
    pub fn takes_vms(&self) -> bool {
        self.daemon_state.copied() == Some(DaemonState::Run)
            && self.domain_state.copied() == Some(DomainState::Ready)
            && !self.is_without_vms()
    }
}
