//! The firewall's reconciler on a firewall and a tree in memory.

use pvc_common::model::Rule;
use pvc_common::state::NetworkType;
use pvc_common::view::Cluster;
use pvc_common::zk::{Op, Seen, Version, key};
use pvc_host::fake::FakeFirewall;
use pvc_zk::FakeTree;

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(0) }
}

fn keeper(tree: &FakeTree, firewall: &FakeFirewall) -> FirewallKeeper<FakeTree, FakeFirewall> {
    let health = Health::new("hv1".parse().unwrap(), tree.clone());
    FirewallKeeper::new(tree.clone(), firewall.clone(), health, &Nodes::default())
}

fn vni(number: u32) -> Vni {
    number.to_string().parse().unwrap()
}

/// A node, its firewall, and the cluster as it sees it.
struct Site {
    tree: FakeTree,
    firewall: FakeFirewall,
    keeper: FirewallKeeper<FakeTree, FakeFirewall>,
    view: View,
}

impl Site {
    async fn new() -> Self {
        let (tree, firewall) = (FakeTree::new(), FakeFirewall::new());
        let made = [key::FAULTS, "/nodes", "/nodes/hv1", "/nodes/hv1/monitoring_data"];
        let made = made.map(|path| Op::Create { path: path.to_owned(), data: vec![] });
        tree.commit(made.into()).await.unwrap();
        let keeper = keeper(&tree, &firewall);
        Self { tree, firewall, keeper, view: View::default() }
    }

    /// Has a network with these rules for what enters it.
    fn network(&mut self, number: u32, rules: &[&str]) {
        let rules = rules.iter().enumerate().map(|(place, text)| {
            let order = seen(u32::try_from(place).unwrap());
            let rule = Rule { znode: seen(()), rule: seen((*text).to_owned()), order };
            (format!("rule{place}").parse().unwrap(), rule)
        });
        let network = Network {
            description: seen(format!("net{number}")),
            kind: seen(NetworkType::Managed),
            rules_in: rules.collect(),
            ..Network::default()
        };
        self.view.networks.insert(vni(number), Arc::new(network));
    }

    fn maintenance(&mut self, wanted: bool) {
        let maintenance = seen(wanted.to_string());
        self.view.cluster = Arc::new(Cluster { maintenance, ..Cluster::default() });
    }

    async fn activate(&mut self) -> Report {
        self.keeper.reconcile(Arc::new(self.view.clone())).await.report
    }

    async fn restart(&mut self) -> Report {
        self.keeper = keeper(&self.tree.another(), &self.firewall);
        self.activate().await
    }

    /// The rules in force for what enters a network; `None` without a firewall.
    fn entering(&self, number: u32) -> Option<Vec<String>> {
        let rules = self.firewall.rules("entering", &format!("vmbr{number}"))?;
        Some(
            rules
                .iter()
                .filter_map(|rule| Some(rule.strip_prefix("counter ")?.to_owned()))
                .collect(),
        )
    }

    /// The message of a network's fault.
    async fn fault(&self, number: u32) -> Option<String> {
        self.text(&format!("/faults/FIREWALL_{number}/message")).await
    }

    /// The node's health in percent, and what its firewall says of it.
    async fn health(&self) -> (String, String) {
        let all = self.text("/nodes/hv1/monitoring_health").await.unwrap();
        let firewall = self.text("/nodes/hv1/monitoring_data/firewall/message").await.unwrap();
        (all, firewall)
    }

    async fn text(&self, path: &str) -> Option<String> {
        let entry = self.tree.get(path).await.unwrap()?;
        Some(String::from_utf8(entry.data).unwrap())
    }
}

fn rules(rules: &[&str]) -> Option<Vec<String>> {
    Some(rules.iter().map(|rule| (*rule).to_owned()).collect())
}

#[tokio::test(start_paused = true)]
async fn networks_get_their_firewall_and_lose_it_with_their_end() {
    let mut site = Site::new().await;
    site.network(7, &["tcp dport 22 accept", "drop"]);
    site.network(8, &[]);
    assert_eq!(site.activate().await.changed, 2);
    assert_eq!(site.entering(7), rules(&["tcp dport 22 accept", "drop"]));
    assert_eq!(site.entering(8), rules(&[]));
    assert_eq!(site.firewall.applied().len(), 1, "at one moment");
    site.view.networks.remove(&vni(7));
    assert_eq!(site.activate().await.changed, 1);
    assert_eq!((site.entering(7), site.entering(8)), (None, rules(&[])));
}

#[tokio::test(start_paused = true)]
async fn a_change_concerns_its_own_network_only() {
    let mut site = Site::new().await;
    for number in 1..100 {
        site.network(number, &["drop"]);
    }
    site.activate().await;
    site.network(50, &["accept"]);
    site.activate().await;
    let applied = site.firewall.applied();
    let change = &applied[1];
    assert!(
        change.lines().all(|line| line.contains("vxlan50-") || line.contains("vmbr50\"")),
        "{change}"
    );
    assert_eq!((applied.len(), site.entering(50)), (2, rules(&["accept"])));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_starts_anew_changes_nothing() {
    let mut site = Site::new().await;
    site.network(7, &["tcp dport 22 accept", "frobnicate"]);
    site.network(8, &["accept; flush ruleset"]);
    site.activate().await;
    let before = site.firewall.applied().len();
    let report = site.restart().await;
    assert_eq!((report.changed, report.omitted.len()), (0, 2));
    assert_eq!(site.firewall.applied().len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_bad_rule_is_left_out_and_told_of_and_all_others_are_in_force() {
    let mut site = Site::new().await;
    site.network(7, &["tcp dport 22 accept", "frobnicate", "drop"]);
    site.network(8, &["udp dport 53 accept"]);
    let report = site.activate().await;
    assert_eq!(site.entering(7), rules(&["tcp dport 22 accept", "drop"]));
    assert_eq!(site.entering(8), rules(&["udp dport 53 accept"]));
    let told = "Network 7 (net7): firewall rule `rule1` (in) is left out: \
                syntax error, unexpected string";
    assert_eq!(report.omitted, [told]);
    assert_eq!(site.fault(7).await.as_deref(), Some(told));
    assert_eq!(site.fault(8).await, None);

    // Known to be bad, it costs nothing any more, nor does it keep others from being changed.
    let checks = site.firewall.checks();
    site.network(7, &["tcp dport 22 accept", "frobnicate", "accept"]);
    site.activate().await;
    assert_eq!(site.entering(7), rules(&["tcp dport 22 accept", "accept"]));
    assert_eq!(site.firewall.checks(), checks);
    site.network(7, &["tcp dport 22 accept", "reject"]);
    let report = site.activate().await;
    assert_eq!((report.omitted.len(), site.entering(7).unwrap().len()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_more_than_a_rule_never_reaches_nft() {
    let mut site = Site::new().await;
    site.network(7, &["accept\nadd table inet evil", "drop"]);
    site.activate().await;
    assert_eq!(site.entering(7), rules(&["drop"]));
    assert!(!site.firewall.applied()[0].contains("evil"));
    let told = site.fault(7).await.unwrap();
    assert!(told.contains("`rule0` (in) is left out: `\\n` at character 7"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_others_flush_is_back_at_the_next_look() {
    let mut site = Site::new().await;
    site.network(7, &["drop"]);
    site.activate().await;
    site.firewall.flush();
    site.activate().await;
    assert_eq!(site.entering(7), None, "nobody has looked yet");
    tokio::time::advance(LOOK_EVERY).await;
    site.activate().await;
    assert_eq!(site.entering(7), rules(&["drop"]));
}

/// Has others do something, and returns how many networks were changed for it at the next look.
async fn after(site: &mut Site, line: &str) -> usize {
    site.firewall.by_others(line);
    tokio::time::advance(LOOK_EVERY).await;
    site.activate().await.changed
}

#[tokio::test(start_paused = true)]
async fn rules_that_others_add_or_take_away_are_put_right_at_the_next_look() {
    let mut site = Site::new().await;
    site.network(7, &["drop"]);
    site.network(8, &["tcp dport 22 accept", "drop"]);
    site.activate().await;
    let good = site.firewall.observe(Detail::Ways).await.unwrap();
    let named = |stem: &str| {
        let chains = &good.as_ref().unwrap().chains;
        chains.keys().find(|name| name.starts_with(stem)).unwrap().clone()
    };
    let (entering, services, hook) = (named("vxlan8-in"), named("services"), named("leaving"));
    for (line, changed) in [
        ("flush table inet pvc".to_owned(), 2),
        (format!("flush chain inet pvc {entering}"), 1),
        (format!("add rule inet pvc {entering} accept"), 1),
        (format!("add rule inet pvc {services} accept"), 2),
        (format!("flush chain inet pvc {hook}"), 2),
    ] {
        assert_eq!(after(&mut site, &line).await, changed, "{line}");
        assert_eq!(site.entering(8), rules(&["tcp dport 22 accept", "drop"]), "{line}");
        tokio::time::advance(LOOK_EVERY).await;
        assert_eq!(site.activate().await.changed, 0, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_succeeds_although_others_have_flushed_everything() {
    let mut site = Site::new().await;
    site.network(7, &["drop"]);
    site.network(8, &["drop"]);
    site.activate().await;
    site.firewall.flush();
    site.network(7, &["accept"]);
    site.activate().await;
    assert_eq!(site.entering(7), rules(&["accept"]));
    assert_eq!(site.entering(8), rules(&["drop"]));
}

#[tokio::test(start_paused = true)]
async fn without_nft_it_is_said_so_and_tried_again() {
    let mut site = Site::new().await;
    site.network(7, &["drop"]);
    site.firewall.uninstall(true);
    let outcome = site.keeper.reconcile(Arc::new(site.view.clone())).await;
    assert_eq!(
        outcome.report.trouble,
        [
            "the firewall cannot be looked at: nft is of no use here: could not start `nft`: entity not found"
        ]
    );
    assert_eq!(outcome.wake_at, Some(Instant::now() + RETRY));
    assert_eq!(site.health().await, ("75".to_owned(), outcome.report.trouble[0].clone()));
    site.firewall.uninstall(false);
    tokio::time::advance(RETRY).await;
    assert!(site.activate().await.trouble.is_empty());
    let in_force = "the firewall of 1 networks is in force".to_owned();
    assert_eq!(site.health().await, ("100".to_owned(), in_force));
    assert_eq!(site.entering(7), rules(&["drop"]));
}

#[tokio::test(start_paused = true)]
async fn a_node_without_networks_needs_no_nft() {
    let mut site = Site::new().await;
    site.firewall.uninstall(true);
    assert!(site.activate().await.trouble.is_empty());
    site.firewall.uninstall(false);
    tokio::time::advance(LOOK_EVERY).await;
    assert!(site.activate().await.trouble.is_empty());
    assert_eq!(
        site.firewall.applied().len(),
        1,
        "what is the nodes' is kept for them all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn what_no_trial_tells_spoils_one_network_only() {
    let mut site = Site::new().await;
    for number in [7, 8, 9] {
        site.network(number, &["drop"]);
    }
    site.activate().await;
    site.firewall.refuse("tcp dport 99");
    for number in [7, 8, 9] {
        let second = if number == 8 { "tcp dport 99 accept" } else { "tcp dport 98 accept" };
        site.network(number, &[second, "drop"]);
    }
    let report = site.activate().await;
    assert_eq!(report.trouble.len(), 1, "{report}");
    assert_eq!(site.entering(8), rules(&["drop"]), "it stays as it was");
    for number in [7, 9] {
        assert_eq!(site.entering(number), rules(&["tcp dport 98 accept", "drop"]));
    }
    let told = site.fault(8).await.unwrap();
    assert!(told.starts_with("Network 8 (net8): its firewall stays as it was: "), "{told}");
    assert_eq!(site.health().await.0, "100", "it is that network's fault, not the node's");
    let before = site.firewall.checks();
    site.activate().await;
    assert_eq!(site.firewall.checks(), before, "it is not tried again at once");
}

#[tokio::test(start_paused = true)]
async fn where_no_rule_can_be_tried_a_bad_one_spoils_its_own_network_only() {
    let mut site = Site::new().await;
    site.firewall.forbid_trials(true);
    site.network(7, &["drop"]);
    site.network(8, &["frobnicate"]);
    site.network(9, &["accept"]);
    let report = site.activate().await;
    assert_eq!((report.changed, report.networks), (2, 3), "{report}");
    assert_eq!(site.entering(7), rules(&["drop"]));
    assert_eq!((site.entering(8), site.entering(9)), (None, rules(&["accept"])));
    let told = site.fault(8).await.unwrap();
    assert!(told.ends_with("nft does not take it: syntax error, unexpected string"), "{told}");
    let (health, message) = site.health().await;
    assert_eq!(health, "75");
    assert!(message.starts_with("rules cannot be tried: nft is of no use here: "), "{message}");

    // What others took away is no reason to try rules, and puts none of them in doubt.
    site.view.networks.remove(&vni(8));
    site.activate().await;
    site.firewall.flush();
    site.network(7, &["reject"]);
    assert!(site.activate().await.trouble.is_empty());
    assert_eq!(site.entering(7), rules(&["reject"]));
    assert_eq!(site.entering(9), rules(&["accept"]));

    // Once they can, it is known which one it is.
    site.network(8, &["frobnicate"]);
    site.firewall.forbid_trials(false);
    tokio::time::advance(RETRY).await;
    assert!(site.activate().await.trouble.is_empty());
    assert_eq!(site.entering(8), rules(&[]));
}

#[tokio::test(start_paused = true)]
async fn an_nft_that_hangs_is_waited_for_once_and_not_for_each_network() {
    let mut site = Site::new().await;
    for number in 1..100 {
        site.network(number, &["drop"]);
    }
    site.firewall.hang_on("");
    let began = Instant::now();
    site.activate().await;
    let took = began.elapsed();
    assert!(took <= Duration::from_secs(60), "once all, and once the first: {took:?}");
    let (health, message) = site.health().await;
    assert_eq!(health, "75");
    assert!(message.contains("`nft` was not done within 30000 ms"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_network_that_nft_hangs_on_keeps_the_others_waiting_once() {
    let mut site = Site::new().await;
    for number in [7, 8, 9] {
        site.network(number, &["drop"]);
    }
    site.activate().await;
    site.firewall.hang_on("tcp dport 99");
    for number in [7, 8, 9] {
        let second = if number == 8 { "tcp dport 99 accept" } else { "tcp dport 98 accept" };
        site.network(number, &[second, "drop"]);
    }
    site.activate().await;
    assert_eq!(site.entering(7), rules(&["tcp dport 98 accept", "drop"]));
    tokio::time::advance(RETRY).await;
    site.activate().await;
    assert_eq!(site.entering(9), rules(&["tcp dport 98 accept", "drop"]));
    assert_eq!(site.entering(8), rules(&["drop"]), "it stays as it was");
    let told = site.fault(8).await.unwrap();
    assert!(told.starts_with("Network 8 (net8): its firewall stays as it was: "), "{told}");
    assert_eq!(site.health().await.0, "75");
    site.network(8, &["drop"]);
    assert!(site.activate().await.trouble.is_empty());
    assert_eq!(site.health().await.0, "100");
}

#[tokio::test(start_paused = true)]
async fn in_maintenance_nobody_is_told_until_it_is_over() {
    let mut site = Site::new().await;
    site.network(7, &["frobnicate"]);
    site.maintenance(true);
    site.activate().await;
    assert_eq!(site.fault(7).await, None);
    site.maintenance(false);
    site.activate().await;
    assert!(site.fault(7).await.is_some());
}
