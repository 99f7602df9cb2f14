//! Whether nodes that are alive are fenced, when chance disturbs the cluster for a while.

use std::time::{Duration, Instant};

use anyhow::Result;
use pvc_e2e::lab::{Dice, Lab, until, until_every, with_usual_watchdog};

use crate::figure::{Case, progress};

const BENCH: &str = "needless";

/// How often it is looked whether a disturbance has lasted long enough.
const EVERY: Duration = Duration::from_millis(200);

/// How long a network loses packets, and how long all is well after each disturbance at most.
const LOSS: Duration = Duration::from_secs(10);
const BREAK_MS: u64 = 4_000;

/// How long the API may be gone after the last disturbance.
const API_GONE: Duration = Duration::from_secs(60);

/// How it is measured.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// For how long the cluster is disturbed.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
}

/// What a node has to survive unpunished.
#[derive(Clone, Copy, Debug)]
enum Disturbance {
    Loss,
    Pause,
    DaemonKilled,
    DaemonRestarted,
    ZooKeeperKilled,
    ZooKeeperRestarted,
}

impl Disturbance {
    const ALL: [Self; 6] = [
        Self::Loss,
        Self::Pause,
        Self::DaemonKilled,
        Self::DaemonRestarted,
        Self::ZooKeeperKilled,
        Self::ZooKeeperRestarted,
    ];

    fn befall(self, lab: &Lab, host: &str) {
        let restart = |unit| drop(lab.on(host, &["systemctl", "restart", unit]));
        // Chance may pick one that has just been killed: it is dead all the same.
        let kill = |unit| {
            let words = ["systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit];
            drop(lab.try_on(host, &words));
        };
        match self {
            Self::Loss => {
                lab.fault(&["loss", host, "5"]);
                pass(LOSS);
                lab.fault(&["loss", host, "0"]);
            }
            Self::Pause => lab.fault(&["pause", host, "2000"]),
            Self::DaemonKilled => kill("pvcnoded.service"),
            Self::DaemonRestarted => restart("pvcnoded.service"),
            Self::ZooKeeperKilled => kill("zookeeper.service"),
            Self::ZooKeeperRestarted => restart("zookeeper.service"),
        }
    }
}

/// Disturbs the cluster and counts the nodes that were fenced for it.
pub(crate) fn measure(options: Options) -> Result<()> {
    let lab = Lab::take();
    // Pauses of two seconds, one after the other, are more than three seconds without a word when
    // ZooKeeper's leader is among those that pause.
    lab.reconfigure(with_usual_watchdog);
    let vm = lab.writer("needless", &lab.plain_node());
    let vigil = lab.vigil();
    let mut dice = Dice::take();
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::try_from_secs_f64(options.minutes * 60.0)? {
        let host = dice.one_of(lab.hosts()).clone();
        let disturbance = *dice.one_of(&Disturbance::ALL);
        progress(&format!("{BENCH}: {host}: {disturbance:?} ..."));
        disturbance.befall(&lab, &host);
        count += 1;
        pass(Duration::from_millis(dice.below(BREAK_MS)));
    }
    let fences = until("the API to tell the fences", API_GONE, || vigil.seen());
    for fence in &fences {
        progress(&format!("{BENCH}: {fence:?}"));
    }
    let tell = |case, goal, count: u32| Case { bench: BENCH, case, goal }.tell(count.into(), case);
    tell("disturbances", None, count);
    tell("fences", Some(0.0), u32::try_from(fences.len())?);
    tell("boots", Some(1.0), u32::try_from(lab.boots(&vm).len())?);
    Ok(())
}

/// Lets time pass, as long as a disturbance lasts.
fn pass(span: Duration) {
    let began = Instant::now();
    until_every(EVERY, "the time to pass", span + EVERY, || {
        if began.elapsed() >= span { Ok(()) } else { Err("not yet".to_owned()) }
    });
}
