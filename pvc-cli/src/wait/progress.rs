//! Progress on standard error: one line redrawn on a terminal, one line per change elsewhere.

use std::time::Duration;

use crate::out::Out;

/// The line of progress.
pub(crate) struct Progress {
    out: Out,
    shown: String,
}

impl Progress {
    pub(crate) const fn new(out: Out) -> Self {
        Self { out, shown: String::new() }
    }

    /// Shows what is going on.
    pub(crate) fn show(&mut self, text: &str, elapsed: Duration) {
        if self.out.is_live() {
            self.out.redraw(&format!("{text} ({} s)", elapsed.as_secs()));
        } else if text != self.shown {
            self.out.note(text);
        }
        text.clone_into(&mut self.shown);
    }

    /// Makes room for the result.
    pub(crate) fn end(&self) {
        self.out.redraw("");
    }
}

/// Twenty cells, filled as far as the task is.
pub(crate) fn bar(current: u64, total: u64) -> String {
    let total = total.max(1);
    let current = current.min(total);
    let filled = usize::try_from(current * 20 / total).unwrap_or(20);
    let percent = current * 100 / total;
    format!("[{}{}] {percent:3}%", "#".repeat(filled), "-".repeat(20 - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_survives_odd_figures() {
        assert_eq!(bar(9, 0), "[####################] 100%");
        assert_eq!(bar(7, 5), "[####################] 100%");
    }
}
