//! What becomes of dnsmasqs that know what nobody else does, or are long about to stop.

use std::ffi::OsString;

use super::*;

const UNIT: &str = "pvc-dhcp@7.service";

impl Rig {
    /// Network 7's dnsmasq leases an address, and its helper is told.
    fn lease(&self, host: u8) -> std::io::Result<String> {
        let words = ["add", A, &format!("10.7.0.{host}")].map(str::to_owned);
        let at = |name: &str| Some(self.place.path().join(name).into_os_string());
        helper::help(&words, &|name| match name {
            helper::NETWORK_VARIABLE => Some(OsString::from("7")),
            helper::RUN_VARIABLE => at("run"),
            helper::SPOOL_VARIABLE => at("spool"),
            "DNSMASQ_LEASE_EXPIRES" => Some(OsString::from("4000000000")),
            _ => None,
        })
    }

    /// Has nobody be able to keep an event, while what waits can be read: as on a disk that is full.
    fn block_spool(&self) {
        let nowhere = self.place.path().join("no/where");
        std::os::unix::fs::symlink(nowhere, self.place.path().join("spool")).unwrap();
    }

    fn unblock_spool(&self) {
        fs::remove_file(self.place.path().join("spool")).unwrap();
    }

    /// Has a network's dnsmasq be wanted with another configuration.
    async fn change(&self, n: u32) {
        let server = vec!["192.0.2.1".parse().unwrap()];
        let op = key::network_name_servers(vni(n)).create(&server);
        self.tree.commit(vec![op]).await.unwrap();
    }

    /// Which configuration it reads.
    fn reads(&self, n: u32) -> &'static str {
        let conf = self.dhcp.folders.files(vni(n)).unwrap().conf;
        if conf.contains("server=192.0.2.1") { "new" } else { "old" }
    }

    async fn act_later(&mut self, seconds: u64) -> Report {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, self.act()).await.expect("nothing waits for long")
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_could_not_be_kept_is_told_in_the_nodes_health_and_asked_for_once_it_can_be() {
    let mut rig = Rig::new().await;
    rig.block_spool();
    rig.lease(100).unwrap_err();
    rig.act().await;
    let (health, message) = rig.health().await;
    assert_eq!(health, "90");
    let expected = "network 7: its dnsmasq told of leases that could not be kept: ";
    assert!(message.contains(expected), "{message}");
    rig.act_later(60).await;
    assert!(rig.host.reloaded_units().is_empty(), "it would be in vain");
    rig.unblock_spool();
    rig.act_later(1).await;
    assert_eq!(rig.host.reloaded_units(), [UNIT]);
    rig.lease(100).unwrap();
    rig.act_later(1).await;
    assert!(rig.is_leased(7, A).await);
    assert_eq!(rig.health().await.0, "100");
    rig.act_later(60).await;
    assert_eq!(rig.host.reloaded_units(), [UNIT], "once");
}

#[tokio::test(start_paused = true)]
async fn a_dnsmasq_is_asked_whoever_was_killed_before_and_not_all_the_time() {
    let mut rig = Rig::new().await;
    let marks = rig.dhcp.folders.marks();
    marks.set(vni(7), "the disk is full").unwrap();
    marks.begin(vni(7)).unwrap();
    rig.act_later(1).await;
    assert_eq!(rig.host.reloaded_units(), [UNIT]);
    // What it told was too much again.
    marks.set(vni(7), "the disk is full again").unwrap();
    for _ in 0..9 {
        assert_eq!(rig.act_later(3).await.trouble.len(), 1);
    }
    assert_eq!(rig.host.reloaded_units().len(), 1);
    rig.act_later(3).await;
    assert_eq!(rig.host.reloaded_units().len(), 2);
    assert!(marks.all().unwrap().is_empty());
    // One that does not run is asked once it does.
    marks.set(vni(7), "the disk is full").unwrap();
    rig.host.crash_unit(UNIT);
    rig.act_later(60).await;
    assert_eq!(rig.host.reloaded_units().len(), 2);
    rig.host.start(UNIT).await.unwrap();
    rig.act_later(1).await;
    assert_eq!(rig.host.reloaded_units().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dnsmasq_that_knows_what_nobody_else_does_runs_until_it_has_told() {
    let mut rig = Rig::new().await;
    rig.told(7, &held(7, B, 101));
    for _ in 0..3 {
        rig.act_later(1).await;
    }
    fs::remove_dir_all(rig.place.path().join("spool")).unwrap();
    rig.block_spool();
    rig.lease(100).unwrap_err();
    let before = rig.host.changes();
    rig.change(7).await;
    rig.change(8).await;
    rig.remove_lease(7, B).await;
    rig.act_later(1).await;
    assert_eq!(rig.host.changes(), before + 2, "the other one is started anew");
    assert_eq!((rig.reads(7), rig.reads(8)), ("old", "new"));
    rig.unblock_spool();
    rig.act_later(1).await;
    assert_eq!(rig.host.reloaded_units(), [UNIT]);
    rig.act_later(1).await;
    assert_eq!(rig.host.changes(), before + 4, "it has told, and is started anew");
    assert_eq!(rig.reads(7), "new");
    // One that nobody needs any more is no exception.
    rig.dhcp.folders.marks().set(vni(7), "the disk is full").unwrap();
    rig.host.crash_unit(UNIT);
    rig.put(&key::network_type(vni(7)).into_path(), "bridged").await;
    rig.act_later(6).await;
    assert_eq!(rig.host.running_units(), ["pvc-dhcp@8.service"]);
    assert!(rig.dhcp.folders.marks().all().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dnsmasq_that_takes_long_to_stop_holds_up_no_other_network() {
    let mut rig = Rig::new().await;
    rig.host.hold_up_unit(UNIT);
    rig.change(7).await;
    rig.change(8).await;
    let report = rig.act_later(1).await;
    assert!(report.to_string().contains("network 7: its dnsmasq takes long to stop"), "{report}");
    assert_eq!(rig.host.running_units(), ["pvc-dhcp@8.service"]);
    assert_eq!((rig.reads(7), rig.reads(8)), ("old", "new"), "it may still read its files");
    rig.told(8, &held(8, A, 100));
    rig.act_later(1).await;
    assert!(rig.is_leased(8, A).await);
    rig.host.let_unit_stop(UNIT);
    rig.act_later(1).await;
    assert_eq!(rig.host.running_units().len(), 2);
    assert_eq!(rig.reads(7), "new");
}
