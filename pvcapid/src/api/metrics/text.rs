//! The text format of Prometheus: per metric a description, its kind, and a line per sample.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// The value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// A count.
    Whole(u64),
    /// A measurement, as exact as it is.
    Real(f64),
    /// Percent, with two decimals.
    Percent(f64),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number}"),
            Self::Percent(number) => write!(f, "{number:.2}"),
        }
    }
}

/// Labels as they are written, without the braces.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(String);

impl Labels {
    /// One label.
    pub(super) fn of(name: &'static str, value: &str) -> Self {
        Self::default().and(name, value)
    }

    /// One label more. Any text is a good value: what would end it is escaped.
    pub(super) fn and(mut self, name: &'static str, value: &str) -> Self {
        let comma = if self.0.is_empty() { "" } else { "," };
        self.0.extend([comma, name, "=\""]);
        for letter in value.chars() {
            match letter {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                other => self.0.push(other),
            }
        }
        self.0.push('"');
        self
    }
}

/// What a metric says of one object: a number, or a text as a label of the number 1.
pub(super) struct Sample<'a> {
    label: Option<(&'static str, Cow<'a, str>)>,
    number: Number,
}

impl<'a> Sample<'a> {
    /// A count.
    pub(super) fn whole(number: impl Into<u64>) -> Self {
        Number::Whole(number.into()).into()
    }

    /// A measurement.
    pub(super) fn real(number: f64) -> Self {
        Number::Real(number).into()
    }

    /// Percent.
    pub(super) fn percent(number: f64) -> Self {
        Number::Percent(number).into()
    }

    /// 1 for yes.
    pub(super) fn flag(flag: bool) -> Self {
        Self::whole(flag)
    }

    /// A text, in the label `label`.
    pub(super) fn text(label: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        Self::flag(true).labelled(label, text)
    }

    /// The same number with a label.
    pub(super) fn labelled(self, label: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        Self { label: Some((label, text.into())), ..self }
    }
}

impl From<Number> for Sample<'_> {
    fn from(number: Number) -> Self {
        Self { label: None, number }
    }
}

/// A metric of objects of one kind.
pub(super) struct Metric<T> {
    name: &'static str,
    help: &'static str,
    read: fn(&T) -> Option<Sample<'_>>,
}

impl<T> Metric<T> {
    /// A metric that `read` finds in an object, unless it was not published.
    pub(super) const fn new(
        name: &'static str,
        help: &'static str,
        read: fn(&T) -> Option<Sample<'_>>,
    ) -> Self {
        Self { name, help, read }
    }
}

/// An object and the labels that tell it from others of its kind.
pub(super) struct Subject<T> {
    /// No two subjects of a table have the same.
    pub(super) labels: Labels,
    /// The object.
    pub(super) of: T,
}

/// A page of metrics in the making.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Appends every metric of a table, for every subject.
    pub(super) fn table<T>(&mut self, metrics: &[Metric<T>], subjects: &[Subject<T>]) {
        for metric in metrics {
            self.head(metric.name, metric.help);
            for Subject { labels, of } in subjects {
                let Some(sample) = (metric.read)(of) else { continue };
                match sample.label {
                    Some((label, text)) => {
                        self.line(metric.name, &labels.clone().and(label, &text), sample.number);
                    }
                    None => self.line(metric.name, labels, sample.number),
                }
            }
        }
    }

    /// Appends a metric of counts by `label`.
    pub(super) fn counts<'a>(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        counts: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        self.head(name, help);
        for (value, count) in counts {
            self.line(name, &Labels::of(label, value), Number::Whole(count));
        }
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str) {
        self.0.extend(["# HELP ", name, " ", help, "\n# TYPE ", name, " gauge\n"]);
    }

    fn line(&mut self, name: &str, Labels(labels): &Labels, number: Number) {
        let written = if labels.is_empty() {
            writeln!(self.0, "{name} {number}")
        } else {
            writeln!(self.0, "{name}{{{labels}}} {number}")
        };
        written.expect("a string takes whatever is written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing {
        size: Option<u64>,
        remark: &'static str,
    }

    const THINGS: &[Metric<Thing>] = &[
        Metric::new("thing_size", "Size", |thing| thing.size.map(Sample::whole)),
        Metric::new("thing_remark", "Remark", |thing| Some(Sample::text("remark", thing.remark))),
    ];

    fn page(things: Vec<(&str, Thing)>) -> String {
        let mut page = Page::default();
        let subject = |(name, of)| Subject { labels: Labels::of("thing", name), of };
        page.table(THINGS, &things.into_iter().map(subject).collect::<Vec<_>>());
        page.finish()
    }

    #[test]
    fn what_is_not_known_has_no_line() {
        let things = vec![
            ("a", Thing { size: Some(3), remark: "" }),
            ("b", Thing { size: None, remark: "new" }),
        ];
        assert_eq!(
            page(things),
            "# HELP thing_size Size\n# TYPE thing_size gauge\nthing_size{thing=\"a\"} 3\n\
             # HELP thing_remark Remark\n# TYPE thing_remark gauge\n\
             thing_remark{thing=\"a\",remark=\"\"} 1\nthing_remark{thing=\"b\",remark=\"new\"} 1\n"
        );
    }

    #[test]
    fn no_text_ends_its_label() {
        for (text, written) in [
            ("a \"b\"", r#"a \"b\""#),
            ("a\\", r"a\\"),
            ("a\nb 1", r"a\nb 1"),
            ("\\n", r"\\n"),
            ("\"} 1\nfake 2 #", r#"\"} 1\nfake 2 #"#),
            ("{a=b},\tü€\u{1F600}", "{a=b},\tü€\u{1F600}"),
        ] {
            assert_eq!(Labels::of("l", text).0, format!("l=\"{written}\""), "{text:?}");
        }
    }

    #[test]
    fn percentages_have_two_decimals() {
        for (number, text) in [
            (Number::Percent(7.0), "7.00"),
            (Number::Percent(66.666), "66.67"),
            (Number::Real(0.42), "0.42"),
            (Number::Real(10_000_000_000.0), "10000000000"),
            (Number::Whole(u64::MAX), "18446744073709551615"),
        ] {
            assert_eq!(number.to_string(), text);
        }
    }
}
