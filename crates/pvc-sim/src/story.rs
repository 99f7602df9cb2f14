//! What happened, as a person reads it and as a program does.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When, since the beginning.
    pub at: Duration,
    /// For people; nothing if it is not worth a line.
    pub text: Option<String>,
    /// For programs; nothing if it is only for people.
    pub event: Option<Value>,
}

/// Everything that happened, in order.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Whether it is kept: random runs keep it only for the seed that fails.
    pub kept: bool,
    /// In order.
    pub entries: Vec<Entry>,
}

impl Story {
    /// A story that is kept.
    #[must_use]
    pub const fn kept() -> Self {
        Self { kept: true, entries: Vec::new() }
    }

    /// Something that only people want to know.
    pub fn tell(&mut self, at: Duration, text: impl FnOnce() -> String) {
        if self.kept {
            self.entries.push(Entry { at, text: Some(text()), event: None });
        }
    }

    /// Something that happened, with what it is about: pairs of names and values.
    pub fn event(
        &mut self,
        at: Duration,
        event: &str,
        about: &[(&str, &str)],
        text: impl FnOnce() -> String,
    ) {
        if !self.kept {
            return;
        }
        let mut object = Map::new();
        object.insert("t".to_owned(), json!(seconds(at)));
        object.insert("event".to_owned(), json!(event));
        object.extend(about.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        self.entries.push(Entry { at, text: Some(text()), event: Some(Value::Object(object)) });
    }

    /// The golden log.
    #[must_use]
    pub fn log(&self) -> String {
        let line = |entry: &Entry| {
            let text = entry.text.as_ref()?;
            Some(format!("{:>9.3}  {text}\n", entry.at.as_secs_f64()))
        };
        self.entries.iter().filter_map(line).collect()
    }

    /// One JSON object a line.
    #[must_use]
    pub fn json(&self) -> String {
        let events = self.entries.iter().filter_map(|entry| entry.event.as_ref());
        events.map(|event| format!("{event}\n")).collect()
    }
}

/// Seconds to the millisecond.
#[must_use]
pub fn seconds(at: Duration) -> f64 {
    (at.as_secs_f64() * 1_000.0).round() / 1_000.0
}
