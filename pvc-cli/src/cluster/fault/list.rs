//! `pvc cluster fault list`.

use clap::{Args, ValueEnum};
use pvc_client::call;
use pvc_common::api::Fault;

use crate::failure::Outcome;
use crate::format::{Form, Json};
use crate::paint::{Colour, Paint};
use crate::shell::Shell;
use crate::show::{Cell, Sheet, Table, delta_colour};

/// Columns that a message may take when the terminal does not say how wide it is.
const DEFAULT_WIDTH: usize = 80;
/// No message is wrapped more narrowly than this.
const NARROWEST: usize = 20;

/// List faults, the last reported first.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Identifier of one fault.
    #[arg(value_name = "FAULT_ID")]
    limit: Option<String>,
    /// Format of the output.
    #[arg(short, long, value_enum, default_value = "short")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Short,
    Long,
    Json,
    JsonPretty,
}

/// How faults are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Short,
    Long,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = match &self.limit {
            Some(id) => call::cluster::fault(id),
            None => call::cluster::faults(),
        };
        let form = match self.format {
            Format::Short => Form::Laid(Style::Short),
            Format::Long => Form::Laid(Style::Long),
            Format::Json => Form::Json(Json::Dense),
            Format::JsonPretty => Form::Json(Json::Indented),
        };
        let paint = shell.out.paint();
        let width =
            terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
        session
            .show_list(&request, "faults", form, |faults: Vec<Fault>, style| match style {
                Style::Short => table(&faults, width, paint),
                Style::Long => pages(&faults, paint),
            })
            .await
    }
}

fn status(fault: &Fault) -> Cell {
    let colour = if fault.status == "ack" { Colour::Blue } else { Colour::Red };
    Cell::coloured(colour, &fault.status)
}

fn delta(fault: &Fault) -> Cell {
    let colour = delta_colour(fault.health_delta, fault.status == "ack");
    Cell::coloured(colour, format!("-{}%", fault.health_delta))
}

fn table(faults: &[Fault], width: usize, paint: Paint) -> String {
    let mut table = Table::new(&[
        ("Meta", &["ID", "Status", "Health", "Last Reported"]),
        ("Fault", &["Message"]),
    ]);
    let widest = |text: fn(&Fault) -> &str, name: &str| {
        let widths = faults.iter().map(|fault| text(fault).chars().count());
        widths.max().unwrap_or(0).max(name.len()) + 2
    };
    let before = widest(|fault| &fault.id, "ID")
        + widest(|fault| &fault.status, "Status")
        + widest(|fault| &fault.last_reported, "Last Reported")
        + "Health  ".len();
    let room = width.saturating_sub(before).max(NARROWEST);
    for fault in faults {
        let mut left =
            vec![(&fault.id).into(), status(fault), delta(fault), (&fault.last_reported).into()];
        for part in wrap(&fault.message, room) {
            let mut line = std::mem::replace(&mut left, vec![Cell::plain(""); 4]);
            line.push(part.into());
            table.row(line);
        }
    }
    table.render(paint)
}

fn pages(faults: &[Fault], paint: Paint) -> String {
    let page = |fault: &Fault| {
        let mut sheet = Sheet::default();
        sheet.value("ID", &fault.id);
        sheet.value("Status", status(fault));
        sheet.value("Health", delta(fault));
        sheet.value("Ack'd On", Cell::or_na(&fault.acknowledged_at));
        sheet.value("Last Reported", &fault.last_reported);
        sheet.value("First Reported", &fault.first_reported);
        sheet.block(format!("> {}", Cell::plain(&fault.message).render(paint)));
        sheet.render(paint)
    };
    faults.iter().map(page).collect::<Vec<_>>().join("\n\n")
}

/// Breaks a text at blanks into lines of at most `width` columns; never no line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Vec<Fault> {
        vec![Fault {
            id: "DEAD_NODE_HV2".into(),
            last_reported: "2026-11-21 04:00:00".into(),
            first_reported: "2026-11-21 03:00:00".into(),
            acknowledged_at: String::new(),
            status: "new".into(),
            health_delta: 50,
            message: "Node hv2 has not been heard of for a minute".into(),
        }]
    }

    #[test]
    fn a_long_message_is_wrapped_to_the_terminal() {
        let table = table(&faults(), 80, Paint::new(false));
        crate::golden::check("render/cluster-fault-list.txt", &table);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    }

    #[test]
    fn a_fault_in_full_ends_with_its_message() {
        assert_eq!(
            pages(&faults(), Paint::new(false)),
            "ID:             DEAD_NODE_HV2\n\
             Status:         new\n\
             Health:         -50%\n\
             Ack'd On:       N/A\n\
             Last Reported:  2026-11-21 04:00:00\n\
             First Reported: 2026-11-21 03:00:00\n\
             > Node hv2 has not been heard of for a minute"
        );
    }

    #[test]
    fn an_empty_message_is_still_a_line() {
        assert_eq!(wrap("", 10), [""]);
    }
}
