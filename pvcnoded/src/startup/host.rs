//! Getting this machine ready: directories, networks, kernel settings, services.
//!
//! Every step is harmless on a machine that is ready already, and what fails is told and left
//! behind: a node with half its services can still be reached and mended.

use std::io;
use std::path::Path;
use std::time::Duration;

use pvc_host::{Links, Sysctl, UnitError, Units};
use pvc_libvirt::Hypervisor;
use pvc_runtime::log::mark;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::config::{Config, Directories, HypervisorUri, Networks};
use crate::network;

/// Makes the directories that generated files and logs go to.
///
/// # Errors
/// When one cannot be made; with its path.
pub fn make_directories(directories: &Directories) -> io::Result<()> {
    for root in [&directories.dynamic, &directories.log] {
        for below in ["dnsmasq", "pdns", "nft"] {
            make(&root.join(below))?;
        }
    }
    Ok(())
}

fn make(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path).map_err(|error| {
        let message = format!("directory {} could not be made: {error}", path.display());
        io::Error::new(error.kind(), message)
    })
}

/// What an attempt to configure this node's networks came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Configured {
    /// How many changes were made.
    pub changes: usize,
    /// What could not be done, for people; empty if the networks are as they are configured.
    pub failures: Vec<String>,
}

/// Brings this node's networks to what is configured, as far as that can be.
///
/// What fails for one network does not stop the others.
pub async fn configure_networks(links: &impl Links, networks: &Networks) -> Configured {
    let mut outcome = Configured::default();
    let seen = match links.observe().await {
        Ok(seen) => seen,
        Err(error) => {
            outcome.failures.push(format!("the networks of this node cannot be seen: {error}"));
            return outcome;
        }
    };
    for plan in network::plan(networks, &seen) {
        let network = plan.name.text();
        for step in plan.steps {
            match links.apply(&step).await {
                Ok(()) => {
                    outcome.changes += 1;
                    tracing::info!("{network} network: {step}");
                }
                Err(error) => {
                    outcome.failures.push(format!("{network} network: could not {step}: {error}"));
                    break;
                }
            }
        }
    }
    outcome
}

/// Sets what the kernel has to know for this node's networks.
pub async fn apply_settings(settings: &impl Sysctl, networks: &Networks) {
    for (key, value) in network::settings(networks) {
        if let Err(error) = settings.set(&key, value).await {
            let cause = error.source;
            tracing::warn!(%cause, "kernel setting {key} could not be set to {value}");
        }
    }
}

/// The services this node needs, in the order they are started.
#[must_use]
pub fn services(config: &Config) -> Vec<String> {
    let functions = config.functions;
    let coordinator = config.is_coordinator();
    let node = &config.node;
    let system_libvirt =
        config.hypervisor.uri == HypervisorUri::Libvirt("qemu:///system".to_owned());
    [
        (coordinator, "zookeeper.service".to_owned()),
        (functions.hypervisor && system_libvirt, "libvirtd.service".to_owned()),
        (functions.networking && coordinator, "patroni.service".to_owned()),
        (functions.networking, "frr.service".to_owned()),
        (functions.storage && coordinator, format!("ceph-mon@{node}.service")),
        (functions.storage && coordinator, format!("ceph-mgr@{node}.service")),
    ]
    .into_iter()
    .filter_map(|(needed, unit)| needed.then_some(unit))
    .collect()
}

/// Starts `services` one after the other, and stops what would be in their way.
///
/// Done `again`, it does not repeat what is not installed.
pub async fn start_services(
    units: &impl Units,
    services: &[String],
    networking: bool,
    again: bool,
) {
    if networking {
        // Client networks have servers of their own; the system's would take their ports.
        tell("stop", "dnsmasq.service", units.stop("dnsmasq.service").await, again);
    }
    for unit in services {
        tell("start", unit, units.start(unit).await, again);
    }
}

fn tell(verb: &str, unit: &str, outcome: Result<(), UnitError>, again: bool) {
    match outcome {
        Ok(()) => tracing::debug!("{verb} {unit}: done"),
        Err(UnitError::Absent { .. }) if again => tracing::debug!("{unit} is still not installed"),
        Err(UnitError::Absent { .. }) => {
            tracing::info!("{unit} is not installed here; going on without it");
        }
        Err(error @ UnitError::Failed { .. }) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let cause = cause.unwrap_or_default();
            tracing::warn!(cause, "could not {verb} {unit}; going on without it");
        }
    }
}

/// How often libvirt is asked while it starts.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Waits until libvirt answers, for at most `limit`; `false` if it did not.
///
/// A node without libvirt still keeps alive: fencing it would mend nothing.
pub async fn await_hypervisor(hypervisor: &impl Hypervisor, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let mut pace = interval(ASK_EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        match hypervisor.vms().await {
            Ok(vms) => {
                tracing::info!(mark = mark::OK, "libvirt answers; {} VMs run here", vms.len());
                return true;
            }
            Err(error) if Instant::now() >= deadline => {
                let waited_s = limit.as_secs();
                tracing::error!(%error, waited_s, "libvirt does not answer; VMs cannot be started here");
                return false;
            }
            Err(error) => tracing::debug!(%error, "libvirt does not answer yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use pvc_host::UnitState;
    use pvc_host::fake::FakeHost;
    use pvc_libvirt::fake::FakeRoom;

    use super::*;

    const MANUAL: &str = include_str!("../../tests/manual.yaml");

    fn config(text: &str) -> Config {
        Config::check(text).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    #[test]
    fn a_coordinator_needs_more_services_than_a_hypervisor() {
        let coordinator = services(&config(MANUAL));
        assert_eq!(coordinator.len(), 6);
        assert_eq!(coordinator[0], "zookeeper.service");
        let hypervisor = MANUAL.replacen("node: pvchv1", "node: pvchv4", 1);
        assert_eq!(services(&config(&hypervisor)), ["libvirtd.service", "frr.service"]);
        let elsewhere =
            hypervisor.replacen("  system:", "  system:\n    hypervisor: {uri: 'fake:'}", 1);
        assert_eq!(services(&config(&elsewhere)), ["frr.service"]);
    }

    #[tokio::test]
    async fn one_service_that_fails_or_is_missing_does_not_stop_the_others() {
        let host = FakeHost::new();
        host.install_broken_unit("zookeeper.service");
        host.install_unit("libvirtd.service");
        let wanted = services(&config(MANUAL));
        start_services(&host, &wanted, true, false).await;
        assert_eq!(host.state("libvirtd.service").await.unwrap(), UnitState::Active);
    }

    #[tokio::test]
    async fn a_missing_device_does_not_stop_the_other_networks_and_a_restart_changes_nothing() {
        let text = MANUAL.replacen(" device: ens4", " device: gone0", 1);
        let networks = config(&text).networks.unwrap();
        let host = FakeHost::new();
        host.plug_in("ens4");
        host.lack_setting("net/ipv6/conf/all/forwarding");
        let first = configure_networks(&host, &networks).await;
        assert!(first.changes > 0);
        assert_eq!(first.failures.len(), 1, "{:?}", first.failures);
        assert!(first.failures[0].contains("gone0"), "{:?}", first.failures);
        apply_settings(&host, &networks).await;
        assert_eq!(host.links().links["brcluster"].addresses.len(), 2);
        assert_eq!(host.setting("net/ipv4/ip_forward").as_deref(), Some("1"));
        let before = host.changes();
        assert_eq!(configure_networks(&host, &networks).await, Configured { changes: 0, ..first });
        apply_settings(&host, &networks).await;
        assert_eq!(host.changes(), before);
    }

    #[test]
    fn directories_are_made_once() {
        let root = tempfile::tempdir().unwrap();
        let mut directories = config(MANUAL).directories;
        directories.dynamic = root.path().join("run");
        directories.log = root.path().join("log");
        make_directories(&directories).unwrap();
        make_directories(&directories).unwrap();
        assert!(root.path().join("log/dnsmasq").is_dir());
        std::fs::write(root.path().join("file"), "").unwrap();
        directories.log = root.path().join("file");
        assert!(make_directories(&directories).unwrap_err().to_string().contains("file/dnsmasq"));
    }

    #[tokio::test(start_paused = true)]
    async fn libvirt_is_waited_for_but_not_for_ever() {
        let room = FakeRoom::new();
        let hypervisor = room.node("hv1");
        assert!(await_hypervisor(&hypervisor, Duration::from_secs(60)).await);
        room.hang("hv1");
        assert!(!await_hypervisor(&hypervisor, Duration::from_secs(60)).await);
        let recovers = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(20)).await;
            room.recover("hv1");
        });
        assert!(await_hypervisor(&hypervisor, Duration::from_secs(60)).await);
        recovers.await.unwrap();
    }
}
