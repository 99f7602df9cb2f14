//! The only place that prints: data on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::failure::{Exit, Failure, Outcome};
use crate::format::Json;
use crate::paint::Paint;

/// Where a command's text goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    quiet: bool,
    silent: bool,
    colour: bool,
}

impl Out {
    /// `quiet` drops information, `silent` drops all text; `colour` colours also what goes
    /// into a file or pipe.
    pub(crate) const fn new(quiet: bool, silent: bool, colour: bool) -> Self {
        Self { quiet: quiet || silent, silent, colour }
    }

    /// Colours for what goes to standard output.
    pub(crate) fn paint(self) -> Paint {
        Paint::new(self.colour || io::stdout().is_terminal())
    }

    /// Colours for what goes to standard error.
    pub(crate) fn paint_notes(self) -> Paint {
        Paint::new(self.colour || io::stderr().is_terminal())
    }

    /// Whether progress can be redrawn in place.
    pub(crate) fn is_live(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Whether a pager makes sense.
    pub(crate) fn is_paged(self) -> bool {
        !self.silent && io::stdout().is_terminal()
    }

    /// Prints what was asked for, and a line feed.
    pub(crate) fn data(self, text: &str) -> Outcome {
        self.write(format!("{text}\n").as_bytes())
    }

    /// Prints what was asked for, byte by byte.
    pub(crate) fn write(self, bytes: &[u8]) -> Outcome {
        if self.silent {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::PipeClosed),
            Err(error) => Err(Failure::new(format!("Failed to print: {error}"))),
        }
    }

    /// Prints a value as JSON, in one line or indented by two.
    pub(crate) fn json(self, value: &impl Serialize, json: Json) -> Outcome {
        let text = match json {
            Json::Dense => serde_json::to_string(value),
            Json::Indented => serde_json::to_string_pretty(value),
        };
        self.data(&text.expect("values made of texts, numbers and lists are JSON"))
    }

    /// Tells the person something beside the data.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.say(&format!("{text}\n"));
        }
    }

    /// Shows what goes on underneath; whoever asks for that gets it also when quiet.
    pub(crate) fn debug(self, text: &str) {
        self.say(&format!("{text}\n"));
    }

    /// Tells about something that was left out because it failed.
    pub(crate) fn warn(self, failure: Failure) {
        if !self.quiet {
            self.say(&format!("{} {}\n", self.paint_notes().yellow("Warning:"), failure.message()));
        }
    }

    /// Replaces the last line of progress, without a line feed.
    pub(crate) fn redraw(self, text: &str) {
        if self.is_live() {
            self.say(&format!("\r\x1b[2K{text}"));
        }
    }

    /// Asks for something, without a line feed; also when quiet, for an answer is needed.
    pub(crate) fn prompt(self, text: &str) {
        self.say(text);
    }

    /// Explains the end of a command and gives its exit code.
    pub(crate) fn end(self, outcome: Outcome) -> ExitCode {
        match outcome {
            Ok(()) | Err(Failure::PipeClosed) => ExitCode::SUCCESS,
            Err(Failure::Silent) => Exit::Failed.into(),
            Err(Failure::Declined) => {
                self.say("Aborted.\n");
                ExitCode::SUCCESS
            }
            Err(Failure::Told { message, hint, exit }) => {
                let paint = self.paint_notes();
                self.say(&format!("{} {message}\n", paint.red("Error:")));
                if let Some(hint) = hint {
                    self.say(&format!("{} {hint}\n", paint.yellow("Hint:")));
                }
                exit.into()
            }
        }
    }

    fn say(self, text: &str) {
        if self.silent {
            return;
        }
        // There is nobody left to tell when standard error is gone.
        io::stderr().lock().write_all(text.as_bytes()).ok();
    }
}
