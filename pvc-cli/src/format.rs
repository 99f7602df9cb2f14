//! The formats in which data can be had.

use clap::{Args, ValueEnum};

/// JSON in one line, or indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// In one line.
    Dense,
    /// Indented by two.
    Indented,
}

/// What to do with an answer: pass it on, or lay it out in a style `S` for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form<S> {
    /// Pass it on.
    Json(Json),
    /// Lay it out.
    Laid(S),
}

/// How a list is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListStyle {
    /// A table.
    Pretty,
    /// Names only, one a line.
    Raw,
}

/// How one thing is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InfoStyle {
    /// The most important.
    Pretty,
    /// Everything.
    Long,
}

/// `-f` of commands that list.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ListFormat {
    /// Format of the output.
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = "pretty")]
    format: ListChoice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListChoice {
    Pretty,
    Raw,
    Json,
    JsonPretty,
}

impl ListFormat {
    /// What was chosen.
    pub(crate) const fn form(self) -> Form<ListStyle> {
        match self.format {
            ListChoice::Pretty => Form::Laid(ListStyle::Pretty),
            ListChoice::Raw => Form::Laid(ListStyle::Raw),
            ListChoice::Json => Form::Json(Json::Dense),
            ListChoice::JsonPretty => Form::Json(Json::Indented),
        }
    }
}

/// `-f` of commands that describe one thing.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct InfoFormat {
    /// Format of the output.
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = "pretty")]
    format: InfoChoice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum InfoChoice {
    Pretty,
    Long,
    Json,
    JsonPretty,
}

impl InfoFormat {
    /// What was chosen.
    pub(crate) const fn form(self) -> Form<InfoStyle> {
        match self.format {
            InfoChoice::Pretty => Form::Laid(InfoStyle::Pretty),
            InfoChoice::Long => Form::Laid(InfoStyle::Long),
            InfoChoice::Json => Form::Json(Json::Dense),
            InfoChoice::JsonPretty => Form::Json(Json::Indented),
        }
    }
}

/// `-f` of commands that have one layout only.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct PageFormat {
    /// Format of the output.
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = "pretty")]
    format: PageChoice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PageChoice {
    Pretty,
    Json,
    JsonPretty,
}

impl PageFormat {
    /// What was chosen.
    pub(crate) const fn form(self) -> Form<()> {
        match self.format {
            PageChoice::Pretty => Form::Laid(()),
            PageChoice::Json => Form::Json(Json::Dense),
            PageChoice::JsonPretty => Form::Json(Json::Indented),
        }
    }
}
