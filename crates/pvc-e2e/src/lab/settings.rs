//! The node daemons' settings, changed for a while.

use anyhow::Result;

use super::Lab;

const FILE: &str = "/etc/pvc/pvcnoded.yaml";

/// Where the settings are kept meanwhile: a test that is interrupted leaves them there.
const BEFORE: &str = "/etc/pvc/pvcnoded.yaml.before";

const RESTART: &str = "systemctl restart pvcnoded.service";

impl Lab {
    /// Changes the settings of every host's node daemon, starts it again and waits until the
    /// cluster is at rest. They are as before when the test has ended.
    ///
    /// # Panics
    /// When a host cannot be written, or a daemon does not like the settings.
    #[track_caller]
    pub fn reconfigure(&self, edit: impl Fn(&str) -> String) {
        for host in self.hosts() {
            let edited = edit(&self.on(host, &["cat", FILE]));
            let write = format!(
                "set -e; cp {FILE} {BEFORE}; cat >{FILE} <<'END_OF_FILE'\n{edited}\nEND_OF_FILE\n\
                 {RESTART}"
            );
            self.on(host, &["sh", "-c", &write]);
        }
        self.await_rest();
    }

    /// Undoes it, where there is something to undo, and starts daemons that a test has stopped.
    pub(super) fn restore_settings(&self) -> Result<()> {
        for host in self.hosts() {
            let restore = format!(
                "test ! -e {BEFORE} || {{ mv {BEFORE} {FILE} && {RESTART}; }}; \
                 systemctl is-active --quiet pvcnoded || systemctl start --no-block pvc.target"
            );
            self.program.run(super::COMMAND, &["exec", host, "sh", "-c", &restore])?.ok()?;
        }
        Ok(())
    }
}

/// The settings with the time-out that a watchdog has where nothing else is said, 10 s.
#[must_use]
pub fn with_usual_watchdog(settings: &str) -> String {
    let is_kept = |line: &&str| !line.trim_start().starts_with("watchdog_timeout:");
    settings.lines().filter(is_kept).map(|line| format!("{line}\n")).collect()
}
