//! What the cluster's status looks like.

use pvc_common::api::Status;

use super::status::{Style, render};
use crate::golden::{check, fixture};
use crate::paint::Paint;

#[test]
fn a_status_is_shown_in_full_and_in_short() {
    let status: Status = fixture("status.json");
    let plain = Paint::new(false);
    check("render/cluster-status-pretty.txt", &render(&status, Style::Pretty, plain));
    check("render/cluster-status-short.txt", &render(&status, Style::Short, plain));
    let coloured = render(&status, Style::Pretty, Paint::new(true));
    check("render/cluster-status-colour.txt", &coloured.replace('\u{1b}', "^["));
}
