//! How much memory there is.

/// The memory of this machine, in MiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// All there is, but for what the kernel keeps to itself.
    pub total_mib: u64,
    /// What programs hold: neither free nor easily taken back from caches.
    pub used_mib: u64,
    /// What programs could still get without swapping.
    pub available_mib: u64,
}

impl Memory {
    /// Understands `/proc/meminfo`, counting as psutil does; `None` if it is no such file.
    #[must_use]
    pub fn parse(meminfo: &str) -> Option<Self> {
        let kib = |name: &str| -> Option<u64> {
            let line =
                meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.trim().strip_suffix("kB")?.trim().parse().ok()
        };
        let (total, free) = (kib("MemTotal")?, kib("MemFree")?);
        let optional = |name| kib(name).unwrap_or_default();
        let cached = optional("Buffers") + optional("Cached") + optional("SReclaimable");
        // Within a container, caches of the host can make this negative.
        let used = total.checked_sub(free + cached).unwrap_or(total.saturating_sub(free));
        let available = kib("MemAvailable").unwrap_or(free + cached).min(total);
        Some(Self {
            total_mib: total / 1024,
            used_mib: used / 1024,
            available_mib: available / 1024,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "\
MemTotal:       24595584 kB
MemFree:        11141512 kB
MemAvailable:   20731548 kB
Buffers:          254944 kB
Cached:          9072356 kB
SwapCached:            0 kB
SReclaimable:     612400 kB
HugePages_Total:       0
";

    #[test]
    fn memory_is_counted_as_psutil_counts_it() {
        let memory = Memory::parse(MEMINFO).unwrap();
        assert_eq!(memory, Memory { total_mib: 24_019, used_mib: 3_432, available_mib: 20_245 });
    }

    #[test]
    fn caches_of_a_host_do_not_make_memory_negative() {
        let memory =
            Memory::parse("MemTotal: 1024 kB\nMemFree: 512 kB\nCached: 4096 kB\n").unwrap();
        assert_eq!((memory.used_mib, memory.available_mib), (0, 1));
        assert_eq!(Memory::parse("nonsense"), None);
    }
}
