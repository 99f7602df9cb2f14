//! The lease helper: what a network's dnsmasq starts to be told its leases, and to tell of them.
//!
//! It fails rather than guess: for `init`, so that no dnsmasq serves without knowing its leases; for
//! an event, so that dnsmasq tells in its log. Whatever was kept reaches the tree; of what could not be
//! there is a [mark](super::mark).

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use pvc_common::id::Vni;
use pvc_plan::dhcp::{Event, base};

use super::folder::Folders;
use super::spool::Spool;

/// Where the folders of networks are. A unit's file cannot read a configuration, so this is fixed.
pub const RUN: &str = "/run/pvc/dhcp";
/// Where events wait: where a reboot does not take them.
pub const SPOOL: &str = "/var/lib/pvc/dhcp";
/// The name of the socket, below the folders' root, at which the daemon hears that there is one.
pub const POKE: &str = "poke";

/// The variable that says which network it is.
pub const NETWORK_VARIABLE: &str = "PVC_DHCP_NETWORK";
/// The variable that says where the folders are, if not at [`RUN`].
pub const RUN_VARIABLE: &str = "PVC_DHCP_RUN";
/// The variable that says where events wait, if not at [`SPOOL`].
pub const SPOOL_VARIABLE: &str = "PVC_DHCP_SPOOL";

/// Does what dnsmasq asks by these arguments, in this environment; what is to be printed.
///
/// # Errors
/// When it could not be done, with what stood in the way.
pub fn help(
    words: &[String],
    environment: &impl Fn(&str) -> Option<OsString>,
) -> io::Result<String> {
    let text = |name: &str| environment(name).and_then(|value| value.into_string().ok());
    let network = text(NETWORK_VARIABLE).unwrap_or_default();
    let vni: Vni = network
        .parse()
        .map_err(|error| io::Error::other(format!("{NETWORK_VARIABLE}: {error}")))?;
    let folders = Folders::new(environment(RUN_VARIABLE).unwrap_or_else(|| RUN.into()));
    let spool = Spool::new(environment(SPOOL_VARIABLE).unwrap_or_else(|| SPOOL.into()));
    if words.first().map(String::as_str) == Some("init") {
        return leases(vni, &folders, &spool);
    }
    let event = Event::told(words, &text).map_err(io::Error::other)?;
    let Some(event) = event else { return Ok(String::new()) };
    if words.first().map(String::as_str) == Some("old") && is_known(vni, &event, &folders, &spool) {
        return Ok(String::new());
    }
    let kept = spool.put(vni, &event).map_err(|error| missed(vni, &folders, &error));
    poke(folders.root());
    kept.map(|()| String::new())
}

/// The leases that the daemon found in the tree, and what happened to them since.
///
/// Events first: one that the daemon puts into the leases in between is then in both, which is
/// harmless, and never in neither.
fn leases(vni: Vni, folders: &Folders, spool: &Spool) -> io::Result<String> {
    let events = spool.of(vni)?;
    let mut leases = folders.leases(vni)?;
    events.iter().for_each(|event| event.apply(&mut leases));
    Ok(base(vni, &leases))
}

/// Whether the tree has a lease as it was told, and nothing that waits will change that.
///
/// dnsmasq tells of every lease whenever it starts, and has no other told of meanwhile.
///
/// Events first, as above: one that the daemon removes in between is in the leases by then.
fn is_known(vni: Vni, event: &Event, folders: &Folders, spool: &Spool) -> bool {
    // What cannot be read now may be when the event is kept.
    spool.may_concern(vni, event).is_ok_and(|may| !may)
        && folders.leases(vni).is_ok_and(|leases| event.is_in(&leases))
}

/// Leaves a mark, for dnsmasq tells of this only once unless it is asked; what is to be said of it.
fn missed(vni: Vni, folders: &Folders, error: &io::Error) -> io::Error {
    let marked = folders.marks().set(vni, &error.to_string());
    io::Error::other(match marked {
        Ok(()) => error.to_string(),
        Err(more) => format!("{error}, and there is no mark of it: {more}"),
    })
}

/// Without the daemon the event waits, so nothing is made of a poke that does not arrive.
fn poke(root: &Path) {
    if let Ok(socket) = UnixDatagram::unbound()
        && socket.set_nonblocking(true).is_ok()
    {
        socket.send_to(b"lease", root.join(POKE)).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Rig(tempfile::TempDir);

    impl Rig {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn help(&self, words: &[&str], more: &[(&str, &str)]) -> io::Result<String> {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let at = |name: &str| Some(self.0.path().join(name).into_os_string());
            help(&words, &|name: &str| match name {
                NETWORK_VARIABLE => Some("1000".into()),
                RUN_VARIABLE => at("run"),
                SPOOL_VARIABLE => at("spool"),
                name => more.iter().find(|(other, _)| *other == name).map(|(_, v)| (*v).into()),
            })
        }

        fn folders(&self) -> Folders {
            Folders::new(self.0.path().join("run"))
        }
    }

    const SERVER: &str = "duid 00:03:00:01:02:00:00:00:03:e8\n";

    #[test]
    fn without_the_leases_there_is_no_start() {
        let rig = Rig::new();
        let error = rig.help(&["init"], &[]).unwrap_err().to_string();
        assert!(error.contains("run/1000/leases"), "{error}");
        rig.folders().write_leases("1000".parse().unwrap(), &[]).unwrap();
        assert_eq!(rig.help(&["init"], &[]).unwrap(), SERVER);
        fs::create_dir_all(rig.0.path().join("spool")).unwrap();
        fs::write(rig.0.path().join("spool/000000000001-1000"), "torn").unwrap();
        assert!(rig.help(&["init"], &[]).is_err());
    }

    #[test]
    fn what_was_told_is_told_to_the_next_dnsmasq_whether_the_daemon_saw_it_or_not() {
        let rig = Rig::new();
        rig.folders().write_leases("1000".parse().unwrap(), &[]).unwrap();
        let end = [("DNSMASQ_LEASE_EXPIRES", "6000")];
        rig.help(&["add", "52:54:00:00:00:01", "10.1.0.9", "web1"], &end).unwrap();
        let known = format!("6000 52:54:00:00:00:01 10.1.0.9 web1 *\n{SERVER}");
        assert_eq!(rig.help(&["init"], &[]).unwrap(), known);
        rig.help(&["del", "52:54:00:00:00:01", "10.1.0.9"], &end).unwrap();
        assert_eq!(rig.help(&["init"], &[]).unwrap(), SERVER);
    }

    #[test]
    fn a_lease_that_the_tree_has_as_it_is_told_does_not_wait_to_be_written() {
        let rig = Rig::new();
        let vni: Vni = "1000".parse().unwrap();
        let spool = Spool::new(rig.0.path().join("spool"));
        let leases = [
            "v4 52:54:00:00:00:01 10.1.0.9 web1 6000 01:52:54:00:00:00:01",
            "v6 00:01 7 2001:db8::1 * 6000 52:54:00:00:00:01",
        ];
        let write = |leases: &[&str]| {
            let leases: Vec<_> = leases.iter().map(|lease| lease.parse().unwrap()).collect();
            rig.folders().write_leases(vni, &leases).unwrap();
        };
        write(&leases);
        let old = |end: &str| {
            let client = ("DNSMASQ_CLIENT_ID", "01:52:54:00:00:00:01");
            let v4 = ["old", "52:54:00:00:00:01", "10.1.0.9", "web1"];
            rig.help(&v4, &[("DNSMASQ_LEASE_EXPIRES", end), client]).unwrap();
            let end = [("DNSMASQ_LEASE_EXPIRES", end), ("DNSMASQ_IAID", "7")];
            rig.help(&["old", "00:01", "2001:db8::1"], &end).unwrap();
        };
        let events = || spool.of(vni).unwrap().iter().map(Event::to_string).collect::<Vec<_>>();
        old("6000");
        assert_eq!(events(), [""; 0]);
        old("7000");
        assert_eq!(events().len(), 2, "they were renewed");
        // The address was another's meanwhile, which the tree will have first.
        spool.put(vni, &"held v4 52:54:00:00:00:02 10.1.0.9 * 6500 *".parse().unwrap()).unwrap();
        old("6000");
        assert_eq!(events().len(), 5, "{:?}", events());
        assert!(events()[3].starts_with("held v4 52:54:00:00:00:01 10.1.0.9 web1 6000"));
        for waiting in spool.waiting(0, 9).unwrap() {
            spool.remove(waiting.number).unwrap();
        }
        // What a killed helper has left behind may be about it.
        fs::write(rig.0.path().join("spool/.new-1000"), "").unwrap();
        old("6000");
        assert_eq!(events().len(), 1, "{:?}", events());
        // Without the leases nobody knows.
        rig.folders().forget(vni).unwrap();
        old("6000");
        assert_eq!(events().len(), 3);
    }

    #[test]
    fn what_cannot_be_kept_is_a_failure() {
        let rig = Rig::new();
        assert!(rig.help(&["add", "06-00:01", "10.1.0.9"], &[]).is_err(), "no hardware address");
        fs::write(rig.0.path().join("spool"), "in the way").unwrap();
        assert!(rig.help(&["add", "52:54:00:00:00:01", "10.1.0.9"], &[]).is_err());
        assert_eq!(rig.help(&["arp-add", "52:54:00:00:00:01", "10.1.0.9"], &[]).unwrap(), "");
    }

    #[test]
    fn of_what_cannot_be_kept_there_is_a_mark_and_the_daemon_is_told() {
        let rig = Rig::new();
        let (marks, vni) = (rig.folders().marks(), "1000".parse().unwrap());
        rig.help(&["add", "52:54:00:00:00:01", "10.1.0.9"], &[]).unwrap();
        assert!(marks.all().unwrap().is_empty());
        fs::create_dir_all(rig.0.path().join("run")).unwrap();
        let socket = UnixDatagram::bind(rig.0.path().join("run").join(POKE)).unwrap();
        fs::remove_dir_all(rig.0.path().join("spool")).unwrap();
        fs::write(rig.0.path().join("spool"), "in the way").unwrap();
        let told = rig.help(&["add", "52:54:00:00:00:01", "10.1.0.9"], &[]).unwrap_err();
        assert_eq!(marks.all().unwrap(), [(vni, told.to_string())].into());
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv(&mut [0; 8]).is_ok());
        // A dnsmasq that tells it again would say the same.
        marks.forget(vni).unwrap();
        rig.help(&["add", "06-00:01", "10.1.0.9"], &[]).unwrap_err();
        assert!(marks.all().unwrap().is_empty());
    }

    #[test]
    fn the_daemon_is_told_at_once() {
        let rig = Rig::new();
        fs::create_dir_all(rig.0.path().join("run")).unwrap();
        let socket = UnixDatagram::bind(rig.0.path().join("run").join(POKE)).unwrap();
        rig.help(&["add", "52:54:00:00:00:01", "10.1.0.9"], &[]).unwrap();
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv(&mut [0; 8]).is_ok());
    }
}
