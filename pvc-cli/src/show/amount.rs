//! Sizes and ages for people.

/// An amount of bytes in the largest unit that keeps it at 1 or more.
pub(crate) fn bytes(amount: u64) -> String {
    scaled(amount, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// An amount of KiB in the largest unit that keeps it at 1 or more.
pub(crate) fn kib(amount: u64) -> String {
    scaled(amount, &["KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// An amount of MiB as GiB, with one decimal place.
pub(crate) fn gib(mib: u64) -> String {
    format!("{}.{} GiB", mib / 1024, mib % 1024 * 10 / 1024)
}

fn scaled(amount: u64, units: &[&str]) -> String {
    let mut whole = amount;
    let mut rest = 0;
    let mut unit = 0;
    while whole >= 1024 && unit + 1 < units.len() {
        rest = whole % 1024;
        whole /= 1024;
        unit += 1;
    }
    if unit == 0 {
        format!("{whole} {}", units[unit])
    } else {
        format!("{whole}.{} {}", rest * 10 / 1024, units[unit])
    }
}

/// A count in the smallest unit of 1000 in which it has four digits at most, rounded up.
pub(crate) fn count(amount: u64) -> String {
    let mut amount = amount;
    let mut units = ["", "K", "M", "B", "T", "Q"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if amount <= 9999 {
            break;
        }
        (amount, unit) = (amount.div_ceil(1000), larger);
    }
    format!("{amount}{unit}")
}

/// An age in its largest unit, such as `3 hours`.
pub(crate) fn age(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let (count, unit) = units
        .iter()
        .find(|(size, _)| seconds >= *size)
        .map_or((seconds, "second"), |(size, unit)| ((seconds + size / 2) / size, *unit));
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_shown_in_its_largest_unit() {
        assert_eq!(kib(0), "0 KiB");
        assert_eq!(kib(1023), "1023 KiB");
        assert_eq!(kib(1536), "1.5 MiB");
        assert_eq!(kib(u64::MAX), "16777215.9 PiB");
        assert_eq!(gib(2560), "2.5 GiB");
    }

    #[test]
    fn a_count_is_shown_in_the_smallest_unit_that_is_readable() {
        let shown = [0, 9999, 10_000, 10_001, 9_999_000, 9_999_001].map(count);
        assert_eq!(shown, ["0", "9999", "10K", "11K", "9999K", "10M"]);
        assert_eq!(count(u64::MAX), "18447Q");
    }

    #[test]
    fn an_age_is_shown_in_its_largest_unit() {
        assert_eq!(age(1), "1 second");
        assert_eq!(age(59), "59 seconds");
        assert_eq!(age(60), "1 minute");
        assert_eq!(age(5_400), "2 hours");
        assert_eq!(age(200_000), "2 days");
    }
}
