//! Finding the bad among the good.

use super::*;

fn text(number: usize) -> RuleText {
    format!("tcp dport {number} accept").parse().unwrap()
}

/// Which of `count` rules are found bad, and by how many trials.
fn sift(count: usize, bad: &[usize]) -> (Vec<RuleText>, usize) {
    let bad: Vec<RuleText> = bad.iter().copied().map(text).collect();
    let mut sieve = Sieve::new((0..count).map(text));
    let mut trials = 0;
    while let Some(rules) = sieve.due() {
        trials += 1;
        assert!(trials < 1000, "it ends");
        if rules.iter().any(|rule| bad.contains(rule)) {
            sieve.refused("bad");
        } else {
            sieve.taken();
        }
    }
    (sieve.into_refused().into_keys().collect(), trials)
}

#[test]
fn every_bad_rule_is_found_and_no_good_one() {
    for (count, bad) in [
        (0, vec![]),
        (1, vec![]),
        (1, vec![0]),
        (2, vec![1]),
        (50, vec![0, 17, 49]),
        (50, (0..50).collect()),
        (5000, vec![4711]),
    ] {
        let mut wanted: Vec<RuleText> = bad.iter().copied().map(text).collect();
        wanted.sort();
        assert_eq!(sift(count, &bad).0, wanted, "{bad:?} of {count}");
    }
}

#[test]
fn few_trials_find_one_bad_rule_among_many() {
    let (_, trials) = sift(5000, &[4711]);
    assert!(trials <= 27, "{trials}");
    assert_eq!(sift(5000, &[]).1, 1);
}

#[test]
fn a_trial_puts_each_rule_on_a_line_of_its_own() {
    let text = trial(&[text(1), text(2)]);
    let rules: Vec<&str> = text.lines().filter(|line| line.contains(" counter ")).collect();
    assert_eq!(
        rules,
        [
            "add rule inet pvc-trial rules counter tcp dport 1 accept",
            "add rule inet pvc-trial rules counter tcp dport 2 accept",
        ]
    );
    assert_eq!(trial(&[]).lines().count(), 4);
}
