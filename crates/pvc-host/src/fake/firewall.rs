//! A firewall in memory: it understands the commands that we use, and some of nft's words for rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pvc_command::CommandError;
use pvc_common::observed::FirewallTable;

use crate::{Detail, Firewall, FirewallError};

/// What rules are made of here. nft knows far more.
const WORDS: [&str; 38] = [
    "accept",
    "counter",
    "ct",
    "daddr",
    "dport",
    "drop",
    "established",
    "icmp",
    "ifname",
    "iifname",
    "ip",
    "ip6",
    "ipv",
    "ipv4",
    "ipv6",
    "jump",
    "l4proto",
    "limit",
    "meta",
    "new",
    "nfproto",
    "oifname",
    "protocol",
    "rate",
    "reject",
    "related",
    "return",
    "saddr",
    "second",
    "sport",
    "state",
    "tcp",
    "th",
    "udp",
    "vmap",
    "vmbr",
    "vxlan",
    "with",
];

/// After so long an nft that hangs is killed.
const HANGS: Duration = Duration::from_secs(30);

type Chains = BTreeMap<String, Vec<String>>;
type Maps = BTreeMap<String, BTreeMap<String, String>>;

/// A firewall in memory. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct FakeFirewall(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    tables: BTreeMap<String, Table>,
    applied: Vec<String>,
    checks: usize,
    missing: bool,
    untriable: bool,
    refuses: BTreeSet<String>,
    hangs_on: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    chains: Chains,
    maps: Maps,
}

impl FakeFirewall {
    /// One without a table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes nft away, or brings it back.
    pub fn uninstall(&self, missing: bool) {
        self.state().missing = missing;
    }

    /// Lets no rules be tried, as where no namespace may be made, or lets them again.
    pub fn forbid_trials(&self, forbidden: bool) {
        self.state().untriable = forbidden;
    }

    /// From now on the kernel takes no transaction that has this in it, although trials of it pass.
    pub fn refuse(&self, text: &str) {
        self.state().refuses.insert(text.to_owned());
    }

    /// From now on nft hangs when it is given a transaction that has this in it, until it is killed.
    pub fn hang_on(&self, text: &str) {
        self.state().hangs_on = Some(text.to_owned());
    }

    /// Removes all tables, as the system's own service of that name does.
    pub fn flush(&self) {
        self.state().tables.clear();
    }

    /// Does something to the firewall as others do it, who need not ask the daemon.
    ///
    /// # Panics
    /// If the command is not one that nft takes, or that is known here.
    pub fn by_others(&self, line: &str) {
        command(&mut self.state().tables, line).expect("a command that is taken");
    }

    /// The transactions that were taken, in order.
    #[must_use]
    pub fn applied(&self) -> Vec<String> {
        self.state().applied.clone()
    }

    /// How often something was tried.
    #[must_use]
    pub fn checks(&self) -> usize {
        self.state().checks
    }

    /// The rules that a verdict of one of our maps leads to; `None` if it leads nowhere.
    #[must_use]
    pub fn rules(&self, map: &str, key: &str) -> Option<Vec<String>> {
        let state = self.state();
        let table = state.tables.get(FirewallTable::NAME)?;
        let chain = table.maps.get(map)?.get(key)?.strip_prefix("jump ")?;
        table.chains.get(chain).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn usable(&self) -> Result<(), FirewallError> {
        if self.missing { Err(unusable("nft", std::io::ErrorKind::NotFound)) } else { Ok(()) }
    }
}

fn unusable(program: &str, why: std::io::ErrorKind) -> FirewallError {
    FirewallError::Unusable(CommandError::Spawn { program: program.to_owned(), source: why.into() })
}

impl Firewall for FakeFirewall {
    async fn observe(&self, detail: Detail) -> Result<Option<FirewallTable>, FirewallError> {
        let state = self.state();
        state.usable()?;
        let table = state.tables.get(FirewallTable::NAME);
        let table = table.filter(|table| !table.chains.is_empty() || !table.maps.is_empty());
        let counted = |rules: &Vec<String>| (detail == Detail::Rules).then_some(rules.len());
        Ok(table.map(|table| FirewallTable {
            chains: table
                .chains
                .iter()
                .map(|(name, rules)| (name.clone(), counted(rules)))
                .collect(),
            maps: table.maps.clone(),
        }))
    }

    async fn apply(&self, commands: &str) -> Result<(), FirewallError> {
        if self.state().hangs_on.as_ref().is_some_and(|text| commands.contains(text)) {
            tokio::time::sleep(HANGS).await;
            let program = "nft".to_owned();
            return Err(FirewallError::Unusable(CommandError::TimedOut { program, waited: HANGS }));
        }
        let mut state = self.state();
        state.usable()?;
        if let Some(text) = state.refuses.iter().find(|text| commands.contains(*text)) {
            return Err(refused(format!("Could not process rule: {text}")));
        }
        let mut tables = state.tables.clone();
        run(&mut tables, commands)?;
        state.tables = tables;
        state.applied.push(commands.to_owned());
        Ok(())
    }

    async fn check(&self, commands: &str) -> Result<(), FirewallError> {
        let mut state = self.state();
        state.usable()?;
        if state.untriable {
            return Err(unusable("unshare", std::io::ErrorKind::PermissionDenied));
        }
        state.checks += 1;
        run(&mut BTreeMap::new(), commands)
    }
}

const fn refused(message: String) -> FirewallError {
    FirewallError::Refused { message }
}

fn run(tables: &mut BTreeMap<String, Table>, commands: &str) -> Result<(), FirewallError> {
    commands.lines().try_for_each(|line| command(tables, line).map_err(refused))
}

/// Does one command; fails as nft would.
fn command(tables: &mut BTreeMap<String, Table>, line: &str) -> Result<(), String> {
    let missing = || "No such file or directory".to_owned();
    let mut words = line.splitn(6, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (verb, kind, _family, table) = (word(), word(), word(), word());
    let (name, rest) = (word().to_owned(), word());
    match (verb, kind) {
        ("add", "table") => {
            tables.entry(table.to_owned()).or_default();
            return Ok(());
        }
        ("delete", "table") => return tables.remove(table).map(drop).ok_or_else(missing),
        ("flush", "table") => {
            let table = tables.get_mut(table).ok_or_else(missing)?;
            table.chains.values_mut().for_each(Vec::clear);
            return Ok(());
        }
        _ => {}
    }
    let Table { chains, maps } = tables.get_mut(table).ok_or_else(missing)?;
    match (verb, kind) {
        ("add", "map") => drop(maps.entry(name).or_default()),
        ("add", "chain") => drop(chains.entry(name).or_default()),
        ("add", "rule") => {
            leads_somewhere(rest, chains, maps)?;
            chains.get_mut(&name).ok_or_else(missing)?.push(rule(rest)?);
        }
        ("flush", "chain") => chains.get_mut(&name).ok_or_else(missing)?.clear(),
        ("delete", "chain") => {
            if !chains.get(&name).ok_or_else(missing)?.is_empty() || is_used(&name, chains, maps) {
                return Err("Device or resource busy".to_owned());
            }
            chains.remove(&name);
        }
        ("add", "element") => {
            let (key, verdict) = element(rest)?;
            leads_somewhere(&verdict, chains, maps)?;
            let elements = maps.get_mut(&name).ok_or_else(missing)?;
            if elements.insert(key, verdict.clone()).is_some_and(|before| before != verdict) {
                return Err("File exists".to_owned());
            }
        }
        ("delete", "element") => {
            let elements = maps.get_mut(&name).ok_or_else(missing)?;
            let key = unquoted(rest.trim_matches(['{', '}', ' ']));
            elements.remove(&key).ok_or_else(missing)?;
        }
        _ => return Err("syntax error, unexpected string".to_owned()),
    }
    Ok(())
}

fn unquoted(text: &str) -> String {
    text.replace('"', "")
}

fn element(text: &str) -> Result<(String, String), String> {
    let (key, verdict) = text
        .trim_matches(['{', '}', ' '])
        .split_once(" : ")
        .ok_or("syntax error, unexpected newline")?;
    Ok((unquoted(key), verdict.to_owned()))
}

fn is_used(chain: &str, chains: &Chains, maps: &Maps) -> bool {
    let way = format!("jump {chain}");
    let in_maps = maps.values().flat_map(BTreeMap::values);
    in_maps.chain(chains.values().flatten()).any(|verdict| verdict.ends_with(&way))
}

/// A jump is to a chain that there is, a lookup in a map that there is.
fn leads_somewhere(text: &str, chains: &Chains, maps: &Maps) -> Result<(), String> {
    let after = |mark: &str| text.rsplit_once(mark).map(|(_, name)| name.trim());
    let is_known = after("jump ").is_none_or(|chain| chains.contains_key(chain))
        && after("vmap @").is_none_or(|map| maps.contains_key(map));
    if is_known { Ok(()) } else { Err("No such file or directory".to_owned()) }
}

/// A rule, if it is made of words that are known here.
fn rule(text: &str) -> Result<String, String> {
    let bare: String = text.split('"').step_by(2).collect();
    let is_word = |word: &&str| !word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit());
    let mut words = bare.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_word);
    // What is looked up, and where is jumped to, has a name of its own.
    let is_named = |text: &str| text.contains("vmap @") || text.contains("jump ");
    match words.find(|word| !is_named(&bare) && !WORDS.contains(word)) {
        Some(_) => Err("syntax error, unexpected string".to_owned()),
        None => Ok(text.to_owned()),
    }
}
