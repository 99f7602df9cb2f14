//! The API daemon.

mod arguments;

use std::path::PathBuf;
use std::process::ExitCode;

use pvc_runtime::drain::{DrainTrigger, drain};
use pvc_runtime::exit::Exit;
use pvc_runtime::log;
use pvc_runtime::secrecy::Exposed;
use pvc_zk::{Settings, ZkTree};
use pvcapid::config::{Config, DEFAULT_PATH, PATH_VARIABLE};
use pvcapid::{Store, api, initialize, serve};
use tokio::signal::unix::{SignalKind, signal};

use arguments::Request;

fn main() -> ExitCode {
    let outcome = match Request::parse(std::env::args_os().skip(1)) {
        Ok(Request::Serve) => configured(run),
        Ok(Request::CheckConfig) => configured(|_, exposed| {
            for exposed in exposed {
                complain(&format!("warning: {exposed}"));
            }
            say("OK");
            Ok(())
        }),
        Ok(Request::Initialize { overwrite }) => {
            configured(|config, _| initialize(config, overwrite))
        }
        Ok(Request::DumpOpenapi) => dump_openapi(),
        Ok(Request::Show(text)) => {
            say(&text);
            Exit::Success
        }
        Err(message) => {
            complain(&message);
            Exit::Usage
        }
    };
    outcome.into()
}

/// Does something with the configuration and what everybody may read of its secrets, or tells
/// everything that is wrong with it.
fn configured(action: impl FnOnce(&Config, &[Exposed]) -> anyhow::Result<()>) -> Exit {
    let path = std::env::var_os(PATH_VARIABLE).map_or_else(|| DEFAULT_PATH.into(), PathBuf::from);
    let config = match Config::load(&path) {
        Ok(config) => config,
        Err(problems) => {
            for problem in &problems {
                complain(&format!("{}: {problem}", path.display()));
            }
            return Exit::Config;
        }
    };
    match action(&config, &config.exposed(&path)) {
        Ok(()) => Exit::Success,
        Err(error) => {
            complain(&format!("pvcapid: {error:#}"));
            Exit::Failure
        }
    }
}

/// Runs until the end; when this returns, the log is written and every thread has ended.
fn run(config: &Config, exposed: &[Exposed]) -> anyhow::Result<()> {
    let logging = log::start(&log::Settings {
        daemon: "pvcapid",
        debug: config.debug,
        stdout: true,
        directory: None,
        colours: false,
        dates: false,
        ring_lines: 0,
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for exposed in exposed {
        tracing::warn!("configuration: {exposed}");
    }
    let outcome = runtime.block_on(async {
        let (trigger, drain) = drain();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move { obey(&mut terminate, &mut interrupt, &trigger).await });
        serve::serve(config, drain).await
    });
    drop(logging);
    outcome.map_err(|error| anyhow::anyhow!(error).context(format!("at {}", config.url())))
}

/// TERM and INT end the daemon in order.
async fn obey(
    terminate: &mut tokio::signal::unix::Signal,
    interrupt: &mut tokio::signal::unix::Signal,
    trigger: &DrainTrigger,
) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("asked to end");
    trigger.drain();
    // Dropped, the trigger would drain too; a second signal has nothing more to say.
}

/// Makes an empty cluster before any node has started.
fn initialize(config: &Config, overwrite: bool) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let settings = Settings { call_limit: CONNECT_LIMIT, ..Settings::default() };
        let tree = ZkTree::connect(config.zookeeper.clone(), settings);
        let outcome = initialize::initialize(&Store::new(tree.clone()), overwrite).await;
        tree.close().await;
        outcome.map_err(|error| anyhow::anyhow!("{error}"))
    })?;
    say("Successfully initialized cluster");
    Ok(())
}

/// How long an initialisation waits for the ensemble, which may be starting as well.
const CONNECT_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

fn dump_openapi() -> Exit {
    match api::openapi().to_pretty_json() {
        Ok(document) => {
            say(&document);
            Exit::Success
        }
        Err(error) => {
            complain(&format!("pvcapid: {error}"));
            Exit::Failure
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
