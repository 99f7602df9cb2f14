//! Which dnsmasqs are stopped and started.

use std::collections::BTreeMap;

use super::super::{Files, Found, Steps, plan};
use super::*;

fn files(conf: &str) -> Files {
    Files { conf: conf.to_owned(), ..Files::default() }
}

/// What is done for a network where this is wanted, and this is found: its files and whether it
/// runs.
fn check(wanted: Option<&str>, found: Option<(&str, bool)>, expected: &str) {
    let wanted: BTreeMap<_, _> = wanted.map(|conf| (vni(), files(conf))).into_iter().collect();
    let found = found.map(|(conf, running)| {
        let files = (!conf.is_empty()).then(|| files(conf));
        (vni(), Found { files, running })
    });
    let found: BTreeMap<_, _> = found.into_iter().collect();
    let steps = plan(&wanted, &found);
    let verbs = [
        ("stop", &steps.stop),
        ("forget", &steps.forget),
        ("write", &steps.write),
        ("start", &steps.start),
    ];
    let verbs: Vec<_> =
        verbs.iter().filter(|(_, of)| !of.is_empty()).map(|(verb, _)| *verb).collect();
    assert_eq!(verbs.join(" "), expected, "{wanted:?} {found:?}");
    assert_eq!(steps.is_empty(), expected.is_empty());
}

#[test]
fn what_is_wanted_is_written_before_it_is_started() {
    check(Some("a"), None, "write start");
    check(Some("a"), Some(("", false)), "write start");
}

#[test]
fn what_is_as_wanted_is_left_alone_whoever_started_it() {
    check(Some("a"), Some(("a", true)), "");
}

#[test]
fn a_dnsmasq_that_knows_what_nobody_else_does_is_not_stopped_for_other_files() {
    let of = |n: u32| n.to_string().parse().unwrap();
    let lists = |steps: &Steps| {
        [&steps.stop, &steps.forget, &steps.write, &steps.start].map(|list| list.len())
    };
    // The first two get other files, the third one begins, and nobody needs the last two.
    let mut steps = Steps {
        stop: [1, 2, 4, 5].map(of).into(),
        forget: [4, 5].map(of).into(),
        write: [1, 2, 3].map(of).into(),
        start: [1, 2, 3].map(of).into(),
    };
    steps.spare(&[1, 3, 4].map(of).into());
    assert_eq!(lists(&steps), [3, 2, 2, 2]);
    assert_eq!(steps.start, [2, 3].map(of));
    steps.leave_out(&[2, 4].map(of).into());
    assert_eq!(lists(&steps), [1, 1, 1, 1]);
    assert_eq!((steps.stop, steps.start), (vec![of(5)], vec![of(3)]));
}

#[test]
fn what_does_not_run_is_started_again() {
    check(Some("a"), Some(("a", false)), "start");
}

#[test]
fn files_change_only_while_nobody_has_read_them() {
    check(Some("a"), Some(("b", true)), "stop write start");
    check(Some("a"), Some(("", true)), "stop write start");
    check(Some("a"), Some(("b", false)), "write start");
}

#[test]
fn of_what_is_not_wanted_nothing_is_left() {
    check(None, Some(("a", true)), "stop forget");
    check(None, Some(("a", false)), "forget");
    check(None, None, "");
}

#[test]
fn one_networks_change_is_no_other_networks() {
    let other: Vni = "7".parse().unwrap();
    let wanted = [(vni(), files("new")), (other, files("a"))].into();
    let running = |conf| Found { files: Some(files(conf)), running: true };
    let found = [(vni(), running("old")), (other, running("a"))].into();
    let steps = plan(&wanted, &found);
    assert_eq!((steps.stop, steps.write, steps.start), (vec![vni()], vec![vni()], vec![vni()]));
}
