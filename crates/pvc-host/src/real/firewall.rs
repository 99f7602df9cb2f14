//! The firewall by way of `nft`.

use std::collections::BTreeMap;
use std::time::Duration;

use pvc_command::{Command, CommandError};
use pvc_common::observed::FirewallTable;
use serde::Deserialize;
use serde_json::Value;

use crate::{Detail, Firewall, FirewallError};

/// A thousand chains are listed in a twentieth of a second.
const QUESTION_LIMIT: Duration = Duration::from_secs(10);
/// So are 25,000 rules in 500 chains in 3.5 s, as 10 MB of text. Those who have more of them than fits
/// are told of chains only.
const RULES_LIMIT: Duration = Duration::from_secs(20);
const RULES_LIMIT_BYTES: usize = 64 * 1024 * 1024;
/// Tens of thousands of rules are loaded in a few seconds.
const CHANGE_LIMIT: Duration = Duration::from_secs(30);

/// The nftables of this machine, or of the network namespace that its caller is in.
///
/// Needs root: not even `nft --check` works without.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nft;

impl Firewall for Nft {
    async fn observe(&self, detail: Detail) -> Result<Option<FirewallTable>, FirewallError> {
        let question = Command::new("nft", QUESTION_LIMIT);
        let ways = list(question, "list chains inet; list maps inet").await?;
        if detail == Detail::Ways || ways.is_none() {
            return Ok(ways);
        }
        // One that is not there cannot be listed by name, and those of others may be large.
        let question = Command::new("nft", RULES_LIMIT).stdout_limit_bytes(RULES_LIMIT_BYTES);
        let mut table = list(question, &format!("list table inet {}", FirewallTable::NAME)).await?;
        for rules in table.iter_mut().flat_map(|table| table.chains.values_mut()) {
            rules.get_or_insert(0);
        }
        Ok(table)
    }

    async fn apply(&self, commands: &str) -> Result<(), FirewallError> {
        run(Command::new("nft", CHANGE_LIMIT).args(["--file", "-"]), commands).await
    }

    /// In a network namespace made for it. `nft --check` would be content with rules that the
    /// kernel refuses when it puts them into force, such as one that masquerades in a filter.
    async fn check(&self, commands: &str) -> Result<(), FirewallError> {
        let command = Command::new("unshare", CHANGE_LIMIT);
        run(command.args(["--net", "nft", "--file", "-"]), commands).await
    }
}

async fn list(command: Command, what: &str) -> Result<Option<FirewallTable>, FirewallError> {
    let listing = command.args(["--json", what]).run().await.map_err(FirewallError::Unusable)?;
    parse(&listing.stdout).map_err(FirewallError::Listing)
}

async fn run(command: Command, commands: &str) -> Result<(), FirewallError> {
    // Should a rule name a host, it is not for the host's name server to hold up all the others.
    let command = command.env("RES_OPTIONS", "timeout:1 attempts:1");
    match command.stdin(commands).run().await {
        Ok(_) => Ok(()),
        Err(CommandError::Failed { stderr, .. }) if complaint(&stderr).is_some() => {
            let message = complaint(&stderr).expect("there is one");
            Err(FirewallError::Refused { message })
        }
        Err(error) => Err(FirewallError::Unusable(error)),
    }
}

/// What nft says is wrong with the commands, and at which of their words; `None` if its trouble is
/// another one. A complaint about commands begins with the place that it is about. The command follows,
/// and then marks below what is wrong in it.
fn complaint(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines();
    let complaint = lines.find_map(|line| {
        let about = line.starts_with("/dev/stdin:") || line.starts_with("internal:");
        line.split_once(" Error: ").filter(|_| about).map(|(_, complaint)| complaint.trim())
    })?;
    let mut marked = || {
        let (command, marks) = (lines.next()?, lines.next()?);
        let marked = command.get(marks.find('^')?..=marks.rfind('^')?)?.trim();
        (!marked.is_empty()).then(|| format!("{complaint}, at `{marked}`"))
    };
    Some(marked().unwrap_or_else(|| complaint.to_owned()))
}

#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Listed>,
}

/// One of these, or something else.
#[derive(Deserialize)]
struct Listed {
    chain: Option<Member>,
    map: Option<Member>,
    rule: Option<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    table: String,
    chain: String,
}

#[derive(Deserialize)]
struct Member {
    table: String,
    name: String,
    #[serde(default)]
    elem: Vec<(Value, Value)>,
}

/// Our table in listings that follow each other. Rules follow their chains; a chain none of whose rules
/// is listed has none, or nobody asked for them.
fn parse(json: &str) -> Result<Option<FirewallTable>, serde_json::Error> {
    let mut table = FirewallTable::default();
    let mut all = Vec::new();
    for listing in serde_json::Deserializer::from_str(json).into_iter::<Listing>() {
        all.extend(listing?.nftables);
    }
    for Listed { chain, map, rule } in all {
        if let Some(chain) = chain.filter(|chain| chain.table == FirewallTable::NAME) {
            table.chains.insert(chain.name, None);
        }
        if let Some(map) = map.filter(|map| map.table == FirewallTable::NAME) {
            let elements = map.elem.iter().map(|(key, way)| (shown(key), verdict(way)));
            table.maps.insert(map.name, elements.collect::<BTreeMap<_, _>>());
        }
        if let Some(rule) = rule.filter(|rule| rule.table == FirewallTable::NAME) {
            *table.chains.entry(rule.chain).or_default().get_or_insert(0) += 1;
        }
    }
    Ok((table != FirewallTable::default()).then_some(table))
}

/// A key as it is written: parts are joined by dots. One of a kind that we do not use is shown as it
/// is listed.
fn shown(key: &Value) -> String {
    match (key, key.get("concat").and_then(Value::as_array)) {
        (Value::String(name), _) => name.clone(),
        (_, Some(parts)) => parts.iter().map(shown).collect::<Vec<_>>().join(" . "),
        (other, None) => other.to_string(),
    }
}

/// A verdict as it is written.
fn verdict(listed: &Value) -> String {
    let Some((word, rest)) = listed.as_object().and_then(|object| object.iter().next()) else {
        return listed.to_string();
    };
    match rest.get("target").and_then(Value::as_str) {
        Some(target) => format!("{word} {target}"),
        None => word.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_of_nft_is_understood() {
        let listing = r#"{"nftables": [
            {"metainfo": {"version": "1.0.6", "release_name": "x", "json_schema_version": 1}},
            {"chain": {"family": "inet", "table": "pvc", "name": "vxlan7-in-0", "handle": 1}},
            {"chain": {"family": "inet", "table": "filter", "name": "input", "handle": 2,
                       "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}}]}
            {"nftables": [{"map": {"family": "inet", "name": "entering", "table": "pvc", "type": "ifname",
                     "handle": 3, "map": "verdict",
                     "elem": [["vmbr7", {"jump": {"target": "vxlan7-in-0"}}]]}},
            {"map": {"family": "inet", "name": "within", "table": "pvc",
                     "type": ["ifname", "ifname"], "handle": 4, "map": "verdict",
                     "elem": [[{"concat": ["vmbr7", "vmbr7"]}, {"return": null}]]}},
            {"map": {"family": "inet", "name": "leaving", "table": "pvc", "type": "ifname",
                     "handle": 5, "map": "verdict"}}]}"#;
        let table = parse(listing).unwrap().unwrap();
        assert_eq!(table.chains, [("vxlan7-in-0".to_owned(), None)].into());
        let ways = |map: &str| table.maps[map].iter().collect::<Vec<_>>();
        let (bridge, within) = ("vmbr7".to_owned(), "vmbr7 . vmbr7".to_owned());
        assert_eq!(ways("entering"), [(&bridge, &"jump vxlan7-in-0".to_owned())]);
        assert_eq!(ways("within"), [(&within, &"return".to_owned())]);
        assert!(ways("leaving").is_empty());
        assert_eq!(parse(r#"{"nftables": []}"#).unwrap(), None);
        assert!(parse("nothing").is_err());
    }

    #[test]
    fn the_rules_of_our_chains_are_counted() {
        let listing = r#"{"nftables": [
            {"chain": {"family": "inet", "table": "pvc", "name": "a", "handle": 1}},
            {"chain": {"family": "inet", "table": "pvc", "name": "b", "handle": 2}},
            {"rule": {"family": "inet", "table": "pvc", "chain": "a", "handle": 3,
                      "expr": [{"counter": {"packets": 0, "bytes": 0}}, {"drop": null}]}},
            {"rule": {"family": "inet", "table": "pvc", "chain": "a", "handle": 4, "expr": []}},
            {"rule": {"family": "inet", "table": "others", "chain": "b", "handle": 5, "expr": []}}]}"#;
        let table = parse(listing).unwrap().unwrap();
        assert_eq!(table.chains, [("a".to_owned(), Some(2)), ("b".to_owned(), None)].into());
    }

    #[test]
    fn a_complaint_about_a_rule_is_told_from_other_trouble() {
        let refused = "/dev/stdin:4:31-34: Error: syntax error, unexpected string\n\
                       add rule inet t c counter tcp dprt 22 accept\n\
                       \x20                             ^^^^\n";
        assert_eq!(complaint(refused).unwrap(), "syntax error, unexpected string, at `dprt`");
        let at_its_end = "/dev/stdin:3:36-36: Error: syntax error, unexpected newline\n\
                       add rule inet t c counter tcp dport\n\
                       \x20                                  ^\n";
        assert_eq!(complaint(at_its_end).unwrap(), "syntax error, unexpected newline");
        for other in [
            "netlink: Error: cache initialization failed: Operation not permitted\n",
            "unshare: unshare failed: Operation not permitted\n",
            "",
        ] {
            assert_eq!(complaint(other), None, "{other}");
        }
    }
}
