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
