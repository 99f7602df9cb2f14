//! The statistics that a node publishes of a running VM.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The statistics of one VM; what is missing or odd is left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stats {
    /// By libvirt's names, in KiB.
    pub(super) mem_stats: BTreeMap<String, serde_json::Number>,
    /// In nanoseconds.
    pub(super) cpu_stats: BTreeMap<String, serde_json::Number>,
    /// By volume.
    pub(super) disk_stats: Vec<DiskStats>,
    /// By tap device, in the order of the interfaces.
    pub(super) net_stats: Vec<NetStats>,
}

/// Traffic of a disk since the VM started.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DiskStats {
    pub(super) name: String,
    pub(super) rd_req: u64,
    pub(super) rd_bytes: u64,
    pub(super) wr_req: u64,
    pub(super) wr_bytes: u64,
}

/// Traffic of an interface since the VM started.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NetStats {
    pub(super) bridge: String,
    pub(super) rd_bytes: u64,
    pub(super) rd_packets: u64,
    pub(super) rd_errors: u64,
    pub(super) rd_drops: u64,
    pub(super) wr_bytes: u64,
    pub(super) wr_packets: u64,
    pub(super) wr_errors: u64,
    pub(super) wr_drops: u64,
}

impl Stats {
    /// Reads what a node wrote; nothing where that is nothing, or not what was expected.
    pub(super) fn read(text: &str) -> Self {
        // Statistics are decoration: a VM is shown without them rather than not at all.
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// Whole numbers by name.
pub(super) fn whole(numbers: &BTreeMap<String, serde_json::Number>) -> BTreeMap<String, u64> {
    let whole = numbers.iter().filter_map(|(name, number)| Some((name.clone(), number.as_u64()?)));
    whole.collect()
}
