//! Sizes of volumes, as people write and read them.

use std::fmt;
use std::str::FromStr;

/// A size in bytes.
///
/// People write it as a whole number with a unit of 1024, `10G`, in either case and with `i` or
/// `B` after it if they like; without a unit it is bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// Units of 1024, from one byte.
const UNITS: &str = "BKMGTPEZYRQ";

/// More digits than this are too many to read.
const READABLE: u64 = 9999;

/// Why a text is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSize {
    /// It does not begin with a whole number.
    #[error("`{0}` is not a size; expected a whole number and a unit, such as 10G")]
    NoNumber(String),
    /// The number is followed by something else.
    #[error("size `{0}` does not have a valid SI unit; expected one of B, K, M, G, T, P, E")]
    UnknownUnit(String),
    /// No storage holds that much.
    #[error("size `{0}` is more than any storage holds")]
    TooMuch(String),
}

impl FromStr for Bytes {
    type Err = BadSize;

    fn from_str(text: &str) -> Result<Self, BadSize> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        if number.is_empty() {
            return Err(BadSize::NoNumber(text.to_owned()));
        }
        let power = power(unit).ok_or_else(|| BadSize::UnknownUnit(text.to_owned()))?;
        let factor = 1024_u128.checked_pow(power);
        let number: Option<u128> = number.parse().ok();
        number
            .zip(factor)
            .and_then(|(number, factor)| number.checked_mul(factor))
            .and_then(|bytes| u64::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| BadSize::TooMuch(text.to_owned()))
    }
}

/// The power of 1024 that a unit stands for.
fn power(unit: &str) -> Option<u32> {
    let unit = unit.to_ascii_uppercase();
    let mut letters = unit.chars();
    let Some(first) = letters.next() else { return Some(0) };
    let known = UNITS.find(first)?;
    let rest = letters.as_str();
    let tolerated = rest.is_empty() || (first != 'B' && matches!(rest, "B" | "I" | "IB"));
    tolerated.then(|| u32::try_from(known).ok()).flatten()
}

impl fmt::Display for Bytes {
    /// In the smallest unit in which it has four digits at most, rounded up: `8192M`, `10G`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut amount = self.0;
        let mut units = UNITS.chars();
        let mut unit = units.next().unwrap_or('B');
        for larger in units {
            if amount <= READABLE {
                break;
            }
            // Rounding up again what was rounded up gives what rounding once does.
            (amount, unit) = (amount.div_ceil(1024), larger);
        }
        write!(f, "{amount}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("7B", 7),
            ("7b", 7),
            ("1k", 1024),
            ("10G", 10 << 30),
            ("10GiB", 10 << 30),
            ("10gb", 10 << 30),
            ("3Ti", 3 << 40),
            ("15E", 15 << 60),
            ("0Q", 0),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_told_by_what_is_wrong_with_it() {
        for text in ["", "G", "-1G", " 1G", "ten"] {
            assert_eq!(text.parse::<Bytes>(), Err(BadSize::NoNumber(text.to_owned())));
        }
        for text in ["1.5G", "10X", "10GG", "10 G", "1Bi", "1G;", "1Ğ"] {
            assert_eq!(text.parse::<Bytes>(), Err(BadSize::UnknownUnit(text.to_owned())));
        }
        for text in ["16E", "1Z", "99999999999999999999999999999999999999999999"] {
            assert_eq!(text.parse::<Bytes>(), Err(BadSize::TooMuch(text.to_owned())));
        }
    }

    #[test]
    fn a_size_is_shown_in_the_smallest_unit_that_is_readable() {
        for (bytes, shown) in [
            (0, "0B"),
            (9999, "9999B"),
            (10_000, "10K"),
            (8 << 30, "8192M"),
            (10 << 30, "10G"),
            ((10 << 30) + 1, "11G"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), shown);
        }
    }
}
