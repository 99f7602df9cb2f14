//! Networks of VMs: made in the tree, and used by what stands in for a VM.

use super::{Lab, Said};

/// What stands in for a VM, on a host: a network namespace with a device in a bridge.
///
/// It is made in a moment, where a VM under emulation takes half a minute, and the network makes no
/// difference between them.
#[derive(Clone, Debug)]
pub struct Stand {
    host: String,
    name: String,
}

impl Lab {
    /// Makes a network in the tree as the API does, of this type.
    ///
    /// # Panics
    /// When the tree does not take it.
    #[track_caller]
    pub fn make_network(&self, vni: u32, kind: &str) {
        let root = format!("/networks/{vni}");
        let keys = [("", "e2e"), ("/nettype", kind), ("/mtu", "\"\"")];
        let create = |(suffix, text): (&str, &str)| format!("create {root}{suffix} {text}");
        self.zookeeper(&keys.map(create).join("\n"))
            .ok()
            .unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Removes a network from the tree, if it is there.
    pub fn remove_network(&self, vni: u32) -> Said {
        self.zookeeper(&format!("deleteall /networks/{vni}"))
    }

    /// ZooKeeper as a person changes it; a line for each command.
    fn zookeeper(&self, commands: &str) -> Said {
        let host = self.hosts().first().expect("a lab has hosts");
        let client = format!("/usr/share/zookeeper/bin/zkCli.sh -server {host}:2181");
        self.try_on(host, &["sh", "-c", &format!("{client} <<'END'\n{commands}\nEND")])
    }

    /// Puts something into a network's bridge on a host, with an address.
    ///
    /// # Panics
    /// When the bridge is not there.
    #[must_use]
    #[track_caller]
    pub fn stand(&self, host: &str, name: &str, vni: u32, mac: &str, address: &str) -> Stand {
        let stand = Stand { host: host.to_owned(), name: name.to_owned() };
        let steps = [
            format!("ip netns add {name}"),
            format!("ip link add {name} type veth peer name eth0 address {mac} netns {name}"),
            format!("ip link set {name} mtu 1450 master vmbr{vni} up"),
            format!("ip -n {name} address add {address} dev eth0"),
            format!("ip -n {name} link set eth0 mtu 1450 up"),
        ];
        self.on(host, &["sh", "-ec", &steps.join("\n")]);
        stand
    }

    /// Takes it away.
    pub fn fall(&self, stand: &Stand) -> Said {
        self.try_on(&stand.host, &["ip", "netns", "del", &stand.name])
    }

    /// Runs a command in it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn inside(&self, stand: &Stand, words: &[&str]) -> Said {
        let inside = ["ip", "netns", "exec", &stand.name];
        self.try_on(&stand.host, &[&inside[..], words].concat())
    }
}
