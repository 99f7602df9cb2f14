//! Live migration, as the guest and its user see it.

use std::time::Duration;

use pvc_e2e::lab::{Census, Clock, Console, Lab, Line, until};

/// How often the guest `linux` tells its clocks.
const BEAT: Duration = Duration::from_millis(250);

/// How long its clock may stand still.
const GAP: Duration = Duration::from_secs(1);

/// Checks that the guest that wrote these lines ran all the time, by every clock there is.
fn ticked_on(lines: &[Line]) {
    let told: Vec<(&Line, Clock)> =
        lines.iter().filter_map(|line| Some((line, Clock::parse(&line.text)?))).collect();
    assert!(told.len() > 20, "the guest was hardly heard: {} lines", told.len());
    for pair in told.windows(2) {
        let [(before, was), (after, is)] = pair else { continue };
        let silence = after.at - before.at;
        let context = format!("{before:?} {after:?}");
        assert!(silence <= GAP + BEAT, "nothing was heard for {silence:?}: {context}");
        // A beat and a gap may reach over the turns of two seconds.
        assert!((was.second..=was.second + 2).contains(&is.second), "it lost time: {context}");
        let went = is.uptime - was.uptime;
        assert!((0.0..=1.0).contains(&went), "the guest's clock went by {went} s: {context}");
    }
}

#[test]
fn a_guest_ticks_on_while_it_is_migrated_and_brought_home() {
    let lab = Lab::take();
    let vm = lab.define("linux", "clock", &[]);
    lab.pvc(&["vm", "start", &vm]);
    let home = lab.await_running(&vm);
    let census = Census::begin(&lab);
    let mut console = Console::follow(&lab, &vm);
    console.await_lines(&home, 8);

    lab.pvc(&["vm", "migrate", "--wait", &vm]);
    let away = lab.vm(&vm);
    assert_ne!(away.node, home);
    assert_eq!((away.state.as_str(), away.last_node.as_str()), ("start", home.as_str()));
    assert_eq!(lab.await_running(&vm), away.node);
    console.await_lines(&away.node, 8);

    lab.pvc(&["vm", "unmigrate", "--wait", &vm]);
    let back = lab.vm(&vm);
    assert_eq!((back.node.as_str(), back.last_node.as_str()), (home.as_str(), ""));
    assert_eq!(lab.await_running(&vm), home);
    console.await_lines(&home, 8);

    ticked_on(&console.end());
    census.end();
}

#[test]
fn a_moved_vm_is_at_home_on_its_new_node() {
    let lab = Lab::take();
    let vm = lab.define("tick", "moves", &[]);
    lab.pvc(&["vm", "start", &vm]);
    let first = lab.await_running(&vm);
    let target = lab.hosts().iter().find(|host| **host != first).expect("there are others");

    lab.pvc(&["vm", "move", "--wait", "--target", target, &vm]);

    assert_eq!(lab.await_running(&vm), *target);
    assert_eq!(lab.vm(&vm).last_node, "");
}

#[test]
fn what_a_migrating_guest_writes_comes_from_one_boot_and_is_complete() {
    let lab = Lab::take();
    let home = lab.primary();
    let vm = lab.writer("writes", &home);
    lab.pvc(&["vm", "migrate", "--wait", &vm]);
    assert_ne!(lab.await_running(&vm), home);
    let written = lab.boots(&vm)[0].lines;
    until("the guest to write on", Duration::from_secs(10), || {
        let boots = lab.boots(&vm);
        if boots[0].lines > written + 5 { Ok(()) } else { Err(format!("{boots:?}")) }
    });
    assert_eq!(lab.boots(&vm).len(), 1);

    lab.pvc(&["vm", "restart", "--wait", &vm]);
    lab.await_boot(&vm, 2);
}
