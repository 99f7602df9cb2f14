//! What runs in a light lab: its services, their files, and how to see that they serve.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::super::host::Host;
use super::super::identity::{SECRET_KEY, TOKEN, coordinators};
use super::super::layout::Lab;
use super::super::template::fill;
use super::place::{Ports, address, console, program};
use super::process::Service;
use super::{account, home};
use crate::run::Run;
use crate::wait;

/// Debian's ZooKeeper; its manifest names what it needs besides.
const JAR: &str = "/usr/share/java/zookeeper.jar";

const EVERY: Duration = Duration::from_millis(100);

/// Half a second on an idle machine.
const ZOOKEEPER_STARTS: Duration = Duration::from_secs(60);

/// Long enough for libvirt's first look at QEMU: some seconds, for each node.
const LIBVIRT_STARTS: Duration = Duration::from_secs(120);

/// Where the machine's programs are, for libvirt to find QEMU.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// ZooKeeper.
pub(crate) fn zookeeper(lab: &Lab) -> Service {
    let home = home(lab, "zookeeper");
    let words = [
        "/usr/bin/java",
        "-Xmx128m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        JAR,
        "org.apache.zookeeper.server.ZooKeeperServerMain",
    ];
    let mut argv = words.map(str::to_owned).to_vec();
    argv.push(home.join("zoo.cfg").display().to_string());
    Service { name: "zookeeper".to_owned(), home, argv, env: Vec::new() }
}

/// A node's libvirt.
pub(crate) fn libvirt(lab: &Lab, node: Host) -> Service {
    let home = home(lab, &node.to_string());
    let at = |part: &str| home.join(part).display().to_string();
    let env = vec![
        ("PATH", PATH.to_owned()),
        // No part of its own: libvirt's sockets are below, and their paths are short.
        ("XDG_CONFIG_HOME", home.display().to_string()),
        ("XDG_CACHE_HOME", at("cache")),
        ("XDG_DATA_HOME", at("data")),
        ("XDG_RUNTIME_DIR", at("run")),
    ];
    Service { name: format!("{node}-libvirtd"), home, argv: vec!["libvirtd".to_owned()], env }
}

/// A node's daemon.
pub(crate) fn node_daemon(lab: &Lab, node: Host) -> Service {
    let home = home(lab, &node.to_string());
    let config = home.join("pvcnoded.yaml").display().to_string();
    let env = vec![
        ("PVCD_CONFIG_FILE", config),
        // The daemon finds no program of the machine: its services are not this node's to start.
        ("PATH", lab.dir().join("bin").display().to_string()),
        // A libvirt that does not answer is down, and not to be replaced by one started on the way.
        ("LIBVIRT_AUTOSTART", "0".to_owned()),
    ];
    let argv = vec![program(lab, "pvcnoded").display().to_string()];
    Service { name: format!("{node}-pvcnoded"), home, argv, env }
}

/// The API.
pub(crate) fn api_daemon(lab: &Lab) -> Service {
    let home = home(lab, "api");
    let config = home.join("pvcapid.yaml").display().to_string();
    let argv = vec![program(lab, "pvcapid").display().to_string()];
    let env = vec![("PVC_CONFIG_FILE", config)];
    Service { name: "pvcapid".to_owned(), home, argv, env }
}

/// All of them, in the order in which they are started.
pub(crate) fn all(lab: &Lab, nodes: &[Host]) -> Vec<Service> {
    let mut services = vec![zookeeper(lab)];
    services.extend(nodes.iter().map(|node| libvirt(lab, *node)));
    services.push(api_daemon(lab));
    services.extend(nodes.iter().map(|node| node_daemon(lab, *node)));
    services
}

/// Writes the services' files, unless they have theirs.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn configure(lab: &Lab, nodes: &[Host], ports: Ports) -> Result<()> {
    let names: Vec<String> = coordinators(nodes).iter().map(Host::to_string).collect();
    let common = [
        ("coordinators", names.join(", ")),
        ("zookeeper_port", ports.zookeeper.to_string()),
        ("api_port", ports.api.to_string()),
        ("dir", lab.dir().display().to_string()),
        ("secret_key", SECRET_KEY.to_owned()),
        ("token", TOKEN.to_owned()),
    ];
    let zookeeper = home(lab, "zookeeper");
    let about = [("home", zookeeper.display().to_string()), ("port", ports.zookeeper.to_string())];
    write(&zookeeper, &[("zoo.cfg", include_str!("../../../lab/light/zoo.cfg"))], &about)?;
    let api = [("pvcapid.yaml", include_str!("../../../lab/light/pvcapid.yaml"))];
    write(&home(lab, "api"), &api, &common)?;
    for node in nodes {
        let files = [
            ("pvcnoded.yaml", include_str!("../../../lab/light/pvcnoded.yaml")),
            ("libvirt/libvirtd.conf", include_str!("../../../lab/light/libvirtd.conf")),
            ("libvirt/qemu.conf", include_str!("../../../lab/light/qemu.conf")),
            ("run/made", ""),
        ];
        let own = [
            ("node", node.to_string()),
            ("address", address(*node).to_string()),
            ("host_uuid", format!("{:08}-0000-4000-8000-000000000000", node.id())),
        ];
        write(&home(lab, &node.to_string()), &files, &[&common[..], &own].concat())?;
    }
    for dir in [console(lab), lab.shared()] {
        fs::create_dir_all(&dir)?;
        account::own(&dir)?;
    }
    Ok(())
}

/// Writes files below a service's home and gives all to the account it runs as.
fn write(home: &Path, files: &[(&str, &str)], values: &[(&str, String)]) -> Result<()> {
    if home.exists() {
        return Ok(());
    }
    let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, &**value)).collect();
    for (name, template) in files {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap_or(home))?;
        fs::write(&path, fill(template, &values))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    account::own(home)
}

/// Waits until ZooKeeper serves.
///
/// # Errors
/// When it does not within a minute.
pub(crate) fn await_zookeeper(ports: Ports) -> Result<()> {
    wait::until("ZooKeeper to serve", ZOOKEEPER_STARTS, EVERY, || {
        let told = super::place::ask(ports.zookeeper, "srvr")?;
        Ok(told.contains("Mode: ").then_some(()))
    })
}

/// Waits until a node's libvirt answers and knows what QEMU can do.
///
/// # Errors
/// When it does not in time, or can emulate nothing.
pub(crate) fn await_libvirt(lab: &Lab, node: Host) -> Result<()> {
    let socket = home(lab, &node.to_string()).join("run/libvirt/libvirt-sock");
    let uri = format!("qemu+unix:///session?socket={}", socket.display());
    let what = format!("the libvirt of {node} to answer");
    let emulates = wait::until(&what, LIBVIRT_STARTS, EVERY, || {
        let asked = Run::new(["virsh", "-q", "-c", &uri, "domcapabilities"])
            .args(["--virttype", "qemu", "--machine", "pc"])
            .env("LIBVIRT_AUTOSTART", "0")
            .limit(LIBVIRT_STARTS)
            .done()?;
        Ok(Some(asked.contains("<domain>qemu</domain>")))
    })?;
    ensure!(emulates, "the libvirt of {node} knows no QEMU that emulates");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_in_the_files_is_filled() {
        let dir = tempfile::tempdir().unwrap();
        let lab = Lab::light_at(dir.path().join("lab")).unwrap();
        let ports = Ports { zookeeper: 1, api: 2 };
        fs::create_dir_all(console(&lab)).unwrap();
        configure(&lab, &Host::first(3), ports).unwrap();
        let read = |name: &str| fs::read_to_string(lab.dir().join(name)).unwrap();
        for name in ["zookeeper/zoo.cfg", "api/pvcapid.yaml", "hv2/libvirt/qemu.conf"] {
            assert!(!read(name).contains("{{"), "{name}: {}", read(name));
        }
        let node = read("hv2/pvcnoded.yaml");
        assert!(!node.contains("{{") && node.contains("node: hv2"), "{node}");
        assert!(node.contains("/{node}/run/libvirt"), "left for the daemon to fill: {node}");
    }
}
