//! How long requests take, one after the other on a kept-alive connection.

use std::net::SocketAddr;

use anyhow::{Result, ensure};

use crate::cluster::{Size, vm_name};
use crate::figure::{Case, progress};
use crate::http::Connection;
use crate::rig::Rig;
use crate::sample::Summary;

/// Series of each case.
const SERIES: usize = 7;

/// Measures every case of the group.
pub(crate) async fn measure() -> Result<()> {
    for (vms, requests, goal_ms) in [(82, 300, 1.0), (1_000, 100, 6.0), (10_000, 20, 50.0)] {
        let rig = Rig::with(vms).await?;
        let api = rig.api().await?;
        let list = Request { case: format!("vm-list-{vms}"), path: "/api/v1/vm", requests };
        list.measure(api.address, goal_ms)?;
        if vms == 10_000 {
            let path = format!("/api/v1/vm/{}", vm_name(vms / 2));
            let one = Request { case: "vm-one-10000".to_owned(), path: &path, requests: 500 };
            one.measure(api.address, 1.0)?;
            let path = "/api/v1/status";
            let status = Request { case: "status-10000".to_owned(), path, requests: 200 };
            status.measure(api.address, 10.0)?;
        }
    }
    volumes(10_000).await
}

/// Measures lists of so many volumes.
pub(crate) async fn volumes(count: usize) -> Result<()> {
    let rig = Rig::of(Size::of_volumes(count)).await?;
    let api = rig.api().await?;
    let path = "/api/v1/storage/ceph/volume";
    let list = Request { case: format!("volume-list-{count}"), path, requests: 50 };
    list.measure(api.address, 50.0)
}

/// A request that is sent again and again.
pub(crate) struct Request<'a> {
    /// The case it is told as.
    pub(crate) case: String,
    /// What is asked for.
    pub(crate) path: &'a str,
    /// How often, in a series.
    pub(crate) requests: usize,
}

impl Request<'_> {
    fn measure(&self, address: SocketAddr, goal_ms: f64) -> Result<()> {
        let summary = self.summary(address)?;
        Case { bench: "api", case: &self.case, goal: Some(goal_ms) }.time(summary.p50);
        let case = format!("{}-p99", self.case);
        Case { bench: "api", case: &case, goal: None }.time(summary.p99);
        Ok(())
    }

    /// The times of the best series.
    pub(crate) fn summary(&self, address: SocketAddr) -> Result<Summary> {
        let mut connection = Connection::open(address)?;
        // Not counted: what is made at the first request is kept for all later ones.
        let first = connection.get(self.path)?;
        ensure!(first.status == 200, "{} is answered with {}", self.path, first.status);
        progress(&format!("api: {} of {} bytes ...", self.case, first.bytes));
        let mut series = Vec::new();
        for _ in 0..SERIES {
            let times = (0..self.requests).map(|_| Ok(connection.get(self.path)?.time));
            series.push(Summary::of(times.collect::<Result<_>>()?));
        }
        Ok(Summary::least(series))
    }
}
