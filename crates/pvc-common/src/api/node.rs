//! Nodes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{Fence, Fenceable, Heard, Lease};

/// A node, as `GET /node` lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Node {
    /// Short host name.
    pub name: String,
    /// What its daemon is doing: `init`, `run`, `shutdown`, `stop`, `dead` or `fenced`.
    pub daemon_state: String,
    /// Its part in the coordination: `client`, `secondary`, `takeover`, `primary` or `relinquish`.
    pub coordinator_state: String,
    /// Whether it takes VMs: `ready`, `flush`, `flushed`, `unflush` or `fence-flush`.
    pub domain_state: String,
    /// Version of its daemon; null if it never said.
    #[serde(default)]
    pub pvc_version: Option<String>,
    /// Logical processors.
    pub cpu_count: u32,
    /// Kernel release.
    pub kernel: String,
    /// Operating system, such as `GNU/Linux`.
    pub os: String,
    /// Machine architecture, such as `x86_64`.
    pub arch: String,
    /// Health in percent, or `N/A` before the first check.
    #[serde(default)]
    pub health: Health,
    /// Names of its health checks.
    #[serde(default)]
    pub health_plugins: Vec<String>,
    /// Results of its health checks.
    #[serde(default)]
    pub health_details: Vec<PluginHealth>,
    /// Load average of one minute.
    pub load: f64,
    /// How many VMs run there.
    pub domains_count: u32,
    /// Names of the VMs that run there; null for one the cluster does not know.
    #[serde(default)]
    pub running_domains: Vec<Option<String>>,
    /// Virtual processors.
    pub vcpu: NodeVcpus,
    /// Memory, in MiB.
    pub memory: NodeMemory,
    /// Traffic of its interfaces, by name.
    #[serde(default)]
    pub interfaces: BTreeMap<String, NodeInterface>,
    /// The fence under way; null while none is. This and what follows is not upstream's.
    #[serde(default)]
    pub fence: Option<Fence>,
    /// What a person ordered about it, `fence` or `confirm-dead`; null if nothing.
    #[serde(default)]
    pub fence_order: Option<String>,
    /// Why its storage clients may be shut out, so that it does not serve; null if they are not.
    #[serde(default)]
    pub shut_out: Option<String>,
    /// Whether its BMC answers; null if nobody has checked.
    #[serde(default)]
    pub fenceable: Option<Fenceable>,
    /// Its promise to end when nobody hears it; null if it makes none.
    #[serde(default)]
    pub lease: Option<Lease>,
    /// The nodes that do not hear it, though they should.
    #[serde(default)]
    pub suspected_by: Vec<String>,
    /// What it hears of its peers, by their names; empty without the mesh.
    #[serde(default)]
    pub hears: BTreeMap<String, Heard>,
}

/// A health in percent, or `N/A` when nobody has checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value", into = "Value")]
pub enum Health {
    /// Percent; 100 is well.
    Percent(i64),
    /// Nobody has checked.
    #[default]
    Unknown,
}

impl From<Value> for Health {
    /// A text in place of a number is what other versions send for "unknown".
    fn from(value: Value) -> Self {
        value.as_i64().map_or(Self::Unknown, Self::Percent)
    }
}

impl From<Health> for Value {
    fn from(health: Health) -> Self {
        match health {
            Health::Percent(percent) => percent.into(),
            Health::Unknown => "N/A".into(),
        }
    }
}

impl PartialSchema for Health {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Integer))
            .item(ObjectBuilder::new().schema_type(Type::String))
            .description(Some("Health in percent, or `N/A` when nobody has checked."))
            .into()
    }
}

impl ToSchema for Health {}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Unknown => f.write_str("N/A"),
        }
    }
}

/// The result of one health check of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginHealth {
    /// The check.
    pub name: String,
    /// When it last ran, in UNIX seconds by the node's clock.
    pub last_run: i64,
    /// Percent by which it lowers the node's health.
    pub health_delta: i64,
    /// What it found.
    pub message: String,
    /// Its own details.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub data: Value,
}

/// Virtual processors of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeVcpus {
    /// Logical processors.
    pub total: u32,
    /// Virtual processors of running VMs.
    pub allocated: u32,
}

/// Memory of a node, in MiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeMemory {
    /// All of it.
    pub total: u64,
    /// Promised to running VMs.
    pub allocated: u64,
    /// Promised to all VMs assigned to the node.
    pub provisioned: u64,
    /// In use.
    pub used: u64,
    /// Available.
    pub free: u64,
}

/// Traffic of one interface of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeInterface {
    /// Received bits per second.
    #[schema(value_type = f64)]
    pub rx_bps: Number,
    /// Received packets per second.
    #[schema(value_type = f64)]
    pub rx_pps: Number,
    /// Sent bits per second.
    #[schema(value_type = f64)]
    pub tx_bps: Number,
    /// Sent packets per second.
    #[schema(value_type = f64)]
    pub tx_pps: Number,
    /// Bits per second in both directions.
    #[schema(value_type = f64)]
    pub total_bps: Number,
    /// Packets per second in both directions.
    #[schema(value_type = f64)]
    pub total_pps: Number,
    /// Speed of the link in bits per second.
    #[schema(value_type = f64)]
    pub link_speed: Number,
    /// `up` or `down`.
    pub state: String,
}

/// Answer of `GET /node/{node}/daemon-state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeDaemonState {
    /// The node.
    pub name: String,
    /// What its daemon is doing.
    pub daemon_state: String,
}

/// Answer of `GET /node/{node}/coordinator-state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeCoordinatorState {
    /// The node.
    pub name: String,
    /// Its part in the coordination.
    pub coordinator_state: String,
}

/// Answer of `GET /node/{node}/domain-state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeDomainState {
    /// The node.
    pub name: String,
    /// Whether it takes VMs.
    pub domain_state: String,
}

/// Answer of `GET /node/{node}/log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeLog {
    /// The node.
    pub name: String,
    /// The last lines, joined by line feeds.
    pub data: String,
}
