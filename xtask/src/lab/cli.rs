//! The lab's commands. Their data is on stdout, all else on stderr, so that tests can use them.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};

use super::host::{Host, Network};
use super::layout::Lab;
use super::{
    bmc, bmc_front, board, client, down, enter, fault, guest, light, loss, machine, power,
    selftest, status, up,
};
use crate::say;

/// What `cargo xtask lab` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The lab without hosts: plain processes on loopback addresses, where namespaces are not
    /// permitted or nobody is root.
    #[arg(long, global = true)]
    light: bool,
    #[command(subcommand)]
    verb: Verb,
}

/// What `cargo xtask lab` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Bring up the hosts, their services and PVC; what is up already stays as it is.
    Up(up::Up),
    /// Take everything down.
    Down(down::Down),
    /// Show the hosts and what is broken on purpose.
    Status {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Run a command on a host; ends with its exit code.
    Exec {
        host: Host,
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Switch a host.
    Power {
        host: Host,
        #[arg(value_enum)]
        switch: Switch,
        /// After switching it on, wait until it has booted.
        #[arg(long)]
        wait: bool,
    },
    /// Stop every process of a host; its kernel still answers pings.
    Freeze {
        host: Host,
        /// Silence its network too: so a locked-up machine looks from outside.
        #[arg(long)]
        silent: bool,
    },
    /// Let a frozen host go on.
    Thaw { host: Host },
    /// Cut a host off from networks, with the carrier still up.
    Partition {
        host: Host,
        /// All of them when none is named.
        #[arg(value_enum)]
        networks: Vec<Network>,
    },
    /// Let one host no longer hear another, on any network; the other still hears it.
    Oneway {
        /// Who is not heard.
        from: Host,
        /// Who does not hear.
        to: Host,
        #[arg(value_enum)]
        cut: Cut,
    },
    /// Let all networks of a host lose packets at random, each way.
    Loss {
        host: Host,
        /// How many percent; 0 ends it.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
        percent: u8,
    },
    /// End all partitions, one-way cuts and losses of a host.
    Heal { host: Host },
    /// Stop every process of a host for some milliseconds.
    Pause { host: Host, millis: u64 },
    /// Change what a host's BMC does.
    Bmc {
        host: Host,
        #[arg(value_enum)]
        be: Bmc,
        /// With `slow`: how much later it does each thing.
        #[arg(required_if_eq("be", "slow"))]
        millis: Option<u64>,
    },
    /// Show what a host's console has shown.
    Console {
        host: Host,
        /// Go on as it grows.
        #[arg(short, long)]
        follow: bool,
        /// How many of the last lines.
        #[arg(short = 'n', long, default_value_t = 100)]
        lines: u32,
    },
    /// Run the client against the cluster.
    Pvc {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run any command where the client stands, in the upstream network.
    Client {
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Print the definition of a VM for `pvc vm define`.
    Guest {
        #[arg(value_enum)]
        kind: guest::Kind,
        name: String,
        /// A new one unless given.
        #[arg(long)]
        uuid: Option<String>,
    },
    /// Try every fault on a running lab and see that it has its effect.
    Selftest,
    #[command(name = "_board", hide = true)]
    Board { host: Host, stretch: String },
    #[command(name = "_chassis", hide = true)]
    Chassis {
        host: Host,
        #[arg(trailing_var_arg = true)]
        words: Vec<String>,
    },
    #[command(name = "_watchdog", hide = true)]
    Watchdog { host: Host, stretch: String },
    #[command(name = "_bmc-front", hide = true)]
    BmcFront {
        #[arg(value_parser = bmc_pair)]
        pairs: Vec<(Ipv4Addr, u16)>,
    },
}

/// What to do with a host's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Pull the plug.
    Cut,
    /// Give it power; it boots.
    On,
    /// Pull the plug and put it back.
    Reset,
    /// Press the power button and wait until it has shut down.
    Off,
}

/// Whether a way between two hosts is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cut {
    /// From now on.
    Cut,
    /// No longer.
    Heal,
}

/// How a BMC is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bmc {
    /// Reachable, honest and quick.
    Up,
    /// Unreachable.
    Down,
    /// Reachable; it acknowledges and does nothing, and says off when it was told off.
    Lying,
    /// Reachable and honest, after a while.
    Slow,
}

/// Runs one command of the lab.
///
/// # Errors
/// With what kept it from being done.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let Arguments { light, verb } = arguments;
    if let Some(lab) = light::meant(light, &verb)? {
        return light::run(&lab, verb);
    }
    if !matches!(verb, Verb::Guest { .. }) {
        machine::check_root()?;
    }
    let lab = &Lab::from_env()?;
    match verb {
        Verb::Up(up) => {
            let _alone = lab.lock()?;
            up::run(lab, &up)
        }
        Verb::Down(down) => {
            let _alone = lab.lock()?;
            down::run(lab, &down)
        }
        Verb::Status { json } => status::run(lab, json),
        Verb::Exec { host, command } => become_it(enter::command(lab, lab.check(host)?, command)?),
        Verb::Power { host, switch, wait } => {
            switch_power(lab, lab.check(host)?, switch)?;
            if wait && power::is_on(lab, host) {
                enter::booted(lab, host)?;
            }
            Ok(())
        }
        Verb::Freeze { host, silent } => fault::freeze(lab, lab.check(host)?, silent),
        Verb::Thaw { host } => fault::thaw(lab, lab.check(host)?),
        Verb::Partition { host, networks } => fault::partition(lab, lab.check(host)?, &networks),
        Verb::Heal { host } => fault::heal(lab, lab.check(host)?),
        Verb::Oneway { from, to, cut } => match cut {
            Cut::Cut => fault::cut_one_way(lab, lab.check(from)?, lab.check(to)?),
            Cut::Heal => fault::heal_one_way(lab, lab.check(from)?, lab.check(to)?),
        },
        Verb::Loss { host, percent } => loss::set(lab, lab.check(host)?, percent),
        Verb::Pause { host, millis } => {
            fault::pause(lab, lab.check(host)?, Duration::from_millis(millis))
        }
        Verb::Bmc { host, be, millis } => change_bmc(lab, lab.check(host)?, be, millis),
        Verb::Console { host, follow, lines } => {
            let mut tail = Command::new("tail");
            tail.args(follow.then_some("--follow=name"))
                .arg(format!("--lines={lines}"))
                .arg(lab.console(lab.check(host)?));
            become_it(tail)
        }
        Verb::Pvc { arguments } => {
            lab.hosts()?;
            let mut pvc = client::pvc(lab)?;
            pvc.args(arguments);
            become_it(pvc)
        }
        Verb::Client { command } => {
            lab.hosts()?;
            become_it(client::command(lab, command))
        }
        Verb::Guest { kind, name, uuid } => {
            let uuid = uuid.map_or_else(guest::new_uuid, Ok)?;
            say::data(guest::domain_xml(kind, &name, &uuid).trim_end());
            Ok(())
        }
        Verb::Selftest => selftest::run(lab),
        Verb::Board { host, stretch } => board::run(lab, host, &stretch),
        Verb::Chassis { host, words } => bmc::chassis(lab, host, &words),
        Verb::Watchdog { host, stretch } => power::unfed(lab, host, &stretch),
        Verb::BmcFront { pairs } => bmc_front::serve(&pairs),
    }
}

fn switch_power(lab: &Lab, host: Host, switch: Switch) -> Result<()> {
    match switch {
        Switch::Cut => power::cut(lab, host),
        Switch::On => power::on(lab, host),
        Switch::Reset => power::reset(lab, host),
        Switch::Off => power::off(lab, host),
    }
}

fn change_bmc(lab: &Lab, host: Host, be: Bmc, millis: Option<u64>) -> Result<()> {
    let manner = match be {
        Bmc::Up | Bmc::Down => bmc::Manner::Honest,
        Bmc::Lying => bmc::Manner::Lying,
        Bmc::Slow => bmc::Manner::Slow(Duration::from_millis(millis.unwrap_or_default())),
    };
    bmc::set_manner(lab, host, manner)?;
    match be {
        Bmc::Down => fault::bmc_down(lab, host),
        Bmc::Up | Bmc::Lying | Bmc::Slow => fault::bmc_up(lab, host),
    }
}

/// Becomes another program, so that its input, output, signals and exit code are its own.
pub(super) fn become_it(mut command: Command) -> Result<()> {
    let program = command.get_program().to_owned();
    Err(command.exec()).with_context(|| format!("cannot run {}", program.display()))
}

/// Parses `ADDRESS=PORT`.
fn bmc_pair(text: &str) -> Result<(Ipv4Addr, u16)> {
    let (address, port) = text.split_once('=').ok_or_else(|| anyhow!("expected ADDRESS=PORT"))?;
    Ok((address.parse()?, port.parse()?))
}
