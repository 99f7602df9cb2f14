//! The configuration files of the daemons under measurement: loopback only, and nothing of the
//! machine is touched.

use std::net::SocketAddr;
use std::path::Path;

/// The measured node. It is no coordinator, so that it starts no services of the machine.
pub(crate) const NODE: &str = "hv1";

/// Of the node daemon.
pub(crate) fn noded(zookeeper: &str, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "pvc:
  node: {NODE}
  functions: {{enable_hypervisor: True, enable_networking: False, enable_storage: False, \
             enable_api: False}}
  cluster:
    coordinators: [hv2]
    zookeeper: ['{zookeeper}']
  system:
    intervals: {{keepalive_interval: 5, vm_shutdown_timeout: 180}}
    fencing:
      ipmi: {{host: localhost, user: bench, pass: bench}}
    hypervisor: {{uri: 'fake:'}}
    configuration:
      directories:
        dynamic_directory: {folder}/run
        log_directory: {folder}/log
        console_log_directory: {folder}/console
      logging:
        file_logging: False
        stdout_logging: True
        log_colours: False
        log_dates: False
        log_keepalives: True
        log_keepalive_cluster_details: True
        console_log_lines: 1000
"
    )
}

/// Of the node daemon with networks, all of them on `bench0`.
pub(crate) fn noded_with_networks(zookeeper: &str, folder: &Path) -> String {
    let network = |name: &str, number: u8| {
        format!("      {name}: {{domain: None, network: 10.{number}.0.0/24}}\n")
    };
    let device =
        |name: &str| format!("        {name}: {{device: bench0, mtu: 1500, address: by-id}}\n");
    let database = "{database: {host: localhost, port: 5432, name: none, user: none, pass: none}}";
    let all = [("upstream", 251), ("cluster", 252), ("storage", 253)];
    let networks: String = all.iter().map(|(name, number)| network(name, *number)).collect();
    let devices: String = all.iter().map(|(name, _)| device(name)).collect();
    let cluster = format!("coordinators: [hv2]\n    networks:\n{networks}");
    let system = format!(
        "  coordinator:\n    dns: {database}\n    metadata: {database}\n  system:\n    \
         high_availability: {{mesh: False, watchdog: False}}\n"
    );
    let text = noded(zookeeper, folder)
        .replacen("enable_networking: False", "enable_networking: True", 1)
        .replacen("coordinators: [hv2]\n", &cluster, 1)
        .replacen("  system:\n", &system, 1);
    text + "      networking:\n" + &devices
}

/// Of the API daemon.
pub(crate) fn apid(zookeeper: &str, address: SocketAddr) -> String {
    format!(
        "pvc:
  zookeeper: ['{zookeeper}']
  api:
    listen_address: '{}'
    listen_port: {}
",
        address.ip(),
        address.port(),
    )
}
