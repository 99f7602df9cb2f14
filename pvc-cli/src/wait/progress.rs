//! Progress on standard error: one line redrawn on a terminal, one line per change elsewhere.

use std::time::Duration;

use crate::out::Out;

/// The line of progress.
pub(super) struct Progress {
    out: Out,
    shown: String,
}

impl Progress {
    pub(super) const fn new(out: Out) -> Self {
        Self { out, shown: String::new() }
    }

    /// Shows what is going on.
    pub(super) fn show(&mut self, text: &str, elapsed: Duration) {
        if self.out.is_live() {
            self.out.redraw(&format!("{text} ({} s)", elapsed.as_secs()));
        } else if text != self.shown {
            self.out.note(text);
        }
        text.clone_into(&mut self.shown);
    }

    /// Makes room for the result.
    pub(super) fn end(&self) {
        self.out.redraw("");
    }
}
