//! Hardware addresses.

use std::fmt;
use std::str::FromStr;

use super::BadId;

/// The hardware address of a network interface, written in lower case with colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// Whether it is the address of one interface: not that of a group, nor nothing but zeros.
    #[must_use]
    pub const fn is_of_one(self) -> bool {
        let [a, b, c, d, e, g] = self.0;
        a & 1 == 0 && (a | b | c | d | e | g) != 0
    }
}

impl FromStr for MacAddress {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        parse(text).map(Self).ok_or_else(|| {
            BadId::new(text, "MAC address", "six pairs of hex digits such as 52:54:00:12:34:56")
        })
    }
}

fn parse(text: &str) -> Option<[u8; 6]> {
    let mut octets = [0; 6];
    let mut pairs = text.split(':');
    for octet in &mut octets {
        let pair = pairs.next()?;
        let digits = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        *octet = u8::from_str_radix(pair, 16).ok().filter(|_| digits)?;
    }
    pairs.next().is_none().then_some(octets)
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_in_lower_case() {
        let mac: MacAddress = "52:54:00:AA:bb:0c".parse().unwrap();
        assert_eq!(mac.to_string(), "52:54:00:aa:bb:0c");
        for bad in
            ["", "52:54:00:aa:bb", "52:54:00:aa:bb:cc:dd", "52:54:00:aa:bb:+c", "525400aabbcc"]
        {
            assert!(bad.parse::<MacAddress>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_group_and_nobody_have_addresses_of_their_own() {
        for (text, of_one) in [
            ("52:54:00:00:00:01", true),
            ("01:00:5e:00:00:01", false),
            ("ff:ff:ff:ff:ff:ff", false),
            ("00:00:00:00:00:00", false),
        ] {
            assert_eq!(text.parse::<MacAddress>().unwrap().is_of_one(), of_one, "{text}");
        }
    }
}
