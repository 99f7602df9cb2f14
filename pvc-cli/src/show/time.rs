//! Moments and how far they are apart, from UNIX milliseconds.

const DAY_S: u64 = 86_400;

/// A moment as `2026-11-25 20:39:30`, in UTC: the client need not be where the cluster is.
pub(crate) fn moment(ms: u64) -> String {
    let seconds = ms / 1000;
    let (year, month, day) = date(seconds / DAY_S);
    let of_day = seconds % DAY_S;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// How long after `since` something was, as `+2.5 s`; clocks that went back give `+0.0 s`.
pub(crate) fn after(since_ms: u64, ms: u64) -> String {
    let tenths = (ms.saturating_sub(since_ms) + 50) / 100;
    format!("+{}.{} s", tenths / 10, tenths % 10)
}

/// Year, month and day of a number of days since 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    let (mut year, mut day) = (1970, days);
    loop {
        let length = 365 + u64::from(is_leap(year));
        if day < length {
            break;
        }
        day -= length;
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day + 1)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_and_a_time() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399_999, "2000-02-28 23:59:59"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_704_067_199_000, "2023-12-31 23:59:59"),
            (1_764_103_170_123, "2025-11-25 20:39:30"),
            (4_107_542_400_000, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(moment(ms), text);
        }
    }

    #[test]
    fn what_comes_later_is_told_in_tenths() {
        assert_eq!(after(1000, 3549), "+2.5 s");
        assert_eq!(after(1000, 61_960), "+61.0 s");
        assert_eq!(after(1000, 900), "+0.0 s");
    }
}
