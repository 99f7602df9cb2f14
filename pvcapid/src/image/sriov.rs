//! SR-IOV functions as clients are shown them.

use pvc_common::api::{SriovConfig, SriovPci, SriovPf, SriovUsage, SriovVf};
use pvc_common::id::SriovName;
use pvc_common::model::{Pf, Sriov, Vf};
use pvc_common::zk::{Seen, Text};

/// The physical functions of a node, by name.
pub(crate) fn pfs(sriov: &Sriov) -> Vec<SriovPf> {
    let shown = |(name, pf): (&SriovName, &Pf)| SriovPf {
        phy: name.to_string(),
        mtu: text(&pf.mtu),
        vfs: vfs(sriov, Some(name.as_str())).into_iter().map(|vf| vf.phy).collect(),
    };
    let mut all: Vec<SriovPf> = sriov.pfs.iter().map(shown).collect();
    all.sort_by_cached_key(|pf| natural(&pf.phy));
    all
}

/// The virtual functions of a node, or of one of its physical functions, counted as people do.
pub(crate) fn vfs(sriov: &Sriov, pf: Option<&str>) -> Vec<SriovVf> {
    let of_pf = |vf: &Vf| pf.is_none_or(|pf| vf.pf.get().is_some_and(|own| own.as_str() == pf));
    let there = sriov.vfs.iter().filter(|(_, vf)| of_pf(vf));
    let mut all: Vec<SriovVf> = there.map(|(name, found)| vf(name, found)).collect();
    all.sort_by_cached_key(|vf| natural(&vf.phy));
    all
}

/// One virtual function.
pub(crate) fn vf(name: &SriovName, vf: &Vf) -> SriovVf {
    let (set, [domain, bus, slot, function]) = (&vf.settings, &vf.pci_parts);
    SriovVf {
        phy: name.to_string(),
        pf: text(&vf.pf),
        mtu: text(&vf.mtu),
        mac: text(&vf.mac),
        config: SriovConfig {
            vlan_id: text(&set.vlan_id),
            vlan_qos: text(&set.vlan_qos),
            tx_rate_min: text(&set.tx_rate_min),
            tx_rate_max: text(&set.tx_rate_max),
            link_state: text(&set.link_state),
            spoof_check: text(&set.spoof_check),
            trust: text(&set.trust),
            query_rss: text(&set.query_rss),
        },
        pci: SriovPci {
            domain: text(domain),
            bus: text(bus),
            slot: text(slot),
            function: text(function),
        },
        usage: SriovUsage { used: text(&vf.used), domain: text(&vf.used_by) },
    }
}

fn text<T: Text>(seen: &Seen<T>) -> String {
    seen.get().map(Text::encode).unwrap_or_default()
}

/// A name without the number at its end, and the number: `ens1f0v2` comes before `ens1f0v10`.
fn natural(name: &str) -> (String, u64) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem.to_owned(), name[stem.len()..].parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_counted_as_people_do() {
        let names = ["ens1f0v10", "ens1f0v2", "ens1f0v0"];
        let vfs = names.map(|name| (name.parse().unwrap(), Vf::default()));
        let sriov = Sriov { vfs: vfs.into(), ..Sriov::default() };
        let order: Vec<String> = super::vfs(&sriov, None).into_iter().map(|vf| vf.phy).collect();
        assert_eq!(order, ["ens1f0v0", "ens1f0v2", "ens1f0v10"]);
    }
}
