//! Views of arbitrary trees, built in any order.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use pvc_common::view::{Builder, View};
use pvc_common::zk::Version;

use crate::trees;

/// One thing that happens to a znode.
type Event = (String, Option<(Vec<u8>, Version)>);

fn path() -> impl Strategy<Value = String> {
    let known: Vec<String> = trees::upstream().into_keys().collect();
    prop_oneof![
        8 => proptest::sample::select(known),
        1 => "(/(domains|nodes|networks|ceph|config|faults|[a-z:0-9]{1,3})){1,6}",
        1 => any::<String>(),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let data = prop_oneof![
        2 => proptest::sample::select(vec!["start", "hv1", "1", "{}", "True", "None", ""])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..20),
    ];
    (path(), proptest::option::of((data, (0..9).prop_map(Version))))
}

fn built(events: impl IntoIterator<Item = Event>) -> View {
    let mut builder = Builder::full();
    for (path, data) in events {
        let data = data.as_ref().map(|(data, version)| (data.as_slice(), *version));
        builder.set(&path, data);
    }
    (*builder.snapshot()).clone()
}

/// What is in the tree after these events: what is below a znode goes with it.
fn left(events: &[Event]) -> BTreeMap<String, (Vec<u8>, Version)> {
    let mut tree: BTreeMap<String, (Vec<u8>, Version)> = BTreeMap::new();
    for (path, data) in events {
        match data {
            Some(data) => drop(tree.insert(path.clone(), data.clone())),
            None => {
                let below = format!("{path}/");
                tree.retain(|at, _| at != path && !at.starts_with(&below));
            }
        }
    }
    tree
}

/// As ZooKeeper tells of a znode's end: after that of everything below it.
fn orderly(events: Vec<Event>) -> Vec<Event> {
    let mut told: Vec<Event> = Vec::new();
    for (path, data) in events {
        if data.is_none() {
            let below = format!("{path}/");
            let mut ended: Vec<_> = left(&told).into_keys().collect();
            ended.retain(|at| at.starts_with(&below));
            told.extend(ended.into_iter().rev().map(|path| (path, None)));
        }
        told.push((path, data));
    }
    told
}

proptest! {
    #[test]
    fn a_view_says_what_is_in_the_tree_however_it_came_to_be(events in vec(event(), 0..40)) {
        let events = orderly(events);
        let there = left(&events);
        prop_assert_eq!(built(events), built(there.into_iter().map(|(path, data)| (path, Some(data)))));
    }

    #[test]
    fn what_is_read_last_or_first_makes_no_difference(
        events in vec(event(), 0..40).prop_map(|events| left(&events)).prop_map(Vec::from_iter).prop_shuffle()
    ) {
        let mut sorted = events.clone();
        sorted.sort();
        let read = |events: Vec<_>| built(events.into_iter().map(|(path, data)| (path, Some(data))));
        prop_assert_eq!(read(events), read(sorted));
    }

    #[test]
    fn what_is_unwanted_leaves_no_trace(path in path(), data in vec(any::<u8>(), 0..20)) {
        let builder = Builder::full();
        if !builder.wants(&path) {
            let view = built([(path, Some((data, Version(0))))]);
            prop_assert_eq!(view, View::default());
        }
    }
}
