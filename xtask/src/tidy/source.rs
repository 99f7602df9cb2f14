//! The Rust files of this project, and which part of each is the product.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One Rust file.
pub(super) struct Source {
    /// Its path from the root, with `/` between the parts.
    pub(super) path: String,
    /// What is in it.
    pub(super) text: String,
}

/// Where our Rust files are.
const PLACES: [&str; 5] = ["crates", "pvcnoded", "pvcapid", "pvc-cli", "xtask"];

/// Every Rust file below `root`, by path.
///
/// # Errors
/// When one cannot be read.
pub(super) fn all(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut directories: Vec<PathBuf> = PLACES.iter().map(|place| root.join(place)).collect();
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(&directory)
            .with_context(|| format!("cannot list {}", directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let path = path.strip_prefix(root)?.to_string_lossy().into_owned();
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

impl Source {
    /// The text without its tests; nothing of a file that is only for tests.
    pub(super) fn product(&self) -> &str {
        if self.is_for_tests() {
            return "";
        }
        let tests = self.text.find("#[cfg(test)]\nmod tests {");
        &self.text[..tests.unwrap_or(self.text.len())]
    }

    /// Whether the whole file only serves tests.
    fn is_for_tests(&self) -> bool {
        self.path.contains("/tests/")
            || self.path.contains("/examples/")
            || self.path.ends_with("tests.rs")
            || self.path.starts_with("crates/pvc-e2e/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    #[test]
    fn the_product_ends_where_the_tests_begin() {
        let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        assert_eq!(source("crates/x/src/a.rs", text).product(), "fn a() {}\n\n");
    }

    #[test]
    fn a_file_of_tests_has_no_product() {
        assert_eq!(source("crates/x/tests/a.rs", "fn a() {}").product(), "");
        assert_eq!(source("crates/x/src/vm/tests.rs", "fn a() {}").product(), "");
    }
}
