//! How a node stands with regard to its death: in a word, and on its page.

use pvc_common::api::{Heard, HeardOn, Node};
use pvc_common::state::{DaemonState, Word};

use crate::format::InfoStyle;
use crate::paint::Colour;
use crate::show::{Cell, Sheet, fence_phase};

/// What most needs to be known, in a word or two.
pub(super) fn mark(node: &Node) -> Cell {
    if let Some(fence) = &node.fence {
        return fence_phase(&fence.phase);
    }
    if node.fence_order.is_some() {
        return Cell::coloured(Colour::Yellow, "ordered");
    }
    if !node.suspected_by.is_empty() {
        let text = format!("suspected ({})", node.suspected_by.len());
        return Cell::coloured(Colour::Yellow, text);
    }
    if node.shut_out.is_some() {
        return Cell::coloured(Colour::Yellow, "shut out");
    }
    match node.fenceable.as_ref().filter(|_| is_up(node)).map(|fenceable| fenceable.ok) {
        Some(true) => Cell::coloured(Colour::Green, "ok"),
        Some(false) => Cell::coloured(Colour::Red, "unfenceable"),
        None => Cell::or_na(""),
    }
}

/// What a node said of its BMC before it ended is of no use now.
fn is_up(node: &Node) -> bool {
    match DaemonState::parse(&node.daemon_state) {
        Ok(DaemonState::Init | DaemonState::Run | DaemonState::Shutdown) => true,
        Ok(DaemonState::Stop | DaemonState::Dead | DaemonState::Fenced) | Err(_) => false,
    }
}

/// The lines of its page; the short style sums up whom it hears.
pub(super) fn describe(sheet: &mut Sheet, node: &Node, style: InfoStyle) {
    sheet.blank();
    if let Some(fence) = &node.fence {
        let phase = fence_phase(&fence.phase);
        let text = format!("{} by {}: {}", fence.id, fence.by, fence.why);
        sheet.value("Fence", Cell::joined([phase, text.into()], ", "));
    }
    if let Some(order) = &node.fence_order {
        sheet.value("Fence Order", Cell::coloured(Colour::Yellow, order));
    }
    if let Some(why) = &node.shut_out {
        let text = format!("of its storage, until Ceph lets it in ({why})");
        sheet.value("Shut Out", Cell::coloured(Colour::Yellow, text));
    }
    if !node.suspected_by.is_empty() {
        let text = node.suspected_by.join(", ");
        sheet.value("Suspected By", Cell::coloured(Colour::Yellow, text));
    }
    sheet.value("Fenceable", fenceable(node));
    sheet.value("Lease", lease(node));
    match style {
        InfoStyle::Pretty => sheet.value("Hears", summary(node)),
        InfoStyle::Long => sheet.values("Hears", peers(node)),
    }
}

fn fenceable(node: &Node) -> Cell {
    match &node.fenceable {
        Some(one) if one.ok => Cell::coloured(Colour::Green, format!("yes: {}", one.message)),
        Some(one) => Cell::coloured(Colour::Red, format!("no: {}", one.message)),
        None => Cell::or_na(""),
    }
}

fn lease(node: &Node) -> Cell {
    let Some(lease) = &node.lease else { return "none".into() };
    let voters = if lease.voters.is_empty() {
        "ZooKeeper".to_owned()
    } else {
        format!("most of {}", lease.voters.join(", "))
    };
    Cell::plain(format!("{}, ends within {} ms unless heard by {voters}", lease.kind, lease.ms))
}

fn summary(node: &Node) -> Cell {
    if node.hears.is_empty() {
        return Cell::or_na("");
    }
    let silent = node.hears.iter().filter(|(_, heard)| !heard.heard);
    let silent: Vec<&str> = silent.map(|(name, _)| name.as_str()).collect();
    let all = node.hears.len();
    let count = format!("{} of {all} nodes", all - silent.len());
    if silent.is_empty() {
        Cell::coloured(Colour::Green, count)
    } else {
        Cell::coloured(Colour::Red, format!("{count}, but not {}", silent.join(", ")))
    }
}

fn peers(node: &Node) -> Vec<Cell> {
    let peer = |(name, heard): (&String, &Heard)| {
        let networks = heard.networks.iter();
        let networks: Vec<String> =
            networks.map(|(network, on)| format!("{network} {}", network_state(on))).collect();
        let (colour, not) =
            if heard.heard { (Colour::Green, "") } else { (Colour::Red, " not heard") };
        Cell::coloured(colour, format!("{name}{not}: {}", networks.join(", ")))
    };
    let cells: Vec<Cell> = node.hears.iter().map(peer).collect();
    if cells.is_empty() { vec![Cell::or_na("")] } else { cells }
}

/// How long an answer took over a network, and how long ago it came.
fn network_state(on: &HeardOn) -> String {
    match (on.rtt_us, on.silent_ms) {
        (Some(rtt), Some(silent)) => {
            format!("{}.{:02} ms ({silent} ms ago)", rtt / 1000, rtt % 1000 / 10)
        }
        (None, Some(silent)) => format!("({silent} ms ago)"),
        (Some(_) | None, None) => "never".to_owned(),
    }
}
