//! Reading the facts. These files are made by the kernel from memory: reading never waits.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::{
    Counters, CpuTime, LinkInfo, Memory, boot_identity, count_cpus, load_average, parse_counters,
};

/// What does not change while this machine is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Logical processors.
    pub cpu_count: u32,
    /// Kernel release.
    pub kernel: String,
    /// Operating system.
    pub os: String,
    /// Machine architecture.
    pub arch: String,
}

impl Facts {
    /// Reads them.
    ///
    /// # Errors
    /// When `/proc` or `/sys` are not what they should be.
    pub fn read() -> io::Result<Self> {
        let online = text("/sys/devices/system/cpu/online")?;
        Ok(Self {
            cpu_count: count_cpus(&online).ok_or_else(|| strange("cpu/online"))?,
            kernel: text("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            // This program is built for nothing else.
            os: "GNU/Linux".to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
        })
    }
}

/// Identifies this run of the machine, or of the container this program runs in: a new one after
/// each reboot. See [`boot_identity`].
///
/// # Errors
/// When `/proc` is not what it should be.
pub fn boot_id() -> io::Result<String> {
    let (boot_id, stat) = (text("/proc/sys/kernel/random/boot_id")?, text("/proc/1/stat")?);
    boot_identity(&boot_id, &stat).ok_or_else(|| strange("1/stat"))
}

/// The load average of the last minute.
///
/// # Errors
/// When `/proc` is not what it should be.
pub fn load() -> io::Result<f64> {
    load_average(&text("/proc/loadavg")?).ok_or_else(|| strange("loadavg"))
}

/// How busy the processors were.
///
/// # Errors
/// When `/proc` is not what it should be.
pub fn cpu_time() -> io::Result<CpuTime> {
    CpuTime::parse(&text("/proc/stat")?).ok_or_else(|| strange("stat"))
}

/// The memory of this machine.
///
/// # Errors
/// When `/proc` is not what it should be.
pub fn memory() -> io::Result<Memory> {
    Memory::parse(&text("/proc/meminfo")?).ok_or_else(|| strange("meminfo"))
}

/// The counters of every network device.
///
/// # Errors
/// When `/proc` is not what it should be.
pub fn counters() -> io::Result<BTreeMap<String, Counters>> {
    Ok(parse_counters(&text("/proc/net/dev")?))
}

/// The network devices that stand for hardware, and those of `named` that exist.
///
/// Where there is no hardware, as in a container, the configuration knows which matter.
///
/// # Errors
/// When `/sys` is not what it should be.
pub fn interfaces(named: &BTreeSet<String>) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/sys/class/net")? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if named.contains(&name) || entry.path().join("device").exists() {
            found.insert(name);
        }
    }
    Ok(found)
}

/// Speed and state of a network device, as far as they are known.
#[must_use]
pub fn link_info(device: &str) -> LinkInfo {
    let root = Path::new("/sys/class/net").join(device);
    let attribute = |name| std::fs::read_to_string(root.join(name)).unwrap_or_default();
    // Reading the speed of a device without carrier fails, or gives -1.
    let mbps = attribute("speed").trim().parse().unwrap_or(0_u64);
    LinkInfo { speed_bps: mbps * 1_000_000, state: attribute("operstate").trim().to_owned() }
}

/// How large packets of a network device may be; `None` if it is not there.
#[must_use]
pub fn packet_size(device: &str) -> Option<u32> {
    let file = Path::new("/sys/class/net").join(device).join("mtu");
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn text(path: &str) -> io::Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
}

fn strange(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{file} is not as it should be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_facts() {
        let facts = Facts::read().unwrap();
        assert!(facts.cpu_count >= 1);
        assert!(!facts.kernel.contains(char::is_whitespace));
        assert!(memory().unwrap().total_mib > 100);
        assert!(load().unwrap() >= 0.0);
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
        assert!(boot_id().unwrap().len() > 36);
        assert!(counters().unwrap().contains_key("lo"));
    }

    #[test]
    fn a_named_device_counts_although_it_is_no_hardware() {
        let named = BTreeSet::from(["lo".to_owned(), "nonexistent".to_owned()]);
        let found = interfaces(&named).unwrap();
        assert!(found.contains("lo") && !found.contains("nonexistent"));
    }
}
