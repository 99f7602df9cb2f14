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

impl Text for Claim {
    /// `hv1`, or `hv1 hv2` while the VM is on its way from `hv1` to `hv2`.
    fn encode(&self) -> String {
        match &self.incoming {
            None => self.holder.to_string(),
            Some(incoming) => format!("{} {incoming}", self.holder),
        }
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let mut words = text.split(' ');
        let holder = NodeName::decode(words.next().unwrap_or_default())?;
        let incoming = words.next().map(NodeName::decode).transpose()?;
        match words.next() {
            None => Ok(Self { holder, incoming }),
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
        let still = Claim { holder: node("hv1"), incoming: None };
        let moving = Claim { holder: node("hv1"), incoming: Some(node("hv2")) };
        assert_eq!(Claim::decode("hv1"), Ok(still.clone()));
        assert_eq!(Claim::decode("hv1 hv2"), Ok(moving.clone()));
        assert_eq!((still.encode(), moving.encode()), ("hv1".into(), "hv1 hv2".into()));
        for bad in ["", "hv1 hv2 hv3", "hv1 ", " hv1"] {
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
