//! Choosing from a list by a regular expression.

use regex::{Regex, RegexBuilder};

use super::error::ApiError;

/// Far more than a name needs, far less than would trouble the daemon.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern that a name must match as a whole.
pub(crate) struct Limit(Regex);

impl Limit {
    /// A pattern as lists take it: anything may precede it unless it begins with `^`, and follow
    /// it unless it ends with `$`.
    pub(crate) fn fuzzy(text: &str) -> Result<Self, ApiError> {
        let before = if text.starts_with('^') { "" } else { ".*" };
        let after = if text.ends_with('$') { "" } else { ".*" };
        Self::exact(&format!("{before}(?:{text}){after}"))
    }

    /// A pattern as it stands.
    pub(crate) fn exact(text: &str) -> Result<Self, ApiError> {
        RegexBuilder::new(&format!(r"\A(?:{text})\z"))
            .size_limit(SIZE_LIMIT)
            .build()
            .map(Self)
            .map_err(|error| ApiError::refused("bad-regex", format!("Regex Error: {error}")))
    }

    /// Whether the name matches.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_fuzzy_at_its_open_ends() {
        for (limit, taken, left) in [
            ("eb", "web1", "mail1"),
            ("^web", "web1", "oldweb"),
            ("1$", "web1", "web12"),
            ("^web1$", "web1", "web11"),
            ("a|b", "xbx", "c"),
        ] {
            let limit = Limit::fuzzy(limit).unwrap();
            assert!(limit.takes(taken) && !limit.takes(left), "{taken} {left}");
        }
    }

    #[test]
    fn an_exact_limit_matches_whole_names() {
        let limit = Limit::exact("web.").unwrap();
        assert!(limit.takes("web1") && !limit.takes("web12") && !limit.takes("aweb1"));
    }

    #[test]
    fn what_is_no_pattern_or_a_monster_is_refused() {
        assert!(Limit::fuzzy("(").is_err());
        assert!(Limit::fuzzy("(((a{1000}){1000}){1000})").is_err());
    }
}
