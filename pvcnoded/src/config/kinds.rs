//! Kinds of values that only the node daemon's configuration has.

use std::time::Duration;

use ipnet::Ipv4Net;
use pvc_runtime::config::Kind;

/// An IPv4 address with the length of its network's prefix.
pub(super) const HOST_IN_NETWORK: Kind<Ipv4Net> = Kind {
    expected: "an IPv4 address with a prefix such as 10.0.0.10/24",
    parse: |text| text.parse().ok(),
};

/// An IPv4 network.
pub(super) const NETWORK: Kind<Ipv4Net> = Kind {
    expected: "an IPv4 network such as 10.0.0.0/24, of which the host part is zero",
    parse: |text| {
        let net: Ipv4Net = text.parse().ok()?;
        // Fewer than four addresses leave no room for a node and a floating address.
        (net.trunc() == net && (1..=30).contains(&net.prefix_len())).then_some(net)
    },
};

/// The name of a network device.
pub(super) const DEVICE: Kind<String> = Kind {
    expected: "the name of a network device (1 to 15 characters, no `/` or blanks)",
    parse: |text| {
        let name = (1..=15).contains(&text.len())
            && text != "."
            && text != ".."
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b':');
        name.then(|| text.to_owned())
    },
};

/// The largest packet of a device, in bytes. IPv4 knows no smaller and no larger ones.
pub(super) const MTU: Kind<u32> = Kind {
    expected: "a packet size from 68 to 65535 bytes",
    parse: |text| text.parse().ok().filter(|mtu| (68..=65_535).contains(mtu)),
};

/// A time of at least a second.
pub(super) const SECONDS: Kind<Duration> = Kind {
    expected: "a whole number of seconds from 1 to 86400",
    parse: |text| {
        let seconds = text.parse().ok().filter(|s| (1..=86_400).contains(s))?;
        Some(Duration::from_secs(seconds))
    },
};
