//! The node daemon's configuration: `pvcnoded.yaml`, checked.
//!
//! Whatever this module hands out has been checked, and has its default where the file leaves
//! something out: the rest of the daemon never asks whether a setting makes sense.

mod advice;
mod cluster;
mod high_availability;
mod hypervisor;
mod kinds;
mod logging;
mod network;
mod peer;
mod system;

use std::path::{Path, PathBuf};

use pvc_common::id::NodeName;
use pvc_runtime::config::{Document, FLAG, NODE, Problem, Section, read};
use pvc_runtime::secrecy::{Exposed, exposed};

pub use cluster::{Cluster, Database, Databases};
pub use high_availability::{HighAvailability, Mesh, StorageFence, Watchdog};
pub use hypervisor::{Hypervisor, HypervisorUri, Migration, MigrationAddress};
pub use logging::{Directories, LogDetails, Logging};
pub use network::{Bridge, Network, NetworkName, Networks, SriovDevice};
pub use peer::PeerRoute;
pub use system::{AfterFence, CephFiles, Fencing, Intervals, Ipmi};

/// Where the configuration is unless `PVCD_CONFIG_FILE` says otherwise.
pub const DEFAULT_PATH: &str = "/etc/pvc/pvcnoded.yaml";
/// The environment variable that names the configuration file.
pub const PATH_VARIABLE: &str = "PVCD_CONFIG_FILE";

/// What this node does for the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Functions {
    /// It runs VMs.
    pub hypervisor: bool,
    /// It configures its own addresses and client networks.
    pub networking: bool,
    /// It serves Ceph storage.
    pub storage: bool,
    /// As primary it runs the API.
    pub api: bool,
}

/// The checked configuration of one node.
#[derive(Clone)]
pub struct Config {
    /// This node.
    pub node: NodeName,
    /// Whether details are logged.
    pub debug: bool,
    /// What this node does for the cluster.
    pub functions: Functions,
    /// What is the same on every node.
    pub cluster: Cluster,
    /// The three networks between the nodes; `None` only where networking is switched off.
    pub networks: Option<Networks>,
    /// The databases of the coordinators; without any, names of managed networks are told to nobody
    /// outside these.
    pub databases: Option<Databases>,
    /// How long is waited for what.
    pub intervals: Intervals,
    /// What is done about a node that is dead, and this node's own BMC.
    pub fencing: Fencing,
    /// How nodes watch each other.
    pub high_availability: HighAvailability,
    /// How VMs are moved.
    pub migration: Migration,
    /// Where libvirt is.
    pub hypervisor: Hypervisor,
    /// Where files go.
    pub directories: Directories,
    /// What is logged, and where.
    pub logging: Logging,
    /// Where bridged client networks are made.
    pub bridge: Option<Bridge>,
    /// Devices that are divided among VMs.
    pub sriov: Vec<SriovDevice>,
    /// How Ceph is reached.
    pub ceph: CephFiles,
}

impl Config {
    /// The path of the configuration file, by the environment.
    #[must_use]
    pub fn path() -> PathBuf {
        std::env::var_os(PATH_VARIABLE).map_or_else(|| DEFAULT_PATH.into(), PathBuf::from)
    }

    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// Everything that is wrong with it, or why it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let expected = format!("a readable file at {}", path.display());
            vec![Problem::new("", None, Some(&error.to_string()), expected)]
        })?;
        Self::check(&text)
    }

    /// Checks the text of a configuration file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(text: &str) -> Result<Self, Vec<Problem>> {
        let document = Document::parse(text).map_err(|problem| vec![problem])?;
        read(&document, |root| root.section("pvc", Self::read))
    }

    fn read(pvc: &Section<'_>) -> Option<Self> {
        let node = pvc.required("node", NODE);
        let debug = pvc.or("debug", FLAG, false);
        let functions = pvc.section("functions", Functions::read);
        // Without a node or functions the rest is still read, for what else is wrong with it.
        let networking = functions.is_none_or(|functions| functions.networking);
        let cluster = pvc.section("cluster", |cluster| {
            let subnets = network::Subnets::read(cluster, networking);
            Some((Cluster::read(cluster)?, subnets))
        });
        let (cluster, subnets) = cluster.unzip();
        let databases = cluster::read_databases(pvc);
        let system = pvc.section("system", |system| {
            let intervals_and_fencing = system::read_fencing(system, node.as_ref());
            let high_availability = HighAvailability::read(system);
            let migration = Migration::read(system);
            let hypervisor = Hypervisor::read(system);
            let configuration = system.section("configuration", |configuration| {
                let directories = configuration.section("directories", Directories::read);
                let logging = configuration.section("logging", Logging::read);
                let host =
                    network::Host::read(configuration, networking, subnets.as_ref(), node.as_ref());
                let ceph = configuration.optional_section("storage", CephFiles::read);
                Some((directories?, logging?, host, ceph.unwrap_or_default()))
            });
            Some((intervals_and_fencing?, high_availability, migration, hypervisor, configuration?))
        });
        let ((intervals, fencing), high_availability, migration, hypervisor, configuration) =
            system?;
        let (directories, logging, host, ceph) = configuration;
        let node = node?;
        Some(Self {
            debug,
            functions: functions?,
            cluster: cluster?,
            networks: host.networks,
            databases,
            intervals,
            fencing: fencing.with_default_host(&node, subnets.as_ref()),
            high_availability,
            migration,
            hypervisor,
            directories,
            logging,
            bridge: host.bridge,
            sriov: host.sriov,
            ceph,
            node,
        })
    }

    /// Whether this node belongs to those that coordinate the cluster.
    #[must_use]
    pub fn is_coordinator(&self) -> bool {
        self.cluster.has_coordinator(&self.node)
    }

    /// The node's full name: with the domain of the upstream network, if it has one.
    #[must_use]
    pub fn fqdn(&self) -> String {
        let domain = self.networks.as_ref().and_then(|networks| networks.upstream.domain.as_ref());
        match domain {
            Some(domain) => format!("{}.{domain}", self.node),
            None => self.node.to_string(),
        }
    }

    /// What is allowed but hardly meant, one sentence each.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        advice::advice(self)
    }

    /// The files with secrets that everybody may read: that of this configuration, read from `path`,
    /// and Ceph's keyring.
    #[must_use]
    pub fn exposed(&self, path: &Path) -> Vec<Exposed> {
        exposed([path].into_iter().chain(self.ceph.admin_keyring.as_deref()))
    }
}

impl Functions {
    fn read(functions: &Section<'_>) -> Option<Self> {
        let hypervisor = functions.required("enable_hypervisor", FLAG);
        let networking = functions.required("enable_networking", FLAG);
        let storage = functions.required("enable_storage", FLAG);
        let api = functions.or("enable_api", FLAG, true);
        Some(Self { hypervisor: hypervisor?, networking: networking?, storage: storage?, api })
    }
}

#[cfg(test)]
mod tests;
