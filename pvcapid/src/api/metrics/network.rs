//! How many addresses a network gives away, and has given away.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use pvc_common::model;
use pvc_common::state::NetworkType;

use super::text::{Labels, Metric, Sample, Subject};
use crate::image::View;

/// Metrics of a managed network.
pub(super) const METRICS: &[Metric<Network>] = &[
    Metric::new("pvc_network_dhcp_leases", "IPv4 addresses leased in a network", |network| {
        Some(Sample::whole(network.leases))
    }),
    Metric::new("pvc_network_dhcp6_leases", "IPv6 addresses leased in a network", |network| {
        Some(Sample::whole(network.leases6))
    }),
    Metric::new(
        "pvc_network_dhcp_addresses",
        "IPv4 addresses in the range that DHCP leases of",
        |network| network.range.map(|range| Sample::whole(range.size)),
    ),
    Metric::new(
        "pvc_network_dhcp_addresses_used",
        "Of these, the ones that are leased or kept for somebody",
        |network| network.range.map(|range| Sample::whole(range.used)),
    ),
];

/// A managed network's addresses.
pub(super) struct Network {
    leases: u64,
    leases6: u64,
    /// None where DHCP gives no IPv4 addresses away.
    range: Option<Range>,
}

#[derive(Clone, Copy)]
struct Range {
    size: u64,
    used: u64,
}

impl Network {
    fn of(network: &model::Network) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            leases: count(network.leases.len()),
            leases6: count(network.leases6.len()),
            range: Range::of(network),
        }
    }
}

impl Range {
    fn of(network: &model::Network) -> Option<Self> {
        let ends = (network.dhcp4_start.copied().flatten(), network.dhcp4_end.copied().flatten());
        let (true, (Some(start), Some(end))) = (network.dhcp4.copied() == Some(true), ends) else {
            return None;
        };
        let leased = network.leases.values().filter_map(|lease| lease.ip.copied().flatten());
        let kept = network.reservations.values().filter_map(|kept| kept.ip.copied().flatten());
        let used: BTreeSet<Ipv4Addr> =
            leased.chain(kept).filter(|ip| (start..=end).contains(ip)).collect();
        let size = u64::from(end.to_bits()).saturating_sub(start.to_bits().into()) + 1;
        Some(Self { size, used: u64::try_from(used.len()).unwrap_or(u64::MAX) })
    }
}

/// Every managed network, by number.
pub(super) fn subjects(view: &View) -> Vec<Subject<Network>> {
    let managed = |network: &model::Network| network.kind.copied() == Some(NetworkType::Managed);
    let networks = view.networks.iter().filter(|(_, network)| managed(network));
    let subjects = networks.map(|(vni, network)| Subject {
        labels: Labels::of("vni", &vni.to_string()),
        of: Network::of(network),
    });
    subjects.collect()
}

#[cfg(test)]
mod tests {
    use pvc_common::model::{Lease, Lease6, Reservation};
    use pvc_common::zk::{Seen, Version};

    use super::super::text::Page;
    use super::*;

    fn seen<T>(value: T) -> Seen<T> {
        Seen::Value { value, version: Version(0) }
    }

    fn lines(network: &model::Network) -> Vec<String> {
        let labels = Labels::of("vni", "7");
        let mut page = Page::default();
        page.table(METRICS, &[Subject { labels, of: Network::of(network) }]);
        let text = page.finish();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    #[test]
    fn a_network_tells_how_full_its_range_is() {
        let ip = |text: &str| seen(Some(text.parse().unwrap()));
        let lease = |text| Lease { ip: ip(text), ..Lease::default() };
        let kept = |text| Reservation { ip: ip(text), ..Reservation::default() };
        let mac = |n: u8| format!("52:54:00:00:00:{n:02x}").parse().unwrap();
        let mut network = model::Network {
            dhcp4: seen(true),
            dhcp4_start: ip("10.0.0.100"),
            dhcp4_end: ip("10.0.0.199"),
            leases: [(mac(1), lease("10.0.0.100")), (mac(2), lease("10.0.0.5"))].into(),
            leases6: [("fd00::1".parse().unwrap(), Lease6::default())].into(),
            reservations: [
                (mac(1), kept("10.0.0.100")),
                (mac(2), kept("10.0.0.5")),
                (mac(3), kept("10.0.0.199")),
            ]
            .into(),
            ..model::Network::default()
        };
        assert_eq!(
            lines(&network),
            [
                r#"pvc_network_dhcp_leases{vni="7"} 2"#,
                r#"pvc_network_dhcp6_leases{vni="7"} 1"#,
                r#"pvc_network_dhcp_addresses{vni="7"} 100"#,
                r#"pvc_network_dhcp_addresses_used{vni="7"} 2"#,
            ]
        );
        network.dhcp4 = seen(false);
        assert_eq!(lines(&network).len(), 2, "it has no range");
    }
}
