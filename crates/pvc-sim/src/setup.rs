//! `cluster.yaml`: the cluster that a scenario begins with.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use pvc_common::state::{MigrationMethod, Selector, VmState, Word};
use pvc_plan::fence::{AfterFence, Policy, StorageFence};

/// The cluster that a scenario begins with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Its nodes.
    pub nodes: BTreeMap<String, NodeSetup>,
    /// Its VMs.
    #[serde(default)]
    pub vms: BTreeMap<String, VmSetup>,
    /// Its configuration, where that is not the product's default.
    #[serde(default)]
    pub config: Config,
    /// The seed of its chance.
    #[serde(default)]
    pub seed: u64,
}

/// A node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSetup {
    /// Whether it is a coordinator.
    #[serde(default)]
    pub coordinator: bool,
    /// Its memory.
    #[serde(default = "big")]
    pub memory_mib: u64,
    /// Its processors.
    #[serde(default = "processors")]
    pub vcpus: u32,
    /// How long it takes from power to its daemon's start.
    #[serde(default = "boot_ms")]
    pub boot_ms: u64,
    /// Whether it has a watchdog device.
    #[serde(default)]
    pub watchdog: bool,
}

/// A VM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmSetup {
    /// Its node.
    pub node: String,
    /// Its memory.
    #[serde(default = "small")]
    pub memory_mib: u64,
    /// Its virtual processors.
    #[serde(default = "one")]
    pub vcpus: u32,
    /// Its state.
    #[serde(default = "start")]
    pub state: String,
    /// The nodes it may run on.
    #[serde(default)]
    pub node_limit: Vec<String>,
    /// By which measure its node is chosen.
    #[serde(default)]
    pub selector: Option<String>,
    /// How it may be moved.
    #[serde(default)]
    pub method: Option<String>,
    /// Whether it starts with its node.
    #[serde(default)]
    pub autostart: bool,
    /// `rbd`, or `local`: then no storage fence keeps it from writing.
    #[serde(default = "rbd")]
    pub disks: String,
}

/// The configuration of the daemons.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Seconds between two keepalives.
    pub keepalive_interval: u64,
    /// Missed keepalives after which a node without the mesh is condemned.
    pub fence_intervals: u64,
    /// Intervals after which a node that nobody hears switches itself off; 0: never.
    pub suicide_intervals: u64,
    /// `migrate` or `None`.
    pub successful_fence: String,
    /// `migrate` or `None`.
    pub failed_fence: String,
    /// `true`, `required` or `false`.
    pub storage_fence: String,
    /// Whether BMCs are used.
    pub ipmi: bool,
    /// Whether nodes probe each other.
    pub mesh: bool,
    /// Whether a node that was switched off is switched on again.
    pub power_on: bool,
    /// How many fences may begin in ten minutes.
    pub storm_cap: Option<usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keepalive_interval: 5,
            fence_intervals: 6,
            suicide_intervals: 0,
            successful_fence: "migrate".to_owned(),
            failed_fence: "None".to_owned(),
            storage_fence: "true".to_owned(),
            ipmi: true,
            mesh: true,
            power_on: true,
            storm_cap: None,
        }
    }
}

const fn big() -> u64 {
    65_536
}

const fn processors() -> u32 {
    16
}

const fn boot_ms() -> u64 {
    45_000
}

const fn small() -> u64 {
    2_048
}

const fn one() -> u32 {
    1
}

fn start() -> String {
    "start".to_owned()
}

fn rbd() -> String {
    "rbd".to_owned()
}

impl Setup {
    /// Reads a `cluster.yaml`.
    ///
    /// # Errors
    /// When it is not one, or names what is not there.
    pub fn parse(yaml: &str) -> Result<Self> {
        let setup: Self = serde_saphyr::from_str(yaml)?;
        setup.config.policy()?;
        for (name, vm) in &setup.vms {
            for node in std::iter::once(&vm.node).chain(&vm.node_limit) {
                if !setup.nodes.contains_key(node) {
                    bail!("VM {name} names the node {node}, which is not there");
                }
            }
            vm.state().with_context(|| format!("VM {name}"))?;
            vm.selector().with_context(|| format!("VM {name}"))?;
            vm.method().with_context(|| format!("VM {name}"))?;
        }
        Ok(setup)
    }
}

impl VmSetup {
    /// Its state.
    ///
    /// # Errors
    /// When it is no state.
    pub fn state(&self) -> Result<VmState> {
        Ok(VmState::parse(&self.state)?)
    }

    /// Its selector.
    ///
    /// # Errors
    /// When it is none.
    pub fn selector(&self) -> Result<Option<Selector>> {
        word(self.selector.as_deref())
    }

    /// Its way of moving.
    ///
    /// # Errors
    /// When it is none.
    pub fn method(&self) -> Result<Option<MigrationMethod>> {
        word(self.method.as_deref())
    }
}

fn word<W: Word>(text: Option<&str>) -> Result<Option<W>> {
    let text = text.filter(|text| !text.is_empty() && *text != "none");
    Ok(text.map(W::parse).transpose()?)
}

impl Config {
    /// What the administrators have decided.
    ///
    /// # Errors
    /// When a word is not known.
    pub fn policy(&self) -> Result<Policy> {
        let after = |key: &str, text: &str| match text {
            "migrate" => Ok(AfterFence::Migrate),
            "None" | "none" | "null" => Ok(AfterFence::Nothing),
            other => bail!("{key}: `{other}` is neither migrate nor None"),
        };
        let failed = after("failed_fence", &self.failed_fence)?;
        if failed == AfterFence::Migrate && self.suicide_intervals == 0 {
            bail!("failed_fence: migrate needs suicide_intervals");
        }
        let defaults = Policy::default();
        Ok(Policy {
            enabled: self.fence_intervals > 0,
            mesh: self.mesh,
            keepalive_silence: std::time::Duration::from_secs(
                self.keepalive_interval * self.fence_intervals,
            ),
            ipmi: self.ipmi,
            storage: match self.storage_fence.as_str() {
                "true" => StorageFence::Suffices,
                "required" => StorageFence::Required,
                "false" => StorageFence::Off,
                other => bail!("storage_fence: `{other}` is not true, required or false"),
            },
            successful: after("successful_fence", &self.successful_fence)?,
            failed,
            power_on: self.power_on,
            storm_cap: self.storm_cap.or(defaults.storm_cap),
            ..defaults
        })
    }
}
