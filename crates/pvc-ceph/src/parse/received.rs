//! Understanding what `qemu-img` says of a file.

use pvc_common::unit::Bytes;
use serde::Deserialize;

use crate::Received;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawInfo {
    virtual_size: u64,
    backing_filename: Option<String>,
    full_backing_filename: Option<String>,
    #[serde(default)]
    encrypted: bool,
    format_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Specific {
    #[serde(default)]
    data: Data,
}

/// What formats tell in a way of their own.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Data {
    data_file: Option<String>,
    #[serde(default)]
    extents: Vec<Extent>,
}

/// A part of a VMDK's disk. One that is in the file itself has no format of its own.
#[derive(Deserialize)]
struct Extent {
    filename: String,
    #[serde(default)]
    format: Option<String>,
}

/// Understands `qemu-img info --output json`.
pub(crate) fn received(json: &str) -> Option<Received> {
    let raw: RawInfo = serde_json::from_str(json).ok()?;
    let data = raw.format_specific.map(|specific| specific.data).unwrap_or_default();
    let elsewhere = |extent: &Extent| extent.format.as_deref() != Some("");
    let extents = data.extents.into_iter().filter(elsewhere);
    let mut refers_to: Vec<String> = extents.map(|extent| extent.filename).collect();
    refers_to.extend(data.data_file);
    refers_to.extend(raw.backing_filename.or(raw.full_backing_filename));
    Some(Received { size: Bytes(raw.virtual_size), refers_to, encrypted: raw.encrypted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_refers_to_is_told() {
        for (rest, refers_to) in [
            ("", vec![]),
            (
                r#","backing-filename":"base.raw","full-backing-filename":"/a/base.raw""#,
                vec!["base.raw"],
            ),
            (r#","full-backing-filename":"/a/base.raw""#, vec!["/a/base.raw"]),
            (
                r#","format-specific":{"type":"qcow2","data":{"compat":"1.1","data-file":"/etc/shadow"}}"#,
                vec!["/etc/shadow"],
            ),
            (
                r#","format-specific":{"type":"vmdk","data":{"cid":1,"extents":[
                    {"virtual-size":1,"filename":"a","format":""},{"filename":"b-flat.vmdk","format":"FLAT"}]}}"#,
                vec!["b-flat.vmdk"],
            ),
            (r#","format-specific":{"type":"luks"}"#, vec![]),
        ] {
            let info = format!(
                r#"{{"virtual-size":10485760,"filename":"a","format":"x","dirty-flag":false{rest}}}"#
            );
            let seen = received(&info).unwrap();
            assert_eq!(seen.size, Bytes(10_485_760));
            assert_eq!(seen.refers_to, refers_to, "{rest}");
            assert!(!seen.encrypted);
        }
    }

    #[test]
    fn what_is_encrypted_is_told() {
        let info = r#"{"virtual-size":1,"filename":"a","encrypted":true}"#;
        assert!(received(info).unwrap().encrypted);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for bad in ["", "{}", "[]", r#"{"virtual-size":-1,"filename":"a"}"#] {
            assert_eq!(received(bad), None, "{bad}");
        }
    }
}
