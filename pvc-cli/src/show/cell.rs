//! One value with its colour.

use std::fmt::Display;

use crate::paint::{Colour, Paint, tame};

/// A value on display: pieces of text, each in a colour or in the terminal's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pieces: Vec<(Option<Colour>, String)>,
}

impl Cell {
    /// A value in the terminal's own colour.
    pub(crate) fn plain(value: impl Display) -> Self {
        Self { pieces: vec![(None, tame(&value.to_string()))] }
    }

    /// A value in a colour.
    pub(crate) fn coloured(colour: Colour, value: impl Display) -> Self {
        Self { pieces: vec![(Some(colour), tame(&value.to_string()))] }
    }

    /// `N/A` in place of nothing.
    pub(crate) fn or_na(value: &str) -> Self {
        Self::plain(if value.is_empty() { "N/A" } else { value })
    }

    /// Several values in one.
    pub(crate) fn joined(cells: impl IntoIterator<Item = Self>, separator: &str) -> Self {
        let mut pieces = Vec::new();
        for cell in cells {
            if !pieces.is_empty() {
                pieces.push((None, separator.to_owned()));
            }
            pieces.extend(cell.pieces);
        }
        Self { pieces }
    }

    /// Columns that the value takes.
    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// The value as the terminal wants it.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let pieces = self.pieces.iter();
        pieces.map(|(colour, text)| paint.colour(*colour, text)).collect()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::plain(text)
    }
}
