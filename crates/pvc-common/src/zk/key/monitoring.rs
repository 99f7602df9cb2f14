//! Keys of a node's health: below `/nodes/{node}/monitoring_data`.

use super::{Key, NODES};
use crate::id::{NodeName, PluginName};
use crate::model::Json;
use crate::unit::Seconds;

/// The suffixes below the result of a health check.
pub mod plugin_suffix {
    /// When it last ran.
    pub const LAST_RUN: &str = "/last_run";
    /// Percent of the node's health.
    pub const HEALTH_DELTA: &str = "/health_delta";
    /// What it found.
    pub const MESSAGE: &str = "/message";
    /// Its own details, as JSON.
    pub const DATA: &str = "/data";
    /// How long it took.
    pub const RUNTIME: &str = "/runtime";
}

use plugin_suffix as suffix;

fn at<T>(node: &NodeName, suffix: &str) -> Key<T> {
    Key::new(format!("{NODES}/{node}{suffix}"))
}

/// `/nodes/{node}/monitoring_plugins`: names of its health checks. Written by: node, at start.
#[must_use]
pub fn node_plugins(node: &NodeName) -> Key<Vec<PluginName>> {
    at(node, super::node_suffix::MONITORING_PLUGINS)
}

/// `/nodes/{node}/monitoring_data`: a parent. Written by: node, at start.
#[must_use]
pub fn node_monitoring_data(node: &NodeName) -> Key<()> {
    at(node, super::node_suffix::MONITORING_DATA)
}

fn plugin_at<T>(node: &NodeName, plugin: &PluginName, suffix: &str) -> Key<T> {
    at(node, &format!("{}/{plugin}{suffix}", super::node_suffix::MONITORING_DATA))
}

/// `/nodes/{node}/monitoring_data/{plugin}`. Written by: node.
#[must_use]
pub fn plugin(node: &NodeName, plugin: &PluginName) -> Key<()> {
    plugin_at(node, plugin, "")
}

/// `…/{plugin}/last_run`: UNIX seconds by the node's clock. Written by: node.
#[must_use]
pub fn plugin_last_run(node: &NodeName, plugin: &PluginName) -> Key<u64> {
    plugin_at(node, plugin, suffix::LAST_RUN)
}

/// `…/{plugin}/health_delta`: percent. Written by: node.
#[must_use]
pub fn plugin_health_delta(node: &NodeName, plugin: &PluginName) -> Key<u32> {
    plugin_at(node, plugin, suffix::HEALTH_DELTA)
}

/// `…/{plugin}/message`. Written by: node.
#[must_use]
pub fn plugin_message(node: &NodeName, plugin: &PluginName) -> Key<String> {
    plugin_at(node, plugin, suffix::MESSAGE)
}

/// `…/{plugin}/data`. Written by: node.
#[must_use]
pub fn plugin_data(node: &NodeName, plugin: &PluginName) -> Key<Json> {
    plugin_at(node, plugin, suffix::DATA)
}

/// `…/{plugin}/runtime`. Written by: node.
#[must_use]
pub fn plugin_runtime(node: &NodeName, plugin: &PluginName) -> Key<Seconds> {
    plugin_at(node, plugin, suffix::RUNTIME)
}
