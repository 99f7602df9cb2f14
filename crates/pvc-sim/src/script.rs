//! `script`: what happens to the cluster, one command a line, `<seconds> <command>`.

use std::fmt;
use std::str::FromStr;
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
    /// A firewall swallows the mesh's datagrams of the host, or does not any more.
    Mesh(String, bool),
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
            Self::Mesh(node, cut) => write!(f, "mesh {node} {}", on(*cut, "cut", "heal")),
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
        found.with_context(|| format!("`{text}` is not one of cluster, storage, upstream"))
    }
}

/// A command and when it is given.
pub type Timed = (Duration, Command);

/// Reads a script; `known` refuses a command about what is not there.
///
/// # Errors
/// Names the line that is not understood, not known or out of order, and what was expected.
pub fn parse(text: &str, known: impl Fn(&Command) -> Result<()>) -> Result<Vec<Timed>> {
    let mut commands: Vec<Timed> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let timed = timed(line, commands.last(), &known);
        commands.extend(timed.with_context(|| format!("line {number}: `{}`", line.trim()))?);
    }
    match commands.last() {
        Some((_, Command::End)) => Ok(commands),
        Some(_) | None => bail!("the last line is not `<seconds> end`"),
    }
}

/// `None` for a line that says nothing.
fn timed(
    line: &str,
    before: Option<&Timed>,
    known: impl Fn(&Command) -> Result<()>,
) -> Result<Option<Timed>> {
    let line = line.split('#').next().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((seconds, words)) = words.split_first() else { return Ok(None) };
    let at = seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let at = at.with_context(|| format!("`{seconds}` is no time in seconds, such as 12.5"))?;
    match before {
        Some((_, Command::End)) => bail!("nothing happens after `end`"),
        Some((before, _)) if *before > at => bail!("it is earlier than the line before"),
        Some(_) | None => {}
    }
    let command = command(words)?;
    known(&command)?;
    Ok(Some((at, command)))
}

/// What a command wants in its place.
fn number<N: FromStr>(word: &str, wanted: &str, fits: impl Fn(&N) -> bool) -> Result<N> {
    let number = word.parse().ok().filter(fits);
    number.with_context(|| format!("`{word}` is not {wanted}"))
}

/// Every command, for whoever wrote another.
const COMMANDS: &str = "\
power NODE cut|on, bmc NODE ok|dead|lying|slow MS, network NODE cut [NETWORK...]|heal, \
oneway FROM TO cut|heal, loss NODE PERCENT, mesh NODE cut|heal, freeze NODE, thaw NODE, clock NODE SECONDS, \
zookeeper NODE stop|start, daemon NODE crash|start, \
vm VM start|stop|shutdown|restart|disable|remove|unmigrate|migrate [NODE]|move NODE, \
node NODE flush|ready|primary|secondary, cluster maintenance on|off, end";

fn command(words: &[&str]) -> Result<Command> {
    let text = |word: &str| word.to_owned();
    Ok(match *words {
        ["power", node, "cut"] => Command::PowerCut(text(node)),
        ["power", node, "on"] => Command::PowerOn(text(node)),
        ["bmc", node, "ok"] => Command::Bmc(text(node), Bmc::Ok),
        ["bmc", node, "dead"] => Command::Bmc(text(node), Bmc::Dead),
        ["bmc", node, "lying"] => Command::Bmc(text(node), Bmc::Lying),
        ["bmc", node, "slow", ms] => {
            let ms = number(ms, "a number of milliseconds", |_| true)?;
            Command::Bmc(text(node), Bmc::Slow(ms))
        }
        ["network", node, "cut"] => Command::Cut(text(node), NETS.to_vec()),
        ["network", node, "cut", ref nets @ ..] => {
            Command::Cut(text(node), nets.iter().map(|net| Net::parse(net)).collect::<Result<_>>()?)
        }
        ["network", node, "heal"] => Command::Heal(text(node)),
        ["oneway", from, to, "cut"] => Command::OneWay(text(from), text(to), true),
        ["oneway", from, to, "heal"] => Command::OneWay(text(from), text(to), false),
        ["loss", node, percent] => {
            let percent = number(percent, "a percentage from 0 to 100", |percent| *percent <= 100)?;
            Command::Loss(text(node), percent)
        }
        ["mesh", node, "cut"] => Command::Mesh(text(node), true),
        ["mesh", node, "heal"] => Command::Mesh(text(node), false),
        ["freeze", node] => Command::Freeze(text(node)),
        ["thaw", node] => Command::Thaw(text(node)),
        ["clock", node, by] => {
            let by = number(by, "a number of seconds, such as +3600", |_| true)?;
            Command::Clock(text(node), by)
        }
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
        _ => bail!("it is no command: {COMMANDS}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_was_expected() {
        let wrong = [
            ("soon end", "`soon` is no time in seconds"),
            ("-1 end", "`-1` is no time in seconds"),
            ("2 loss hv1 101", "`101` is not a percentage from 0 to 100"),
            ("2 clock hv1 later", "`later` is not a number of seconds"),
            ("2 bmc hv1 slow down", "`down` is not a number of milliseconds"),
            ("2 network hv1 cut moon", "`moon` is not one of cluster, storage, upstream"),
            ("2 power hv1 off", "it is no command: power NODE cut|on"),
            ("0.5 thaw hv1", "it is earlier than the line before"),
            ("2 thaw hv9", "unknown here"),
        ];
        let known = |command: &Command| match command {
            Command::Thaw(node) if node == "hv9" => bail!("unknown here"),
            _ => Ok(()),
        };
        for (line, why) in wrong {
            let script = format!("# a comment\n1 freeze hv1 # another\n{line}\n60 end\n");
            let told = format!("{:#}", parse(&script, known).unwrap_err());
            assert!(told.starts_with(&format!("line 3: `{line}`: {why}")), "{told}");
        }
    }

    #[test]
    fn a_script_ends_with_its_end() {
        for script in ["", "1 freeze hv1", "1 end\n2 freeze hv1"] {
            let told = format!("{:#}", parse(script, |_| Ok(())).unwrap_err());
            assert!(told.contains("end`"), "{told}");
        }
        assert_eq!(parse("60 end", |_| Ok(())).unwrap().len(), 1);
    }
}
