//! What nodes look like.

use pvc_common::api::Node;

use super::{info, list};
use crate::format::{InfoStyle, ListStyle};
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn nodes_are_listed_in_a_table_or_by_name() {
    let nodes: Vec<Node> = fixture("nodes.json");
    check("render/node-list-pretty.txt", &list::render(&nodes, ListStyle::Pretty, PLAIN));
    check("render/node-list-raw.txt", &list::render(&nodes, ListStyle::Raw, PLAIN));
    let coloured = list::render(&nodes, ListStyle::Pretty, Paint::new(true));
    check("render/node-list-colour.txt", &coloured.replace('\u{1b}', "^["));
}

#[test]
fn a_node_is_shown_in_short_and_in_full() {
    let nodes: Vec<Node> = fixture("nodes.json");
    check("render/node-info-pretty.txt", &info::render(&nodes[0], InfoStyle::Pretty, PLAIN));
    check("render/node-info-long.txt", &info::render(&nodes[0], InfoStyle::Long, PLAIN));
    check("render/node-info-fenced.txt", &info::render(&nodes[2], InfoStyle::Pretty, PLAIN));
}

#[test]
fn a_node_is_marked_by_what_most_needs_to_be_known() {
    let mut node: Node = fixture::<Vec<Node>>("nodes.json").remove(0);
    let mark = |node: &Node| super::fencing::mark(node).render(PLAIN);
    assert_eq!(mark(&node), "ok");
    node.fenceable.as_mut().unwrap().ok = false;
    assert_eq!(mark(&node), "unfenceable");
    node.shut_out = Some("fence hv1-1".to_owned());
    assert_eq!(mark(&node), "shut out");
    node.suspected_by = vec!["hv2".to_owned()];
    assert_eq!(mark(&node), "suspected (1)");
    node.fence_order = Some("fence".to_owned());
    assert_eq!(mark(&node), "ordered");
}
