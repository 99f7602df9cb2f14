//! The node daemon.

mod arguments;

use std::process::ExitCode;

use pvc_runtime::drain::{DrainTrigger, drain};
use pvc_runtime::exit::Exit;
use pvc_runtime::log::{self, Reopen};
use pvcnoded::config::Config;
use pvcnoded::daemon::{self, Ended};
use pvcnoded::startup::{host, reexec};
use tokio::signal::unix::{Signal, SignalKind, signal};

use arguments::Request;

fn main() -> ExitCode {
    match Request::parse(std::env::args_os().skip(1)) {
        Ok(Request::Serve) => serve().into(),
        Ok(Request::CheckConfig) => check_config().into(),
        Ok(Request::Show(text)) => {
            say(&text);
            Exit::Success.into()
        }
        Err(message) => {
            complain(&message);
            Exit::Usage.into()
        }
    }
}

/// Tells whether the configuration is good, or everything that is wrong with it.
fn check_config() -> Exit {
    match load() {
        Some(config) => {
            for advice in config.advice() {
                complain(&format!("note: {advice}"));
            }
            for exposed in config.exposed(&Config::path()) {
                complain(&format!("warning: {exposed}"));
            }
            say("OK");
            Exit::Success
        }
        None => Exit::Config,
    }
}

fn load() -> Option<Config> {
    let path = Config::path();
    match Config::load(&path) {
        Ok(config) => Some(config),
        Err(problems) => {
            for problem in &problems {
                complain(&format!("{}: {problem}", path.display()));
            }
            None
        }
    }
}

fn serve() -> Exit {
    let Some(config) = load() else {
        return Exit::Config;
    };
    let outcome = match run(config) {
        Ok(Ended::Asked) => return Exit::Success,
        Ok(Ended::Failed) => return Exit::Failure,
        Ok(Ended::SchemaChanged) => reexec::reexec().map(|never| match never {}),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Exit::Success,
        Err(error) => {
            complain(&format!("pvcnoded: {error}"));
            Exit::Failure
        }
    }
}

/// Two keep each other's back; the daemon's work is waiting, and the machine belongs to its VMs.
const WORKERS: usize = 2;

/// Runs until the end; when this returns, the log is written and every thread has ended.
fn run(config: Config) -> std::io::Result<Ended> {
    host::make_directories(&config.directories)?;
    let logging = log::start(&log::Settings {
        daemon: "pvcnoded",
        debug: config.debug,
        stdout: config.logging.stdout,
        directory: config.logging.file.then(|| config.directories.log.clone()),
        colours: config.logging.colours,
        dates: config.logging.dates,
        ring_lines: if config.logging.zookeeper { config.logging.node_lines } else { 0 },
    })?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    runtime.block_on(async {
        let (trigger, drain) = drain();
        tokio::spawn(obey(Signals::listen()?, trigger, logging.reopen.clone()));
        Ok(daemon::run(config, logging.ring.clone(), drain).await)
    })
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// TERM, INT and QUIT end the daemon in order; HUP opens the log file anew.
async fn obey(mut signals: Signals, trigger: DrainTrigger, reopen: Reopen) {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => trigger.drain(),
            _ = signals.interrupt.recv() => trigger.drain(),
            _ = signals.quit.recv() => trigger.drain(),
            _ = signals.hang_up.recv() => reopen.reopen(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "what was asked for on the command line")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "there is no log yet, or none any more")]
fn complain(text: &str) {
    eprintln!("{text}");
}
