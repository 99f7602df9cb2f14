//! Reads the SR-IOV functions of nodes.

use super::branch::{Branch, Found, Taken, below, member, read};
use crate::model::{Pf, Sriov, Vf, VfSettings};
use crate::zk::key::{node_suffix, pf_suffix, vf_suffix as suffix};

impl Branch for Sriov {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        if let Some(rest) = below(rest, node_suffix::SRIOV_PF) {
            member(&mut self.pfs, rest, found)
        } else if let Some(rest) = below(rest, node_suffix::SRIOV_VF) {
            member(&mut self.vfs, rest, found)
        } else if rest == node_suffix::SRIOV {
            Taken::Understood
        } else {
            Taken::Unwanted
        }
    }
}

impl Branch for Pf {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            pf_suffix::MTU => read(&mut self.mtu, found),
            pf_suffix::VF_COUNT => read(&mut self.vf_count, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Vf {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        let [domain, bus, slot, function] = &mut self.pci_parts;
        match rest {
            "" => read(&mut self.znode, found),
            suffix::PF => read(&mut self.pf, found),
            suffix::MTU => read(&mut self.mtu, found),
            suffix::MAC => read(&mut self.mac, found),
            suffix::PHY_MAC => read(&mut self.phy_mac, found),
            suffix::CONFIG => read(&mut self.config, found),
            suffix::PCI => read(&mut self.pci, found),
            suffix::PCI_DOMAIN => read(domain, found),
            suffix::PCI_BUS => read(bus, found),
            suffix::PCI_SLOT => read(slot, found),
            suffix::PCI_FUNCTION => read(function, found),
            suffix::USED => read(&mut self.used, found),
            suffix::USED_BY => read(&mut self.used_by, found),
            rest => self.settings.take(rest, found),
        }
    }
}

impl Branch for VfSettings {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            suffix::VLAN_ID => read(&mut self.vlan_id, found),
            suffix::VLAN_QOS => read(&mut self.vlan_qos, found),
            suffix::TX_RATE_MIN => read(&mut self.tx_rate_min, found),
            suffix::TX_RATE_MAX => read(&mut self.tx_rate_max, found),
            suffix::SPOOF_CHECK => read(&mut self.spoof_check, found),
            suffix::LINK_STATE => read(&mut self.link_state, found),
            suffix::TRUST => read(&mut self.trust, found),
            suffix::QUERY_RSS => read(&mut self.query_rss, found),
            _ => Taken::Unwanted,
        }
    }
}
