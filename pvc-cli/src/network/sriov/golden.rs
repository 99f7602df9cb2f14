//! What cards and functions look like.

use pvc_common::api::{SriovPf, SriovVf};

use super::{pf, vf};
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn cards_are_listed_with_their_functions() {
    let pfs: Vec<SriovPf> = fixture("sriov-pfs.json");
    check("render/sriov-pf-list-pretty.txt", &pf::list::render(&pfs, PLAIN));
    assert_eq!(pf::list::render(&[], PLAIN), "");
}

#[test]
fn functions_are_listed_and_shown_with_who_has_them() {
    let vfs: Vec<SriovVf> = fixture("sriov-vfs.json");
    check("render/sriov-vf-list-pretty.txt", &vf::list::render(&vfs, PLAIN));
    check("render/sriov-vf-info-used.txt", &vf::info::render(&vfs[1], PLAIN));
    check("render/sriov-vf-info-bare.txt", &vf::info::render(&vfs[2], PLAIN));
    assert_eq!(vf::list::render(&[], PLAIN), "");
}
