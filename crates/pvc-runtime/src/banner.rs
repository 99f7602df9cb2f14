//! The first thing a daemon says.

use std::fmt::Display;

/// The name in large letters.
const ART: [&str; 5] = [
    r"   ____ __     __  ____   ",
    r"  |  _ \\ \   / / / ___|  ",
    r"  | |_) |\ \ / / | |      ",
    r"  |  __/  \ V /  | |___   ",
    r"  |_|      \_/    \____|  ",
];

/// The banner: the name, the version, and `facts` about cluster and host, one a line.
///
/// Each fact is a label and its value, such as `("Kernel", "6.1.0")`.
#[must_use]
pub fn banner(daemon: &str, debug: bool, facts: &[(&str, &dyn Display)]) -> Vec<String> {
    let about = [
        ("Daemon", &daemon as &dyn Display),
        ("Version", &crate::VERSION),
        ("Debug", &if debug { "True" } else { "False" }),
    ];
    let facts: Vec<String> =
        about.iter().chain(facts).map(|(label, value)| format!("  {label:<12} {value}")).collect();
    let art = ART.iter().map(|line| line.trim_end());
    let width = art
        .clone()
        .chain(facts.iter().map(String::as_str))
        .map(|line| line.chars().count())
        .max()
        .unwrap_or_default()
        + 2;
    let rule = format!("+{}+", "-".repeat(width));
    let boxed = |line: &str| format!("|{line:<width$}|");
    let mut lines = vec![rule.clone()];
    lines.extend(art.map(boxed));
    lines.push(rule.clone());
    lines.extend(facts.iter().map(|line| boxed(line)));
    lines.push(rule);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_is_a_box_that_holds_every_fact() {
        let lines = banner("pvcnoded", true, &[("Cluster", &"test"), ("CPUs", &16)]);
        let width = lines[0].len();
        assert!(lines.iter().all(|line| line.len() == width), "{lines:#?}");
        let text = lines.join("\n");
        for fact in ["pvcnoded", "Debug        True", "Cluster      test", "CPUs         16"] {
            assert!(text.contains(fact), "{text}");
        }
    }
}
