//! VMs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A VM, as `GET /vm` lists it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Vm {
    /// Unique name.
    pub name: String,
    /// UUID.
    pub uuid: String,
    /// What it should be doing, such as `start`, `stop` or `migrate`.
    pub state: String,
    /// Where it should run.
    pub node: String,
    /// Its home while it is away; empty at home.
    #[serde(default)]
    pub last_node: String,
    /// `no`, or `from <home>` while it is away.
    #[serde(default)]
    pub migrated: String,
    /// Why it is in state `fail`.
    #[serde(default)]
    pub failed_reason: String,
    /// The dead node it was taken from, while it waits for one that can take it; null otherwise.
    /// Not upstream's.
    #[serde(default)]
    pub displaced: Option<String>,
    /// The nodes it may run on; null for any.
    #[serde(default)]
    pub node_limit: Option<Vec<String>>,
    /// By which measure its node is chosen; null for the cluster's default.
    #[serde(default)]
    pub node_selector: Option<String>,
    /// Whether it starts when its node becomes ready.
    #[serde(default)]
    pub node_autostart: bool,
    /// How it may be moved: `live`, `shutdown`, or null for live before shutdown.
    #[serde(default)]
    pub migration_method: Option<String>,
    /// Longest stop in a live migration, in milliseconds.
    #[serde(default)]
    pub migration_max_downtime: u64,
    /// Tags, by name.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Snapshots, the newest first.
    #[serde(default)]
    pub snapshots: Vec<VmSnapshot>,
    /// What its definition says of it, or `N/A`.
    #[serde(default)]
    pub description: String,
    /// The provisioner profile it was made from, or the text `None`.
    #[serde(default)]
    pub profile: String,
    /// Memory, in MiB.
    pub memory: u64,
    /// Memory statistics by libvirt's names, in KiB; empty while it does not run.
    #[serde(default)]
    pub memory_stats: BTreeMap<String, u64>,
    /// Virtual processors.
    pub vcpu: u32,
    /// `<sockets>/<cores>/<threads>`, or `N/A`.
    #[serde(default)]
    pub vcpu_topology: String,
    /// Processor times in nanoseconds; empty while it does not run.
    #[serde(default)]
    pub vcpu_stats: BTreeMap<String, u64>,
    /// Network interfaces.
    #[serde(default)]
    pub networks: Vec<Nic>,
    /// Kind of virtualisation, such as `hvm`.
    #[serde(default, rename = "type")]
    pub os_type: String,
    /// Architecture.
    #[serde(default)]
    pub arch: String,
    /// Machine type.
    #[serde(default)]
    pub machine: String,
    /// Kind of serial console.
    #[serde(default)]
    pub console: String,
    /// Where its screen can be seen.
    #[serde(default)]
    pub vnc: VncAddress,
    /// Path of the emulator.
    #[serde(default)]
    pub emulator: String,
    /// Hypervisor features.
    #[serde(default)]
    pub features: Vec<String>,
    /// Disks.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// Controllers.
    #[serde(default)]
    pub controllers: Vec<Controller>,
    /// Libvirt domain XML.
    #[serde(default)]
    pub xml: String,
}

/// A tag of a VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tag {
    /// The tag.
    pub name: String,
    /// `user`, or the system's own kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it cannot be removed.
    pub protected: bool,
}

/// A snapshot of a VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VmSnapshot {
    /// Its name.
    pub name: String,
    /// When it was taken, in UNIX seconds.
    pub timestamp: String,
    /// Seconds since then.
    #[serde(default)]
    pub age: u64,
    /// How the definition differs from then: a unified diff by lines.
    #[serde(default)]
    pub xml_diff_lines: Vec<String>,
    /// The volume snapshots it is made of, as `pool/volume@snapshot`.
    #[serde(default)]
    pub rbd_snapshots: Vec<String>,
}

/// Where a VM's screen can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VncAddress {
    /// Address it listens at; null without a screen.
    #[serde(default)]
    pub listen: Option<String>,
    /// Port; null without a screen.
    #[serde(default)]
    pub port: Option<String>,
}

/// A network interface of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Nic {
    /// `bridge`, `direct` or `hostdev`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The network: a number or name from the bridge, `macvtap:<device>` or `hostdev:<function>`.
    pub vni: String,
    /// Hardware address.
    pub mac: String,
    /// The bridge or device.
    #[serde(default)]
    pub source: String,
    /// Emulated hardware.
    #[serde(default)]
    pub model: String,
    /// Received bytes.
    #[serde(default)]
    pub rd_bytes: u64,
    /// Received packets.
    #[serde(default)]
    pub rd_packets: u64,
    /// Errors on receipt.
    #[serde(default)]
    pub rd_errors: u64,
    /// Packets dropped on receipt.
    #[serde(default)]
    pub rd_drops: u64,
    /// Sent bytes.
    #[serde(default)]
    pub wr_bytes: u64,
    /// Sent packets.
    #[serde(default)]
    pub wr_packets: u64,
    /// Errors on sending.
    #[serde(default)]
    pub wr_errors: u64,
    /// Packets dropped on sending.
    #[serde(default)]
    pub wr_drops: u64,
}

/// A disk of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Disk {
    /// `rbd`, `file`, or libvirt's word for another kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// `pool/volume`, or a path; empty for an empty drive.
    pub name: String,
    /// Name of the device in the VM.
    pub dev: String,
    /// Bus it is attached to.
    #[serde(default)]
    pub bus: String,
    /// Read requests.
    #[serde(default)]
    pub rd_req: u64,
    /// Bytes read.
    #[serde(default)]
    pub rd_bytes: u64,
    /// Write requests.
    #[serde(default)]
    pub wr_req: u64,
    /// Bytes written.
    #[serde(default)]
    pub wr_bytes: u64,
}

/// A controller of a VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Controller {
    /// What it controls, such as `scsi`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Emulated hardware, or `N/A`.
    #[serde(default)]
    pub model: String,
}

/// Answer of `GET /vm/{vm}/meta`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VmMeta {
    /// The VM.
    pub name: String,
    /// The nodes it may run on; null for any.
    #[serde(default)]
    pub node_limit: Option<Vec<String>>,
    /// By which measure its node is chosen; null for the cluster's default.
    #[serde(default)]
    pub node_selector: Option<String>,
    /// Whether it starts when its node becomes ready: the text `True` or `False`.
    pub node_autostart: String,
    /// How it may be moved; null for live before shutdown.
    #[serde(default)]
    pub migration_method: Option<String>,
    /// Longest stop in a live migration, in milliseconds.
    #[serde(default)]
    pub migration_max_downtime: u64,
}

/// Answer of `GET /vm/{vm}/tags`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VmTags {
    /// The VM.
    pub name: String,
    /// Its tags, by name.
    pub tags: Vec<Tag>,
}

/// Answer of `GET /vm/{vm}/state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VmStateAnswer {
    /// The VM.
    pub name: String,
    /// What it should be doing.
    pub state: String,
}

/// Answer of `GET /vm/{vm}/node`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VmNode {
    /// The VM.
    pub name: String,
    /// Where it should run.
    pub node: String,
    /// Its home while it is away; empty at home.
    #[serde(default)]
    pub last_node: String,
}

/// Answer of `GET /vm/{vm}/console`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VmConsole {
    /// The VM.
    pub name: String,
    /// The last lines of its console, joined by line feeds.
    pub data: String,
}
