//! `pvc-sim`: plays scenarios and random schedules of faults; see `cargo xtask sim --help`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use pvc_sim::chaos::{self, Size};
use pvc_sim::guard::Guard;
use pvc_sim::{play, rack};

/// The whole cluster on virtual time.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask sim", bin_name = "cargo xtask sim")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Play one scenario's folder.
    Run {
        /// The folder.
        dir: PathBuf,
        /// One JSON object a line instead of the log.
        #[arg(long)]
        json: bool,
    },
    /// Play random schedules; prints the seed of any failure.
    Random {
        /// From which seed to which, the last one excluded: `A..B`.
        #[arg(long)]
        seeds: String,
        /// Nodes of the cluster.
        #[arg(long, default_value_t = 5)]
        nodes: usize,
        /// VMs of the cluster.
        #[arg(long, default_value_t = 10)]
        vms: usize,
        /// Minutes of faults.
        #[arg(long, default_value_t = 15)]
        minutes: u64,
        /// A guard that is taken away.
        #[arg(long)]
        without: Option<String>,
        /// Print the log of a single seed.
        #[arg(long)]
        log: bool,
    },
    /// Rewrite the golden logs of folders.
    Bless {
        /// The folders.
        #[arg(required = true)]
        dirs: Vec<PathBuf>,
    },
    /// A large cluster loses a rack: how long each decision takes.
    Rack {
        /// Nodes of the cluster.
        #[arg(long, default_value_t = 1_000)]
        nodes: usize,
        /// VMs of the cluster.
        #[arg(long, default_value_t = 50_000)]
        vms: usize,
        /// Nodes that die at once.
        #[arg(long, default_value_t = 40)]
        lost: usize,
    },
}

/// How many seeds are played, a minute's work, until a person is told how far it is.
const TELL_EVERY: u64 = 1_000;

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Run { dir, json } => run(&dir, json),
        Verb::Random { seeds, nodes, vms, minutes, without, log } => {
            random(&seeds, Size { nodes, vms, minutes }, without.as_deref(), log)
        }
        Verb::Bless { dirs } => bless(&dirs),
        Verb::Rack { nodes, vms, lost } => out(&rack::run(nodes, vms, lost)).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            drop(note(&format!("error: {error:#}")));
            ExitCode::from(2)
        }
    }
}

/// To whoever reads data.
fn out(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// To a person.
fn note(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr().lock(), "{text}")?)
}

fn run(dir: &Path, json: bool) -> Result<bool> {
    let mut played = play::play(dir)?;
    let log = played.world.story.log();
    if json {
        out(&played.world.story.json())?;
        let last = played.last();
        out(&format!("{last}\n"))?;
    } else {
        out(&log)?;
    }
    for violation in &played.world.violations {
        note(&format!("VIOLATION: {violation}"))?;
    }
    let agrees = play::golden(dir)?.is_none_or(|golden| golden == log);
    if !agrees {
        note(
            "the log is not as it was: compare it, and `cargo xtask sim bless` it if it is right",
        )?;
    }
    Ok(agrees && played.world.violations.is_empty())
}

fn bless(dirs: &[PathBuf]) -> Result<bool> {
    for dir in dirs {
        let played = play::play(dir).with_context(|| dir.display().to_string())?;
        fs::write(dir.join("log"), played.world.story.log())?;
        for violation in &played.world.violations {
            note(&format!("{}: VIOLATION: {violation}", dir.display()))?;
        }
    }
    Ok(true)
}

fn random(seeds: &str, size: Size, without: Option<&str>, log: bool) -> Result<bool> {
    let (from, to) = seeds.split_once("..").context("--seeds wants A..B")?;
    let (from, to): (u64, u64) = (from.parse()?, to.parse()?);
    let without = match without {
        None => None,
        Some(text) => match Guard::ALL.into_iter().find(|guard| guard.text() == text) {
            Some(guard) => Some(guard),
            None => bail!("there is no guard `{text}`"),
        },
    };
    if log {
        let world = chaos::run(from, size, without, true)?;
        out(&world.story.log())?;
        return Ok(world.violations.is_empty());
    }
    let next = AtomicU64::new(from);
    let (played, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let count = to.saturating_sub(from);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= to {
                    return Ok(());
                }
                let world = chaos::run(seed, size, without, false)?;
                if let Some(violation) = world.violations.first() {
                    failed.fetch_add(1, Ordering::Relaxed);
                    let at = world.now.as_secs_f64();
                    out(&format!("seed {seed}: {at:.3} s: {violation}\n"))?;
                }
                let played = played.fetch_add(1, Ordering::Relaxed) + 1;
                if played.is_multiple_of(TELL_EVERY) {
                    let failed = failed.load(Ordering::Relaxed);
                    note(&format!("{played} of {count} seeds, {failed} failed"))?;
                }
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    let failed = failed.into_inner();
    note(&format!("{count} seeds, {failed} failed"))?;
    Ok(failed == 0)
}
