//! The chains of a network, and those that lead to them.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pvc_common::id::{RuleName, Vni};
use pvc_common::model::{Network, Rule};
use pvc_common::observed::FirewallTable;
use pvc_common::state::NetworkType;
use pvc_common::view::Shared;
use pvc_common::zk::Seen;
use pvc_common::zk::key::Direction;

use super::nodes::Nodes;
use super::rule::RuleText;

/// The map of what stays within one network.
pub(super) const WITHIN: &str = "within";
/// The map from a bridge to the rules for what enters its network.
pub(super) const ENTERING: &str = "entering";
/// The map from a bridge to the rules for what leaves its network.
pub(super) const LEAVING: &str = "leaving";
/// The map from a bridge to what its VMs may ask of this node.
pub(super) const REACHING: &str = "reaching";

const MAPS: [(&str, &str); 4] =
    [(WITHIN, "ifname . ifname"), (ENTERING, "ifname"), (LEAVING, "ifname"), (REACHING, "ifname")];

/// What VMs may ask of the node they are on, or of the primary: DHCP, DNS, the time, metadata, and
/// whether it is there. Nothing else of a node is for them.
const SERVICES: [&str; 8] = [
    "ct state established,related accept",
    "meta l4proto { icmp, ipv6-icmp } accept",
    "meta l4proto { tcp, udp } th dport 53 accept",
    "meta nfproto ipv4 udp dport 67 accept",
    "udp dport 123 accept",
    "meta nfproto ipv6 udp dport 547 accept",
    "ip daddr 169.254.169.254 tcp dport 80 accept",
    "counter drop",
];

/// A chain that packets come to by themselves: its name's stem, its hook, its rules.
type Hook = (&'static str, &'static str, Vec<String>);

/// With two chains of forwarding both have their say: what one of them accepts is still seen by the
/// other. What the nodes keep for themselves is asked first.
fn hooks(nodes: &Nodes) -> [Hook; 4] {
    let within = "iifname . oifname vmap @within".to_owned();
    let input = ["iifname vmap @reaching".to_owned()].into_iter().chain(nodes.input());
    [
        ("nodes", "forward priority filter - 2", nodes.forwarding()),
        (
            LEAVING,
            "forward priority filter - 1",
            vec![within.clone(), "iifname vmap @leaving".to_owned()],
        ),
        (ENTERING, "forward priority filter", vec![within, "oifname vmap @entering".to_owned()]),
        ("input", "input priority filter", input.collect()),
    ]
}

/// A chain whose name ends in a fingerprint of what is in it, so that the name tells whether it is as
/// it shall be, unless others changed it. It is never changed by us, only replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) name: String,
    pub(super) rules: Vec<String>,
}

impl Chain {
    fn new(stem: &str, rules: Vec<String>) -> Self {
        Self { name: format!("{stem}-{}", fingerprint(&rules)), rules }
    }

    /// The commands that make it.
    pub(super) fn make(&self, out: &mut String) {
        command(out, format_args!("add chain inet {} {}", FirewallTable::NAME, self.name));
        self.fill(out);
    }

    /// The commands that make it as it was made.
    pub(super) fn refill(&self, out: &mut String) {
        command(out, format_args!("flush chain inet {} {}", FirewallTable::NAME, self.name));
        self.fill(out);
    }

    /// As it is listed once it is made.
    pub(super) fn listed(&self) -> (String, Option<usize>) {
        (self.name.clone(), Some(self.rules.len()))
    }

    fn fill(&self, out: &mut String) {
        for rule in &self.rules {
            command(
                out,
                format_args!("add rule inet {} {} {rule}", FirewallTable::NAME, self.name),
            );
        }
    }
}

/// Adds a line.
pub(super) fn command(out: &mut String, line: fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a text takes any text");
}

/// Sixteen hexadecimal digits. They need not be the same in every release: a daemon of another
/// release replaces chains once.
fn fingerprint(of: &(impl Hash + ?Sized)) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// What is there besides the networks: the maps, the chains that look things up in them, and what
/// is the same for all networks.
#[derive(Clone, Debug)]
pub struct Base {
    hooks: Vec<(&'static str, Chain)>,
    services: Chain,
}

impl Base {
    /// The one that keeps for the nodes what is theirs.
    #[must_use]
    pub fn new(nodes: &Nodes) -> Self {
        let services = Chain::new("services", SERVICES.map(str::to_owned).into());
        let hooks = hooks(nodes);
        let fingerprint = fingerprint(&(MAPS, &hooks, &services.name));
        let named = |(stem, hook, rules): Hook| {
            (hook, Chain { name: format!("{stem}-{fingerprint}"), rules })
        };
        Self { hooks: hooks.into_iter().map(named).collect(), services }
    }

    /// The verdict on what a VM sends to this node.
    pub(super) fn reaching(&self) -> String {
        format!("jump {}", self.services.name)
    }

    /// The table while there is no network.
    pub(super) fn table(&self) -> FirewallTable {
        let hooks = self.hooks.iter().map(|(_, chain)| chain.listed());
        FirewallTable {
            chains: hooks.chain([self.services.listed()]).collect(),
            maps: MAPS.map(|(name, _)| (name.to_owned(), BTreeMap::new())).into(),
        }
    }

    /// The commands that make it, and remove all that was in our table.
    pub(super) fn make(&self) -> String {
        let table = FirewallTable::NAME;
        let mut out = String::new();
        for verb in ["add", "delete", "add"] {
            command(&mut out, format_args!("{verb} table inet {table}"));
        }
        for (name, key) in MAPS {
            command(
                &mut out,
                format_args!("add map inet {table} {name} {{ type {key} : verdict; }}"),
            );
        }
        self.services.make(&mut out);
        for (hook, chain) in &self.hooks {
            let (name, head) = (&chain.name, format!("type filter hook {hook}; policy accept;"));
            command(&mut out, format_args!("add chain inet {table} {name} {{ {head} }}"));
            chain.fill(&mut out);
        }
        out
    }
}

/// A rule of the tree that is not in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// What it is about.
    pub direction: Direction,
    /// Its name.
    pub name: RuleName,
    /// Why it is left out.
    pub why: String,
}

/// The chains of a managed network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub(super) entering: Chain,
    pub(super) leaving: Chain,
    /// The rules in its chains.
    pub rules: Vec<RuleText>,
    /// The rules that are not.
    pub omitted: Vec<Omitted>,
}

/// The chains of all managed networks.
pub type Wanted = BTreeMap<Vni, Arc<Rendered>>;

/// Renders networks, and knows those that it has rendered: one that was not written since is
/// not rendered again.
#[derive(Debug, Default)]
pub struct Renderer(BTreeMap<Vni, (Arc<Network>, Option<Arc<Rendered>>)>);

impl Renderer {
    /// The chains of all managed networks, without the rules that are `refused`.
    pub fn render(
        &mut self,
        networks: &Shared<Vni, Network>,
        refused: &BTreeMap<RuleText, String>,
    ) -> Wanted {
        self.0.retain(|vni, _| networks.contains_key(vni));
        let mut wanted = Wanted::new();
        for (vni, network) in networks {
            let known = self.0.get(vni).filter(|(rendered, _)| Arc::ptr_eq(rendered, network));
            let rendered = match known {
                Some((_, rendered)) => rendered.clone(),
                None => render(*vni, network, refused).map(Arc::new),
            };
            self.0.insert(*vni, (Arc::clone(network), rendered.clone()));
            wanted.extend(rendered.map(|rendered| (*vni, rendered)));
        }
        wanted
    }

    /// Forgets everything: other rules are refused now.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

/// A network whose kind cannot be understood keeps its firewall: closed is the safer mistake.
fn is_managed(network: &Network) -> bool {
    match &network.kind {
        Seen::Value { value: NetworkType::Managed, .. } | Seen::Bad { .. } => true,
        Seen::Value { value: NetworkType::Bridged, .. } | Seen::Absent => false,
    }
}

fn render(vni: Vni, network: &Network, refused: &BTreeMap<RuleText, String>) -> Option<Rendered> {
    if !is_managed(network) {
        return None;
    }
    let (mut all, mut omitted) = (Vec::new(), Vec::new());
    let mut chain = |direction| {
        let (word, rules) = match direction {
            Direction::In => ("in", &network.rules_in),
            Direction::Out => ("out", &network.rules_out),
        };
        let mut lines = vec!["counter".to_owned()];
        for (name, rule) in in_order(rules) {
            match text(rule, refused) {
                Some(Ok(rule)) => {
                    // The statement in front keeps the text from being read as anything but more
                    // statements.
                    lines.push(format!("counter {rule}"));
                    all.push(rule);
                }
                Some(Err(why)) => omitted.push(Omitted { direction, name: name.clone(), why }),
                // It is about to be written, or just removed.
                None => {}
            }
        }
        Chain::new(&format!("vxlan{vni}-{word}"), lines)
    };
    let (entering, leaving) = (chain(Direction::In), chain(Direction::Out));
    Some(Rendered { entering, leaving, rules: all, omitted })
}

/// By their numbers, as numbers; those at the same place by name, and those without one last.
fn in_order(rules: &BTreeMap<RuleName, Rule>) -> Vec<(&RuleName, &Rule)> {
    let mut rules: Vec<_> = rules.iter().collect();
    rules.sort_by_key(|(_, rule)| rule.order.copied().unwrap_or(u32::MAX));
    rules
}

/// The text of a rule, or why it cannot be used; `None` when there is none.
fn text(rule: &Rule, refused: &BTreeMap<RuleText, String>) -> Option<Result<RuleText, String>> {
    let text = match &rule.rule {
        Seen::Value { value, .. } => value.parse::<RuleText>().map_err(|bad| bad.to_string()),
        Seen::Bad { why, .. } => Err(why.to_string()),
        Seen::Absent => return None,
    };
    Some(text.and_then(|text| match refused.get(&text) {
        Some(why) => Err(why.clone()),
        None => Ok(text),
    }))
}
