//! The last lines of the log, in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// The last lines of the log. Clones share them.
#[derive(Clone, Debug)]
pub struct Ring {
    lines: Arc<Mutex<Lines>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Lines {
    kept: VecDeque<String>,
    most: usize,
    bytes: usize,
}

/// ZooKeeper takes at most 1 MiB in one request; the rest is room for what surrounds the text.
const MOST_BYTES: usize = 900 * 1024;

impl Ring {
    /// A ring of at most `most` lines.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let kept = VecDeque::new();
        Self {
            lines: Arc::new(Mutex::new(Lines { kept, most, bytes: 0 })),
            changed: watch::Sender::new(0),
        }
    }

    /// Appends a line, dropping the oldest when the ring is full.
    pub fn push(&self, line: String) {
        self.change(|lines| lines.push_back(line));
    }

    /// Puts lines of an earlier run in front of what there is, as far as there is room.
    pub fn recall(&self, text: &str) {
        self.change(|lines| {
            let since: Vec<String> = std::mem::take(&mut lines.kept).into();
            lines.bytes = 0;
            text.lines().map(str::to_owned).chain(since).for_each(|line| lines.push_back(line));
        });
    }

    /// The lines, oldest first, joined by line ends.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.kept.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Counts the changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn change(&self, edit: impl FnOnce(&mut Lines)) {
        // A panic in between leaves whole lines, so the ring is still good.
        edit(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_modify(|count| *count += 1);
    }
}

impl Lines {
    fn push_back(&mut self, line: String) {
        self.bytes += line.len() + 1;
        self.kept.push_back(line);
        while self.kept.len() > self.most || self.bytes > MOST_BYTES {
            let Some(oldest) = self.kept.pop_front() else {
                return;
            };
            self.bytes -= oldest.len() + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_drops_its_oldest_lines() {
        let ring = Ring::new(2);
        for line in ["a", "b", "c"] {
            ring.push(line.to_owned());
        }
        assert_eq!(ring.text(), "b\nc");
    }

    #[test]
    fn a_ring_fits_into_one_znode_however_long_its_lines() {
        let ring = Ring::new(10_000);
        for _ in 0..1_000 {
            ring.push("x".repeat(4_096));
        }
        assert!(ring.text().len() <= MOST_BYTES);
    }

    #[test]
    fn an_earlier_run_comes_before_this_one() {
        let ring = Ring::new(3);
        ring.push("now".to_owned());
        ring.recall("old 1\nold 2\nold 3");
        assert_eq!(ring.text(), "old 2\nold 3\nnow");
    }

    #[test]
    fn a_ring_of_no_lines_stays_empty() {
        let ring = Ring::new(0);
        ring.push("x".to_owned());
        assert_eq!(ring.text(), "");
    }
}
