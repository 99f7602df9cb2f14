//! What makes a host this host: its names, addresses and the configuration of its services.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::host::{self, Host, Network};
use super::layout::Lab;
use super::template::fill;
use super::{ceph, database};

/// The API key the lab's client uses.
pub(crate) const TOKEN: &str = "pvc-lab-0b3c1f526c0e4a539f0e";

/// The port the API listens on.
pub(crate) const API_PORT: u16 = 7370;

/// Signs the cookies of those who log in.
pub(crate) const SECRET_KEY: &str = "the-lab-keeps-no-secrets";

/// Writes a host's files below `root`, which becomes its disk.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(lab: &Lab, host: Host, root: &Path) -> Result<()> {
    let (hosts, storage) = (lab.hosts()?, lab.has_storage());
    let mut files: Vec<(String, String)> = files(host, &hosts, storage)
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text))
        .collect();
    if storage {
        files.extend(ceph::files(host, &hosts));
    }
    if lab.has_database() {
        files.extend(database::files(host, &hosts));
    }
    for (path, text) in files {
        let path = root.join(path);
        let dir = path.parent().unwrap_or(root);
        fs::create_dir_all(dir)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The hosts that keep the cluster's state: three where there are three, else one.
pub(crate) fn coordinators(hosts: &[Host]) -> &[Host] {
    &hosts[..if hosts.len() < 3 { 1 } else { 3 }]
}

/// A host's files, with paths relative to its root.
fn files(host: Host, hosts: &[Host], storage: bool) -> Vec<(&'static str, String)> {
    let coordinators = coordinators(hosts);
    let names: Vec<String> = coordinators.iter().map(Host::to_string).collect();
    let (node, names) = (host.to_string(), names.join(", "));
    let (cluster, bmc_password) = (Network::Cluster.of(host).to_string(), host.bmc_password());
    let ensemble = ensemble(coordinators);
    let values = [
        ("node", node.as_str()),
        ("coordinators", &names),
        ("cluster", &cluster),
        ("bmc_password", &bmc_password),
        ("ensemble", &ensemble),
        ("secret_key", SECRET_KEY),
        ("token", TOKEN),
        ("storage", if storage { "True" } else { "False" }),
        ("secret_uuid", if storage { ceph::SECRET } else { "" }),
    ];
    let filled = |template: &str| fill(template, &values);
    let mut files = vec![
        ("etc/hostname", format!("{host}\n")),
        ("etc/machine-id", machine_id(host)),
        ("etc/hosts", names_file(hosts)),
        ("etc/pvc-lab/network", network(host)),
        (
            "etc/systemd/system/libvirtd-tcp.socket.d/lab.conf",
            filled(include_str!("../../lab/host/libvirtd-tcp.conf")),
        ),
        ("etc/pvc/pvcnoded.yaml", filled(include_str!("../../lab/host/pvcnoded.yaml"))),
        ("etc/pvc/pvcapid.yaml", filled(include_str!("../../lab/host/pvcapid.yaml"))),
    ];
    if coordinators.contains(&host) {
        files.push((
            "etc/pvc-lab/zookeeper/zoo.cfg",
            filled(include_str!("../../lab/host/zoo.cfg")),
        ));
        files.push(("var/lib/zookeeper/myid", format!("{}\n", host.id())));
    }
    files
}

/// Fixed for each host, so that a new disk is still the same machine.
fn machine_id(host: Host) -> String {
    format!("{:032x}\n", 0x70_7663_6c61_6200_u64 + u64::from(host.id()))
}

/// The ensemble's members; none when there is one server, which then stands alone.
fn ensemble(coordinators: &[Host]) -> String {
    if coordinators.len() < 2 {
        return String::new();
    }
    let member = |host: &Host| {
        let address = Network::Cluster.of(*host);
        format!("server.{}={address}:2888:3888\n", host.id())
    };
    coordinators.iter().map(member).collect()
}

/// `/etc/hosts`: a bare name means the cluster network, where the nodes talk to each other.
fn names_file(hosts: &[Host]) -> String {
    let mut lines = String::from("127.0.0.1 localhost\n");
    for host in hosts {
        let name = |network: Network| format!("{} {host}.{}", network.of(*host), network.domain());
        lines += &format!("{} {host}\n", name(Network::Cluster));
        lines += &format!("{}\n", name(Network::Upstream));
        lines += &format!("{}\n", name(Network::Storage));
        let domain = Network::Upstream.domain();
        lines += &format!("{} {host}-lom.{domain} {host}-lom\n", host.bmc());
    }
    lines
}

/// What `ip` does at boot: each device on a bridge that holds the address, as PVC lays it out.
fn network(host: Host) -> String {
    let mut lines = String::from("link set lo up\n");
    for network in Network::ALL {
        let (device, bridge) = (network.device(), network.bridge());
        lines += &format!(
            "link add {bridge} address 02:00:00:0{}:00:0{} type bridge forward_delay 0\n\
             link set {device} master {bridge}\n\
             link set {device} up\n\
             link set {bridge} up\n\
             address add {}/24 dev {bridge}\n",
            network.index(),
            host.id(),
            network.of(host),
        );
    }
    lines + &format!("route add default via {}\n", host::gateway())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_template_is_left_unfilled() {
        let hosts = Host::first(5);
        for (path, text) in files(hosts[0], &hosts, false) {
            assert!(!text.contains("{{"), "{path}: {text}");
        }
    }

    #[test]
    fn only_coordinators_run_zookeeper() {
        let hosts = Host::first(5);
        let runs =
            |host| files(host, &hosts, false).iter().any(|(path, _)| path.ends_with("zoo.cfg"));
        assert!(runs(hosts[2]) && !runs(hosts[3]));
    }

    #[test]
    fn a_bare_name_resolves_in_the_cluster_network() {
        let hosts = names_file(&Host::first(1));
        assert_eq!(
            hosts,
            "127.0.0.1 localhost\n\
             10.255.0.1 hv1.pvc.local hv1\n\
             10.100.0.1 hv1.pvc.lab\n\
             10.254.0.1 hv1.pvc.storage\n\
             10.100.0.101 hv1-lom.pvc.lab hv1-lom\n"
        );
    }

    #[test]
    fn two_hosts_have_one_coordinator_because_two_cannot_outvote_each_other() {
        assert_eq!(coordinators(&Host::first(2)).len(), 1);
    }
}
