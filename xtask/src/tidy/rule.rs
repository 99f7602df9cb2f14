//! Words that may only stand in certain places.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::source::Source;

/// Words that must not stand in a file, and where they may all the same.
struct Rule {
    words: &'static [&'static str],
    /// Whether tests are held to it too.
    in_tests: bool,
    /// Beginnings of the paths where they may.
    except: &'static [&'static str],
    reason: &'static str,
}

/// This file must be able to name what it forbids.
const THIS: &str = "xtask/src/tidy/rule.rs";

const RULES: [Rule; 6] = [
    Rule {
        words: &["TODO", "FIXME", "XXX", "todo!(", "unimplemented!("],
        in_tests: true,
        except: &[],
        reason: "finish it, or open an issue",
    },
    Rule {
        words: &["#[ignore"],
        in_tests: true,
        except: &[],
        reason: "a test that does not run proves nothing",
    },
    Rule {
        words: &["#[allow(", "#![allow("],
        in_tests: true,
        except: &[],
        reason: "write #[expect(lint, reason = \"...\")]",
    },
    Rule {
        words: &["thread::sleep("],
        in_tests: true,
        except: &["crates/pvc-e2e/src/lab/wait.rs", "xtask/src/wait.rs"],
        reason: "wait for a condition with a limit",
    },
    Rule {
        words: &["process::Command", "process::{Command", "process::{Child, Command"],
        in_tests: false,
        // The client's pager belongs to a person's terminal; the test server is no product.
        except: &[
            "crates/pvc-command/",
            "crates/pvc-zk/src/testing.rs",
            "pvc-cli/src/foreground.rs",
            "xtask/",
        ],
        reason: "only pvc-command starts programs",
    },
    Rule {
        words: &[
            "\"/ceph/",
            "\"/cmd",
            "\"/config",
            "\"/domains",
            "\"/faults",
            "\"/locks",
            "\"/logs",
            "\"/networks",
            "\"/nodes",
            "\"/provisioner",
            "\"/schema",
        ],
        in_tests: false,
        except: &["crates/pvc-common/src/zk/"],
        reason: "only pvc_common::zk spells ZooKeeper's paths",
    },
];

/// What is wrong with `source`, one line each.
pub(super) fn broken(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    if !source.text.starts_with("//!") {
        wrong.push(format!("{}: does not open with `//!`, what it is for", source.path));
    }
    if source.path == THIS {
        return wrong;
    }
    for rule in &RULES {
        if rule.except.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        let text = if rule.in_tests { source.text.as_str() } else { source.product() };
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = rule.words.iter().find(|word| has(line, word)) {
                let place = format!("{}:{}", source.path, number + 1);
                wrong.push(format!("{place}: `{word}`: {}", rule.reason));
            }
        }
    }
    wrong
}

/// Whether `word` stands in `line` and is not only the middle of a longer one.
fn has(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let glued = |character: char| character.is_alphanumeric() || character == '_';
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        let opens = !word.starts_with(glued) || !before.is_some_and(glued);
        let closes = !word.ends_with(glued) || !after.is_some_and(glued);
        opens && closes
    })
}

/// Bans of the root's `clippy.toml` that a crate's own file forgets to repeat.
///
/// The nearest file replaces the root's; it does not add to it.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn forgotten_bans(root: &Path) -> Result<Vec<String>> {
    let read = |place: &str| {
        let path = root.join(place).join("clippy.toml");
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let wanted = read("")?;
    let mut wrong = Vec::new();
    for place in ["crates/pvc-common", "crates/pvc-plan", "crates/pvc-domxml", "xtask"] {
        let own = read(place)?;
        for line in wanted.lines().map(str::trim).filter(|line| line.contains('=')) {
            if !own.contains(line) {
                wrong.push(format!("{place}/clippy.toml: forgets the root's `{line}`"));
            }
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: usize) {
        let source = Source { path: path.into(), text: format!("//! A file.\n{text}\n") };
        let wrong = broken(&source);
        assert_eq!(wrong.len(), expected, "{wrong:?}");
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        let source = Source { path: "crates/x/src/lib.rs".into(), text: "fn a() {}\n".into() };
        assert_eq!(broken(&source).len(), 1);
    }

    #[test]
    fn unfinished_work_is_refused_wherever_it_is() {
        check("crates/x/tests/a.rs", "// TODO: later", 1);
        check("pvcapid/src/main.rs", "todo!()", 1);
        check("pvcapid/src/main.rs", "let mastodon = todos;", 0);
    }

    #[test]
    fn only_the_vocabulary_spells_paths() {
        check("pvcnoded/src/vm.rs", r#"let path = "/domains/x";"#, 1);
        check("crates/pvc-common/src/zk/key.rs", r#"let path = "/domains/x";"#, 0);
        check("crates/pvc-zk/tests/contract.rs", r#"let path = "/domains/x";"#, 0);
    }

    #[test]
    fn only_one_crate_starts_programs() {
        check("pvcnoded/src/vm.rs", "use tokio::process::Command;", 1);
        check("crates/pvc-command/src/command.rs", "use tokio::process::Command;", 0);
    }
}
