//! Places on the PCI bus.

use std::fmt;
use std::str::FromStr;

use super::BadId;

/// Where a device is on the PCI bus, written as the kernel does: `0000:3b:0a.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    slot: u8,
    function: u8,
}

impl PciAddress {
    /// The address of these numbers.
    ///
    /// `None` if there is no such slot (32 of a bus) or function (8 of a slot).
    #[must_use]
    pub const fn new(domain: u32, bus: u8, slot: u8, function: u8) -> Option<Self> {
        if slot < 32 && function < 8 { Some(Self { domain, bus, slot, function }) } else { None }
    }

    /// Domain, bus, slot and function in hex without `0x`, each padded as the kernel does.
    #[must_use]
    pub fn parts(self) -> [String; 4] {
        let Self { domain, bus, slot, function } = self;
        [
            format!("{domain:04x}"),
            format!("{bus:02x}"),
            format!("{slot:02x}"),
            format!("{function:x}"),
        ]
    }

    /// The address whose parts are these, in hex with or without `0x`.
    #[must_use]
    pub fn of_parts([domain, bus, slot, function]: [&str; 4]) -> Option<Self> {
        let number = |text: &str| {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
            u32::from_str_radix(digits, 16).ok().filter(|_| plain)
        };
        let byte = |text: &str| u8::try_from(number(text)?).ok();
        Self::new(number(domain)?, byte(bus)?, byte(slot)?, byte(function)?)
    }
}

impl FromStr for PciAddress {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let parsed = || {
            let (rest, function) = text.rsplit_once('.')?;
            let mut parts = rest.split(':');
            let (domain, bus, slot) = (parts.next()?, parts.next()?, parts.next()?);
            parts.next().is_none().then(|| Self::of_parts([domain, bus, slot, function]))?
        };
        parsed().ok_or_else(|| BadId::new(text, "PCI address", "one such as 0000:3b:0a.2"))
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [domain, bus, slot, function] = self.parts();
        write!(f, "{domain}:{bus}:{slot}.{function}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_the_kernel_does() {
        let address: PciAddress = "0000:3b:0A.2".parse().unwrap();
        assert_eq!(address.to_string(), "0000:3b:0a.2");
        assert_eq!(address.parts(), ["0000", "3b", "0a", "2"]);
        assert_eq!(PciAddress::of_parts(["0x0000", "0x3b", "0x0a", "0x2"]), Some(address));
        let far: PciAddress = "10000:e1:00.0".parse().unwrap();
        assert_eq!(far.to_string(), "10000:e1:00.0", "behind a volume management device");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "3b:0a.2",
            "0000:3b:0a",
            "0000:3b:20.0",
            "0000:3b:0a.8",
            "0000:100:0a.2",
            "0:1:2:3.4",
            "0000:3b:+a.2",
        ] {
            assert!(bad.parse::<PciAddress>().is_err(), "{bad:?}");
        }
    }
}
