//! Values that may be unset.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::{BadText, Text};
use crate::id::{MacAddress, VmUuid};
use crate::model::LocalTime;

/// Writes `$unset` where there is no value; reads every way upstream has of saying so.
macro_rules! optional {
    ($($value:ty, $expected:literal, $unset:literal;)+) => {
        $(impl Text for Option<$value> {
            fn encode(&self) -> String {
                self.as_ref().map_or_else(|| $unset.to_owned(), ToString::to_string)
            }

            fn decode(text: &str) -> Result<Self, BadText> {
                match text {
                    "" | "none" | "None" => Ok(None),
                    value => value.parse().map(Some).map_err(|_| {
                        BadText(format!("`{text}` is not {}, nor None", $expected))
                    }),
                }
            }
        })+
    };
}

// Upstream's node daemons compare with `None` where they look for an address or a domain.
optional! {
    u32, "a whole number", "";
    String, "a text", "None";
    Ipv4Addr, "an IPv4 address", "None";
    Ipv6Addr, "an IPv6 address", "None";
    Ipv4Net, "an IPv4 network", "None";
    Ipv6Net, "an IPv6 network", "None";
    VmUuid, "a UUID", "";
    MacAddress, "a MAC address", "";
}

impl Text for Option<LocalTime> {
    fn encode(&self) -> String {
        self.as_ref().map(LocalTime::encode).unwrap_or_default()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        match text {
            "" | "none" | "None" => Ok(None),
            time => LocalTime::decode(time).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_is_written_as_upstream_expects_it() {
        assert_eq!(None::<Ipv4Net>.encode(), "None");
        assert_eq!(None::<u32>.encode(), "");
        for unset in ["", "None", "none"] {
            assert_eq!(Option::<Ipv4Net>::decode(unset), Ok(None), "{unset:?}");
            assert_eq!(Option::<LocalTime>::decode(unset), Ok(None), "{unset:?}");
        }
    }

    #[test]
    fn an_impossible_address_is_told_what_was_expected() {
        let error = Option::<Ipv4Addr>::decode("10.0.0.999").unwrap_err();
        assert_eq!(error.to_string(), "`10.0.0.999` is not an IPv4 address, nor None");
    }
}
