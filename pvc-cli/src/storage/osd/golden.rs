//! What OSDs look like.

use pvc_common::api::Osd;

use super::list;
use crate::format::ListStyle;
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn osds_are_listed_also_while_ceph_has_not_told_of_them() {
    let osds: Vec<Osd> = fixture("osds.json");
    check("render/osd-list-pretty.txt", &list::render(&osds, ListStyle::Pretty, PLAIN));
    check("render/osd-list-raw.txt", &list::render(&osds, ListStyle::Raw, PLAIN));
}
