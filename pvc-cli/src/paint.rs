//! Colours of the terminal.

/// The colours in use, as ANSI codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Wrong.
    Red,
    /// Well.
    Green,
    /// In transition.
    Yellow,
    /// On purpose out of service.
    Blue,
    /// A label.
    Purple,
    /// Of note.
    Cyan,
}

impl Colour {
    const fn code(self) -> u8 {
        match self {
            Self::Red => 91,
            Self::Green => 92,
            Self::Yellow => 93,
            Self::Blue => 94,
            Self::Purple => 95,
            Self::Cyan => 96,
        }
    }
}

/// Colours text, or leaves it plain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) const fn new(on: bool) -> Self {
        Self { on }
    }

    /// Whether there are colours.
    pub(crate) const fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn colour(self, colour: Option<Colour>, text: &str) -> String {
        match colour {
            Some(colour) if self.on && !text.is_empty() => {
                format!("\x1b[{}m{text}\x1b[0m", colour.code())
            }
            Some(_) | None => text.to_owned(),
        }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        if self.on { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.colour(Some(Colour::Red), text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.colour(Some(Colour::Green), text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.colour(Some(Colour::Yellow), text)
    }

    pub(crate) fn purple(self, text: &str) -> String {
        self.colour(Some(Colour::Purple), text)
    }
}

/// A text of others, made harmless for the terminal: no control characters.
pub(crate) fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
