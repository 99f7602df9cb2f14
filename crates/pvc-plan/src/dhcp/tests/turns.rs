//! Which events are seen to.

use std::collections::BTreeMap;

use pvc_common::view::{Builder, Scope};
use pvc_common::zk::Op;

use super::*;

/// What there is below the network, by path.
type Tree = BTreeMap<String, Vec<u8>>;

/// The tree once the primary has seen to an event.
fn after(tree: &Tree, event: &Event) -> Tree {
    let mut builder = Builder::new(Scope::Decisions);
    builder.set("/networks/1000", Some((b"office", Version(0))));
    for (path, data) in tree {
        builder.set(path, Some((data, Version(0))));
    }
    let view = builder.snapshot();
    let mut tree = tree.clone();
    let network = Some(view.networks[&vni()].as_ref());
    if let Verdict::Write(ops) = verdict(vni(), network, event, true, &seen(())) {
        for op in ops {
            match op {
                Op::Create { path, data } | Op::Set { path, data, .. } => {
                    tree.insert(path, data);
                }
                Op::Delete { path, .. } => drop(tree.remove(&path)),
                Op::CreateEphemeral { .. } | Op::Check { .. } => {}
            }
        }
    }
    tree
}

/// Trees, and which one each event makes of each.
struct Trees<'a> {
    events: &'a [Event],
    all: Vec<Tree>,
    numbers: BTreeMap<Tree, usize>,
    next: BTreeMap<(usize, usize), usize>,
}

impl Trees<'_> {
    fn step(&mut self, tree: usize, event: usize) -> usize {
        if let Some(next) = self.next.get(&(tree, event)) {
            return *next;
        }
        let made = after(&self.all[tree], &self.events[event]);
        let number = *self.numbers.entry(made.clone()).or_insert(self.all.len());
        if number == self.all.len() {
            self.all.push(made);
        }
        self.next.insert((tree, event), number);
        number
    }

    fn run(&mut self, tree: usize, events: &[usize]) -> usize {
        events.iter().fold(tree, |tree, event| self.step(tree, *event))
    }
}

/// Whether the tree ends the same without the events that are outdated, whatever four events come
/// over whatever two others have left.
fn nothing_is_lost_of(texts: &[String]) {
    let events: Vec<Event> = texts.iter().map(|text| text.parse().unwrap()).collect();
    let numbers = [(Tree::new(), 0)].into();
    let mut trees =
        Trees { events: &events, all: vec![Tree::new()], numbers, next: BTreeMap::new() };
    let many = events.len();
    let starts: BTreeSet<usize> = (0..many)
        .flat_map(|a| (0..many).map(move |b| [a, b]))
        .map(|two| trees.run(0, &two))
        .collect();
    let mut left_out = 0;
    for number in 0..many.pow(4) {
        let told = [0, 1, 2, 3].map(|place| number / many.pow(place) % many);
        let numbered = (0..).zip(told).map(|(n, event)| (n, vni(), &events[event]));
        let outdated = outdated(numbered.collect::<Vec<_>>().into_iter());
        if outdated.is_empty() {
            continue;
        }
        left_out += outdated.len();
        let is_left = |(n, _): &(u64, usize)| !outdated.contains(n);
        let left: Vec<usize> = (0..).zip(told).filter(is_left).map(|it| it.1).collect();
        for start in &starts {
            let (whole, short) = (trees.run(*start, &told), trees.run(*start, &left));
            let shown = || told.map(|event| &texts[event]);
            assert_eq!(trees.all[whole], trees.all[short], "{:#?}", shown());
        }
    }
    assert!(left_out > many.pow(3), "{left_out}");
}

#[test]
fn nothing_is_lost_with_an_event_after_which_a_later_one_says_all() {
    let mut texts = Vec::new();
    for (mac, ip) in [("0a", 100), ("0a", 101), ("0b", 100), ("0b", 101)] {
        for (what, name, end) in [("held", "*", 6000), ("held", "web1", 7000), ("gone", "*", 7000)]
        {
            texts.push(format!("{what} v4 52:54:00:00:00:{mac} 10.1.0.{ip} {name} {end} *"));
        }
    }
    nothing_is_lost_of(&texts);
}

#[test]
fn nothing_is_lost_with_an_event_of_ipv6_either() {
    let mut texts = Vec::new();
    for (duid, ip) in [("00:0a", 5), ("00:0a", 6), ("00:0b", 5), ("00:0b", 6)] {
        let mac = "52:54:00:00:00:02";
        for (what, name, mac) in [("held", "*", "*"), ("held", "web1", mac), ("gone", "*", "*")] {
            texts.push(format!("{what} v6 {duid} 7 2001:db8:1::{ip} {name} 6000 {mac}"));
        }
    }
    nothing_is_lost_of(&texts);
}

/// The events that are left of these.
fn left(texts: &[&str]) -> Vec<String> {
    let events: Vec<Event> = texts.iter().map(|text| text.parse().unwrap()).collect();
    let numbered: Vec<_> = (0..).zip(&events).map(|(n, event)| (n, vni(), event)).collect();
    let outdated = outdated(numbered.into_iter());
    let left = (0..).zip(&events).filter(|(n, _)| !outdated.contains(n));
    left.map(|(_, event)| event.to_string()).collect()
}

#[test]
fn of_a_guest_that_never_rests_few_events_are_left() {
    let held =
        |name: &str, end: u64| format!("held v4 52:54:00:00:00:0a 10.1.0.100 {name} {end} *");
    let gone = |end: u64| format!("gone v4 52:54:00:00:00:0a 10.1.0.100 * {end} *");
    let loops: Vec<String> = (0..500).flat_map(|n| [held("*", n), gone(n)]).collect();
    let loops: Vec<&str> = loops.iter().map(String::as_str).collect();
    assert_eq!(left(&loops), [held("*", 499), gone(499)]);
    let renames: Vec<String> = (0..500).map(|n| held(&format!("web{n}"), n)).collect();
    let renames: Vec<&str> = renames.iter().map(String::as_str).collect();
    assert_eq!(left(&renames), [held("web499", 499)]);
    let others = [held("web1", 1), held("*", 2).replace(":0a", ":0b")];
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    assert_eq!(left(&others), others, "of another holder");
}

#[test]
fn what_an_event_does_not_say_again_is_not_lost() {
    let (named, nameless) = (
        "held v4 52:54:00:00:00:0a 10.1.0.100 web1 6000 *",
        "held v4 52:54:00:00:00:0a 10.1.0.100 * 7000 *",
    );
    assert_eq!(left(&[named, nameless]), [named, nameless]);
    assert_eq!(left(&[nameless, named]), [named]);
    let (known, unknown) = (
        "held v6 00:01 7 2001:db8:1::5 * 6000 52:54:00:00:00:02",
        "held v6 00:01 7 2001:db8:1::5 * 7000 *",
    );
    assert_eq!(left(&[known, unknown]), [known, unknown]);
}

#[test]
fn the_same_in_another_network_is_another_event() {
    let event: Event = "held v4 52:54:00:00:00:0a 10.1.0.100 * 6000 *".parse().unwrap();
    let events = [(1, vni(), &event), (2, "7".parse().unwrap(), &event)];
    assert!(outdated(events.into_iter()).is_empty());
}

#[test]
fn no_network_waits_for_anothers_events() {
    let [one, other, third] = ["7", "8", "9"].map(|vni| vni.parse::<Vni>().unwrap());
    let mut events: Vec<(u64, Vni)> = (1..=600).map(|n| (n, one)).collect();
    events.extend([(601, other), (602, one), (603, third), (604, other)]);
    let expected = [1, 2, 3, 601, 603, 604].into();
    assert_eq!(turns(&events, 9), expected, "three of each, as far as there are");
    assert_eq!(turns(&events, 1), [1, 601, 603].into(), "one of each at least");
    assert_eq!(turns(&events, 604 * 3).len(), 604);
    assert_eq!(turns(&[], 9), [].into());
}
