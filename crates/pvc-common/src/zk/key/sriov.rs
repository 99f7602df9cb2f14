//! Keys of SR-IOV functions: below `/nodes/{node}/sriov`.

use super::node_suffix::{SRIOV, SRIOV_PF, SRIOV_VF};
use super::{Key, NODES};
use crate::id::{MacAddress, NodeName, SriovName, VmUuid};
use crate::state::VfLinkState;

/// The suffixes below a physical function.
pub mod pf_suffix {
    /// Size of its packets.
    pub const MTU: &str = "/mtu";
    /// Number of its virtual functions.
    pub const VF_COUNT: &str = "/vfcount";
}

/// The suffixes below a virtual function.
pub mod vf_suffix {
    /// Physical function it belongs to.
    pub const PF: &str = "/pf";
    /// Size of its packets.
    pub const MTU: &str = "/mtu";
    /// Address it has now.
    pub const MAC: &str = "/mac";
    /// Address of its hardware.
    pub const PHY_MAC: &str = "/phy_mac";
    /// Parent of its settings.
    pub const CONFIG: &str = "/config";
    /// VLAN it is in; 0 for none.
    pub const VLAN_ID: &str = "/config/vlan_id";
    /// Priority in its VLAN.
    pub const VLAN_QOS: &str = "/config/vlan_qos";
    /// Least rate of sending, in Mbit/s; 0 for none.
    pub const TX_RATE_MIN: &str = "/config/tx_rate_min";
    /// Greatest rate of sending, in Mbit/s; 0 for none.
    pub const TX_RATE_MAX: &str = "/config/tx_rate_max";
    /// Whether foreign addresses are dropped.
    pub const SPOOF_CHECK: &str = "/config/spoof_check";
    /// `auto`, `enable` or `disable`.
    pub const LINK_STATE: &str = "/config/link_state";
    /// Whether its VM may change its settings.
    pub const TRUST: &str = "/config/trust";
    /// Whether its VM may ask how load is spread.
    pub const QUERY_RSS: &str = "/config/query_rss";
    /// Parent of its place on the PCI bus.
    pub const PCI: &str = "/pci";
    /// PCI domain, in hex.
    pub const PCI_DOMAIN: &str = "/pci/domain";
    /// PCI bus, in hex.
    pub const PCI_BUS: &str = "/pci/bus";
    /// PCI slot, in hex.
    pub const PCI_SLOT: &str = "/pci/slot";
    /// PCI function, in hex.
    pub const PCI_FUNCTION: &str = "/pci/function";
    /// Whether a VM has it.
    pub const USED: &str = "/used";
    /// The VM that has it.
    pub const USED_BY: &str = "/used_by";
}

fn at<T>(node: &NodeName, suffix: &str) -> Key<T> {
    Key::new(format!("{NODES}/{node}{suffix}"))
}

/// `/nodes/{node}/sriov`: a parent. Written by: node, at start.
#[must_use]
pub fn node_sriov(node: &NodeName) -> Key<()> {
    at(node, SRIOV)
}

/// `/nodes/{node}/sriov/pf`: a parent. Written by: node, at start.
#[must_use]
pub fn node_sriov_pfs(node: &NodeName) -> Key<()> {
    at(node, SRIOV_PF)
}

/// `/nodes/{node}/sriov/vf`: a parent. Written by: node, at start.
#[must_use]
pub fn node_sriov_vfs(node: &NodeName) -> Key<()> {
    at(node, SRIOV_VF)
}

fn pf_at<T>(node: &NodeName, pf: &SriovName, suffix: &str) -> Key<T> {
    at(node, &format!("{SRIOV_PF}/{pf}{suffix}"))
}

/// `/nodes/{node}/sriov/pf/{pf}`. Written by: node, at start.
#[must_use]
pub fn sriov_pf(node: &NodeName, pf: &SriovName) -> Key<()> {
    pf_at(node, pf, "")
}

/// `/nodes/{node}/sriov/pf/{pf}/mtu`. Written by: node, at start.
#[must_use]
pub fn sriov_pf_mtu(node: &NodeName, pf: &SriovName) -> Key<u32> {
    pf_at(node, pf, pf_suffix::MTU)
}

/// `/nodes/{node}/sriov/pf/{pf}/vfcount`. Written by: node, at start.
#[must_use]
pub fn sriov_pf_vf_count(node: &NodeName, pf: &SriovName) -> Key<u32> {
    pf_at(node, pf, pf_suffix::VF_COUNT)
}

fn vf_at<T>(node: &NodeName, vf: &SriovName, suffix: &str) -> Key<T> {
    at(node, &format!("{SRIOV_VF}/{vf}{suffix}"))
}

/// `/nodes/{node}/sriov/vf/{vf}`. Written by: node.
#[must_use]
pub fn sriov_vf(node: &NodeName, vf: &SriovName) -> Key<()> {
    vf_at(node, vf, "")
}

/// `/nodes/{node}/sriov/vf/{vf}/pf`. Written by: node.
#[must_use]
pub fn sriov_vf_pf(node: &NodeName, vf: &SriovName) -> Key<SriovName> {
    vf_at(node, vf, vf_suffix::PF)
}

/// `/nodes/{node}/sriov/vf/{vf}/mtu`. Written by: node.
#[must_use]
pub fn sriov_vf_mtu(node: &NodeName, vf: &SriovName) -> Key<u32> {
    vf_at(node, vf, vf_suffix::MTU)
}

/// `/nodes/{node}/sriov/vf/{vf}/mac`. Written by: node.
#[must_use]
pub fn sriov_vf_mac(node: &NodeName, vf: &SriovName) -> Key<MacAddress> {
    vf_at(node, vf, vf_suffix::MAC)
}

/// `/nodes/{node}/sriov/vf/{vf}/phy_mac`. Written by: node.
#[must_use]
pub fn sriov_vf_phy_mac(node: &NodeName, vf: &SriovName) -> Key<MacAddress> {
    vf_at(node, vf, vf_suffix::PHY_MAC)
}

/// `/nodes/{node}/sriov/vf/{vf}/config`. Written by: node.
#[must_use]
pub fn sriov_vf_config(node: &NodeName, vf: &SriovName) -> Key<()> {
    vf_at(node, vf, vf_suffix::CONFIG)
}

/// `/nodes/{node}/sriov/vf/{vf}/config/vlan_id`. Written by: API; node, when it is found.
#[must_use]
pub fn sriov_vf_vlan_id(node: &NodeName, vf: &SriovName) -> Key<u32> {
    vf_at(node, vf, vf_suffix::VLAN_ID)
}

/// `/nodes/{node}/sriov/vf/{vf}/config/vlan_qos`. Written by: API; node, when it is found.
#[must_use]
pub fn sriov_vf_vlan_qos(node: &NodeName, vf: &SriovName) -> Key<u32> {
    vf_at(node, vf, vf_suffix::VLAN_QOS)
}

/// `/nodes/{node}/sriov/vf/{vf}/config/tx_rate_min`. Written by: API; node, when it is found.
#[must_use]
pub fn sriov_vf_tx_rate_min(node: &NodeName, vf: &SriovName) -> Key<u32> {
    vf_at(node, vf, vf_suffix::TX_RATE_MIN)
}

/// `/nodes/{node}/sriov/vf/{vf}/config/tx_rate_max`. Written by: API; node, when it is found.
#[must_use]
pub fn sriov_vf_tx_rate_max(node: &NodeName, vf: &SriovName) -> Key<u32> {
    vf_at(node, vf, vf_suffix::TX_RATE_MAX)
}

/// `/nodes/{node}/sriov/vf/{vf}/config/spoof_check`. Written by: API; node, when it is found.
#[must_use]
pub fn sriov_vf_spoof_check(node: &NodeName, vf: &SriovName) -> Key<bool> {
    vf_at(node, vf, vf_suffix::SPOOF_CHECK)
}

/// `/nodes/{node}/sriov/vf/{vf}/config/link_state`. Written by: API; node, when it is found.
#[must_use]
pub fn sriov_vf_link_state(node: &NodeName, vf: &SriovName) -> Key<VfLinkState> {
    vf_at(node, vf, vf_suffix::LINK_STATE)
}

/// `/nodes/{node}/sriov/vf/{vf}/config/trust`. Written by: API; node, when it is found.
#[must_use]
pub fn sriov_vf_trust(node: &NodeName, vf: &SriovName) -> Key<bool> {
    vf_at(node, vf, vf_suffix::TRUST)
}

/// `/nodes/{node}/sriov/vf/{vf}/config/query_rss`. Written by: API; node, when it is found.
#[must_use]
pub fn sriov_vf_query_rss(node: &NodeName, vf: &SriovName) -> Key<bool> {
    vf_at(node, vf, vf_suffix::QUERY_RSS)
}

/// `/nodes/{node}/sriov/vf/{vf}/pci`. Written by: node.
#[must_use]
pub fn sriov_vf_pci(node: &NodeName, vf: &SriovName) -> Key<()> {
    vf_at(node, vf, vf_suffix::PCI)
}

/// `/nodes/{node}/sriov/vf/{vf}/pci/domain`. Written by: node.
#[must_use]
pub fn sriov_vf_pci_domain(node: &NodeName, vf: &SriovName) -> Key<String> {
    vf_at(node, vf, vf_suffix::PCI_DOMAIN)
}

/// `/nodes/{node}/sriov/vf/{vf}/pci/bus`. Written by: node.
#[must_use]
pub fn sriov_vf_pci_bus(node: &NodeName, vf: &SriovName) -> Key<String> {
    vf_at(node, vf, vf_suffix::PCI_BUS)
}

/// `/nodes/{node}/sriov/vf/{vf}/pci/slot`. Written by: node.
#[must_use]
pub fn sriov_vf_pci_slot(node: &NodeName, vf: &SriovName) -> Key<String> {
    vf_at(node, vf, vf_suffix::PCI_SLOT)
}

/// `/nodes/{node}/sriov/vf/{vf}/pci/function`. Written by: node.
#[must_use]
pub fn sriov_vf_pci_function(node: &NodeName, vf: &SriovName) -> Key<String> {
    vf_at(node, vf, vf_suffix::PCI_FUNCTION)
}

/// `/nodes/{node}/sriov/vf/{vf}/used`. Written by: node.
#[must_use]
pub fn sriov_vf_used(node: &NodeName, vf: &SriovName) -> Key<bool> {
    vf_at(node, vf, vf_suffix::USED)
}

/// `/nodes/{node}/sriov/vf/{vf}/used_by`. Written by: node.
#[must_use]
pub fn sriov_vf_used_by(node: &NodeName, vf: &SriovName) -> Key<Option<VmUuid>> {
    vf_at(node, vf, vf_suffix::USED_BY)
}
