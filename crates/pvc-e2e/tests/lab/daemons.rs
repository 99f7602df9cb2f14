//! Daemons that are restarted or killed while there is work.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use pvc_e2e::lab::{Census, Dice, Lab};

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
    lab.await_node(&node, BACK);
    lab.await_rest();

    for (vm, process) in vms.iter().zip(before) {
        assert_eq!(lab.await_running(vm), node);
        assert_eq!(lab.qemu(&node, vm), process, "{vm} is the same process");
    }
    census.end();
}

/// Kills one daemon on one host, without warning, and tells whether it was there.
fn kill_one(lab: &Lab, dice: &mut Dice) -> bool {
    let host = dice.one_of(lab.hosts()).clone();
    let unit = dice.one_of(&["pvcnoded.service", "pvcnoded.service", "pvcapid.service"]);
    let kill = ["systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit];
    lab.try_on(&host, &kill).code == 0
}

/// Does `work` while daemons are killed about every second; returns how many were.
fn under_fire(lab: &Lab, work: impl FnOnce()) -> usize {
    let mut dice = Dice::take();
    let (stop, stopped) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let killer = scope.spawn(move || {
            let mut killed = 0;
            loop {
                let pause = Duration::from_millis(300 + dice.below(1700));
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return killed;
                }
                killed += usize::from(kill_one(lab, &mut dice));
            }
        });
        {
            // Dropped also when the work fails, or the killer would go on for ever.
            let _stop = stop;
            work();
        }
        killer.join().expect("killing does not fail")
    })
}

#[test]
fn daemons_killed_at_random_leave_nothing_that_a_restart_does_not_finish() {
    let lab = Lab::take();
    lab.await_rest();
    let census = Census::begin(&lab);
    let vms: Vec<String> = (1..=6).map(|number| format!("e2e-fire{number}")).collect();
    let flushed = lab.hosts()[1].clone();

    let killed = under_fire(&lab, || {
        vms.iter().for_each(|vm| begin(&lab, vm));
        for _ in 0..2 {
            vms.iter().for_each(|vm| send_away(&lab, vm));
            set(&lab, &flushed, "flush", "flushed");
            set(&lab, &flushed, "ready", "ready");
        }
    });

    assert!(killed > 5, "only {killed} daemons were killed");
    lab.await_rest();
    for vm in &vms {
        lab.await_running(vm);
    }
    census.end();
}

/// Defines and starts a VM.
fn begin(lab: &Lab, vm: &str) {
    let file = lab.definition("tick", vm, |xml| xml);
    lab.insist(&["vm", "define", file.to_str().unwrap()], INSIST, |lab| lab.try_vm(vm).is_ok());
    lab.insist(&["vm", "start", vm], INSIST, |lab| {
        lab.try_vm(vm).is_ok_and(|seen| seen.state == "start")
    });
}

/// Migrates a running VM.
fn send_away(lab: &Lab, vm: &str) {
    let before = lab.await_running(vm);
    lab.insist(&["vm", "migrate", "--force", vm], INSIST, |lab| {
        lab.try_vm(vm).is_ok_and(|seen| seen.state == "start" && seen.node != before)
    });
}

/// Sends a node out of service or back.
fn set(lab: &Lab, node: &str, verb: &str, state: &str) {
    lab.insist(&["node", verb, node], INSIST, |lab| {
        let nodes = lab.try_nodes().unwrap_or_default();
        nodes.iter().any(|seen| seen.name == node && seen.domain_state == state)
    });
}
