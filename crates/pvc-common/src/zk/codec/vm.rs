//! Text forms of the values that belong to VMs: where they are, and who may be running them.

use super::{BadText, Text};
use crate::id::NodeName;
use crate::model::{Claim, Origin};

impl Text for Option<NodeName> {
    fn encode(&self) -> String {
        self.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        match text {
            "" | "none" | "None" => Ok(None),
            name => NodeName::decode(name).map(Some),
        }
    }
}

/// What stands for a node that has yet to speak for itself; no node can have this name.
const ARRIVING: &str = "?";

impl Text for Claim {
    /// `hv1`; `hv1 hv2` while the VM is on its way from `hv1` to `hv2`; `hv2 ?` when it has come
    /// there, until `hv2` says so itself.
    fn encode(&self) -> String {
        match &self.incoming {
            None if self.arriving => format!("{} {ARRIVING}", self.holder),
            None => self.holder.to_string(),
            Some(incoming) => format!("{} {incoming}", self.holder),
        }
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let mut words = text.split(' ');
        let holder = NodeName::decode(words.next().unwrap_or_default())?;
        let second = words.next();
        let arriving = second == Some(ARRIVING);
        let incoming = second.filter(|_| !arriving).map(NodeName::decode).transpose()?;
        match words.next() {
            None => Ok(Self { holder, incoming, arriving }),
            Some(_) => Err(BadText(format!("`{text}` is not a claim: expected one or two nodes"))),
        }
    }
}

impl Text for Option<Origin> {
    /// `hv1 hv3`: from node `hv1`, whose VM was at home on `hv3`; `-` for at home.
    fn encode(&self) -> String {
        self.as_ref().map_or_else(String::new, |origin| {
            let last = origin.last_node.as_ref().map_or("-", NodeName::as_str);
            format!("{} {last}", origin.node)
        })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        if text.is_empty() {
            return Ok(None);
        }
        let bad =
            || BadText(format!("`{text}` is not the origin of a migration: expected two nodes"));
        let (node, last) = text.split_once(' ').ok_or_else(bad)?;
        let last_node = if last == "-" { None } else { Some(NodeName::decode(last)?) };
        Ok(Some(Origin { node: NodeName::decode(node)?, last_node }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    #[test]
    fn a_claim_names_its_holder_and_where_the_vm_is_going() {
        for (text, claim) in [
            ("hv1", Claim::of(node("hv1"))),
            ("hv1 hv2", Claim::moving(node("hv1"), node("hv2"))),
            ("hv2 ?", Claim::arriving(node("hv2"))),
        ] {
            assert_eq!(Claim::decode(text), Ok(claim.clone()));
            assert_eq!(claim.encode(), text);
        }
        for bad in ["", "hv1 hv2 hv3", "hv1 ", " hv1", "?", "hv1 ? hv2", "hv1 hv2 ?"] {
            assert!(Claim::decode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_origin_remembers_a_home_or_none() {
        for origin in [
            None,
            Some(Origin { node: node("hv1"), last_node: None }),
            Some(Origin { node: node("hv1"), last_node: Some(node("hv3")) }),
        ] {
            assert_eq!(Option::<Origin>::decode(&origin.encode()), Ok(origin));
        }
    }
}
