//! What a task keeps of itself.

use super::site::*;
use crate::osd::*;

#[test]
fn a_memory_reads_back_as_it_was_written() {
    let path = BlankDisk { path: disk("/dev/sdb"), size: Bytes(7), boot: "b1".to_owned() };
    let replaced = |osd, db| Replaced { osd: OsdId(osd), fsid: fsid(1), weight: weight("0.7"), db };
    for memory in [
        Memory::Blank(path.clone()),
        Memory::Blank(BlankDisk { boot: String::new(), ..path.clone() }),
        Memory::Replacing {
            disk: path,
            osds: vec![replaced(3, None), replaced(4, Some(Bytes(9)))],
        },
        Memory::Removing { osd: OsdId(3), fsid: fsid(2), db: None },
        Memory::Removing { osd: OsdId(3), fsid: fsid(2), db: Some(db_volume(OsdId(3))) },
    ] {
        let text = memory.to_string();
        assert_eq!(text.parse(), Ok(memory), "{text}");
    }
    for bad in ["", "blank", "blank /dev/sdb 7", "blank sdb 7 b1", "replacing /dev/sdb 7 b1", "x"] {
        assert!(bad.parse::<Memory>().is_err(), "{bad:?}");
    }
}
