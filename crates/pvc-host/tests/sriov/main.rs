//! One suite for divided cards, on a machine in memory and on what real ones show below `/sys`, and
//! what their drivers' words mean.
//!
//! The trees are those of an Intel X710 (i40e) and a Mellanox ConnectX-5 (mlx5) with functions.

#![expect(clippy::unwrap_used, reason = "tests")]

mod tree;

use pvc_common::id::SriovName;
use pvc_common::observed::{SriovTable, VfSetting};
use pvc_common::state::VfLinkState;
use pvc_host::fake::FakeHost;
use pvc_host::{Sriov, SriovError};

use tree::{Machine, X710};

fn name(text: &str) -> SriovName {
    text.parse().unwrap()
}

async fn seen(sriov: &impl Sriov, card: &str) -> SriovTable {
    sriov.observe(&[name(card)]).await.unwrap()
}

#[tokio::test]
async fn a_card_is_seen_with_its_functions_wherever_their_hardware_is() {
    let machine = Machine::new();
    machine.plug_in(&X710, 3);
    machine.hand_through(&X710, 1);
    let table = seen(&machine.sriov(), "ens1f0").await;
    let card = &table.cards[&name("ens1f0")];
    assert_eq!((card.up, card.mtu, card.capacity), (true, 9000, Some(64)));
    let shown: Vec<String> = card
        .functions
        .values()
        .map(|function| {
            let device = function.device.as_ref();
            let device = device.map_or("in a VM".to_owned(), |device| {
                let mac = device.mac.unwrap();
                format!("{} up={} {} {mac}", device.name, device.up, device.mtu)
            });
            let mac = function.mac.map(|mac| mac.to_string()).unwrap_or_default();
            format!("{}: {device}; {mac}", function.pci.unwrap())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "0000:3b:02.0: ens1f0v0 up=false 1500 9e:12:00:00:00:00; ",
            "0000:3b:02.1: in a VM; 52:54:00:3a:71:0c",
            "0000:3b:02.2: ens1f0v2 up=false 1500 9e:12:00:00:00:02; ",
        ]
    );
}

#[tokio::test]
async fn settings_are_as_the_driver_tells_them() {
    let machine = Machine::new();
    machine.plug_in(&X710, 3);
    machine.plug_in(&tree::CONNECTX5, 1);
    let table = seen(&machine.sriov(), "ens1f0").await;
    let set = &table.cards[&name("ens1f0")].functions[&1].settings;
    assert_eq!((set.vlan, set.rate), (Some((100, 3)), Some((0, 1000))));
    assert_eq!((set.spoof_check, set.trust, set.query_rss), (Some(false), Some(true), None));
    assert_eq!(set.link_state, Some(VfLinkState::Enable));
    let fresh = &table.cards[&name("ens1f0")].functions[&0].settings;
    assert_eq!((fresh.vlan, fresh.rate), (Some((0, 0)), Some((0, 0))), "nought is not printed");
    let table = seen(&machine.sriov(), "ens3f1np1").await;
    let set = &table.cards[&name("ens3f1np1")].functions[&0].settings;
    assert_eq!((set.vlan, set.rate), (Some((7, 0)), Some((100, 500))));
    assert_eq!(set.query_rss, Some(false));
}

#[tokio::test]
async fn a_kernel_without_sriov_and_a_card_that_is_missing_are_no_errors() {
    let machine = Machine::new();
    machine.plug_in(&X710, 0);
    machine.forget_sriov(&X710);
    let both = machine.sriov().observe(&[name("ens1f0"), name("gone0")]).await.unwrap();
    assert_eq!(both.cards.len(), 1);
    assert_eq!(both.cards[&name("ens1f0")].capacity, None);
    assert!(!both.hands_through);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_hangs_costs_one_thread_and_no_other_card() {
    let machine = Machine::new();
    machine.plug_in(&X710, 3);
    machine.plug_in(&tree::CONNECTX5, 1);
    let (sriov, both) = (machine.sriov(), [name("ens1f0"), name("ens3f1np1")]);
    let release = machine.hang(&X710);
    let looking = {
        let (sriov, both) = (sriov.clone(), both.clone());
        tokio::spawn(async move { sriov.observe(&both).await })
    };
    tokio::task::yield_now().await;
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    let table = looking.await.unwrap().unwrap();
    assert!(table.unseen[&both[0]].contains("was not done with"), "{table:?}");
    assert_eq!(table.cards.into_keys().collect::<Vec<_>>(), [both[1].clone()]);
    // No time passes: it is not asked for anew.
    let again = sriov.observe(&both).await.unwrap();
    assert_eq!((again.unseen.len(), again.cards.len()), (1, 1));
    tokio::time::resume();
    release();
    while sriov.observe(&both).await.unwrap().cards.len() < 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_card_is_divided_from_nought() {
    let machine = Machine::new();
    machine.plug_in(&X710, 0);
    machine.sriov().divide(&name("ens1f0"), 3).await.unwrap();
    assert_eq!(machine.count(&X710), "3");
    machine.sriov().divide(&name("ens1f0"), 0).await.unwrap();
    assert_eq!(machine.count(&X710), "0");
    machine.forget_sriov(&X710);
    let error = machine.sriov().divide(&name("ens1f0"), 2).await.unwrap_err();
    assert!(matches!(error, SriovError::File { .. }), "{error:?}");
    assert!(error.to_string().ends_with("sriov_numvfs could not be written"), "{error}");
}

#[tokio::test]
async fn each_setting_is_told_to_the_driver_in_its_own_words() {
    let machine = Machine::new();
    machine.plug_in(&X710, 3);
    let sriov = machine.sriov();
    for (setting, words) in [
        (VfSetting::Vlan { id: 100, qos: 3 }, "vlan 100 qos 3"),
        (VfSetting::Rate { min: 10, max: 500 }, "max_tx_rate 500 min_tx_rate 10"),
        (VfSetting::SpoofCheck(false), "spoofchk off"),
        (VfSetting::LinkState(VfLinkState::Disable), "state disable"),
        (VfSetting::Trust(true), "trust on"),
        (VfSetting::QueryRss(true), "query_rss on"),
    ] {
        sriov.set(&name("ens1f0"), 2, setting).await.unwrap();
        assert_eq!(machine.last_words(), format!("ip link set dev ens1f0 vf 2 {words}"));
    }
    sriov.set_mtu("ens1f0v0", 9000).await.unwrap();
    assert_eq!(machine.last_words(), "ip link set dev ens1f0v0 mtu 9000");
    sriov.switch_on("ens1f0").await.unwrap();
    assert_eq!(machine.last_words(), "ip link set dev ens1f0 up");
}

#[tokio::test]
async fn what_the_driver_refuses_is_told_in_its_words() {
    let machine = Machine::new();
    machine.plug_in(&X710, 3);
    machine.refuse("RTNETLINK answers: Operation not supported");
    let error = machine.sriov().set(&name("ens1f0"), 0, VfSetting::Trust(true)).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.ends_with("RTNETLINK answers: Operation not supported"), "{cause}");
}

#[tokio::test]
async fn handing_through_is_allowed_for_modules_loaded_and_not() {
    let machine = Machine::new();
    machine.load_vfio("N");
    machine.sriov().allow_handing_through().await.unwrap();
    let words = "modprobe vfio_iommu_type1 allow_unsafe_interrupts=1";
    assert_eq!(machine.last_words(), words);
    assert!(seen(&machine.sriov(), "ens1f0").await.hands_through);
}

#[tokio::test]
async fn a_machine_in_memory_has_cards() {
    let host = FakeHost::new();
    host.plug_in_card("ens1f0", Some(64));
    host.plug_in_card("eno1", None);
    let card = name("ens1f0");
    for _ in 0..2 {
        host.allow_handing_through().await.unwrap();
        Sriov::switch_on(&host, "ens1f0").await.unwrap();
        host.divide(&card, 2).await.unwrap();
        Sriov::set_mtu(&host, "ens1f0v1", 9000).await.unwrap();
        host.set(&card, 1, VfSetting::Trust(true)).await.unwrap();
    }
    assert_eq!(host.changes(), 5, "twice is once");
    let seen = seen(&host, "ens1f0").await;
    let function = &seen.cards[&card].functions[&1];
    assert_eq!((function.settings.trust, seen.hands_through), (Some(true), true));
    assert_eq!(function.device.as_ref().unwrap().mtu, 9000);
    assert!(host.divide(&card, 65).await.is_err());
    assert!(host.divide(&name("eno1"), 1).await.is_err());
    assert!(host.set(&card, 7, VfSetting::Trust(true)).await.is_err());
}
