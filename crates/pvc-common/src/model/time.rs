//! Dates as people read them on a wall clock.

use std::fmt;

use crate::zk::{BadText, Text};

/// A date and time of day on the clock of the node that wrote it, without a time zone.
///
/// Good for showing and sorting. No decision may rest on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// The value of two or four digits.
fn digits<T: TryFrom<u16>>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<u16>().ok().filter(|_| digits).and_then(|number| T::try_from(number).ok())
}

/// `2024-01-31 12:00:59`. A leap second is a time like any other.
fn parse(text: &str) -> Option<LocalTime> {
    if text.len() != 19 || !text.is_ascii() {
        return None;
    }
    let separators = [(4, '-'), (7, '-'), (10, ' '), (13, ':'), (16, ':')];
    if separators.iter().any(|(at, c)| !text[*at..].starts_with(*c)) {
        return None;
    }
    let time = LocalTime {
        year: digits(&text[0..4])?,
        month: digits(&text[5..7])?,
        day: digits(&text[8..10])?,
        hour: digits(&text[11..13])?,
        minute: digits(&text[14..16])?,
        second: digits(&text[17..19])?,
    };
    let possible = (1..=12).contains(&time.month)
        && (1..=31).contains(&time.day)
        && time.hour < 24
        && time.minute < 60
        && time.second <= 60;
    possible.then_some(time)
}

impl Text for LocalTime {
    fn encode(&self) -> String {
        self.to_string()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        parse(text).ok_or_else(|| {
            BadText(format!("`{text}` is not a time: expected the form 2024-01-31 12:00:59"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_written_and_sorts_by_age() {
        let early = LocalTime::decode("2023-12-31 23:59:59").unwrap();
        let late = LocalTime::decode("2024-01-01 00:00:00").unwrap();
        assert!(early < late);
        assert_eq!(late.encode(), "2024-01-01 00:00:00");
    }

    #[test]
    fn what_no_clock_shows_is_refused() {
        for bad in [
            "",
            "2024-01-01",
            "2024-13-01 00:00:00",
            "2024-01-00 00:00:00",
            "2024-01-01 24:00:00",
            "2024-01-01T00:00:00",
            "+024-01-01 00:00:00",
            "2024-01-01 00:00:0é",
        ] {
            assert!(LocalTime::decode(bad).is_err(), "{bad:?}");
        }
    }
}
