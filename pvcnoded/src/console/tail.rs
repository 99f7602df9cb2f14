//! The last lines of a file that grows, is truncated, and is replaced.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Most bytes that are kept: a znode holds 1 MiB, and everybody who reads it gets it whole.
const MOST: u64 = 256 * 1024;

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print {
    inode: u64,
    len: u64,
    modified: (i64, i64),
}

/// A file whose last lines are wanted.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    lines: usize,
    seen: Option<Print>,
}

impl Tail {
    pub(super) const fn new(path: PathBuf, lines: usize) -> Self {
        Self { path, lines, seen: None }
    }

    /// Forgets what was seen: the next look tells it again.
    pub(super) fn forget(&mut self) {
        self.seen = None;
    }

    /// The last lines, if the file has changed since the last look.
    ///
    /// A file that is not there (yet, or in the midst of a rotation) has not changed. What is
    /// no UTF-8 is replaced, not dropped: a guest may write anything.
    pub(super) fn look(mut self) -> (Self, Option<String>) {
        let text = self.read().unwrap_or_else(|error| {
            if error.kind() != std::io::ErrorKind::NotFound {
                tracing::debug!(path = %self.path.display(), %error, "cannot read a console");
            }
            None
        });
        (self, text)
    }

    fn read(&mut self) -> std::io::Result<Option<String>> {
        let mut file = File::open(&self.path)?;
        let meta = file.metadata()?;
        let modified = (meta.mtime(), meta.mtime_nsec());
        let print = Print { inode: meta.ino(), len: meta.len(), modified };
        if self.seen == Some(print) {
            return Ok(None);
        }
        let start = meta.len().saturating_sub(MOST);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        self.seen = Some(print);
        let text = String::from_utf8_lossy(&bytes).replace('\0', "");
        Ok(Some(last_lines(&text, self.lines, start > 0)))
    }
}

/// The last `count` lines; the first is dropped if the text begins in the midst of one.
fn last_lines(text: &str, count: usize, cut: bool) -> String {
    let lines: Vec<&str> = text.lines().skip(usize::from(cut)).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(tail: Tail) -> (Tail, Option<String>) {
        tail.look()
    }

    #[test]
    fn only_changes_are_reported_and_only_the_last_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vm1.log");
        let (tail, text) = look(Tail::new(path.clone(), 2));
        assert_eq!(text, None, "no file yet");
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        let (tail, text) = look(tail);
        assert_eq!(text.as_deref(), Some("two\nthree"));
        let (_, text) = look(tail);
        assert_eq!(text, None);
    }

    #[test]
    fn truncation_and_rotation_are_followed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vm1.log");
        std::fs::write(&path, "old\n").unwrap();
        let (tail, _) = look(Tail::new(path.clone(), 10));
        std::fs::write(&path, "new\n").unwrap();
        let (tail, text) = look(tail);
        assert_eq!(text.as_deref(), Some("new"), "same length, rewritten in place");
        std::fs::rename(&path, dir.path().join("vm1.log.1")).unwrap();
        let (tail, text) = look(tail);
        assert_eq!(text, None, "between the two files");
        std::fs::write(&path, "").unwrap();
        let (_, text) = look(tail);
        assert_eq!(text.as_deref(), Some(""));
    }

    #[test]
    fn a_huge_file_costs_no_more_than_its_tail_and_junk_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vm1.log");
        let mut content = "x".repeat(100).into_bytes();
        content.push(b'\n');
        let mut content = content.repeat(10_000);
        content.extend_from_slice(b"last \xff\0word\n");
        std::fs::write(&path, content).unwrap();
        let (_, text) = look(Tail::new(path, 100_000));
        let text = text.unwrap();
        assert!(text.len() < 300_000);
        assert!(text.starts_with("xxx") && text.ends_with("last \u{fffd}word"));
    }
}
