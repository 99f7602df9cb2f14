//! What fences look like.

use pvc_common::api::Fence;

use super::{list, show};
use crate::format::{InfoStyle, ListStyle};
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn fences_are_listed_in_a_table_or_by_their_ids() {
    let fences: Vec<Fence> = fixture("fences.json");
    check("render/fence-list-pretty.txt", &list::render(&fences, ListStyle::Pretty, PLAIN));
    check("render/fence-list-raw.txt", &list::render(&fences, ListStyle::Raw, PLAIN));
}

#[test]
fn a_fence_is_shown_in_short_and_in_full() {
    let fences: Vec<Fence> = fixture("fences.json");
    check("render/fence-show-pretty.txt", &show::render(&fences[0], InfoStyle::Pretty, PLAIN));
    check("render/fence-show-long.txt", &show::render(&fences[1], InfoStyle::Long, PLAIN));
}
