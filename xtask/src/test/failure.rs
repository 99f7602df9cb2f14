//! Why tests failed, told again at the end: a lab's tests write thousands of lines after the first
//! failure, and whoever reads a log's end wants to know what to mend.

/// The most lines of one panic's message that are told again.
const MOST: usize = 12;

/// The panics that a runner has shown, each with its place and message; one that was seen in several
/// tries is told once.
pub(super) fn panics(output: &str) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let mut lines = output.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(whose) = line.strip_prefix("thread '") else { continue };
        let Some((test, place)) = whose.split_once("' ") else { continue };
        let Some((_, place)) = place.split_once("panicked at ") else { continue };
        let message = lines.by_ref().take_while(|line| !is_after_message(line)).take(MOST);
        let parts: Vec<&str> = [test, place].into_iter().chain(message).collect();
        let panic = parts.join("\n  ");
        if !told.contains(&panic) {
            told.push(panic);
        }
    }
    told
}

fn is_after_message(line: &str) -> bool {
    line.is_empty()
        || line == "stack backtrace:"
        || line.starts_with("note: run with `RUST_BACKTRACE")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "\
  TRY 1 FAIL [   1.8s] (45/46) lab start::in_its_log
  stderr ───

    thread 'start::in_its_log' (8076) panicked at tests/lab/start.rs:41:40:
    assertion `left == right` failed
      left: 1
     right: 2
    stack backtrace:
       0: __rustc::rust_begin_unwind
";

    #[test]
    fn a_panic_is_told_once_with_its_message() {
        let told = "start::in_its_log\n  tests/lab/start.rs:41:40:\n  \
                    assertion `left == right` failed\n  left: 1\n  right: 2";
        assert_eq!(panics(&SHOWN.repeat(2)), [told]);
    }

    #[test]
    fn a_message_of_many_lines_is_cut() {
        let long =
            format!("thread 'one' (1) panicked at a.rs:1:1:\n{}", "daemon: words\n".repeat(99));
        assert_eq!(panics(&long)[0].lines().count(), 2 + MOST);
    }

    #[test]
    fn tests_that_pass_leave_nothing_to_tell() {
        assert!(panics("PASS [ 0.7s] lab start::in_its_log\nthread 'x' is busy\n").is_empty());
    }
}
