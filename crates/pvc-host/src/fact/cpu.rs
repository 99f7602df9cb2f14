//! Processors and how busy they are.

/// The number of processors in a list such as `0-3,8` (`/sys/devices/system/cpu/online`).
///
/// `None` if it is no such list.
#[must_use]
pub fn count_cpus(list: &str) -> Option<u32> {
    list.trim().split(',').try_fold(0_u32, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        sum.checked_add(last.checked_sub(first)? + 1)
    })
}

/// The load average of the last minute, from `/proc/loadavg`.
///
/// `None` if the text is no such file.
#[must_use]
pub fn load_average(loadavg: &str) -> Option<f64> {
    loadavg.split_ascii_whitespace().next()?.parse().ok()
}

/// How long all processors together were busy since the machine started, in the kernel's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// At work.
    pub busy: u64,
    /// At work or idle.
    pub total: u64,
}

impl CpuTime {
    /// Understands `/proc/stat`; `None` if it is no such file.
    #[must_use]
    pub fn parse(stat: &str) -> Option<Self> {
        let fields = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        // What guests take is part of user and nice already.
        let fields = fields.split_ascii_whitespace().take(8).map(|field| field.parse().ok());
        let fields: Vec<u64> = fields.collect::<Option<_>>()?;
        let total: u64 = fields.iter().sum();
        let idle: u64 = fields.get(3..5)?.iter().sum();
        Some(Self { busy: total - idle, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_counted_by_range() {
        assert_eq!(count_cpus("0-15\n"), Some(16));
        assert_eq!(count_cpus("0"), Some(1));
        assert_eq!(count_cpus("0-3,8,10-11"), Some(7));
        assert_eq!(count_cpus(""), None);
        assert_eq!(count_cpus("3-1"), None);
    }

    #[test]
    fn idle_is_what_waits_for_nothing_and_what_waits_for_disks() {
        let stat = "cpu  10 1 5 100 20 2 2 1 7 0\ncpu0 1 2 3 4 5 6 7 8 9 0\nintr 1\n";
        assert_eq!(CpuTime::parse(stat), Some(CpuTime { busy: 21, total: 141 }));
        for bad in ["", "cpu  1 2 3\n", "cpu  a b c d e\n"] {
            assert_eq!(CpuTime::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_load_is_that_of_one_minute() {
        assert_eq!(load_average("0.52 0.58 0.59 1/467 12345\n"), Some(0.52));
        assert_eq!(load_average(""), None);
    }
}
