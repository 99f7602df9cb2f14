//! From what the kernel holds to what it shall hold.

use super::*;

fn lines(change: &Change) -> Vec<&str> {
    change.commands.lines().collect()
}

/// The networks that change; 0 for the table itself.
fn changed(changes: &[Change]) -> Vec<u32> {
    changes.iter().map(|change| change.network.map_or(0, Vni::get)).collect()
}

fn three() -> Shared<Vni, Network> {
    networks(&[(7, network(&[])), (8, network(&[("a", 0, "drop")])), (9, network(&[]))])
}

#[test]
fn nothing_is_done_to_what_is_as_it_shall_be() {
    let wanted = wanted(&three());
    assert!(changes(&wanted, Some(&table(&wanted))).is_empty());
    let nothing = Wanted::new();
    assert!(changes(&nothing, Some(&table(&nothing))).is_empty());
    // Without networks, too, the nodes keep what is theirs.
    assert_eq!(changed(&changes(&nothing, None)), [0]);
}

#[test]
fn all_is_made_where_nothing_is() {
    let wanted = wanted(&three());
    let changes = changes(&wanted, None);
    assert_eq!(changed(&changes), [0, 7, 8, 9]);
    let base = lines(&changes[0]);
    assert_eq!(&base[..3], ["add table inet pvc", "delete table inet pvc", "add table inet pvc"]);
    for rule in ["ct state established,related accept", "udp dport 123 accept", "counter drop"] {
        assert!(base.iter().any(|line| line.ends_with(rule)), "{rule}");
    }
    let (name_in, name_out) = (&wanted[&vni(8)].entering.name, &wanted[&vni(8)].leaving.name);
    let services = changes[2].commands.split("jump ").last().unwrap();
    let services = services.split(' ').next().unwrap();
    assert!(services.starts_with("services-"), "{services}");
    assert_eq!(
        lines(&changes[2]),
        [
            &*format!("add chain inet pvc {name_in}"),
            &*format!("add rule inet pvc {name_in} counter"),
            &*format!("add rule inet pvc {name_in} counter drop"),
            &*format!("add chain inet pvc {name_out}"),
            &*format!("add rule inet pvc {name_out} counter"),
            &*format!("add element inet pvc entering {{ \"vmbr8\" : jump {name_in} }}"),
            &*format!("add element inet pvc leaving {{ \"vmbr8\" : jump {name_out} }}"),
            &*format!("add element inet pvc reaching {{ \"vmbr8\" : jump {services} }}"),
            "add element inet pvc within { \"vmbr8\" . \"vmbr8\" : return }",
        ]
    );
}

#[test]
fn a_change_touches_only_the_chain_that_differs() {
    let before = wanted(&three());
    let mut all = three();
    all.insert(vni(8), Arc::new(network(&[("a", 0, "accept")])));
    let after = wanted(&all);
    let changes = changes(&after, Some(&table(&before)));
    assert_eq!(changed(&changes), [8]);
    let (old, new) = (&before[&vni(8)].entering.name, &after[&vni(8)].entering.name);
    assert_eq!(
        lines(&changes[0]),
        [
            &*format!("add chain inet pvc {new}"),
            &*format!("add rule inet pvc {new} counter"),
            &*format!("add rule inet pvc {new} counter accept"),
            "delete element inet pvc entering { \"vmbr8\" }",
            &*format!("add element inet pvc entering {{ \"vmbr8\" : jump {new} }}"),
            &*format!("flush chain inet pvc {old}"),
            &*format!("delete chain inet pvc {old}"),
        ]
    );
}

#[test]
fn a_network_that_is_gone_takes_its_chains_along() {
    let before = wanted(&three());
    let mut all = three();
    all.remove(&vni(8));
    let changes = changes(&wanted(&all), Some(&table(&before)));
    assert_eq!(changed(&changes), [8]);
    let (name_in, name_out) = (&before[&vni(8)].entering.name, &before[&vni(8)].leaving.name);
    assert_eq!(
        lines(&changes[0]),
        [
            "delete element inet pvc entering { \"vmbr8\" }",
            "delete element inet pvc leaving { \"vmbr8\" }",
            "delete element inet pvc reaching { \"vmbr8\" }",
            "delete element inet pvc within { \"vmbr8\" . \"vmbr8\" }",
            &*format!("flush chain inet pvc {name_in}"),
            &*format!("delete chain inet pvc {name_in}"),
            &*format!("flush chain inet pvc {name_out}"),
            &*format!("delete chain inet pvc {name_out}"),
        ]
    );
}

#[test]
fn what_others_took_away_or_bent_is_put_back() {
    let wanted = wanted(&three());
    let good = table(&wanted);
    let bent = |bend: &dyn Fn(&mut FirewallTable)| {
        let mut table = good.clone();
        bend(&mut table);
        changes(&wanted, Some(&table))
    };
    let gone = bent(&|table| drop(table.maps.get_mut("leaving").unwrap().remove("vmbr8")));
    assert_eq!(changed(&gone), [8]);
    assert_eq!(lines(&gone[0]).len(), 1, "{gone:?}");
    let open = bent(&|table| {
        let ways = table.maps.get_mut("reaching").unwrap();
        ways.insert("vmbr8".to_owned(), "accept".to_owned());
    });
    assert_eq!(changed(&open), [8]);
    assert_eq!(lines(&open[0]).len(), 2, "{open:?}");
    let stranger = bent(&|table| table.chains.extend([("vxlan9-in-0".to_owned(), Some(1))]));
    assert_eq!(lines(&stranger[0]).len(), 2, "a chain of a network's that is not wanted");
}

#[test]
fn a_chain_with_other_rules_than_ours_is_filled_anew() {
    let wanted = wanted(&three());
    let good = table(&wanted);
    let name = &wanted[&vni(8)].entering.name;
    assert_eq!(good.chains[name], Some(2));
    for (seen, expected) in
        [(Some(0), vec![8]), (Some(3), vec![8]), (Some(2), vec![]), (None, vec![])]
    {
        let mut table = good.clone();
        table.chains.insert(name.clone(), seen);
        let changes = changes(&wanted, Some(&table));
        assert_eq!(changed(&changes), expected, "{seen:?}");
        for change in &changes {
            let filled = [
                format!("flush chain inet pvc {name}"),
                format!("add rule inet pvc {name} counter"),
                format!("add rule inet pvc {name} counter drop"),
            ];
            assert_eq!(lines(change), filled);
        }
    }
}

#[test]
fn a_table_that_is_laid_out_otherwise_is_made_anew() {
    let wanted = wanted(&three());
    let good = table(&wanted);
    let named = |stem: &str| good.chains.keys().find(|name| name.starts_with(stem)).unwrap();
    let (base, services) = (named("leaving-"), named("services-"));
    let bends: [&dyn Fn(&mut FirewallTable); 7] = [
        &|table| *table = FirewallTable::default(),
        &|table| table.chains.retain(|name, _| name != base),
        &|table| table.chains.extend([(base.clone(), Some(0))]),
        &|table| table.chains.extend([(services.clone(), Some(9))]),
        &|table| drop(table.maps.remove("within")),
        &|table| table.chains.extend([("mine".to_owned(), None)]),
        &|table| {
            let ways = table.maps.get_mut("entering").unwrap();
            ways.insert("eth0".to_owned(), "drop".to_owned());
        },
    ];
    for (number, bend) in bends.iter().enumerate() {
        let mut table = good.clone();
        bend(&mut table);
        assert_eq!(changed(&changes(&wanted, Some(&table))), [0, 7, 8, 9], "{number}");
    }
}

#[test]
fn what_the_nodes_keep_for_themselves_comes_before_all_networks() {
    let nodes = Nodes {
        networks: ["10.254.0.0/24", "10.255.0.0/24"].map(|net| net.parse().unwrap()).into(),
        devices: ["brstorage".to_owned()].into(),
        carriers: ["brcluster", "brstorage"].map(str::to_owned).into(),
        ports: [4789].into(),
    };
    let base = Base::new(&nodes);
    let made = super::super::changes(&base, &Wanted::new(), None).remove(0).commands;
    let (nodes_chain, input): (Vec<_>, Vec<_>) = made
        .lines()
        .filter(|line| line.starts_with("add rule"))
        .filter_map(|line| line.split_once(' ').unwrap().1.split_once("inet pvc "))
        .filter_map(|(_, rest)| rest.split_once(' '))
        .filter(|(chain, _)| chain.starts_with("nodes-") || chain.starts_with("input-"))
        .partition(|(chain, _)| chain.starts_with("nodes-"));
    let rules = |chain: Vec<(&str, &str)>| {
        chain.iter().map(|(_, rule)| (*rule).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        rules(nodes_chain),
        [
            "iifname \"vmbr*\" oifname != \"vmbr*\" ip daddr 10.254.0.0/24 counter drop",
            "iifname \"vmbr*\" oifname != \"vmbr*\" ip daddr 10.255.0.0/24 counter drop",
            "iifname \"vmbr*\" oifname \"brstorage\" counter drop",
        ]
    );
    assert_eq!(
        rules(input),
        [
            "iifname vmap @reaching",
            "iifname \"vmbr*\" counter drop",
            "udp dport 4789 iifname != \"brcluster\" iifname != \"brstorage\" counter drop",
            "udp dport 4789 ip saddr != 10.254.0.0/24 ip saddr != 10.255.0.0/24 counter drop",
        ]
    );
    // A node that is configured otherwise makes the table anew.
    let seen = table(&Wanted::new());
    assert_eq!(changed(&super::super::changes(&base, &Wanted::new(), Some(&seen))), [0]);
}
