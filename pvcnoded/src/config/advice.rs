//! Settings that are allowed but hardly meant.

use super::{AfterFence, Config};

/// What is allowed but hardly meant, one sentence each.
pub(super) fn advice(config: &Config) -> Vec<String> {
    let mut advice = Vec::new();
    let coordinators = config.cluster.coordinators.len();
    if coordinators.is_multiple_of(2) {
        advice.push(format!(
            "{coordinators} coordinators survive no more failures than {}: use an odd number",
            coordinators - 1
        ));
    }
    if config.intervals.fence.is_none() {
        advice.push("fence_intervals is 0: dead nodes are never fenced".to_owned());
    }
    if config.fencing.failed == AfterFence::Migrate {
        advice.push(
            "failed_fence is migrate: a node's promise to switch itself off (suicide_intervals) \
             is taken for proof"
                .to_owned(),
        );
    }
    let (fence, suicide) = (config.intervals.fence, config.intervals.suicide);
    if fence.zip(suicide).is_some_and(|(fence, suicide)| suicide > fence) {
        advice.push(
            "suicide_intervals is above fence_intervals: a node is fenced before it gives up"
                .to_owned(),
        );
    }
    if config.functions.hypervisor && config.logging.console_lines == 0 {
        advice.push("console_log_lines is 0: VM consoles are not kept".to_owned());
    }
    advice
}
