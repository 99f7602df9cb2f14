//! Sheets: one labelled value a line, in groups.

use super::Cell;
use crate::paint::Paint;

#[derive(Debug)]
enum Line {
    Value(&'static str, Cell),
    Blank,
    Block(String),
}

/// A page about one thing, filled from top to bottom and then rendered.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    lines: Vec<Line>,
}

impl Sheet {
    /// Adds a labelled value.
    pub(crate) fn value(&mut self, label: &'static str, value: impl Into<Cell>) {
        self.lines.push(Line::Value(label, value.into()));
    }

    /// Adds several values, of which the first line has the label.
    pub(crate) fn values(&mut self, label: &'static str, values: Vec<Cell>) {
        let mut label = label;
        for value in values {
            self.lines.push(Line::Value(label, value));
            label = "";
        }
    }

    /// Begins a new group.
    pub(crate) fn blank(&mut self) {
        self.lines.push(Line::Blank);
    }

    /// Adds text that is laid out already, such as a table.
    pub(crate) fn block(&mut self, text: String) {
        self.lines.push(Line::Block(text));
    }

    /// The sheet as text, without a line feed at the end.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let label_width = |line: &Line| match line {
            Line::Value(label, _) => label.len() + 1,
            Line::Blank | Line::Block(_) => 0,
        };
        let width = self.lines.iter().map(label_width).max().unwrap_or(0);
        let render = |line: &Line| match line {
            Line::Value(label, value) => {
                let colon = if label.is_empty() { "" } else { ":" };
                let label = format!("{label}{colon}");
                let space = " ".repeat(width - label.len() + 1);
                let line = format!("{}{space}{}", paint.purple(&label), value.render(paint));
                line.trim_end().to_owned()
            }
            Line::Blank => String::new(),
            Line::Block(text) => text.clone(),
        };
        self.lines.iter().map(render).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_line_up_after_the_longest_label() {
        let mut sheet = Sheet::default();
        sheet.value("Name", "hv1");
        sheet.blank();
        sheet.values("Health plugins", vec!["disk".into(), "load".into()]);
        let expected = "Name:           hv1\n\
                        \n\
                        Health plugins: disk\n\
                        \x20               load";
        assert_eq!(sheet.render(Paint::new(false)), expected);
    }
}
