//! `script`: what happens to the cluster, one command a line, `<seconds> <command>`.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// One of the networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// ZooKeeper, libvirt, the mesh.
    Cluster,
    /// Ceph, and the mesh.
    Storage,
    /// The floating addresses, and the BMCs.
    Upstream,
}

/// All of them.
pub const NETS: [Net; 3] = [Net::Cluster, Net::Storage, Net::Upstream];

/// What a BMC does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bmc {
    /// What it is told.
    Ok,
    /// It does not answer.
    Dead,
    /// It says that the host is off, and does nothing.
    Lying,
    /// It takes so many milliseconds for each answer.
    Slow(u64),
}

/// One command of a script. Nodes and VMs are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The host loses its power.
    PowerCut(String),
    /// The host gets power, and boots.
    PowerOn(String),
    /// The host's BMC changes.
    Bmc(String, Bmc),
    /// The host is cut from networks.
    Cut(String, Vec<Net>),
    /// All its networks work again.
    Heal(String),
    /// Nothing passes from the first to the second, or everything again.
    OneWay(String, String, bool),
    /// So many percent of a host's packets are lost.
    Loss(String, u64),
    /// Everything on the host stops.
    Freeze(String),
    /// And goes on.
    Thaw(String),
    /// The host's wall clock jumps by so many seconds.
    Clock(String, i64),
    /// The host's ZooKeeper server stops, or starts.
    ZooKeeper(String, bool),
    /// The host's daemon crashes, or starts.
    Daemon(String, bool),
    /// A person's wish about a VM: the verb, and the node if it names one.
    Vm(String, String, Option<String>),
    /// A person's wish about a node.
    Node(String, String),
    /// Maintenance begins or ends.
    Maintenance(bool),
    /// The scenario is over.
    End,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |on: bool, yes: &'static str, no: &'static str| if on { yes } else { no };
        match self {
            Self::PowerCut(node) => write!(f, "power {node} cut"),
            Self::PowerOn(node) => write!(f, "power {node} on"),
            Self::Bmc(node, Bmc::Ok) => write!(f, "bmc {node} ok"),
            Self::Bmc(node, Bmc::Dead) => write!(f, "bmc {node} dead"),
            Self::Bmc(node, Bmc::Lying) => write!(f, "bmc {node} lying"),
            Self::Bmc(node, Bmc::Slow(ms)) => write!(f, "bmc {node} slow {ms}"),
            Self::Cut(node, nets) if nets.len() == NETS.len() => write!(f, "network {node} cut"),
            Self::Cut(node, nets) => {
                write!(f, "network {node} cut")?;
                nets.iter().try_for_each(|net| write!(f, " {}", net.text()))
            }
            Self::Heal(node) => write!(f, "network {node} heal"),
            Self::OneWay(a, b, cut) => write!(f, "oneway {a} {b} {}", on(*cut, "cut", "heal")),
            Self::Loss(node, percent) => write!(f, "loss {node} {percent}"),
            Self::Freeze(node) => write!(f, "freeze {node}"),
            Self::Thaw(node) => write!(f, "thaw {node}"),
            Self::Clock(node, by) => write!(f, "clock {node} {by:+}"),
            Self::ZooKeeper(node, up) => write!(f, "zookeeper {node} {}", on(*up, "start", "stop")),
            Self::Daemon(node, up) => write!(f, "daemon {node} {}", on(*up, "start", "crash")),
            Self::Vm(vm, verb, None) => write!(f, "vm {vm} {verb}"),
            Self::Vm(vm, verb, Some(node)) => write!(f, "vm {vm} {verb} {node}"),
            Self::Node(node, verb) => write!(f, "node {node} {verb}"),
            Self::Maintenance(is_on) => {
                write!(f, "cluster maintenance {}", on(*is_on, "on", "off"))
            }
            Self::End => f.write_str("end"),
        }
    }
}

impl Net {
    const fn text(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Storage => "storage",
            Self::Upstream => "upstream",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let found = NETS.into_iter().find(|net| net.text() == text);
        found.with_context(|| format!("`{text}` is no network"))
    }
}

/// A command and when it is given.
pub type Timed = (Duration, Command);

/// Reads a script.
///
/// # Errors
/// Names the line that is not understood, or out of order.
pub fn parse(text: &str) -> Result<Vec<Timed>> {
    let mut commands: Vec<Timed> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((seconds, words)) = words.split_first() else { continue };
        let timed = timed(seconds, words).with_context(|| format!("line {}", number + 1))?;
        if commands.last().is_some_and(|(before, _)| *before > timed.0) {
            bail!("line {}: goes back in time", number + 1);
        }
        commands.push(timed);
    }
    Ok(commands)
}

fn timed(seconds: &str, words: &[&str]) -> Result<Timed> {
    let seconds: f64 = seconds.parse().with_context(|| format!("`{seconds}` is no time"))?;
    let at = Duration::try_from_secs_f64(seconds).context("not a time")?;
    Ok((at, command(words)?))
}

fn command(words: &[&str]) -> Result<Command> {
    let text = |word: &str| word.to_owned();
    Ok(match *words {
        ["power", node, "cut"] => Command::PowerCut(text(node)),
        ["power", node, "on"] => Command::PowerOn(text(node)),
        ["bmc", node, "ok"] => Command::Bmc(text(node), Bmc::Ok),
        ["bmc", node, "dead"] => Command::Bmc(text(node), Bmc::Dead),
        ["bmc", node, "lying"] => Command::Bmc(text(node), Bmc::Lying),
        ["bmc", node, "slow", ms] => Command::Bmc(text(node), Bmc::Slow(ms.parse()?)),
        ["network", node, "cut"] => Command::Cut(text(node), NETS.to_vec()),
        ["network", node, "cut", ref nets @ ..] => {
            Command::Cut(text(node), nets.iter().map(|net| Net::parse(net)).collect::<Result<_>>()?)
        }
        ["network", node, "heal"] => Command::Heal(text(node)),
        ["oneway", from, to, "cut"] => Command::OneWay(text(from), text(to), true),
        ["oneway", from, to, "heal"] => Command::OneWay(text(from), text(to), false),
        ["loss", node, percent] => Command::Loss(text(node), percent.parse()?),
        ["freeze", node] => Command::Freeze(text(node)),
        ["thaw", node] => Command::Thaw(text(node)),
        ["clock", node, by] => Command::Clock(text(node), by.parse()?),
        ["zookeeper", node, "stop"] => Command::ZooKeeper(text(node), false),
        ["zookeeper", node, "start"] => Command::ZooKeeper(text(node), true),
        ["daemon", node, "crash"] => Command::Daemon(text(node), false),
        ["daemon", node, "start"] => Command::Daemon(text(node), true),
        ["vm", vm, verb @ ("migrate" | "move"), node] => {
            Command::Vm(text(vm), text(verb), Some(text(node)))
        }
        [
            "vm",
            vm,
            verb @ ("start" | "stop" | "shutdown" | "restart" | "disable" | "remove" | "migrate"
            | "unmigrate"),
        ] => Command::Vm(text(vm), text(verb), None),
        ["node", node, verb @ ("flush" | "ready" | "primary" | "secondary")] => {
            Command::Node(text(node), text(verb))
        }
        ["cluster", "maintenance", "on"] => Command::Maintenance(true),
        ["cluster", "maintenance", "off"] => Command::Maintenance(false),
        ["end"] => Command::End,
        _ => bail!("`{}` is no command", words.join(" ")),
    })
}
