//! Every text form, tried on values and on nonsense.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use pvc_common::id::{
    MacAddress, NodeName, PluginName, SnapshotId, SriovName, VmName, VmUuid, VolumeId,
};
use pvc_common::model::{Claim, Json, LocalTime, Origin, StaticData};
use pvc_common::state::{
    CoordinatorState, DaemonMode, DaemonState, DomainState, FaultStatus, MigrationMethod,
    NetworkType, Selector, Tier, VmState, Word,
};
use pvc_common::unit::{Mib, Seconds, Vcpus};
use pvc_common::zk::{Seen, Text, Version};

/// What is written reads back as the same value, and no data makes reading panic.
fn check<T: Text + PartialEq + Debug>(values: impl Strategy<Value = T>) {
    TestRunner::default()
        .run(&values, |value| {
            prop_assert_eq!(T::decode(&value.encode()), Ok(value));
            Ok(())
        })
        .unwrap();
    let data = prop_oneof![
        vec(any::<u8>(), 0..40),
        any::<String>().prop_map(String::into_bytes),
        "[0-9a-fA-F:./@, -]{0,40}".prop_map(String::into_bytes),
    ];
    TestRunner::default()
        .run(&data, |data| {
            let seen = Seen::<T>::read(Some((&data, Version(7))));
            prop_assert_ne!(&seen, &Seen::Absent);
            if let Some(value) = seen.get() {
                prop_assert!(T::decode(&value.encode()).is_ok());
            }
            Ok(())
        })
        .unwrap();
}

fn parsed<T: std::str::FromStr<Err: Debug> + Debug>(pattern: &str) -> impl Strategy<Value = T> {
    let text = proptest::string::string_regex(pattern).unwrap();
    text.prop_filter_map("a name", |text| text.parse::<T>().ok())
}

fn words<W: Word + Debug>() -> impl Strategy<Value = W> {
    proptest::sample::select(W::ALL)
}

fn node() -> impl Strategy<Value = NodeName> {
    parsed("[a-z][a-z0-9-]{0,20}[a-z0-9]").prop_filter("not a word for nothing", |name| {
        let name: &NodeName = name;
        name.as_str() != "none"
    })
}

fn uuid() -> impl Strategy<Value = VmUuid> {
    parsed("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
}

const SEGMENT: &str = "[a-zA-Z0-9._-]{1,20}";

#[test]
fn words_read_back() {
    check(words::<CoordinatorState>());
    check(words::<DaemonMode>());
    check(words::<DaemonState>());
    check(words::<DomainState>());
    check(words::<FaultStatus>());
    check(words::<NetworkType>());
    check(words::<Tier>());
    check(words::<VmState>());
    check(option::of(words::<MigrationMethod>()));
    check(option::of(words::<Selector>()));
}

#[test]
fn numbers_and_flags_read_back() {
    check(any::<bool>());
    check(any::<u32>());
    check(any::<u64>());
    check(option::of(any::<u32>()));
    check((0..10_000_000_u32).prop_map(|hundredths| f64::from(hundredths) / 100.0));
    check(any::<u64>().prop_map(Mib));
    check(any::<u32>().prop_map(Vcpus));
    check(proptest::num::f64::NORMAL.prop_map(Seconds));
    check(Just(()));
}

#[test]
fn texts_read_back() {
    check(any::<String>());
    check(any::<String>().prop_map(Arc::<str>::from));
    check(option::of("[a-z][a-z.]{4,20}"));
    check(any::<Vec<u32>>().prop_map(|list| Json::decode(&format!("{list:?}")).unwrap()));
    check("20[0-9]{2}-0[1-9]-[12][0-9] [01][0-9]:[0-5][0-9]:[0-5][0-9]".prop_map(time));
    let time = "19[0-9]{2}-1[0-2]-0[1-9] 2[0-3]:[0-5][0-9]:[0-5][0-9]".prop_map(time);
    check(option::of(time));
}

fn time(text: String) -> LocalTime {
    LocalTime::decode(&text).unwrap()
}

#[test]
fn names_read_back() {
    check(node());
    check(option::of(node()));
    check(vec(node(), 0..5));
    check(parsed::<VmName>("[^/]{1,40}"));
    check(parsed::<SriovName>(SEGMENT));
    check(uuid());
    check(option::of(uuid()));
    check(vec(uuid(), 0..5));
    check(vec(parsed::<PluginName>("[a-mo-z][a-z0-9]{0,6}"), 0..5));
    check(vec(parsed::<VolumeId>(&format!("{SEGMENT}/{SEGMENT}")), 0..5));
    check(vec(parsed::<SnapshotId>(&format!("{SEGMENT}/{SEGMENT}@{SEGMENT}")), 0..5));
}

#[test]
fn addresses_read_back() {
    check(parsed::<MacAddress>("([0-9a-f]{2}:){5}[0-9a-f]{2}"));
    check(option::of(any::<Ipv4Addr>()));
    check(option::of(any::<Ipv6Addr>()));
    check(vec(any::<IpAddr>(), 0..4));
    let net4 = (any::<Ipv4Addr>(), 0..=32_u8);
    check(option::of(net4.prop_map(|(ip, bits)| ipnet::Ipv4Net::new(ip, bits).unwrap())));
    let net6 = (any::<Ipv6Addr>(), 0..=128_u8);
    check(option::of(net6.prop_map(|(ip, bits)| ipnet::Ipv6Net::new(ip, bits).unwrap())));
}

#[test]
fn what_a_vm_and_a_node_add_reads_back() {
    check((node(), node()).prop_map(|(holder, to)| Claim::moving(holder, to)));
    check((node(), any::<bool>()).prop_map(|(holder, arriving)| {
        if arriving { Claim::arriving(holder) } else { Claim::of(holder) }
    }));
    let origin = (node(), option::of(node()));
    check(option::of(origin.prop_map(|(node, last_node)| Origin { node, last_node })));
    let word = || "[a-zA-Z0-9./-]{1,12}";
    let data = (any::<u32>(), word(), word(), word());
    check(data.prop_map(|(cpu_count, kernel, os, arch)| StaticData {
        cpu_count,
        kernel,
        os,
        arch,
    }));
}
