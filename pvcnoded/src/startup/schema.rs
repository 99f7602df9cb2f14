//! Which layout of the tree is in force, and when it is raised.
//!
//! `/schema/version` is the truth for every node. A daemon that could use a newer layout says so
//! in its record; the last node to be upgraded finds that all can, and raises it. Every other
//! daemon sees the version change and replaces itself by a fresh process (same PID, no VM is
//! touched), which reads the tree in the new layout.

use std::collections::BTreeMap;

use pvc_common::id::NodeName;

/// What to do about the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// There is no cluster in this tree yet.
    Uninitialised,
    /// Go on with the layout in force.
    Use(u32),
    /// Every node can use a newer layout: raise it, then go on with that.
    Raise {
        /// The layout in force.
        from: u32,
        /// The newest one, that every node knows.
        to: u32,
    },
    /// The tree has a layout that this daemon is too old for.
    TooNew(u32),
}

/// Decides, given the layout in force, the newest one this daemon knows, and the newest that
/// each recorded node says it knows.
///
/// A node that does not say (`None`) holds back the change: it could not read what comes.
#[must_use]
pub fn choose(
    in_force: Option<u32>,
    me: &NodeName,
    latest: u32,
    known: &BTreeMap<NodeName, Option<u32>>,
) -> Choice {
    match in_force {
        None => Choice::Uninitialised,
        Some(version) if version > latest => Choice::TooNew(version),
        Some(version) if version == latest => Choice::Use(version),
        Some(version) => {
            let others = known.iter().filter(|(node, _)| *node != me);
            let all = others.map(|(_, newest)| *newest).all(|newest| newest >= Some(latest));
            if all { Choice::Raise { from: version, to: latest } } else { Choice::Use(version) }
        }
    }
}

/// Who holds back a newer layout, for telling people.
#[must_use]
pub fn held_back_by<'a>(
    me: &NodeName,
    latest: u32,
    known: &'a BTreeMap<NodeName, Option<u32>>,
) -> Vec<&'a NodeName> {
    let behind = |node: &NodeName, newest: Option<u32>| node != me && newest < Some(latest);
    known.iter().filter(|(node, newest)| behind(node, **newest)).map(|(node, _)| node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    fn check(in_force: Option<u32>, others: &[(&str, Option<u32>)]) -> Choice {
        let known = others.iter().map(|(name, newest)| (node(name), *newest)).collect();
        choose(in_force, &node("hv1"), 16, &known)
    }

    #[test]
    fn the_last_node_to_be_upgraded_raises_the_layout() {
        let raise = Choice::Raise { from: 15, to: 16 };
        assert_eq!(check(Some(15), &[("hv2", Some(15))]), Choice::Use(15));
        assert_eq!(check(Some(15), &[("hv2", Some(16)), ("hv3", Some(15))]), Choice::Use(15));
        assert_eq!(check(Some(15), &[("hv2", Some(16)), ("hv3", Some(16))]), raise);
        assert_eq!(check(Some(15), &[("hv1", Some(15)), ("hv2", Some(16))]), raise);
        assert_eq!(check(Some(15), &[("hv2", Some(17))]), raise);
    }

    #[test]
    fn a_node_that_does_not_say_holds_the_layout_back() {
        assert_eq!(check(Some(15), &[("hv2", None)]), Choice::Use(15));
        let known = BTreeMap::from([(node("hv2"), None), (node("hv3"), Some(16))]);
        assert_eq!(held_back_by(&node("hv1"), 16, &known), [&node("hv2")]);
    }

    #[test]
    fn the_layout_in_force_is_the_truth() {
        assert_eq!(check(None, &[]), Choice::Uninitialised);
        assert_eq!(check(Some(16), &[("hv2", Some(15))]), Choice::Use(16));
        assert_eq!(check(Some(17), &[]), Choice::TooNew(17));
    }
}
