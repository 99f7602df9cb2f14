//! What the first bytes of a file say of it, so that what cannot be taken is refused before it
//! has come.
//!
//! A file may also refer to others, which QEMU would look for on this machine and give away with
//! the rest: such a file is refused before QEMU sees it, and again by what QEMU says of it.

use pvc_ceph::ImageFormat;
use pvc_common::unit::Bytes;

use crate::api::ApiError;

/// How much is looked at: a VMDK's description is within its first 11 KiB.
pub(super) const LENGTH: usize = 16 << 10;

/// Bits of a qcow2's features: its data are in another file.
const QCOW2_DATA_FILE: u64 = 1 << 2;
/// Bits of a QED's features: it changes another file.
const QED_BASE: u64 = 1;

/// Looks at the beginning of a file that is said to be of a format; how large the disk is that it
/// holds, if that is known already.
pub(super) fn judge(format: ImageFormat, head: &[u8]) -> Result<Option<Bytes>, ApiError> {
    let seen = kind(head);
    // Where nothing is before the first block, a VHD of fixed size is known by its end only.
    let may_be = match format {
        ImageFormat::Raw => seen.is_none(),
        ImageFormat::Vpc => seen.is_none() || seen == Some(format),
        _ => seen == Some(format),
    };
    if !may_be {
        return Err(unlike(format, seen));
    }
    let short = || unlike(format, None);
    match format {
        ImageFormat::Qcow2 => {
            let number = |at| big_endian(head, at).ok_or_else(short);
            let has_features = head.get(4..8) != Some(&[0, 0, 0, 2]);
            if number(8)? != 0 || (has_features && number(72)? & QCOW2_DATA_FILE != 0) {
                return Err(refers(None));
            }
            Ok(Some(Bytes(number(24)?)))
        }
        ImageFormat::Qed if little_endian(head, 16).ok_or_else(short)? & QED_BASE != 0 => {
            Err(refers(None))
        }
        ImageFormat::Vmdk => {
            // Without a size of its own it is a list of other files; with a parent, a part of one.
            let is_whole = little_endian(head, 12).ok_or_else(short)? != 0;
            let of_parent: &[u8] = b"parentFileNameHint";
            if is_whole && !head.windows(of_parent.len()).any(|text| text == of_parent) {
                Ok(None)
            } else {
                Err(refers(None))
            }
        }
        ImageFormat::Raw | ImageFormat::Qed | ImageFormat::Vdi | ImageFormat::Vpc => Ok(None),
    }
}

/// The refusal of a file that is not what it is said to be.
fn unlike(said: ImageFormat, seen: Option<ImageFormat>) -> ApiError {
    let message = match seen {
        Some(seen) if seen != said => {
            format!("ERROR: The file is {seen}, not {said}; send it with image_format={seen}.")
        }
        _ => format!("ERROR: The file is not a {said} image in one piece."),
    };
    ApiError::refused("wrong-format", message)
}

/// The refusal of a file that holds only a part of its disk.
pub(super) fn refers(to: Option<&str>) -> ApiError {
    let other = to.map_or_else(|| "another file".to_owned(), |name| format!("the file '{name}'"));
    let message = format!(
        "ERROR: The image refers to {other} and holds only a part of the disk; make one image of \
         them, as by 'qemu-img convert', and upload that."
    );
    ApiError::refused("not-whole", message)
}

/// What a file looks like.
fn kind(head: &[u8]) -> Option<ImageFormat> {
    let begins = |magic: &[u8]| head.starts_with(magic);
    if begins(b"QFI\xfb") {
        Some(ImageFormat::Qcow2)
    } else if begins(b"QED\0") {
        Some(ImageFormat::Qed)
    } else if begins(b"KDMV") {
        Some(ImageFormat::Vmdk)
    } else if head.get(0x40..0x44) == Some(&[0x7f, 0x10, 0xda, 0xbe]) {
        Some(ImageFormat::Vdi)
    } else if begins(b"conectix") {
        Some(ImageFormat::Vpc)
    } else {
        None
    }
}

fn eight(head: &[u8], at: usize) -> Option<[u8; 8]> {
    head.get(at..at + 8)?.try_into().ok()
}

fn big_endian(head: &[u8], at: usize) -> Option<u64> {
    eight(head, at).map(u64::from_be_bytes)
}

fn little_endian(head: &[u8], at: usize) -> Option<u64> {
    eight(head, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head of 1 KiB with bytes at places.
    fn head(places: &[(usize, &[u8])]) -> Vec<u8> {
        let mut head = vec![0; 1024];
        for (at, bytes) in places {
            head[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        head
    }

    #[track_caller]
    fn check(format: ImageFormat, places: &[(usize, &[u8])], expected: Result<Option<u64>, &str>) {
        match (judge(format, &head(places)), expected) {
            (Ok(size), Ok(wanted)) => assert_eq!(size, wanted.map(Bytes)),
            (Err(error), Err(says)) => assert!(error.to_string().contains(says), "{error}"),
            (got, wanted) => panic!("{format}: {got:?} instead of {wanted:?}"),
        }
    }

    const QCOW2: (usize, &[u8]) = (0, b"QFI\xfb\0\0\0\x03");
    const VMDK: (usize, &[u8]) = (0, b"KDMV\x01\0\0\0");

    #[test]
    fn whole_files_are_taken() {
        check(ImageFormat::Raw, &[], Ok(None));
        check(ImageFormat::Qcow2, &[QCOW2, (24, &[0, 0, 0, 2, 0, 0, 0, 0])], Ok(Some(2 << 32)));
        let old: (usize, &[u8]) = (0, b"QFI\xfb\0\0\0\x02");
        check(ImageFormat::Qcow2, &[old, (72, &[0xff; 8])], Ok(Some(0)));
        check(ImageFormat::Qed, &[(0, b"QED\0"), (16, &[4])], Ok(None));
        check(ImageFormat::Vmdk, &[VMDK, (12, &[0, 8])], Ok(None));
        check(ImageFormat::Vdi, &[(0x40, &[0x7f, 0x10, 0xda, 0xbe])], Ok(None));
        check(ImageFormat::Vpc, &[(0, b"conectix")], Ok(None));
        check(ImageFormat::Vpc, &[], Ok(None));
    }

    #[test]
    fn files_of_another_format_are_refused_with_its_name() {
        check(ImageFormat::Raw, &[QCOW2], Err("is qcow2, not raw"));
        check(ImageFormat::Qed, &[QCOW2], Err("is qcow2, not qed"));
        check(ImageFormat::Vpc, &[VMDK], Err("is vmdk, not vpc"));
        for format in [ImageFormat::Qcow2, ImageFormat::Vmdk, ImageFormat::Qed, ImageFormat::Vdi] {
            check(format, &[(0, b"# Disk DescriptorFile\n")], Err("in one piece"));
            assert!(judge(format, b"").is_err(), "{format}");
        }
        assert!(judge(ImageFormat::Qcow2, b"QFI\xfb\0\0\0\x03").is_err(), "it ends too early");
    }

    #[test]
    fn files_that_refer_to_others_are_refused() {
        let refused = Err("holds only a part of the disk");
        check(ImageFormat::Qcow2, &[QCOW2, (15, &[200])], refused);
        check(ImageFormat::Qcow2, &[QCOW2, (79, &[4])], refused);
        check(ImageFormat::Qed, &[(0, b"QED\0"), (16, &[1])], refused);
        check(ImageFormat::Vmdk, &[VMDK, (512, b"RW 4192256 FLAT \"/etc/shadow\" 0")], refused);
        check(ImageFormat::Vmdk, &[VMDK, (12, &[8]), (512, b"parentFileNameHint=\"/x\"")], refused);
    }
}
