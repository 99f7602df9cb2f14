//! Networks, leases and their texts, as tables.

mod keeping;
mod leases;
mod rendering;
mod turns;

use std::net::IpAddr;

use pvc_common::model::{self, Reservation, Vm, VmInterface};
use pvc_common::view::Shared;
use pvc_common::zk::{Seen, Version};

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(3) }
}

fn vni() -> Vni {
    "1000".parse().unwrap()
}

/// A managed network with all that can be served.
fn office() -> Network {
    Network {
        description: seen("office".to_owned()),
        kind: seen(NetworkType::Managed),
        domain: seen(Some("office.local".to_owned())),
        name_servers: seen(vec!["192.0.2.53".parse::<IpAddr>().unwrap()]),
        ip4_network: seen("10.1.0.0/24".parse().ok()),
        ip4_gateway: seen("10.1.0.1".parse().ok()),
        dhcp4: seen(true),
        dhcp4_start: seen("10.1.0.100".parse().ok()),
        dhcp4_end: seen("10.1.0.199".parse().ok()),
        ip6_network: seen("2001:db8:1::/64".parse().ok()),
        ip6_gateway: seen("2001:db8:1::1".parse().ok()),
        dhcp6: seen(true),
        reservations: [reservation("52:54:00:00:00:01", "10.1.0.10", Some("web1"))].into(),
        ..Network::default()
    }
}

fn reservation(mac: &str, ip: &str, hostname: Option<&str>) -> (MacAddress, Reservation) {
    let held = Reservation {
        znode: seen(()),
        ip: seen(ip.parse().ok()),
        hostname: seen(hostname.map(str::to_owned)),
    };
    (mac.parse().unwrap(), held)
}

/// Where there is the VM `web1`, with this interface in the network.
fn owners(mac: &str) -> Owners {
    let interfaces = vec![VmInterface { vni: vni(), mac: mac.parse().unwrap() }];
    let vm = Vm { name: seen("web1".parse().unwrap()), interfaces, ..Vm::default() };
    let vms = [("00000000-0000-0000-0000-000000000001".parse().unwrap(), vm.into())];
    let networks: Shared<_, _> = [(vni(), office().into())].into_iter().collect();
    Owners::of(&networks, &vms.into_iter().collect(), [&"hv1".parse().unwrap()])
}
