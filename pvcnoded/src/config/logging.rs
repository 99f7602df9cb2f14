//! Where files go, what is logged, and where.

use std::path::PathBuf;

use pvc_runtime::config::{FLAG, Kind, PATH, Section};

/// Where files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directories {
    /// Generated files that need not survive a reboot.
    pub dynamic: PathBuf,
    /// Log files.
    pub log: PathBuf,
    /// Console logs, which QEMU writes.
    pub console_log: PathBuf,
    /// Health check plugins.
    pub plugins: PathBuf,
}

/// What a keepalive tells beside that it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogDetails {
    /// Whether keepalives are logged at all.
    pub keepalives: bool,
    /// Node, VM and memory figures.
    pub cluster: bool,
    /// Figures of the storage cluster.
    pub storage: bool,
    /// Results of health checks.
    pub plugins: bool,
}

/// What is logged, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logging {
    /// To a file in the log directory.
    pub file: bool,
    /// To stdout.
    pub stdout: bool,
    /// To ZooKeeper, for `pvc node log`.
    pub zookeeper: bool,
    /// With colours.
    pub colours: bool,
    /// With dates.
    pub dates: bool,
    /// What keepalives tell.
    pub details: LogDetails,
    /// How many lines of each VM's console are kept in ZooKeeper.
    pub console_lines: usize,
    /// How many lines of this daemon's log are kept in ZooKeeper.
    pub node_lines: usize,
}

/// More would not fit into one znode.
const LINES: Kind<usize> = Kind {
    expected: "a number of lines from 0 to 100000",
    parse: |text| text.parse().ok().filter(|lines| *lines <= 100_000),
};

impl Directories {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let dynamic = section.required("dynamic_directory", PATH);
        let log = section.required("log_directory", PATH);
        let console_log = section.required("console_log_directory", PATH);
        let plugins = section.or("plugin_directory", PATH, "/usr/share/pvc/plugins".into());
        Some(Self { dynamic: dynamic?, log: log?, console_log: console_log?, plugins })
    }
}

impl Logging {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let file = section.required("file_logging", FLAG);
        let stdout = section.required("stdout_logging", FLAG);
        let zookeeper = section.or("zookeeper_logging", FLAG, true);
        let colours = section.required("log_colours", FLAG);
        let dates = section.required("log_dates", FLAG);
        let keepalives = section.required("log_keepalives", FLAG);
        let cluster = section.required("log_keepalive_cluster_details", FLAG);
        let storage = section.or("log_keepalive_storage_details", FLAG, false);
        let plugins = section.or("log_keepalive_plugin_details", FLAG, false);
        let console_lines = section.required("console_log_lines", LINES);
        let node_lines = section.or("node_log_lines", LINES, 2_000);
        Some(Self {
            file: file?,
            stdout: stdout?,
            zookeeper,
            colours: colours?,
            dates: dates?,
            details: LogDetails { keepalives: keepalives?, cluster: cluster?, storage, plugins },
            console_lines: console_lines?,
            node_lines,
        })
    }
}
