//! What fencing needs of Ceph.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::try_join_all;
use ipnet::IpNet;
use pvc_common::id::{OsdId, VolumeId};
use pvc_common::state::OsdLoss;

use super::{CephCli, unreadable};
use crate::parse::{self, OsdMap};
use crate::{Blocked, BlocklistEntry, Ceph, CephError, Epoch, Lock};

impl CephCli {
    async fn blocklist_map(&self) -> Result<OsdMap, CephError> {
        let dump = self.ceph(&["osd", "dump", "--format", "json"]).await?;
        parse::osd_map(&dump.stdout).ok_or_else(|| unreadable("ceph osd dump"))
    }

    /// Adds an entry, and says until when one would last that was made just now.
    async fn block(&self, address: IpAddr, expire_s: &str) -> Result<i64, CephError> {
        let who = whole(address);
        let added = self.ceph(&["osd", "blocklist", "add", &who, expire_s]).await?;
        // The program says it on the one or the other, depending on the monitor's answer.
        parse::until(&added.stderr)
            .or_else(|| parse::until(&added.stdout))
            .ok_or_else(|| unreadable("ceph osd blocklist add"))
    }

    /// Replaces an entry by one that lasts longer, which adding it again does not do: Ceph keeps
    /// the old time. A range of one address holds the clients out meanwhile.
    async fn extend(&self, address: IpAddr, expire_s: &str) -> Result<i64, CephError> {
        let range = IpNet::from(address).to_string();
        // What an extension left that did not come to its end may run out soon.
        self.ceph(&["osd", "blocklist", "range", "rm", &range]).await?;
        self.ceph(&["osd", "blocklist", "range", "add", &range, expire_s]).await?;
        self.ceph(&["osd", "blocklist", "rm", &whole(address)]).await?;
        let until_s = self.block(address, expire_s).await?;
        self.ceph(&["osd", "blocklist", "range", "rm", &range]).await?;
        Ok(until_s)
    }
}

impl Ceph for CephCli {
    async fn blocklist(&self, addresses: &[IpAddr], expire: Duration) -> Result<Epoch, CephError> {
        let expire_s = i64::try_from(expire.as_secs()).unwrap_or(i64::MAX).max(1);
        let text = expire_s.to_string();
        // At once, so that the monitors commit them together.
        let added = addresses.iter().map(|address| self.block(*address, &text));
        let fresh = try_join_all(added).await?;
        let map = self.blocklist_map().await?;
        let lasts = |map: &OsdMap, address, fresh_s: i64| {
            let until_s = map.blocked_until_s(address);
            until_s.is_some_and(|until_s| until_s >= fresh_s - expire_s / 10)
        };
        let all = addresses.iter().copied().zip(fresh);
        let short: Vec<IpAddr> = all
            .filter(|(address, fresh_s)| !lasts(&map, *address, *fresh_s))
            .map(|(address, _)| address)
            .collect();
        if short.is_empty() {
            return Ok(map.epoch);
        }
        let extended = short.iter().map(|address| self.extend(*address, &text));
        let fresh = try_join_all(extended).await?;
        let map = self.blocklist_map().await?;
        let mut all = short.into_iter().zip(fresh);
        match all.find(|(address, fresh_s)| !lasts(&map, *address, *fresh_s)) {
            None => Ok(map.epoch),
            Some((address, _)) => Err(CephError::Refused {
                command: format!("ceph osd blocklist add {}", whole(address)),
                why: format!("there is no such entry in epoch {}", map.epoch.0),
            }),
        }
    }

    async fn blocklisted(&self) -> Result<Vec<BlocklistEntry>, CephError> {
        Ok(self.blocklist_map().await?.blocklist)
    }

    async fn unblocklist(&self, addresses: &[IpAddr]) -> Result<(), CephError> {
        let map = self.blocklist_map().await?;
        let mut removals = Vec::new();
        for address in addresses {
            if map.blocked_until_s(*address).is_some() {
                removals.push(vec!["rm".to_owned(), whole(*address)]);
            }
            // An extension that did not come to its end has left a range.
            let range = IpNet::from(*address);
            if map.blocklist.iter().any(|entry| entry.who == Blocked::Network(range)) {
                removals.push(vec!["range".to_owned(), "rm".to_owned(), range.to_string()]);
            }
        }
        let removals = removals.iter().map(|words| async move {
            let words = words.iter().map(String::as_str);
            let words: Vec<&str> = ["osd", "blocklist"].into_iter().chain(words).collect();
            self.ceph(&words).await
        });
        try_join_all(removals).await.map(drop)
    }

    async fn mark_down(&self, osds: &[OsdId], loss: OsdLoss) -> Result<(), CephError> {
        if osds.is_empty() {
            return Ok(());
        }
        let numbers: Vec<String> = osds.iter().map(ToString::to_string).collect();
        let mut words = vec!["osd", "down"];
        words.extend(numbers.iter().map(String::as_str));
        match loss {
            OsdLoss::Down => {}
            OsdLoss::Dead => words.push("--definitely-dead"),
        }
        self.ceph(&words).await.map(drop)
    }

    async fn locks(&self, image: &VolumeId) -> Result<Vec<Lock>, CephError> {
        let spec = image.to_string();
        let listed = self.rbd(image, &["lock", "ls", &spec, "--format", "json"]).await?;
        parse::locks(&listed.stdout).ok_or_else(|| unreadable("rbd lock ls"))
    }

    async fn remove_lock(&self, image: &VolumeId, lock: &Lock) -> Result<(), CephError> {
        let spec = image.to_string();
        match self.rbd(image, &["lock", "rm", &spec, &lock.id, &lock.locker]).await {
            Err(CephError::Refused { why, .. }) if parse::is_no_lock(&why) => Ok(()),
            done => done.map(drop),
        }
    }
}

/// All clients at an address, in Ceph's words.
fn whole(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:0/0"),
        IpAddr::V6(address) => format!("[{address}]:0/0"),
    }
}
