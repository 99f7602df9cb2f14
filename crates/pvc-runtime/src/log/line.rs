//! What a log line looks like.

use std::fmt::Write as _;

use tracing::Level;

/// Words for the field `mark`, which tells apart lines of the same level:
/// `tracing::info!(mark = mark::OK, "libvirt answers")`.
pub mod mark {
    /// Something that was wanted is so.
    pub const OK: &str = "ok";
    /// A keepalive.
    pub const TICK: &str = "tick";
    /// The daemon itself starts, stops or changes.
    pub const SYSTEM: &str = "system";
}

/// The kind of a line, which people see as a colour or a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    Ok,
    Failed,
    Warning,
    Tick,
    Info,
    System,
    Debug,
}

impl Prompt {
    pub(super) fn new(level: Level, mark: Option<&str>) -> Self {
        if level == Level::ERROR {
            return Self::Failed;
        }
        if level == Level::WARN {
            return Self::Warning;
        }
        if level != Level::INFO {
            return Self::Debug;
        }
        match mark {
            Some(mark::OK) => Self::Ok,
            Some(mark::TICK) => Self::Tick,
            Some(mark::SYSTEM) => Self::System,
            Some(_) | None => Self::Info,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok: ",
            Self::Failed => "failed: ",
            Self::Warning => "warning: ",
            Self::Tick => "tick: ",
            Self::Info => "info: ",
            Self::System => "system: ",
            Self::Debug => "debug: ",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[92m",
            Self::Failed => "\x1b[91m",
            Self::Warning => "\x1b[93m",
            Self::Tick => "\x1b[95m",
            Self::Info => "\x1b[94m",
            Self::System => "\x1b[96m",
            Self::Debug => "\x1b[97m",
        }
    }
}

/// Everything a line is made of.
pub(super) struct Line<'a> {
    pub(super) prompt: Prompt,
    /// The date, if lines carry one.
    pub(super) date: Option<String>,
    /// The tasks the record comes from, if that is told.
    pub(super) prefix: &'a str,
    pub(super) message: &'a str,
}

impl Line<'_> {
    /// The line without its end.
    pub(super) fn render(&self, colours: bool) -> String {
        let mut line = String::with_capacity(64 + self.prefix.len() + self.message.len());
        if colours {
            line.push_str(self.prompt.colour());
            line.push_str(">>> \x1b[0m");
        } else {
            line.push_str(self.prompt.word());
        }
        if let Some(date) = &self.date {
            line.push_str(date);
            line.push(' ');
        }
        if !self.prefix.is_empty() {
            line.push_str(self.prefix);
            line.push_str(" - ");
        }
        push_clean(&mut line, self.message);
        line
    }
}

/// Longest message that is kept: longer ones are data, not news.
const LONGEST: usize = 4096;

/// Appends a message such that it stays on its line and cannot steer a terminal.
fn push_clean(line: &mut String, message: &str) {
    for c in message.chars().take(LONGEST) {
        if c == '\n' {
            line.push_str(" | ");
        } else if c.is_control() && c != '\t' {
            // Writing to a String cannot fail.
            write!(line, "{}", c.escape_default()).expect("a String takes everything");
        } else {
            line.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(prompt: Prompt, prefix: &str) -> Line<'_> {
        Line { prompt, date: None, prefix, message: "hello" }
    }

    #[test]
    fn without_colours_the_prompt_is_a_word() {
        assert_eq!(line(Prompt::Ok, "").render(false), "ok: hello");
        assert_eq!(line(Prompt::Failed, "").render(false), "failed: hello");
        assert_eq!(line(Prompt::Tick, "a").render(false), "tick: a - hello");
    }

    #[test]
    fn with_colours_it_is_an_arrow() {
        assert_eq!(line(Prompt::Warning, "").render(true), "\x1b[93m>>> \x1b[0mhello");
    }

    #[test]
    fn a_message_stays_on_its_line_and_cannot_steer_a_terminal() {
        let hostile = Line { message: "a\nb\x1b[2Jc", ..line(Prompt::Info, "") };
        assert_eq!(hostile.render(false), "info: a | b\\u{1b}[2Jc");
    }

    #[test]
    fn marks_tell_apart_lines_of_level_info_only() {
        assert_eq!(Prompt::new(Level::INFO, Some(mark::TICK)), Prompt::Tick);
        assert_eq!(Prompt::new(Level::INFO, Some("else")), Prompt::Info);
        assert_eq!(Prompt::new(Level::WARN, Some(mark::OK)), Prompt::Warning);
        assert_eq!(Prompt::new(Level::TRACE, None), Prompt::Debug);
    }
}
