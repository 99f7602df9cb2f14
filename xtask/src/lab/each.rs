//! The same work on several hosts at once.

use std::panic::resume_unwind;
use std::thread;

use anyhow::Result;

use super::host::Host;

/// Does `work` for every host in parallel and waits for all.
///
/// # Errors
/// With the first host's error, in the order of `hosts`.
pub(crate) fn host(hosts: &[Host], work: impl Fn(Host) -> Result<()> + Sync) -> Result<()> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(move || work(*host))).collect();
        let done: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect();
        done.into_iter().collect()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use anyhow::bail;

    use super::*;

    #[test]
    fn all_hosts_are_worked_on_at_once() {
        let hosts = Host::first(3);
        let meeting = Barrier::new(hosts.len());
        host(&hosts, |_| {
            meeting.wait();
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn the_first_hosts_failure_is_told() {
        let failed = host(&Host::first(2), |host| bail!("{host} is sad"));
        assert_eq!(failed.unwrap_err().to_string(), "hv1 is sad");
    }
}
