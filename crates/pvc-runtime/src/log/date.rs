//! The local date of a log line.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, shown in local time as `2026/11/21 04:08:01.123456`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Date(Duration);

impl Date {
    pub(super) fn now() -> Self {
        // A clock before 1970 is shown as 1970: a log line is not worth failing for.
        Self(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = local(libc::time_t::try_from(self.0.as_secs()).unwrap_or(libc::time_t::MAX));
        write!(
            f,
            "{:04}/{:02}/{:02} {:02}:{:02}:{:02}.{:06}",
            time.tm_year + 1900,
            time.tm_mon + 1,
            time.tm_mday,
            time.tm_hour,
            time.tm_min,
            time.tm_sec,
            self.0.subsec_micros()
        )
    }
}

/// The local time of day as faults carry it, such as `2026-11-21 04:08:01`.
#[must_use]
pub fn local_time() -> String {
    let shown = Date::now().to_string();
    let seconds = shown.split('.').next().unwrap_or_default();
    seconds.replace('/', "-")
}

#[expect(unsafe_code, reason = "the standard library knows no time zones")]
fn local(seconds: libc::time_t) -> libc::tm {
    // SAFETY: `tm` is plain data for which zeros are valid, and both pointers are to live locals.
    unsafe {
        let mut time: libc::tm = std::mem::zeroed();
        libc::localtime_r(&raw const seconds, &raw mut time);
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_upstreams_form() {
        let shown = Date(Duration::from_micros(1_700_000_000_000_042)).to_string();
        assert!(shown.starts_with("2023/11/1"), "{shown}");
        assert!(shown.ends_with(":20.000042"), "{shown}");
        assert_eq!(shown.len(), "2023/11/14 22:13:20.000042".len());
    }
}
