//! Waiting for what a test expects: a condition with a limit, which tells what it last saw.

use std::thread;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// Looks until `look` returns a value, and returns that.
///
/// # Panics
/// When `limit` passes first, with what was awaited and what was last seen instead.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, look: impl FnMut() -> Result<T, String>) -> T {
    until_every(EVERY, what, limit, look)
}

/// Looks so often until `look` returns a value, and returns that.
///
/// # Panics
/// As [`until`].
#[track_caller]
pub fn until_every<T>(
    every: Duration,
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> T {
    let begun = Instant::now();
    loop {
        match look() {
            Ok(value) => return value,
            Err(seen) if begun.elapsed() >= limit => {
                panic!("waited {:.1} s for {what}; last seen: {seen}", limit.as_secs_f64())
            }
            Err(_) => pause(every),
        }
    }
}

/// Watches for `span` that `look` finds nothing wrong.
///
/// # Panics
/// As soon as it does.
#[track_caller]
pub fn throughout(what: &str, span: Duration, mut look: impl FnMut() -> Result<(), String>) {
    let begun = Instant::now();
    while begun.elapsed() < span {
        if let Err(seen) = look() {
            panic!("after {:.1} s no longer {what}: {seen}", begun.elapsed().as_secs_f64());
        }
        pause(EVERY);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one poll of these tests, bounded by a limit")]
fn pause(time: Duration) {
    thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_ends_the_wait() {
        let mut looks = 0;
        let seen = until("the second look", Duration::from_secs(5), || {
            looks += 1;
            if looks == 2 { Ok(looks) } else { Err("the first".to_owned()) }
        });
        assert_eq!(seen, 2);
    }

    #[test]
    #[should_panic(expected = "waited 0.0 s for rain; last seen: sun")]
    fn a_wait_in_vain_tells_what_was_seen_instead() {
        until("rain", Duration::ZERO, || Err::<(), _>("sun".to_owned()));
    }

    #[test]
    #[should_panic(expected = "no longer dry: rain")]
    fn what_ceases_to_be_so_is_told_at_once() {
        throughout("dry", Duration::from_secs(60), || Err("rain".to_owned()));
    }
}
