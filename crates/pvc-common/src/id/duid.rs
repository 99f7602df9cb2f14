//! How clients of DHCP identify themselves.

use std::fmt;
use std::str::FromStr;

use super::BadId;

/// The longest that the protocols permit, in bytes.
const LONGEST: usize = 255;

/// The identity of a client of DHCP: bytes that mean nothing to others, as pairs of hex digits in
/// lower case with colons.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duid(Box<str>);

impl FromStr for Duid {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
        if text.len() < LONGEST * 3 && text.split(':').all(pair) {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            let expected = "pairs of hex digits with colons, such as 01:52:54:00:12:34:56";
            Err(BadId::new(text, "client id", expected))
        }
    }
}

impl fmt::Display for Duid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_is_pairs_of_hex_digits() {
        for (text, id) in [("01:52:AB", "01:52:ab"), ("ff", "ff")] {
            assert_eq!(text.parse::<Duid>().unwrap().to_string(), id);
        }
        let long = vec!["00"; 256].join(":");
        for bad in ["", "*", "1", "01:", "01 02", "01:+2", "01\n02", &long] {
            assert!(bad.parse::<Duid>().is_err(), "{bad:?}");
        }
    }
}
