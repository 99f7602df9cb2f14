//! Tables: left-aligned columns under headings, the columns in named sections.

use super::Cell;
use crate::paint::Paint;

const GAP: &str = "  ";

/// A table that is filled row by row and then rendered.
#[derive(Debug)]
pub(crate) struct Table {
    /// Title and number of columns of each section.
    sections: Vec<(&'static str, usize)>,
    names: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table of sections, each a title and the names of its columns.
    ///
    /// Without any title the table has no line of titles.
    pub(crate) fn new(sections: &[(&'static str, &[&'static str])]) -> Self {
        Self {
            sections: sections.iter().map(|(title, names)| (*title, names.len())).collect(),
            names: sections.iter().flat_map(|(_, names)| *names).copied().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; it has one value for each column.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.names.len());
        self.rows.push(cells);
    }

    /// The table as text, without a line feed at the end.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let widths = self.widths();
        let mut lines = Vec::with_capacity(self.rows.len() + 2);
        if self.sections.iter().any(|(title, _)| !title.is_empty()) {
            lines.push(paint.bold(&self.titles(&widths)));
        }
        let names: Vec<Cell> = self.names.iter().map(|&name| name.into()).collect();
        lines.push(paint.bold(&line(&names, &widths, Paint::new(false))));
        lines.extend(self.rows.iter().map(|row| line(row, &widths, paint)));
        lines.join("\n")
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        // A section is at least as wide as its title; its last column makes up for it.
        let mut first = 0;
        for (title, count) in &self.sections {
            let section = &mut widths[first..first + count];
            let width = span(section);
            if let Some(last) = section.last_mut() {
                *last += title.chars().count().saturating_sub(width);
            }
            first += count;
        }
        widths
    }

    fn titles(&self, widths: &[usize]) -> String {
        let mut first = 0;
        let mut titles = Vec::with_capacity(self.sections.len());
        for (title, count) in &self.sections {
            let width = span(&widths[first..first + count]);
            let dashes = width.saturating_sub(title.chars().count() + 1);
            let blank = if dashes == 0 { "" } else { " " };
            let title = format!("{title}{blank}{}", "-".repeat(dashes));
            titles.push(format!("{title:width$}"));
            first += count;
        }
        titles.join(GAP).trim_end().to_owned()
    }
}

fn span(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

fn line(cells: &[Cell], widths: &[usize], paint: Paint) -> String {
    let mut line = String::new();
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        line.push_str(&cell.render(paint));
        if index + 1 < cells.len() {
            line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
            line.push_str(GAP);
        }
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint::Colour;

    #[test]
    fn columns_are_as_wide_as_their_content_and_sections_as_their_titles() {
        let mut table = Table::new(&[("Things", &["A", "Bee"]), ("Long title", &["C"])]);
        table.row(vec!["wide".into(), "x".into(), "1".into()]);
        table.row(vec!["y".into(), "z".into(), "2".into()]);
        let expected = "Things --  Long title\n\
                        A     Bee  C\n\
                        wide  x    1\n\
                        y     z    2";
        assert_eq!(table.render(Paint::new(false)), expected);
    }

    #[test]
    fn colours_do_not_shift_columns() {
        let mut table = Table::new(&[("", &["State", "Name"])]);
        table.row(vec![Cell::coloured(Colour::Green, "run"), "a".into()]);
        let text = table.render(Paint::new(true));
        assert!(text.ends_with("\x1b[92mrun\x1b[0m    a"), "{text:?}");
    }

    #[test]
    fn a_value_cannot_take_over_the_terminal() {
        let mut table = Table::new(&[("", &["Name"])]);
        table.row(vec!["a\x1b[2Jb\nc".into()]);
        assert!(table.render(Paint::new(false)).ends_with("a\u{fffd}[2Jb\u{fffd}c"));
    }
}
