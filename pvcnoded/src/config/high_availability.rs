//! How nodes watch each other, and what is taken for proof of a node's death:
//! `pvc.system.high_availability`, which upstream does not have. All of it has defaults.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use pvc_runtime::config::{FLAG, Kind, PATH, PORT, Section};

use super::kinds::SECONDS;

/// What the storage fence is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFence {
    /// It proves the death of a node, for VMs on RBD.
    Suffices,
    /// It is demanded, beside another proof.
    Required,
    /// It is not used.
    Off,
}

/// The uptime mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    /// The UDP port on which probes are answered.
    pub port: u16,
    /// Time between two probes of a peer.
    pub every: Duration,
    /// After how much silence a peer is suspected.
    pub suspect_after: Duration,
    /// This node's addresses in the mesh where the networks do not say them.
    pub addresses: Vec<IpAddr>,
}

/// The watchdog device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// The device.
    pub device: PathBuf,
    /// After how long without being fed it resets this machine.
    pub timeout: Duration,
}

/// How nodes watch each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HighAvailability {
    /// The uptime mesh; `None`: nodes are judged by their keepalives alone.
    pub mesh: Option<Mesh>,
    /// How long observers must agree before a node is condemned.
    pub confirm: Duration,
    /// What the storage fence is worth.
    pub storage_fence: StorageFence,
    /// How long a BMC may take to answer; `None`: BMCs are not used.
    pub ipmi: Option<Duration>,
    /// The watchdog device; `None`: it is neither used here nor believed elsewhere.
    pub watchdog: Option<Watchdog>,
    /// Whether a fenced node is switched on again.
    pub power_on: bool,
    /// How many nodes may be fenced within `storm_window`; `None`: a quarter of them.
    pub storm_cap: Option<usize>,
    /// See `storm_cap`.
    pub storm_window: Duration,
}

impl Default for HighAvailability {
    fn default() -> Self {
        Self {
            mesh: Some(Mesh {
                port: 7411,
                every: Duration::from_millis(200),
                suspect_after: Duration::from_secs(1),
                addresses: vec![],
            }),
            // With `suspect_after` more than two seconds: no pause of that length may condemn.
            confirm: Duration::from_millis(1_500),
            storage_fence: StorageFence::Suffices,
            ipmi: Some(Duration::from_secs(4)),
            // A network that fails as a whole for less than this resets nobody.
            watchdog: Some(Watchdog {
                device: "/dev/watchdog".into(),
                timeout: Duration::from_secs(10),
            }),
            power_on: true,
            storm_cap: None,
            storm_window: Duration::from_secs(120),
        }
    }
}

const STORAGE_FENCE: Kind<StorageFence> = Kind {
    expected: "True, required or False",
    parse: |text| match text.to_ascii_lowercase().as_str() {
        "required" => Some(StorageFence::Required),
        "true" | "yes" | "on" => Some(StorageFence::Suffices),
        "false" | "no" | "off" => Some(StorageFence::Off),
        _ => None,
    },
};

const PROBE_INTERVAL: Kind<Duration> = Kind {
    expected: "a whole number of milliseconds from 50 to 5000",
    parse: |text| milliseconds(text, 50, 5_000),
};

const PATIENCE: Kind<Duration> = Kind {
    expected: "a whole number of milliseconds from 100 to 60000",
    parse: |text| milliseconds(text, 100, 60_000),
};

/// A device counts in seconds, and one that is fed five times a second needs two at least.
const WATCHDOG_TIMEOUT: Kind<Duration> = Kind {
    expected: "a whole number of seconds from 2 to 255",
    parse: |text| {
        let seconds = text.parse().ok().filter(|s| (2..=255).contains(s))?;
        Some(Duration::from_secs(seconds))
    },
};

const IP: Kind<IpAddr> = Kind { expected: "an IP address", parse: |text| text.parse().ok() };

const COUNT: Kind<usize> = Kind {
    expected: "a whole number from 1",
    parse: |text| text.parse().ok().filter(|count| *count > 0),
};

fn milliseconds(text: &str, least: u64, most: u64) -> Option<Duration> {
    let ms = text.parse().ok().filter(|ms| (least..=most).contains(ms))?;
    Some(Duration::from_millis(ms))
}

impl HighAvailability {
    pub(super) fn read(system: &Section<'_>) -> Self {
        system.optional_section("high_availability", Self::read_section).unwrap_or_default()
    }

    fn read_section(section: &Section<'_>) -> Option<Self> {
        let default = Self::default();
        let mesh = Mesh::read(section, default.mesh?);
        let watchdog = Watchdog::read(section, default.watchdog?);
        let ipmi = section.or("ipmi_fence", FLAG, true);
        let ipmi_timeout = section.or("ipmi_timeout", SECONDS, default.ipmi?);
        Some(Self {
            mesh,
            confirm: section.or("confirm_ms", PATIENCE, default.confirm),
            storage_fence: section.or("storage_fence", STORAGE_FENCE, default.storage_fence),
            ipmi: ipmi.then_some(ipmi_timeout),
            watchdog,
            power_on: section.or("power_on", FLAG, default.power_on),
            storm_cap: section.optional("storm_cap", COUNT),
            storm_window: section.or("storm_window", SECONDS, default.storm_window),
        })
    }
}

impl Mesh {
    fn read(section: &Section<'_>, default: Self) -> Option<Self> {
        let wanted = section.or("mesh", FLAG, true);
        let every = section.or("probe_interval_ms", PROBE_INTERVAL, default.every);
        let suspect_after = section.or("suspect_after_ms", PATIENCE, default.suspect_after);
        if suspect_after < 3 * every {
            section.refuse("suspect_after_ms", "at least three times probe_interval_ms");
        }
        let port = section.or("mesh_port", PORT, default.port);
        let addresses = section.list("mesh_addresses", IP).unwrap_or_default();
        wanted.then_some(Self { port, every, suspect_after, addresses })
    }
}

impl Watchdog {
    fn read(section: &Section<'_>, default: Self) -> Option<Self> {
        let wanted = section.or("watchdog", FLAG, true);
        let device = section.or("watchdog_device", PATH, default.device);
        let timeout = section.or("watchdog_timeout", WATCHDOG_TIMEOUT, default.timeout);
        wanted.then_some(Self { device, timeout })
    }
}
