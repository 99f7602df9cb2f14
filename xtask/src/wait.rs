//! Waiting for something to become true, with a limit.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::say;

/// Asks `ready` every `every` until it returns a value.
///
/// # Errors
/// When `limit` passes first; the message says what was awaited and, if `ready` failed, why.
pub(crate) fn until<T>(
    what: &str,
    limit: Duration,
    every: Duration,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        let seen = ready();
        if let Ok(Some(value)) = seen {
            return Ok(value);
        }
        if started.elapsed() >= limit {
            let limit = say::seconds(limit);
            match seen {
                Err(error) => bail!("waited {limit} for {what}, in vain: {error:#}"),
                Ok(_) => bail!("waited {limit} for {what}, in vain"),
            }
        }
        pause(every);
    }
}

/// Lets time pass where that is what was asked for: a pause, a slow answer.
pub(crate) fn pass(span: Duration) {
    pause(span);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one poll of this program: `until` bounds it and asks again"
)]
fn pause(every: Duration) {
    thread::sleep(every);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn the_first_value_ends_the_wait() {
        let mut asked = 0;
        let seen = until("three", Duration::from_secs(5), SHORT, || {
            asked += 1;
            Ok((asked == 3).then_some(asked))
        });
        assert_eq!(seen.unwrap(), 3);
    }

    #[test]
    fn a_wait_in_vain_says_what_for_and_why() {
        let seen: Result<()> = until("rain", Duration::ZERO, SHORT, || bail!("dry"));
        assert_eq!(seen.unwrap_err().to_string(), "waited 0.0 s for rain, in vain: dry");
    }
}
