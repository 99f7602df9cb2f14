//! SR-IOV functions. All values are texts, as upstream has them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A physical function: a card's port that is divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SriovPf {
    /// Its device.
    pub phy: String,
    /// Size of its packets, in bytes.
    #[serde(default)]
    pub mtu: String,
    /// The names of its virtual functions.
    #[serde(default)]
    pub vfs: Vec<String>,
}

/// A virtual function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SriovVf {
    /// Its name.
    pub phy: String,
    /// The physical function it belongs to.
    #[serde(default)]
    pub pf: String,
    /// Size of its packets, in bytes.
    #[serde(default)]
    pub mtu: String,
    /// The hardware address it has now.
    #[serde(default)]
    pub mac: String,
    /// Its settings.
    #[serde(default)]
    pub config: SriovConfig,
    /// Its place on the PCI bus.
    #[serde(default)]
    pub pci: SriovPci,
    /// Who has it.
    #[serde(default)]
    pub usage: SriovUsage,
}

/// Settings of a virtual function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SriovConfig {
    /// The VLAN it is in; `0` for none.
    pub vlan_id: String,
    /// Its priority there.
    pub vlan_qos: String,
    /// Least rate of sending, in Mbit/s; `0` for none.
    pub tx_rate_min: String,
    /// Greatest rate of sending, in Mbit/s; `0` for none.
    pub tx_rate_max: String,
    /// What it tells its VM of the cable: `auto`, `enable` or `disable`.
    pub link_state: String,
    /// Whether packets with foreign sender addresses are dropped: `True` or `False`.
    pub spoof_check: String,
    /// Whether its VM may change its address and see all packets: `True` or `False`.
    pub trust: String,
    /// Whether its VM may ask how load is spread: `True` or `False`.
    pub query_rss: String,
}

/// A place on the PCI bus, in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SriovPci {
    /// Domain, such as `0000`.
    pub domain: String,
    /// Bus, such as `3b`.
    pub bus: String,
    /// Slot, such as `02`.
    pub slot: String,
    /// Function, such as `1`.
    pub function: String,
}

/// Who has a virtual function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SriovUsage {
    /// Whether a VM has it: `True` or `False`.
    pub used: String,
    /// The VM's UUID; empty if none has it.
    pub domain: String,
}
