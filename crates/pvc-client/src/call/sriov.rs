//! Requests about SR-IOV functions.

use crate::{Method, Request};

/// The physical functions of a node.
#[must_use]
pub fn pfs(node: &str) -> Request {
    Request::new(Method::Get, &["sriov", "pf", node])
}

/// The virtual functions of a node, or of one of its physical functions.
#[must_use]
pub fn vfs(node: &str, pf: Option<&str>) -> Request {
    Request::new(Method::Get, &["sriov", "vf", node]).maybe("pf", pf)
}

/// One virtual function, as a list of one.
#[must_use]
pub fn vf(node: &str, vf: &str) -> Request {
    Request::new(Method::Get, &["sriov", "vf", node, vf])
}

/// What is wished of a virtual function; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VfWish {
    /// The VLAN it is in; 0 for none.
    pub vlan_id: Option<u32>,
    /// Its priority there.
    pub vlan_qos: Option<u32>,
    /// Least rate of sending, in Mbit/s; 0 for none.
    pub tx_rate_min: Option<u32>,
    /// Greatest rate of sending, in Mbit/s; 0 for none.
    pub tx_rate_max: Option<u32>,
    /// What it tells its VM of the cable: `auto`, `enable` or `disable`.
    pub link_state: Option<String>,
    /// Whether packets with foreign sender addresses are dropped.
    pub spoof_check: Option<bool>,
    /// Whether its VM may change its address and see all packets.
    pub trust: Option<bool>,
    /// Whether its VM may ask how load is spread.
    pub query_rss: Option<bool>,
}

/// Sets something of a virtual function.
#[must_use]
pub fn set_vf(node: &str, vf: &str, wish: &VfWish) -> Request {
    Request::new(Method::Put, &["sriov", "vf", node, vf])
        .maybe("vlan_id", wish.vlan_id)
        .maybe("vlan_qos", wish.vlan_qos)
        .maybe("tx_rate_min", wish.tx_rate_min)
        .maybe("tx_rate_max", wish.tx_rate_max)
        .maybe("link_state", wish.link_state.as_ref())
        .maybe("spoof_check", wish.spoof_check)
        .maybe("trust", wish.trust)
        .maybe("query_rss", wish.query_rss)
}
