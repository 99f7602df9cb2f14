//! Faults as clients are shown them.

use std::cmp::Ordering;

use pvc_common::api::Fault;
use pvc_common::zk::{Seen, Text};

use crate::image::View;

fn text<T: Text>(seen: &Seen<T>) -> String {
    seen.get().map(Text::encode).unwrap_or_default()
}

/// Every fault, by id.
pub(in crate::api) fn faults(view: &View) -> Vec<Fault> {
    let faults = view.reported.iter().map(|(id, fault)| Fault {
        id: id.to_string(),
        last_reported: text(&fault.last_time),
        first_reported: text(&fault.first_time),
        acknowledged_at: text(&fault.ack_time),
        status: text(&fault.status),
        health_delta: fault.delta.copied().unwrap_or_default().into(),
        message: text(&fault.message),
    });
    faults.collect()
}

/// Times sort as their texts do.
pub(in crate::api) fn by_time(a: &str, b: &str) -> Ordering {
    a.cmp(b)
}
