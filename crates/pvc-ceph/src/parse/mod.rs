//! Understanding what Ceph's programs print.

pub(crate) mod disks;
pub(crate) mod figures;
pub(crate) mod osds;
mod received;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use pvc_common::id::SnapshotName;
use pvc_common::model::Json;
use pvc_common::unit::Bytes;
use pvc_common::zk::Text;
use serde::Deserialize;
use serde::de::IgnoredAny;

pub(crate) use received::received;

use crate::{Blocked, BlocklistEntry, ClientAddress, Epoch, Image, Lock};

/// What matters of the map of the OSDs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OsdMap {
    pub(crate) epoch: Epoch,
    pub(crate) blocklist: Vec<BlocklistEntry>,
}

impl OsdMap {
    /// Until when all clients at an address are shut out, if they are.
    pub(crate) fn blocked_until_s(&self, address: IpAddr) -> Option<i64> {
        self.blocklist
            .iter()
            .find(|entry| entry.who == Blocked::Address(address))
            .map(|entry| entry.until_s)
    }
}

#[derive(Deserialize)]
struct RawOsdMap {
    epoch: u64,
    blocklist: BTreeMap<String, String>,
    /// Older versions know no ranges.
    #[serde(default)]
    range_blocklist: BTreeMap<String, String>,
}

/// Understands `ceph osd dump --format json`.
///
/// It is asked rather than `ceph osd blocklist ls`, which tells no epoch, and whose JSON is two
/// documents in a row. Entries that are not understood are left out.
pub(crate) fn osd_map(json: &str) -> Option<OsdMap> {
    let raw: RawOsdMap = serde_json::from_str(json).ok()?;
    let entry = |(who, until): (Option<Blocked>, &String)| {
        Some(BlocklistEntry { who: who?, until_s: stamp(until)? })
    };
    let single = raw.blocklist.iter().map(|(who, until)| (client(who), until));
    let ranges = raw.range_blocklist.iter().map(|(who, until)| (network(who), until));
    let blocklist = single.chain(ranges).filter_map(entry).collect();
    Some(OsdMap { epoch: Epoch(raw.epoch), blocklist })
}

/// `10.0.0.1:0/0` or `10.0.0.1:0/2855931227`.
fn client(text: &str) -> Option<Blocked> {
    let client: ClientAddress = text.parse().ok()?;
    let all = client.socket.port() == 0 && client.nonce == 0;
    Some(if all { Blocked::Address(client.socket.ip()) } else { Blocked::Client(client) })
}

/// `cidr:10.0.0.0:0/24`: a client's form, with the length of the prefix for its number.
fn network(text: &str) -> Option<Blocked> {
    let network: ClientAddress = text.strip_prefix("cidr:").unwrap_or(text).parse().ok()?;
    let prefix = u8::try_from(network.nonce).ok()?;
    IpNet::new(network.socket.ip(), prefix).ok().map(Blocked::Network)
}

/// Understands the answer to `ceph osd blocklist add`: until when, by the monitor's clock, an
/// entry would last that was made just now.
pub(crate) fn until(answer: &str) -> Option<i64> {
    let (_, until) = answer.split_once(" until ")?;
    stamp(until.split_ascii_whitespace().next()?)
}

/// Seconds since 1970 at `2026-11-25T23:24:01.724324+0000`; fractions are dropped.
fn stamp(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let (time, offset, sign) = match time.split_once('+') {
        Some((time, offset)) => (time, offset, 1),
        None => time.split_once('-').map(|(time, offset)| (time, offset, -1))?,
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time.split_once('.').map_or(time, |parts| parts.0), ':')?;
    let offset: i64 = offset.parse().ok()?;
    let offset_s = sign * (offset / 100 * 3600 + offset % 100 * 60);
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset_s)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let numbers: Option<Vec<i64>> = text.split(separator).map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their odd day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between 1 March of the year 0 and 1970.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[derive(Deserialize)]
struct RawLock {
    id: String,
    locker: String,
    address: String,
}

/// Understands `rbd lock ls --format json`.
pub(crate) fn locks(json: &str) -> Option<Vec<Lock>> {
    let raw: Vec<RawLock> = serde_json::from_str(json).ok()?;
    let lock = |RawLock { id, locker, address }| {
        address.parse().ok().map(|address| Lock { id, locker, address })
    };
    raw.into_iter().map(lock).collect()
}

/// Why `rbd` refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoPool,
    NoImage,
    NoSnapshot,
    Exists,
    InUse,
    Shrinks,
    Other,
}

/// Understands what an `rbd` that failed says. Its exit status tells too little: it is 2 as well
/// when the whole cluster is not found.
pub(crate) fn refusal(stderr: &str) -> Refusal {
    let says = |words: &[&str]| words.iter().any(|words| stderr.contains(words));
    if stderr.contains("(2) No such file") {
        return if says(&["error opening pool"]) {
            Refusal::NoPool
        } else if says(&["error opening image", "opening source image", "delete error:"]) {
            Refusal::NoImage
        } else if says(&["snapshot context", "snap", "rollback failed"]) {
            Refusal::NoSnapshot
        } else {
            Refusal::Other
        };
    }
    if says(&["(17) File exists"]) {
        Refusal::Exists
    } else if says(&["still has watchers", "is protected", "(30) Read-only file system"]) {
        // The lock of a client that has it open makes it read-only for all others.
        Refusal::InUse
    } else if says(&["--allow-shrink"]) {
        Refusal::Shrinks
    } else {
        Refusal::Other
    }
}

/// Leaves out the lines that the library logs beside what the program says.
pub(crate) fn without_log(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let said: Vec<&str> = lines.clone().filter(|line| !line.contains(" -1 librbd")).collect();
    if said.is_empty() { lines.collect::<Vec<_>>().join("; ") } else { said.join("; ") }
}

#[derive(Deserialize)]
struct RawImage {
    id: String,
    size: u64,
}

/// Understands `rbd info --format json`.
pub(crate) fn image(json: &str) -> Option<Image> {
    let raw: RawImage = serde_json::from_str(json).ok()?;
    let info = Json::decode(json.trim()).ok()?;
    Some(Image { id: raw.id, size: Bytes(raw.size), info })
}

/// Understands a list of names, leaving out those that PVC cannot have made.
pub(crate) fn names<N: FromStr>(json: &str) -> Option<Vec<N>> {
    let names: Vec<String> = serde_json::from_str(json).ok()?;
    Some(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Understands `rbd snap ls --format json`.
pub(crate) fn snapshot_names(json: &str) -> Option<Vec<SnapshotName>> {
    #[derive(Deserialize)]
    struct Raw {
        name: String,
    }
    let raw: Vec<Raw> = serde_json::from_str(json).ok()?;
    Some(raw.iter().filter_map(|raw| raw.name.parse().ok()).collect())
}

/// Understands `rbd status --format json`: how many programs have the image open.
pub(crate) fn watchers(json: &str) -> Option<usize> {
    #[derive(Deserialize)]
    struct Raw {
        watchers: Vec<IgnoredAny>,
    }
    let raw: Raw = serde_json::from_str(json).ok()?;
    Some(raw.watchers.len())
}

/// What `rbd lock rm` says of a lock that is gone, or is another's.
pub(crate) fn is_no_lock(stderr: &str) -> bool {
    stderr.contains("releasing lock failed: (2) No such file")
}

/// Understands `fio --output-format=json`: all of it, if it measured something without an error.
pub(crate) fn measured(json: &str) -> Option<Json> {
    #[derive(Deserialize)]
    struct Raw {
        jobs: Vec<Job>,
    }
    #[derive(Deserialize)]
    struct Job {
        error: i64,
        read: Side,
        write: Side,
    }
    #[derive(Deserialize)]
    struct Side {
        total_ios: u64,
    }
    // It tells on the same channel of what it does not like.
    let json = &json[json.find('{')?..];
    let raw: Raw = serde_json::from_str(json).ok()?;
    let [job] = &raw.jobs[..] else { return None };
    let some = job.error == 0 && job.read.total_ios + job.write.total_ios > 0;
    Json::decode(json.trim()).ok().filter(|_| some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Ceph 16.2.15, with what does not matter here left out.
    const OSD_DUMP: &str = r#"

{"epoch":41,"fsid":"674792c9-bb45-42fb-bd45-5ca2c5e91614","modified":"2026-11-25T23:24:00.401155+0000","pools":[],"osds":[{"osd":0,"up":1,"in":1,"state":["exists","up"]}],"primary_temp":[],"blocklist":{"10.7.0.1:0/0":"2026-11-25T23:24:01.724324+0000","127.0.0.1:0/4117663829":"2026-11-26T00:22:20.856977+0000","[2001:db8::1]:0/0":"2026-11-26T00:22:19.021531+0000","odd":"2026-11-26T00:22:19.021531+0000"},"range_blocklist":{"cidr:10.7.0.2:0/32":"2026-11-25T23:24:59.725921+0000","cidr:[2001:db8::7]:0/128":"2026-11-25T23:25:00.390204+0000"},"stretch_mode":{"stretch_mode_enabled":false}}
"#;

    #[test]
    fn the_map_of_the_osds_says_who_is_shut_out() {
        let map = osd_map(OSD_DUMP).unwrap();
        assert_eq!(map.epoch, Epoch(41));
        let who: Vec<Blocked> = map.blocklist.iter().map(|entry| entry.who).collect();
        let expected = [
            Blocked::Address("10.7.0.1".parse().unwrap()),
            Blocked::Client("127.0.0.1:0/4117663829".parse().unwrap()),
            Blocked::Address("2001:db8::1".parse().unwrap()),
            Blocked::Network("10.7.0.2/32".parse().unwrap()),
            Blocked::Network("2001:db8::7/128".parse().unwrap()),
        ];
        assert_eq!(who, expected);
        assert_eq!(map.blocked_until_s("10.7.0.1".parse().unwrap()), Some(1_795_649_041));
        assert_eq!(map.blocked_until_s("127.0.0.1".parse().unwrap()), None, "one client only");
        assert_eq!(osd_map(""), None);
        assert_eq!(osd_map("[]"), None);
    }

    #[test]
    fn an_added_entry_says_until_when() {
        let usual = "blocklisting 10.7.0.1:0/0 until 2026-11-26T00:23:57.400002+0000 (3600 sec)\n";
        let long =
            "blocklisting 10.7.0.2:0/0 until 2036-11-22T23:23:59.037517+0000 (3.1536e+08 sec)\n";
        assert_eq!(until(usual), Some(1_795_652_637));
        assert_eq!(until(long), Some(2_111_009_039));
        assert_eq!(until("10.0.0.1:0/0 isn't blocklisted"), None);
    }

    #[test]
    fn times_are_understood_in_any_zone() {
        assert_eq!(stamp("1970-01-01T00:00:00.000000+0000"), Some(0));
        assert_eq!(stamp("2000-02-29T12:00:00.5+0000"), Some(951_825_600));
        assert_eq!(stamp("2000-02-29T13:30:00+0130"), Some(951_825_600));
        assert_eq!(stamp("2000-02-29T07:00:00.000000-0500"), Some(951_825_600));
        for bad in ["", "T", "2000-02-29", "2000-02T00:00:00+0000", "2000-02-29T00:00:00"] {
            assert_eq!(stamp(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn locks_have_a_holder() {
        let json = r#"[{"id":"auto 140124180450752","locker":"client.4385","address":"127.0.0.1:0/2855931227"}]"#;
        let expected = Lock {
            id: "auto 140124180450752".to_owned(),
            locker: "client.4385".to_owned(),
            address: "127.0.0.1:0/2855931227".parse().unwrap(),
        };
        assert_eq!(locks(json), Some(vec![expected]));
        assert_eq!(locks("[]\n"), Some(Vec::new()));
        assert_eq!(locks(""), None);
        assert_eq!(locks(&json.replace("127.0.0.1", "nowhere")), None);
    }

    #[test]
    fn what_is_not_there_is_told_from_a_cluster_that_is_not() {
        for (said, refused) in [
            ("rbd: error opening image none: (2) No such file or directory", Refusal::NoImage),
            ("rbd: delete error: (2) No such file or directory", Refusal::NoImage),
            (
                "rbd: rename error: 2026-11-28T09:33:16.726+0000 7f891568f380 -1 librbd: error \
                 opening source image: (2) No such file or directory\n\n(2) No such file or directory",
                Refusal::NoImage,
            ),
            ("rbd: error opening pool 'none': (2) No such file or directory", Refusal::NoPool),
            ("error setting snapshot context: (2) No such file or directory", Refusal::NoSnapshot),
            ("rbd: renaming snap failed: (2) No such file or directory", Refusal::NoSnapshot),
            ("rbd: failed to remove snapshot: (2) No such file or directory", Refusal::NoSnapshot),
            ("rbd: couldn't connect to the cluster!", Refusal::Other),
        ] {
            assert_eq!(refusal(said), refused, "{said}");
        }
        assert!(is_no_lock("rbd: releasing lock failed: (2) No such file or directory\n"));
        assert!(!is_no_lock("rbd: releasing lock failed: (108) Cannot send after transport\n"));
    }

    #[test]
    fn what_rbd_refuses_is_told_by_its_reason() {
        for (said, refused) in [
            ("rbd: create error: (17) File exists", Refusal::Exists),
            ("rbd: failed to create snapshot: (17) File exists", Refusal::Exists),
            ("rbd: error: image still has watchers", Refusal::InUse),
            ("rbd: snapshot 't' is protected from removal.", Refusal::InUse),
            ("rbd: rollback failed: (30) Read-only file system", Refusal::InUse),
            (
                "rbd: shrinking an image is only allowed with the --allow-shrink flag",
                Refusal::Shrinks,
            ),
            ("rbd: image too large", Refusal::Other),
        ] {
            assert_eq!(refusal(said), refused, "{said}");
        }
    }

    #[test]
    fn what_the_library_logs_is_left_out_of_a_reason() {
        let said = "2026-11-28T09:33:16.642+0000 7ff64ba98380 -1 librbd::Operations: image b\n\n\
                    rbd: rename error: (5) Input/output error\n";
        assert_eq!(without_log(said), "rbd: rename error: (5) Input/output error");
        let only = "2026-11-28T09:33:16.642+0000 7ff64ba98380 -1 librbd: header creation failed\n";
        assert_eq!(without_log(only), only.trim());
    }

    #[test]
    fn an_image_has_an_identity_and_a_size() {
        let info = r#"{"name":"a","id":"101c674717e","size":1073741824,"objects":256,"order":22}"#;
        let read = image(&format!("{info}\n")).unwrap();
        assert_eq!(
            (read.id.as_str(), read.size, read.info.text()),
            ("101c674717e", Bytes(1 << 30), info)
        );
        assert_eq!(image(r#"{"name":"a"}"#), None);
        let open =
            r#"{"watchers":[{"address":"127.0.0.1:0/1629165243","client":4257,"cookie":1}]}"#;
        assert_eq!((watchers(open), watchers(r#"{"watchers":[]}"#)), (Some(1), Some(0)));
    }

    /// Of fio 3.33 on a volume in memory, with what does not matter here left out.
    const FIO: &str = r#"{"fio version": "fio-3.33", "timestamp": 1795870528, "jobs": [{"jobname": "test", "groupid": 0, "error": 0, "elapsed": 3, "usr_cpu": 2.318698, "sys_cpu": 0.542674, "read": {"io_bytes": 0, "bw_bytes": 0, "bw": 0, "iops": 0.0, "runtime": 0, "total_ios": 0}, "write": {"io_bytes": 47677440, "bw_bytes": 23509585, "bw": 22958, "iops": 5739.64497, "runtime": 2028, "total_ios": 11640}}]}"#;

    #[test]
    fn a_measurement_counts_if_something_was_measured() {
        assert_eq!(measured(&format!("{FIO}\n")).unwrap().text(), FIO);
        let warned = format!("fio: a warning\n{FIO}");
        assert_eq!(measured(&warned).unwrap().text(), FIO);
        let failed = FIO.replace(r#""error": 0"#, r#""error": 5"#);
        assert_eq!(measured(&failed), None);
        assert_eq!(measured(r#"{"jobs":[]}"#), None);
        assert_eq!(measured(""), None);
    }
}
