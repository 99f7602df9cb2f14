//! The QEMUs of all hosts, as this machine sees them.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Lab;

/// What the kernel counts the start of a process in, on every machine there is.
const TICK: Duration = Duration::from_millis(10);

impl Lab {
    /// When the youngest QEMU of a VM began to run on any host, since the UNIX epoch by the clock
    /// that all hosts share with this machine; nothing if there is none.
    #[must_use]
    pub fn qemu_began(&self, vm: &str) -> Option<Duration> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let up = Duration::try_from_secs_f64(uptime.split(' ').next()?.parse().ok()?).ok()?;
        let guest = format!("guest={vm},");
        let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        // A process may end while it is looked at.
        let starts = processes.filter_map(|process| {
            let words = fs::read(process.path().join("cmdline")).ok()?;
            let is_its = words.windows(guest.len()).any(|part| part == guest.as_bytes());
            is_its.then(|| start(&fs::read_to_string(process.path().join("stat")).ok()?)).flatten()
        });
        Some((now + starts.max()?).saturating_sub(up))
    }
}

/// How long after the machine's own start a process began, of its line in `/proc/PID/stat`.
fn start(stat: &str) -> Option<Duration> {
    // The name in parentheses, the second field, may hold anything; the start is the 22nd.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u32 = fields.split_whitespace().nth(19)?.parse().ok()?;
    Some(TICK * ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_found_behind_any_name() {
        let stat = "42 (CPU 0/TCG (x)) S 1 42 42 0 -1 4194624 1 0 0 0 5 3 0 0 20 0 4 0 12345 9 9\n";
        assert_eq!(start(stat), Some(Duration::from_millis(123_450)));
    }
}
