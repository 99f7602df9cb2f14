//! What VMs look like.

use std::collections::BTreeSet;

use pvc_common::api::Vm;

use super::{info, list};
use crate::format::{InfoStyle, ListStyle};
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn vms_are_listed_in_a_table_or_by_name() {
    let vms: Vec<Vm> = fixture("vms.json");
    check("render/vm-list-pretty.txt", &list::render(&vms, None, ListStyle::Pretty, PLAIN));
    check("render/vm-list-raw.txt", &list::render(&vms, None, ListStyle::Raw, PLAIN));
    let coloured = list::render(&vms, Some(&BTreeSet::new()), ListStyle::Pretty, Paint::new(true));
    check("render/vm-list-colour.txt", &coloured.replace('\u{1b}', "^["));
}

#[test]
fn a_vm_is_shown_in_short_and_in_full() {
    let vms: Vec<Vm> = fixture("vms.json");
    check("render/vm-info-pretty.txt", &info::render(&vms[0], InfoStyle::Pretty, PLAIN));
    check("render/vm-info-long.txt", &info::render(&vms[0], InfoStyle::Long, PLAIN));
    check("render/vm-info-failed.txt", &info::render(&vms[1], InfoStyle::Pretty, PLAIN));
}

#[test]
fn a_vm_that_waits_for_a_node_after_a_fence_says_so() {
    let mut vm: Vm = fixture::<Vec<Vm>>("vms.json").remove(1);
    "stop".clone_into(&mut vm.state);
    vm.displaced = Some("hv3".to_owned());
    check("render/vm-info-displaced.txt", &info::render(&vm, InfoStyle::Pretty, PLAIN));
}
