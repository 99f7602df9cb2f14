//! Settings of SR-IOV functions, and VMs that have functions.

use pvc_common::id::{NodeName, SriovName, VmUuid};
use pvc_common::model::{Attachment, VfSettings, VmFunction};
use pvc_common::state::VfLinkState;
use pvc_common::view::View;
use pvc_common::zk::{Key, Op, Seen, Text, key};
use pvc_plan::sriov::{Lack, lack};

use super::Change;
use crate::api::ApiError;

/// What is wished of a virtual function; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VfWish {
    /// The VLAN it is in; 0 for none.
    pub(crate) vlan_id: Option<u32>,
    /// Its priority there.
    pub(crate) vlan_qos: Option<u32>,
    /// Least rate of sending, in Mbit/s.
    pub(crate) tx_rate_min: Option<u32>,
    /// Greatest rate of sending, in Mbit/s.
    pub(crate) tx_rate_max: Option<u32>,
    /// What it tells its VM of the cable.
    pub(crate) link_state: Option<VfLinkState>,
    /// Whether packets with foreign sender addresses are dropped.
    pub(crate) spoof_check: Option<bool>,
    /// Whether its VM may change its address and see all packets.
    pub(crate) trust: Option<bool>,
    /// Whether its VM may ask how load is spread.
    pub(crate) query_rss: Option<bool>,
}

/// A virtual function as the tree holds it.
pub(crate) struct SettableVf {
    /// That it is there.
    pub(crate) znode: Seen<()>,
    /// Its settings.
    pub(crate) settings: VfSettings,
}

/// Writes what is wished of a virtual function.
pub(crate) fn set_vf(
    node: &NodeName,
    vf: &SriovName,
    was: &SettableVf,
    wish: &VfWish,
) -> Result<Change, ApiError> {
    let refuse = |code, why: String| Err(ApiError::refused(code, format!("ERROR: {why}")));
    let exists = key::sriov_vf(node, vf).check(&was.znode);
    if exists.is_none() {
        return refuse("no-such-vf", format!("No VF '{vf}' found on node '{node}'."));
    }
    let now = &was.settings;
    let min = wish.tx_rate_min.or(now.tx_rate_min.copied()).unwrap_or(0);
    let max = wish.tx_rate_max.or(now.tx_rate_max.copied()).unwrap_or(0);
    if max > 0 && min > max {
        let why = format!(
            "The least rate of sending would be {min} Mbit/s, more than the greatest, {max}."
        );
        return refuse("bad-rate", why);
    }
    let wishes = [
        put(key::sriov_vf_vlan_id(node, vf), &now.vlan_id, wish.vlan_id),
        put(key::sriov_vf_vlan_qos(node, vf), &now.vlan_qos, wish.vlan_qos),
        put(key::sriov_vf_tx_rate_min(node, vf), &now.tx_rate_min, wish.tx_rate_min),
        put(key::sriov_vf_tx_rate_max(node, vf), &now.tx_rate_max, wish.tx_rate_max),
        put(key::sriov_vf_link_state(node, vf), &now.link_state, wish.link_state),
        put(key::sriov_vf_spoof_check(node, vf), &now.spoof_check, wish.spoof_check),
        put(key::sriov_vf_trust(node, vf), &now.trust, wish.trust),
        put(key::sriov_vf_query_rss(node, vf), &now.query_rss, wish.query_rss),
    ];
    if wishes.iter().all(Option::is_none) {
        return refuse("nothing-to-do", "No changes to apply.".to_owned());
    }
    let mut ops: Vec<Option<Op>> = wishes.into_iter().flatten().collect();
    if ops.iter().any(Option::is_some) {
        ops.push(other_rate(node, vf, now, wish));
        ops.push(exists);
    }
    let message =
        format!("Successfully modified configuration of SR-IOV VF '{vf}' on node '{node}'.");
    Ok(Change::of(ops, message))
}

/// Guards the rate that stays as it is while the other, which was held against it, changes.
fn other_rate(node: &NodeName, vf: &SriovName, now: &VfSettings, wish: &VfWish) -> Option<Op> {
    let changes = |now: &Seen<u32>, wish: Option<u32>| wish.is_some() && now.copied() != wish;
    let min = changes(&now.tx_rate_min, wish.tx_rate_min);
    let max = changes(&now.tx_rate_max, wish.tx_rate_max);
    match (min, max) {
        (true, false) => key::sriov_vf_tx_rate_max(node, vf).check(&now.tx_rate_max),
        (false, true) => key::sriov_vf_tx_rate_min(node, vf).check(&now.tx_rate_min),
        (true, true) | (false, false) => None,
    }
}

/// What a wish for one setting needs; the outer `None` if there is none, the inner if it is so.
#[expect(clippy::option_option, reason = "what is so already was wished all the same")]
fn put<T: Text + Copy + PartialEq>(
    key: Key<T>,
    now: &Seen<T>,
    wish: Option<T>,
) -> Option<Option<Op>> {
    let wish = wish?;
    Some((now.copied() != Some(wish)).then(|| key.put(now, &wish)))
}

/// Refuses a VM on a node that does not have the functions its definition names, or not free.
pub(super) fn check_functions(
    vm: Option<VmUuid>,
    functions: &[VmFunction],
    node: &NodeName,
    view: &View,
) -> Result<(), ApiError> {
    let Some(lack) = lack(view, node, vm, functions) else { return Ok(()) };
    Err(ApiError::refused(
        code(&lack),
        format!("ERROR: The VM cannot have its interfaces on node '{node}': {lack}."),
    ))
}

/// What stands in the way, for programs.
pub(super) const fn code(lack: &Lack) -> &'static str {
    match lack {
        Lack::Missing { .. } => "no-such-vf",
        Lack::Elsewhere { .. } => "vf-elsewhere",
        Lack::Taken { .. } | Lack::Promised { .. } => "vf-in-use",
        Lack::Twice { .. } => "vf-twice",
    }
}

/// Whether hardware of a node is handed to a VM with these functions.
pub(super) fn has_hardware(functions: &[VmFunction]) -> bool {
    functions.iter().any(|function| function.attachment == Attachment::Hostdev)
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::Version;

    use super::*;

    fn seen<T>(value: T) -> Seen<T> {
        Seen::Value { value, version: Version(3) }
    }

    fn was() -> SettableVf {
        let settings = VfSettings {
            vlan_id: seen(0),
            tx_rate_min: seen(10),
            tx_rate_max: seen(100),
            trust: seen(false),
            ..VfSettings::default()
        };
        SettableVf { znode: seen(()), settings }
    }

    fn set(wish: VfWish) -> Result<Vec<String>, String> {
        let (node, vf) = ("hv1".parse().unwrap(), "ens1f0v0".parse().unwrap());
        let change = set_vf(&node, &vf, &was(), &wish).map_err(|error| error.to_string())?;
        let path = |op: &Op| op.path().trim_start_matches("/nodes/hv1/sriov/vf/").to_owned();
        Ok(change.ops.iter().map(path).collect())
    }

    #[test]
    fn only_what_changes_is_written_and_guarded() {
        let wish = VfWish { vlan_id: Some(7), trust: Some(false), ..VfWish::default() };
        assert_eq!(set(wish).unwrap(), ["ens1f0v0/config/vlan_id", "ens1f0v0"]);
        // The other rate is what this one was held against.
        let rate = VfWish { tx_rate_min: Some(50), ..VfWish::default() };
        let both = ["ens1f0v0/config/tx_rate_min", "ens1f0v0/config/tx_rate_max", "ens1f0v0"];
        assert_eq!(set(rate).unwrap(), both);
        let rates = VfWish { tx_rate_min: Some(10), tx_rate_max: Some(20), ..VfWish::default() };
        let both = ["ens1f0v0/config/tx_rate_max", "ens1f0v0/config/tx_rate_min", "ens1f0v0"];
        assert_eq!(set(rates).unwrap(), both);
        let same = VfWish { trust: Some(false), ..VfWish::default() };
        assert_eq!(set(same).unwrap(), [""; 0], "it is so already");
    }

    #[test]
    fn rates_are_held_against_each_other_and_what_is_there() {
        for (min, max, fits) in [
            (Some(101), None, false),
            (None, Some(9), false),
            (Some(50), Some(20), false),
            (Some(100), None, true),
            (Some(500), Some(0), true),
        ] {
            let wish = VfWish { tx_rate_min: min, tx_rate_max: max, ..VfWish::default() };
            assert_eq!(set(wish).is_ok(), fits, "{min:?} {max:?}");
        }
    }

    #[test]
    fn no_wish_is_an_error() {
        assert!(set(VfWish::default()).unwrap_err().contains("No changes to apply."));
    }
}
