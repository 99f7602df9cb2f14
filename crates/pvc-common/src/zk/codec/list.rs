//! Lists in one text.

use std::net::IpAddr;
use std::str::FromStr;

use super::{BadText, Text};
use crate::id::{NodeName, PluginName, SnapshotId, VmUuid, VolumeId};

fn join<T: ToString>(items: &[T], separator: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

/// The items between `separator`s. Nothing, `None` and empty items stand for no item.
fn split<T: FromStr>(text: &str, separator: &str) -> Result<Vec<T>, BadText>
where
    T::Err: ToString,
{
    if matches!(text, "none" | "None") {
        return Ok(Vec::new());
    }
    text.split(separator)
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| item.parse().map_err(|bad: T::Err| BadText(bad.to_string())))
        .collect()
}

macro_rules! lists {
    ($($item:ty, $separator:literal;)+) => {
        $(impl Text for Vec<$item> {
            fn encode(&self) -> String {
                join(self, $separator)
            }

            fn decode(text: &str) -> Result<Self, BadText> {
                split(text, $separator)
            }
        })+
    };
}

lists! {
    NodeName, ",";
    VolumeId, ",";
    SnapshotId, ",";
    PluginName, " ";
}

impl Text for Vec<IpAddr> {
    fn encode(&self) -> String {
        join(self, ",")
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        split(text, ",").map_err(|_| BadText(format!("`{text}` is not a list of IP addresses")))
    }
}

impl Text for Vec<VmUuid> {
    fn encode(&self) -> String {
        join(self, " ")
    }

    /// Upstream writes `0` when a node is new.
    fn decode(text: &str) -> Result<Self, BadText> {
        split(if text.trim() == "0" { "" } else { text }, " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_survive_upstreams_ways_of_saying_nothing() {
        for nothing in ["", "None", "none", ","] {
            assert_eq!(Vec::<NodeName>::decode(nothing), Ok(vec![]), "{nothing:?}");
        }
        assert_eq!(Vec::<VmUuid>::decode("0"), Ok(vec![]));
        let nodes = Vec::<NodeName>::decode("hv1, hv2").unwrap();
        assert_eq!(nodes.encode(), "hv1,hv2");
    }

    #[test]
    fn one_bad_item_is_named() {
        let error = Vec::<VolumeId>::decode("vms/a,b").unwrap_err();
        assert_eq!(error.to_string(), "`b` is not a volume: expected pool/volume");
        assert!(Vec::<IpAddr>::decode("10.0.0.1,x").is_err());
    }
}
