//! What an OSD is and holds.

use std::collections::BTreeMap;

use pvc_common::model;
use serde_json::Value;

use super::text::{Labels, Metric, Number, Sample, Subject};
use crate::image::View;

/// Metrics of an OSD. Its statistics are as Ceph's: space in KiB.
pub(super) const METRICS: &[Metric<Osd>] = &[
    Metric::new("pvc_ceph_osd_device", "Block device of an OSD", |osd| {
        Some(Sample::text("device", &osd.device))
    }),
    Metric::new("pvc_ceph_osd_db_device", "Block device of the database of an OSD", |osd| {
        Some(Sample::text("db_device", &osd.db_device))
    }),
    Metric::new("pvc_ceph_osd_device_class", "Class of the device of an OSD", |osd| {
        Some(Sample::text("device_class", osd.stats.0.get("class")?.as_str()?))
    }),
    Metric::new("pvc_ceph_osd_util", "Used space of an OSD in percent", |osd| {
        osd.stats.percent("utilization")
    }),
    Metric::new("pvc_ceph_osd_var", "Utilization of an OSD compared with the mean", |osd| {
        osd.stats.number("var")
    }),
    Metric::new("pvc_ceph_osd_pgs", "Placement groups on an OSD", |osd| osd.stats.number("pgs")),
    Metric::new("pvc_ceph_osd_size", "Space of an OSD in KiB", |osd| osd.stats.number("kb")),
    Metric::new("pvc_ceph_osd_used", "Used space of an OSD in KiB", |osd| {
        osd.stats.number("kb_used")
    }),
    Metric::new("pvc_ceph_osd_used_data", "Space that data takes on an OSD in KiB", |osd| {
        osd.stats.number("kb_used_data")
    }),
    Metric::new("pvc_ceph_osd_used_omap", "Space that object maps take on an OSD in KiB", |osd| {
        osd.stats.number("kb_used_omap")
    }),
    Metric::new("pvc_ceph_osd_used_meta", "Space that metadata takes on an OSD in KiB", |osd| {
        osd.stats.number("kb_used_meta")
    }),
    Metric::new("pvc_ceph_osd_avail", "Free space of an OSD in KiB", |osd| {
        osd.stats.number("kb_avail")
    }),
    Metric::new("pvc_ceph_osd_weight", "Weight of an OSD", |osd| osd.stats.number("weight")),
    Metric::new("pvc_ceph_osd_reweight", "Correction of the weight of an OSD", |osd| {
        osd.stats.number("reweight")
    }),
    Metric::new("pvc_ceph_osd_wr_ops", "Writes of an OSD", |osd| osd.stats.number("wr_ops")),
    Metric::new("pvc_ceph_osd_wr_data", "What an OSD writes", |osd| osd.stats.number("wr_data")),
    Metric::new("pvc_ceph_osd_rd_ops", "Reads of an OSD", |osd| osd.stats.number("rd_ops")),
    Metric::new("pvc_ceph_osd_rd_data", "What an OSD reads", |osd| osd.stats.number("rd_data")),
];

/// An OSD with its statistics.
pub(super) struct Osd {
    device: String,
    db_device: String,
    stats: Stats,
}

/// Every OSD, by number.
pub(super) fn subjects(view: &View) -> Vec<Subject<Osd>> {
    let osds = view.osds.iter().map(|(id, osd)| {
        let of = Osd {
            device: osd.device.get().cloned().unwrap_or_default(),
            db_device: osd.db_device.get().cloned().flatten().unwrap_or_default(),
            stats: Stats::read(osd.stats.get()),
        };
        Subject { labels: Labels::of("osd", &id.to_string()), of }
    });
    osds.collect()
}

/// The statistics of an object of the storage cluster, by name.
#[derive(Default)]
pub(super) struct Stats(BTreeMap<String, Value>);

impl Stats {
    /// Reads what was published; nothing where that is no object.
    pub(super) fn read(json: Option<&model::Json>) -> Self {
        let text = json.map_or("", |json| json.text());
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// A statistic that is a number. A new OSD has other texts until Ceph has told of it.
    pub(super) fn number(&self, name: &str) -> Option<Sample<'static>> {
        let value = self.0.get(name)?;
        let whole = value.as_u64().map(Number::Whole);
        Some(whole.or_else(|| self.real(name).map(Number::Real))?.into())
    }

    /// A statistic in percent.
    pub(super) fn percent(&self, name: &str) -> Option<Sample<'static>> {
        self.real(name).map(Sample::percent)
    }

    fn real(&self, name: &str) -> Option<f64> {
        let value = self.0.get(name)?;
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        number.filter(|number| number.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::Page;
    use super::*;

    fn lines(stats: &str) -> Vec<String> {
        let stats = Stats(serde_json::from_str(stats).unwrap());
        let osd = Osd { device: "/dev/sdb".to_owned(), db_device: String::new(), stats };
        let mut page = Page::default();
        page.table(METRICS, &[Subject { labels: Labels::of("osd", "0"), of: osd }]);
        let text = page.finish();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    #[test]
    fn an_osd_tells_its_numbers() {
        let lines = lines(r#"{"utilization":20.456,"kb":100,"var":"1.02","class":"ssd","pgs":3}"#);
        assert_eq!(
            lines,
            [
                r#"pvc_ceph_osd_device{osd="0",device="/dev/sdb"} 1"#,
                r#"pvc_ceph_osd_db_device{osd="0",db_device=""} 1"#,
                r#"pvc_ceph_osd_device_class{osd="0",device_class="ssd"} 1"#,
                r#"pvc_ceph_osd_util{osd="0"} 20.46"#,
                r#"pvc_ceph_osd_var{osd="0"} 1.02"#,
                r#"pvc_ceph_osd_pgs{osd="0"} 3"#,
                r#"pvc_ceph_osd_size{osd="0"} 100"#,
            ]
        );
    }

    #[test]
    fn a_new_osd_has_no_numbers_yet() {
        let lines = lines(r#"{"utilization":"|","kb":"|","var":"NaN","weight":null,"pgs":[]}"#);
        assert_eq!(lines.len(), 2, "{lines:?}");
    }
}
