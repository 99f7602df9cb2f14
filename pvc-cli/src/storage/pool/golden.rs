//! What pools look like.

use pvc_common::api::Pool;

use super::list;
use crate::format::ListStyle;
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn pools_are_listed_also_while_they_are_being_made() {
    let pools: Vec<Pool> = fixture("pools.json");
    check("render/pool-list-pretty.txt", &list::render(&pools, ListStyle::Pretty, PLAIN));
    check("render/pool-list-raw.txt", &list::render(&pools, ListStyle::Raw, PLAIN));
}
