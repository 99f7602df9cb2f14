//! Turns tracing's events into lines.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::date::Date;
use super::line::{Line, Prompt};
use super::writer::Queue;
use super::{Ring, Settings};

/// Renders every event and hands it to the writer and the ring. Never waits.
pub(super) struct PromptLayer {
    /// What each line of the ring begins with: rings of several daemons share a reader.
    ring_prefix: String,
    colours: bool,
    dates: bool,
    queue: Queue,
    ring: Ring,
}

impl PromptLayer {
    pub(super) fn new(settings: &Settings, queue: Queue, ring: Ring) -> Self {
        Self {
            ring_prefix: format!("{:<12}", format!("{}:", settings.daemon)),
            colours: settings.colours,
            dates: settings.dates,
            queue,
            ring,
        }
    }
}

/// How a span is called in the prefix of debug lines.
struct SpanName(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for PromptLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut words = Words::default();
        attributes.record(&mut words);
        let name = attributes.metadata().name();
        let name = if words.fields.is_empty() {
            name.to_owned()
        } else {
            format!("{name}{{{}}}", words.fields.trim_start())
        };
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanName(name));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let level = *event.metadata().level();
        let prompt = Prompt::new(level, words.mark.as_deref());
        let mut prefix = String::new();
        // Only details need telling where they come from: the rest is readable alone.
        if level >= Level::DEBUG {
            for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
                if let Some(SpanName(name)) = span.extensions().get() {
                    if !prefix.is_empty() {
                        prefix.push(':');
                    }
                    prefix.push_str(name);
                }
            }
            if prefix.is_empty() {
                prefix.push_str(event.metadata().target());
            }
        }
        let date = Date::now().to_string();
        words.message.push_str(&words.fields);
        let mut line = Line {
            prompt,
            date: self.dates.then(|| date.clone()),
            prefix: &prefix,
            message: &words.message,
        };
        self.queue.push(line.render(self.colours));
        // A ring that is read later and elsewhere is of no use without dates.
        line.date = Some(date);
        self.ring.push(format!("{}{}", self.ring_prefix, line.render(self.colours)));
    }
}

/// The message, the mark, and the other fields as ` name=value …`.
#[derive(Default)]
struct Words {
    message: String,
    mark: Option<String>,
    fields: String,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            "mark" => self.mark = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
        written.expect("a String takes everything");
    }
}
