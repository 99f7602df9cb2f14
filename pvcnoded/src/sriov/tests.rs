//! The reconciler on a machine and a tree in memory.

use pvc_common::observed::VfSetting;
use pvc_common::view::{Builder, Scope};
use pvc_common::zk::{Op, key};
use pvc_host::fake::FakeHost;
use pvc_zk::{Entry, FakeTree};

use super::*;

const VF1: &str = "/nodes/hv1/sriov/vf/ens1f0v1";

fn hv1() -> NodeName {
    "hv1".parse().unwrap()
}

fn device(functions: u32) -> SriovDevice {
    SriovDevice { device: "ens1f0".to_owned(), mtu: Some(9000), functions }
}

struct Node {
    host: FakeHost,
    tree: FakeTree,
}

impl Node {
    /// A node whose card ens1f0 knows SR-IOV, or not.
    async fn new(capacity: Option<u32>) -> Self {
        let (host, tree) = (FakeHost::new(), FakeTree::new());
        host.plug_in_card("ens1f0", capacity);
        let paths = [key::FAULTS, key::NODES, "/nodes/hv1", "/nodes/hv1/sriov"];
        let paths = paths.into_iter().chain(["/nodes/hv1/monitoring_data"]);
        let parents = ["/nodes/hv1/sriov/pf", "/nodes/hv1/sriov/vf", key::DOMAINS];
        let create = |path: &str| Op::Create { path: path.to_owned(), data: vec![] };
        tree.commit(paths.chain(parents).map(create).collect()).await.unwrap();
        Self { host, tree }
    }

    fn keeper(&self, devices: &[SriovDevice]) -> SriovKeeper<FakeTree, FakeHost> {
        let health = Health::new(hv1(), self.tree.another());
        SriovKeeper::new(hv1(), self.tree.another(), self.host.clone(), wanted(devices), health)
    }

    /// What there is, but for the node's health, which tells the time.
    async fn entries(&self) -> Vec<(String, Entry)> {
        let mut all = Vec::new();
        for root in [key::NODES, key::DOMAINS, key::FAULTS] {
            let mut some = Branch::read(&self.tree, root).await.unwrap().znodes().to_vec();
            some.retain(|(path, _)| !path.contains("/monitoring_"));
            all.extend(some);
        }
        all
    }

    async fn view(&self) -> Arc<View> {
        let mut builder = Builder::new(Scope::Decisions);
        for (path, Entry { data, version, .. }) in self.entries().await {
            builder.set(&path, Some((&data, version)));
        }
        builder.snapshot()
    }

    async fn runs(&self, keeper: &mut SriovKeeper<FakeTree, FakeHost>) -> Report {
        keeper.reconcile(self.view().await).await.report
    }

    async fn text(&self, path: &str) -> Option<String> {
        let entry = self.tree.get(path).await.unwrap()?;
        Some(String::from_utf8(entry.data).unwrap())
    }

    async fn set(&self, path: &str, text: &str) {
        let data = text.as_bytes().to_vec();
        let version = self.tree.get(path).await.unwrap().unwrap().version;
        self.tree.commit(vec![Op::Set { path: path.to_owned(), data, version }]).await.unwrap();
    }

    /// Ids and messages of all faults.
    async fn faults(&self) -> Vec<String> {
        let all = self.entries().await;
        let of =
            |path: &str| path.strip_prefix("/faults/")?.strip_suffix("/message").map(str::to_owned);
        let texts = all.into_iter().filter_map(|(path, entry)| {
            Some(format!("{}: {}", of(&path)?, String::from_utf8(entry.data).ok()?))
        });
        texts.collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_divides_its_card_and_tells_of_the_functions() {
    let node = Node::new(Some(64)).await;
    let mut keeper = node.keeper(&[device(2)]);
    let report = node.runs(&mut keeper).await;
    assert_eq!((report.functions, report.trouble), (2, vec![]));
    assert_eq!(node.text("/nodes/hv1/sriov/pf/ens1f0/mtu").await.as_deref(), Some("9000"));
    assert_eq!(node.text(&format!("{VF1}/mtu")).await.as_deref(), Some("9000"));
    assert_eq!(node.text(&format!("{VF1}/pci/slot")).await.as_deref(), Some("02"));
    let changes = node.host.changes();
    let before = node.entries().await;
    for mut keeper in [keeper, node.keeper(&[device(2)])] {
        assert_eq!(node.runs(&mut keeper).await.changed, 0, "a restart changes nothing");
    }
    assert_eq!((node.host.changes(), node.entries().await), (changes, before));
}

#[tokio::test(start_paused = true)]
async fn what_is_set_in_the_tree_reaches_the_card_at_once() {
    let node = Node::new(Some(64)).await;
    let mut keeper = node.keeper(&[device(2)]);
    node.runs(&mut keeper).await;
    node.set(&format!("{VF1}/config/vlan_id"), "100").await;
    node.set(&format!("{VF1}/config/trust"), "True").await;
    assert_eq!(node.runs(&mut keeper).await.changed, 2);
    let cards = node.host.cards().cards;
    let settings = &cards.values().next().unwrap().functions[&1].settings;
    assert_eq!((settings.vlan, settings.trust), (Some((100, 0)), Some(true)));
}

#[tokio::test(start_paused = true)]
async fn what_the_card_refuses_is_a_fault_and_stops_nothing_else() {
    let node = Node::new(Some(64)).await;
    let mut keeper = node.keeper(&[device(2)]);
    node.runs(&mut keeper).await;
    node.host.refuse_setting(VfSetting::Rate { min: 5, max: 0 });
    node.set(&format!("{VF1}/config/tx_rate_min"), "5").await;
    node.set(&format!("{VF1}/config/vlan_id"), "100").await;
    let report = node.runs(&mut keeper).await;
    assert_eq!(report.changed, 1, "the VLAN is set");
    let faults = node.faults().await;
    let [fault] = &*faults else { panic!("{faults:?}") };
    let expected = "SRIOV_HV1_ENS1F0: SR-IOV of node hv1: could not set rate of sending 5 to 0 Mbit/s on VF 1 of ens1f0";
    assert!(fault.starts_with(expected), "{fault}");
    let changes = node.host.changes();
    node.runs(&mut keeper).await;
    assert_eq!(node.host.changes(), changes, "it is not tried at every turn");
    node.set(&format!("{VF1}/config/tx_rate_min"), "0").await;
    assert_eq!(node.runs(&mut keeper).await.trouble, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_card_that_hangs_costs_a_fault_and_no_other_card() {
    let node = Node::new(Some(64)).await;
    node.host.plug_in_card("ens2f0", Some(64));
    let other = SriovDevice { device: "ens2f0".to_owned(), mtu: None, functions: 4 };
    let mut keeper = node.keeper(&[device(2), other]);
    node.host.hang_card("ens1f0", true);
    assert_eq!(node.runs(&mut keeper).await.functions, 4);
    let what = "SR-IOV of node hv1: ens1f0 cannot be looked at: its driver hangs";
    assert_eq!(node.faults().await, [format!("SRIOV_HV1_ENS1F0: {what}")]);
    let health = async || {
        let message = node.text("/nodes/hv1/monitoring_data/sriov/message").await;
        (node.text("/nodes/hv1/monitoring_health").await.unwrap(), message.unwrap())
    };
    assert_eq!(health().await, ("90".to_owned(), what.to_owned()));
    node.host.hang_card("ens1f0", false);
    tokio::time::advance(LOOK_EVERY).await;
    assert_eq!(node.runs(&mut keeper).await.functions, 6);
    let fine = "2 cards with SR-IOV are as configured";
    assert_eq!(health().await, ("100".to_owned(), fine.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_kernel_without_sriov_costs_each_card_a_fault_and_nothing_more() {
    let node = Node::new(None).await;
    let before = node.entries().await.len();
    let gone = SriovDevice { device: "gone0".to_owned(), ..device(1) };
    node.runs(&mut node.keeper(&[device(2), gone])).await;
    assert_eq!(
        node.faults().await,
        [
            "SRIOV_HV1_ENS1F0: SR-IOV of node hv1: ens1f0 cannot be divided: this kernel or the card knows no SR-IOV",
            "SRIOV_HV1_GONE0: SR-IOV of node hv1: there is no network device gone0",
        ]
    );
    assert_eq!(node.entries().await.len(), before + 2 * 7, "two faults");
    assert_eq!(node.host.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn usage_follows_vms_without_a_look_at_the_card() {
    let node = Node::new(Some(64)).await;
    let mut keeper = node.keeper(&[device(2)]);
    node.runs(&mut keeper).await;
    let uuid = "00000000-0000-4000-8000-000000000001";
    let xml = "<domain><memory>1</memory><vcpu>1</vcpu><devices><interface type='direct'>\
               <source dev='ens1f0v1' mode='passthrough'/></interface></devices></domain>";
    let create = |suffix: &str, text: &str| Op::Create {
        path: format!("/domains/{uuid}{suffix}"),
        data: text.as_bytes().to_vec(),
    };
    let vm = vec![create("", "web1"), create("/node", "hv1"), create("/xml", xml)];
    node.tree.commit(vm).await.unwrap();
    node.runs(&mut keeper).await;
    assert_eq!(node.text(&format!("{VF1}/used_by")).await.as_deref(), Some(uuid));
    node.set(&format!("/domains/{uuid}/node"), "hv2").await;
    node.runs(&mut keeper).await;
    assert_eq!(node.text(&format!("{VF1}/used")).await.as_deref(), Some("False"));
    assert_eq!(node.text(&format!("{VF1}/used_by")).await.as_deref(), Some(""));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_no_cards_any_more_forgets_them() {
    let node = Node::new(Some(64)).await;
    let kept = async || -> Vec<String> {
        node.entries().await.into_iter().map(|(path, _)| path).collect()
    };
    let before = kept().await;
    node.runs(&mut node.keeper(&[device(2)])).await;
    // What a later version may have put there goes, too.
    let path = format!("{VF1}/config/new");
    node.tree.commit(vec![Op::Create { path, data: vec![] }]).await.unwrap();
    node.runs(&mut node.keeper(&[])).await;
    assert_eq!(kept().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_card_is_divided_before_the_cluster_is_there() {
    let node = Node::new(Some(64)).await;
    set_up(&node.host, &hv1(), &wanted(&[device(2)])).await;
    assert_eq!(node.host.cards().cards.values().next().unwrap().functions.len(), 2);
    let changes = node.host.changes();
    set_up(&node.host, &hv1(), &wanted(&[device(4)])).await;
    assert_eq!(node.host.changes(), changes, "others may have what is there");
}

#[test]
fn of_a_card_that_is_named_twice_the_first_counts() {
    let wanted = wanted(&[device(2), device(4)]);
    assert_eq!(wanted.iter().map(|one| one.functions).collect::<Vec<_>>(), [2]);
}
