//! What volumes look like.

use pvc_common::api::Volume;

use super::list;
use crate::format::ListStyle;
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn volumes_are_listed_also_while_they_are_being_made() {
    let volumes: Vec<Volume> = fixture("volumes.json");
    check("render/volume-list-pretty.txt", &list::render(&volumes, ListStyle::Pretty, PLAIN));
    check("render/volume-list-raw.txt", &list::render(&volumes, ListStyle::Raw, PLAIN));
}
