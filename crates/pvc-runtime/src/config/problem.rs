//! One thing that is wrong with a configuration.

use std::fmt;

/// One thing that is wrong with a configuration: where, what is there, what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key, such as `pvc.system.fencing.ipmi.host`.
    pub path: String,
    /// Line of the file, counted from 1, where there is something to point at.
    pub line: Option<usize>,
    /// What is there, shortened; `None` when nothing is. Secrets are not shown.
    pub value: Option<String>,
    /// What should be there instead.
    pub expected: String,
}

/// Longest value that is repeated in a message.
const SHOWN: usize = 80;

impl Problem {
    /// A problem with `value`, which is shortened if it is long.
    #[must_use]
    pub fn new(
        path: impl Into<String>,
        line: Option<usize>,
        value: Option<&str>,
        expected: impl Into<String>,
    ) -> Self {
        let value = value.map(|text| text.chars().take(SHOWN).collect());
        Self { path: path.into(), line, value, expected: expected.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.path.is_empty() { "the file" } else { &self.path })?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        match &self.value {
            Some(value) => write!(f, ": found `{value}`")?,
            None => f.write_str(": missing")?,
        }
        write!(f, ", expected {}", self.expected)
    }
}
