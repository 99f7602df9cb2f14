//! Logs: their end, in a pager, and what is added to them from now on.

use std::time::Duration;

use clap::Args;
use pvc_client::Request;
use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::foreground;
use crate::session::Session;
use crate::wait::Patience;

/// How many lines are shown unless told otherwise.
const LINES: u32 = 1000;
/// The same, when the log is followed.
const FOLLOW_LINES: u32 = 10;
/// How many lines are fetched each time while following.
const WINDOW: u32 = 200;
/// How often a followed log is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// How to look at a log.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LogOptions {
    /// Number of lines to show, from the end [default: 1000, or 10 with --follow].
    #[arg(short, long, value_name = "N")]
    lines: Option<u32>,
    /// Show what is added to the log, until interrupted.
    #[arg(short, long)]
    follow: bool,
}

/// The part that the answers for logs of nodes and of VMs have in common.
#[derive(Deserialize)]
struct Log {
    data: String,
}

impl LogOptions {
    /// Shows the log that `request` asks so many lines of.
    pub(crate) async fn show(self, session: &Session, request: impl Fn(u32) -> Request) -> Outcome {
        if self.follow {
            let lines = self.lines.unwrap_or(FOLLOW_LINES);
            return follow(session, lines, request).await;
        }
        let log: Log = session.read(&request(self.lines.unwrap_or(LINES))).await?;
        foreground::page(session.out, &log.data)
    }
}

async fn follow(session: &Session, lines: u32, request: impl Fn(u32) -> Request) -> Outcome {
    let window = request(WINDOW);
    let mut log: Log = session.read(&request(WINDOW.max(lines))).await?;
    session.out.write(tail(&log.data, lines).as_bytes())?;
    let mut patience = Patience::default();
    loop {
        tokio::time::sleep(INTERVAL).await;
        let new: Log = match session.client.read(&window).await {
            Ok(new) => new,
            Err(error) if error.is_passing() && patience.lasts() => continue,
            Err(error) => return Err(Failure::from(error)),
        };
        patience = Patience::default();
        session.out.write(added(&log.data, &new.data).as_bytes())?;
        log = new;
    }
}

/// The last `lines` lines of a text.
fn tail(text: &str, lines: u32) -> &str {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    if lines == 0 {
        return "";
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    let start = body.rmatch_indices('\n').nth(lines - 1);
    &text[start.map_or(0, |(index, _)| index + 1)..]
}

/// What `new` has that `old` has not, when both are windows on the same growing text.
///
/// The windows overlap from a line of `old` to its end, which may be in the midst of a line.
fn added<'a>(old: &str, new: &'a str) -> &'a str {
    let line_starts = std::iter::once(0).chain(old.match_indices('\n').map(|(i, _)| i + 1));
    for start in line_starts {
        let rest = &old[start..];
        if !rest.is_empty()
            && let Some(added) = new.strip_prefix(rest)
        {
            return added;
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_its_last_lines() {
        assert_eq!(tail("a\nb\nc", 2), "b\nc");
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(tail("a\nb", 9), "a\nb");
        assert_eq!(tail("a\nb", 0), "");
    }

    #[test]
    fn only_what_was_added_is_shown() {
        assert_eq!(added("a\nb", "a\nb\nc"), "\nc");
        assert_eq!(added("a\nb\nc", "b\nc\nd"), "\nd");
        assert_eq!(added("a\nb", "a\nb"), "");
    }

    #[test]
    fn a_line_that_grows_is_continued() {
        assert_eq!(added("a\nlog", "a\nlogin: "), "in: ");
    }

    #[test]
    fn a_log_that_was_replaced_is_shown_anew() {
        assert_eq!(added("a\nb", "x\ny"), "x\ny");
        assert_eq!(added("", "x"), "x");
    }
}
