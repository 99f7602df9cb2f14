//! Daemons that are restarted or killed while there is work.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use pvc_e2e::lab::{Census, Dice, Lab, until};

/// How long a command may have to be repeated while daemons die.
const INSIST: Duration = Duration::from_secs(90);

/// How long the node daemon may take to be back.
const BACK: Duration = Duration::from_secs(60);

#[test]
fn a_restart_of_the_node_daemon_does_not_disturb_running_vms() {
    let lab = Lab::take();
    lab.await_rest();
    let node = lab.primary();
    let vms = lab.crowd(&node, 2);
    let before: Vec<String> = vms.iter().map(|vm| lab.qemu(&node, vm)).collect();
    let census = Census::begin(&lab);

    lab.on(&node, &["systemctl", "restart", "pvcnoded.service"]);
    until("the daemon to be back", BACK, || {
        let nodes = lab.try_nodes().map_err(|error| format!("{error:#}"))?;
        let seen = nodes.into_iter().find(|seen| seen.name == node).expect("it is a node");
        if seen.daemon_state == "run" { Ok(()) } else { Err(seen.daemon_state) }
    });
    lab.await_rest();

    for (vm, process) in vms.iter().zip(before) {
        assert_eq!(lab.await_running(vm), node);
        assert_eq!(lab.qemu(&node, vm), process, "{vm} is the same process");
    }
    census.end();
}

/// Kills one daemon on one host, without warning; one that does not run there is spared.
fn kill_one(lab: &Lab, dice: &mut Dice) {
    let host = dice.one_of(lab.hosts()).clone();
    let unit = *dice.one_of(&["pvcnoded.service", "pvcnoded.service", "pvcapid.service"]);
    let kill = ["systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit];
    let _was_there = lab.try_on(&host, &kill).code == 0;
}

/// Does `work` while daemons are killed every few seconds.
fn under_fire(lab: &Lab, work: impl FnOnce()) {
    let mut dice = Dice::take();
    let (stop, stopped) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let pause = Duration::from_millis(1500 + dice.below(3500));
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                kill_one(lab, &mut dice);
            }
        });
        // Dropped also when the work fails, or the killer would go on for ever.
        let _stop = stop;
        work();
    });
}

#[test]
fn daemons_killed_at_random_leave_nothing_that_a_restart_does_not_finish() {
    let lab = Lab::take();
    lab.await_rest();
    let census = Census::begin(&lab);
    let names: Vec<String> = (1..=4).map(|number| format!("e2e-fire{number}")).collect();
    let is = |lab: &Lab, vm: &str, wanted: &dyn Fn(&pvc_common::api::Vm) -> bool| {
        lab.try_vm(vm).is_ok_and(|seen| wanted(&seen))
    };
    let flushed = lab.hosts()[1].clone();
    let domain_state = |lab: &Lab| {
        let nodes = lab.try_nodes().unwrap_or_default();
        nodes.into_iter().find(|node| node.name == flushed).map(|node| node.domain_state)
    };

    under_fire(&lab, || {
        for vm in &names {
            let file = lab.definition("tick", vm, |xml| xml);
            let file = file.to_str().unwrap();
            lab.insist(&["vm", "define", file], INSIST, |lab| lab.try_vm(vm).is_ok());
            lab.insist(&["vm", "start", vm], INSIST, |lab| is(lab, vm, &|vm| vm.state == "start"));
        }
        for vm in &names {
            let home = lab.await_running(vm);
            lab.insist(&["vm", "migrate", vm], INSIST, |lab| {
                is(lab, vm, &|vm| vm.state == "start" && vm.node != home)
            });
        }
        lab.insist(&["node", "flush", &flushed], INSIST, |lab| {
            domain_state(lab).as_deref() == Some("flushed")
        });
        lab.insist(&["node", "ready", &flushed], INSIST, |lab| {
            domain_state(lab).as_deref() == Some("ready")
        });
    });

    lab.await_rest();
    for vm in &names {
        lab.await_running(vm);
    }
    census.end();
}
