//! What was measured, on stdout, one JSON object a line; what is going on, on stderr.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// Group and case of a figure, and what the figure should not exceed.
pub(crate) struct Case<'a> {
    /// The group.
    pub(crate) bench: &'a str,
    /// The case, unique in its group.
    pub(crate) case: &'a str,
    /// The most it should be, in the unit of the figure.
    pub(crate) goal: Option<f64>,
}

impl Case<'_> {
    /// Tells a time.
    pub(crate) fn time(&self, time: Duration) {
        self.tell(time.as_secs_f64() * 1e3, "ms");
    }

    /// Tells a figure.
    #[expect(clippy::print_stdout, reason = "figures are this program's output")]
    pub(crate) fn tell(&self, value: f64, unit: &str) {
        let mut line = Map::new();
        line.insert("bench".to_owned(), json!(self.bench));
        line.insert("case".to_owned(), json!(self.case));
        line.insert("value".to_owned(), json!(round(value)));
        line.insert("unit".to_owned(), json!(unit));
        if let Some(goal) = self.goal {
            line.insert("goal".to_owned(), json!(round(goal)));
        }
        println!("{}", Value::Object(line));
    }
}

/// Says what is going on.
#[expect(clippy::print_stderr, reason = "progress, beside the figures")]
pub(crate) fn progress(what: &str) {
    eprintln!("{what}");
}

/// More digits than the machine repeats would only look exact.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
