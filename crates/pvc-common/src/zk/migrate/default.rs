//! What a new key starts with.

use crate::zk::schema::{Entry, Schema};

/// What a key holds before anybody writes it.
pub(super) enum Start {
    /// It is made with this.
    With(String),
    /// It is not made: that it is absent says something.
    Without,
}

/// What a key of an object that is there already starts with.
pub(super) fn start(schema: &Schema, entry: Entry<'_>) -> Start {
    Start::With(match (entry.kind, entry.name) {
        ("base", "schema.version") => schema.version().to_string(),
        ("osd", "is_split") => "False".to_owned(),
        ("pool", "tier") => "default".to_owned(),
        ("domain", "meta.migrate_max_downtime") => "300".to_owned(),
        // What was never told is not there; a fence or an order that is there is under way.
        ("node", "presence" | "lease" | "fenceable" | "hears" | "fence" | "fence.order")
        | ("node", "shut_out")
        // Nobody has begun it.
        | ("task", "progress")
        | ("domain", "displaced") => return Start::Without,
        // A claim that is there forbids everybody else to run the VM.
        ("domain", "claim" | "migrate.origin") => return Start::Without,
        _ => String::new(),
    })
}
