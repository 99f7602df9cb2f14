//! Finds the rules that nft does not take among many.

use std::collections::BTreeMap;

use super::render::command;
use super::rule::RuleText;

/// The commands that put rules into force, in a table of their own: for a trial where there are no
/// packets. Without rules they tell whether nft works at all.
#[must_use]
pub fn trial(rules: &[RuleText]) -> String {
    let mut out = String::new();
    for line in [
        "add table inet pvc-trial",
        "add chain inet pvc-trial rules",
        "add chain inet pvc-trial base { type filter hook forward priority filter; }",
        // Only what packets can reach is looked at closely by the kernel.
        "add rule inet pvc-trial base jump rules",
    ] {
        command(&mut out, format_args!("{line}"));
    }
    for rule in rules {
        command(&mut out, format_args!("add rule inet pvc-trial rules counter {rule}"));
    }
    out
}

/// Sifts rules by trials of more and more of them, of which each is taken or refused as a whole.
///
/// `k` bad ones among `n` take about `2k log n` trials.
#[derive(Debug)]
pub struct Sieve {
    /// What is still to be tried, the next one last. None is empty.
    pending: Vec<Vec<RuleText>>,
    refused: BTreeMap<RuleText, String>,
}

impl Sieve {
    /// Sifts these rules; each once, however often it is there.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = RuleText>) -> Self {
        let mut rules: Vec<RuleText> = rules.into_iter().collect();
        rules.sort();
        rules.dedup();
        let pending = if rules.is_empty() { vec![] } else { vec![rules] };
        Self { pending, refused: BTreeMap::new() }
    }

    /// The rules to be tried next; `None` when all is known.
    #[must_use]
    pub fn due(&self) -> Option<&[RuleText]> {
        self.pending.last().map(Vec::as_slice)
    }

    /// The last trial was taken.
    pub fn taken(&mut self) {
        self.pending.pop();
    }

    /// The last trial was refused, and why.
    pub fn refused(&mut self, why: &str) {
        let Some(mut rules) = self.pending.pop() else { return };
        match rules.len() {
            0 => {}
            1 => self.refused.extend(rules.pop().map(|rule| (rule, why.to_owned()))),
            many => {
                let second = rules.split_off(many / 2);
                self.pending.extend([second, rules]);
            }
        }
    }

    /// The rules that were refused alone, and why.
    #[must_use]
    pub fn into_refused(self) -> BTreeMap<RuleText, String> {
        self.refused
    }
}
