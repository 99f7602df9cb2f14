//! Which run of this machine this is.

/// Identifies one run of a machine: `<boot_id>-<start of process 1>`.
///
/// Containers share the kernel and its boot identifier with their host, but each has a first
/// process of its own; the two together are new whenever the machine or the container starts.
///
/// Takes the texts of `/proc/sys/kernel/random/boot_id` and `/proc/1/stat`; `None` if they are no
/// such files.
#[must_use]
pub fn boot_identity(boot_id: &str, stat: &str) -> Option<String> {
    let boot_id = boot_id.trim();
    if boot_id.is_empty() {
        return None;
    }
    // The second field is the program's name in parentheses, which may contain both of them and
    // spaces; so the fields are counted from behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    let started: u64 = fields.split_ascii_whitespace().nth(STARTTIME)?.parse().ok()?;
    Some(format!("{boot_id}-{started}"))
}

/// The field `starttime`, the 22nd, counted from 0 behind the first two.
const STARTTIME: usize = 22 - 3;

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT_ID: &str = "5d1b2c0e-3f62-4a53-9b52-2a1a2f0f7c11\n";
    const SYSTEMD: &str = "1 (systemd) S 0 1 1 0 -1 4194560 23456 1234567 97 1234 140 310 5120 \
        2210 20 0 1 0 1187 172470272 3293 18446744073709551615 1 1 0 0 0 0 671173123 4096 1260 0 \
        0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn a_boot_is_known_by_the_kernels_and_by_the_first_processs_start() {
        let identity = boot_identity(BOOT_ID, SYSTEMD).unwrap();
        assert_eq!(identity, "5d1b2c0e-3f62-4a53-9b52-2a1a2f0f7c11-1187");
    }

    #[test]
    fn a_first_process_may_have_any_name() {
        let odd = SYSTEMD.replace("(systemd)", "(a) S (b 1 2)");
        assert_eq!(boot_identity(BOOT_ID, &odd), boot_identity(BOOT_ID, SYSTEMD));
    }

    #[test]
    fn what_is_no_such_file_identifies_nothing() {
        assert_eq!(boot_identity("", SYSTEMD), None);
        assert_eq!(boot_identity(BOOT_ID, "1 (systemd) S 0 1"), None);
        assert_eq!(boot_identity(BOOT_ID, ""), None);
    }
}
