//! Fractions, as people write them: how much data an OSD takes, and how large its database is.

use std::fmt;
use std::str::FromStr;

use super::Bytes;

/// Why a text is not such a fraction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: expected a number {expected}")]
pub struct BadFraction {
    text: String,
    kind: &'static str,
    expected: &'static str,
}

/// The number in units of `1 / scale`, if it is one without sign and exponent.
fn fixed(text: &str, scale: u32) -> Option<u64> {
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    if text.len() > 20 || !text.chars().all(plain) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    let scaled = (number * f64::from(scale)).round();
    // Twenty digits of at most 2^32 each fit; what is too much is refused by the caller.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    Some(scaled as u64)
}

/// The share of the data that an OSD takes, compared with others: Ceph's CRUSH weight, which it
/// keeps in 65536ths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u32);

impl Weight {
    const SCALE: u32 = 1 << 16;
    /// More than the terabytes of any disk.
    const MOST: u32 = 10_000;

    /// What Ceph tells as a fraction.
    #[must_use]
    pub fn of(fraction: f64) -> Option<Self> {
        let sound = (0.0..=f64::from(Self::MOST)).contains(&fraction);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
        sound.then(|| Self((fraction * f64::from(Self::SCALE)).round() as u32))
    }

    /// Whether Ceph may have made that of it: it reckons with 24 binary digits.
    #[must_use]
    pub const fn is_like(self, other: Self) -> bool {
        self.0.abs_diff(other.0) <= 1 + (self.0 >> 23)
    }
}

impl FromStr for Weight {
    type Err = BadFraction;

    /// `1.0`, `0.5`, `3`.
    fn from_str(text: &str) -> Result<Self, BadFraction> {
        let limit = u64::from(Self::SCALE) * u64::from(Self::MOST);
        let scaled = fixed(text, Self::SCALE).filter(|scaled| *scaled <= limit);
        scaled.and_then(|scaled| u32::try_from(scaled).ok()).map(Self).ok_or_else(|| BadFraction {
            text: text.chars().take(80).collect(),
            kind: "weight",
            expected: "from 0 to 10000",
        })
    }
}

impl fmt::Display for Weight {
    /// Exactly: one that is rounded down would be read as another.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / f64::from(Self::SCALE))
    }
}

/// A part of a whole, in millionths: more than none and less than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u32);

impl Ratio {
    const SCALE: u32 = 1_000_000;

    /// That part of so many bytes, rounded down.
    #[must_use]
    pub fn of(self, whole: Bytes) -> Bytes {
        let part = u128::from(whole.0) * u128::from(self.0) / u128::from(Self::SCALE);
        Bytes(u64::try_from(part).unwrap_or(whole.0))
    }
}

impl FromStr for Ratio {
    type Err = BadFraction;

    /// `0.05`.
    fn from_str(text: &str) -> Result<Self, BadFraction> {
        let scaled = fixed(text, Self::SCALE).and_then(|scaled| u32::try_from(scaled).ok());
        scaled.filter(|scaled| (1..Self::SCALE).contains(scaled)).map(Self).ok_or_else(|| {
            BadFraction {
                text: text.chars().take(80).collect(),
                kind: "ratio",
                expected: "between 0 and 1",
            }
        })
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.6}", f64::from(self.0) / f64::from(Self::SCALE));
        f.write_str(text.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_what_ceph_tells_of_it() {
        for (text, told) in
            [("1.0", 1.0), ("1", 1.0), ("0.7", 0.699_996_948_242_187_5), ("0", 0.0), (".5", 0.5)]
        {
            assert_eq!(text.parse().ok(), Weight::of(told), "{text}");
        }
        for bad in ["", ".", "-1", "1e3", "inf", "NaN", "10000.5", "1,5", "99999999999999999999"] {
            assert!(bad.parse::<Weight>().is_err(), "{bad:?}");
        }
        assert_eq!([Weight::of(-1.0), Weight::of(f64::NAN)], [None, None]);
    }

    #[test]
    fn a_weight_is_shown_as_it_reads_back() {
        for text in ["1", "0.5", "0", "3.638", "0.7", "10000"] {
            let weight: Weight = text.parse().unwrap();
            assert_eq!(weight.to_string().parse(), Ok(weight), "{text} as {weight}");
        }
        let odd = Weight(45_876);
        assert_eq!(
            (odd.to_string().as_str(), odd.to_string().parse()),
            ("0.70001220703125", Ok(odd))
        );
        assert!(odd.is_like(Weight(45_875)) && !odd.is_like(Weight(45_874)));
        assert_eq!("1.50".parse::<Weight>().unwrap().to_string(), "1.5");
    }

    #[test]
    fn a_ratio_is_a_true_part() {
        let ratio: Ratio = "0.05".parse().unwrap();
        assert_eq!((ratio.of(Bytes(1000)), ratio.to_string().as_str()), (Bytes(50), "0.05"));
        for bad in ["", "0", "1", "1.5", "-0.1", "5%", "0.0000001"] {
            assert!(bad.parse::<Ratio>().is_err(), "{bad:?}");
        }
    }
}
