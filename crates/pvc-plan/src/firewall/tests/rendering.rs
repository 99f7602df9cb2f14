//! From a network to its chains.

use super::*;

/// The user's rules in the chain for what enters, in order.
fn entering(network: Network) -> Vec<String> {
    let wanted = wanted(&networks(&[(7, network)]));
    let rules = wanted[&vni(7)].entering.rules.iter();
    rules.filter_map(|rule| rule.strip_prefix("counter ").map(str::to_owned)).collect()
}

#[test]
fn rules_stand_in_the_order_of_their_numbers_and_then_of_their_names() {
    let rules = [
        ("tenth", 10, "udp dport 10 accept"),
        ("second", 2, "udp dport 2 accept"),
        ("b", 3, "udp dport 32 accept"),
        ("a", 3, "udp dport 31 accept"),
    ];
    assert_eq!(
        entering(network(&rules)),
        ["udp dport 2 accept", "udp dport 31 accept", "udp dport 32 accept", "udp dport 10 accept"]
    );
    let mut unnumbered = network(&[("a", 1, "tcp dport 1 accept"), ("b", 2, "drop")]);
    for order in [Seen::Absent, Seen::Bad { version: Version(0), why: "not a number".into() }] {
        unnumbered.rules_in.get_mut(&"a".parse().unwrap()).unwrap().order = order;
        assert_eq!(entering(unnumbered.clone()), ["drop", "tcp dport 1 accept"], "last");
    }
}

#[test]
fn each_direction_has_its_own_rules() {
    let mut network = network(&[("ssh", 0, "tcp dport 22 accept")]);
    network.rules_out.insert("ssh".parse().unwrap(), rule(0, "drop"));
    let wanted = wanted(&networks(&[(7, network)]));
    let rendered = &wanted[&vni(7)];
    assert_eq!(rendered.entering.rules, ["counter", "counter tcp dport 22 accept"]);
    assert_eq!(rendered.leaving.rules, ["counter", "counter drop"]);
    assert!(rendered.entering.name.starts_with("vxlan7-in-"), "{}", rendered.entering.name);
    assert!(rendered.leaving.name.starts_with("vxlan7-out-"), "{}", rendered.leaving.name);
}

#[test]
fn only_managed_networks_have_a_firewall() {
    let bad = Seen::Bad { version: Version(0), why: "not a network type".into() };
    for (kind, has) in [
        (seen(NetworkType::Managed), true),
        (seen(NetworkType::Bridged), false),
        (Seen::Absent, false),
        // Nothing is opened because of a slip of the pen.
        (bad, true),
    ] {
        let network = Network { kind: kind.clone(), ..Network::default() };
        assert_eq!(wanted(&networks(&[(7, network)])).len() == 1, has, "{kind:?}");
    }
}

#[test]
fn a_rule_that_cannot_be_used_is_left_out_and_the_rest_stands() {
    let mut network = network(&[
        ("a", 0, "tcp dport 1 accept"),
        ("b", 1, "accept; add table inet evil"),
        ("c", 2, "frobnicate"),
        ("d", 3, "drop"),
    ]);
    let bytes = Seen::Bad { version: Version(0), why: "not UTF-8".into() };
    network.rules_in.insert("e".parse().unwrap(), Rule { rule: bytes, ..rule(4, "") });
    network.rules_in.insert("f".parse().unwrap(), Rule { rule: Seen::Absent, ..rule(5, "") });
    let refused = [("frobnicate".parse().unwrap(), "syntax error".to_owned())].into();
    let all = networks(&[(7, network)]);
    let rendered = Arc::clone(&Renderer::default().render(&all, &refused)[&vni(7)]);
    assert_eq!(rendered.entering.rules, ["counter", "counter tcp dport 1 accept", "counter drop"]);
    let omitted = rendered.omitted.iter().map(|omitted| (omitted.name.as_str(), &*omitted.why));
    assert_eq!(
        omitted.collect::<Vec<_>>(),
        [
            ("b", "`;` at character 7: expected one rule on one line, without `;`, `#` or `\\`"),
            ("c", "syntax error"),
            ("e", "not UTF-8"),
        ]
    );
}

#[test]
fn what_was_not_written_is_not_rendered_again() {
    let mut renderer = Renderer::default();
    let mut all = networks(&[(7, network(&[])), (8, network(&[]))]);
    let nothing = BTreeMap::new();
    let before = renderer.render(&all, &nothing);
    all.insert(vni(8), Arc::new(network(&[("a", 0, "drop")])));
    let after = renderer.render(&all, &nothing);
    assert!(Arc::ptr_eq(&before[&vni(7)], &after[&vni(7)]));
    assert_ne!(before[&vni(8)], after[&vni(8)]);
    renderer.forget();
    let anew = renderer.render(&all, &nothing);
    assert!(!Arc::ptr_eq(&after[&vni(7)], &anew[&vni(7)]));
    assert_eq!(after, anew);
}

#[test]
fn a_name_tells_what_is_in_a_chain() {
    let name = |rules: &[(&str, u32, &str)]| {
        wanted(&networks(&[(7, network(rules))]))[&vni(7)].entering.name.clone()
    };
    let drop = name(&[("a", 0, "drop")]);
    assert_eq!(drop, name(&[("b", 5, "  drop ")]), "it is the same to the kernel");
    assert_ne!(drop, name(&[("a", 0, "accept")]));
    assert_ne!(drop, name(&[]));
    assert_ne!(drop, name(&[("a", 0, "drop"), ("b", 1, "drop")]));
}
