//! Whether a rule of the firewall may be written to the tree: it is one rule, and nft takes it.

use std::error::Error;

use pvc_common::zk::key::Direction;
use pvc_host::{Firewall, FirewallError};
use pvc_plan::firewall::{RuleText, trial};

use crate::api::ApiError;
use crate::rules::RuleCheck;

/// Has this firewall try each rule.
#[derive(Clone, Debug)]
pub struct Tried<F>(pub F);

impl<F: Firewall> RuleCheck for Tried<F> {
    async fn check(&self, rule: &str, _: Direction) -> Result<(), ApiError> {
        check(&self.0, rule).await.map(drop)
    }
}

/// The rule in a text of a person's, in the form that is written to the tree.
///
/// It is tried where there are no packets, as part of a chain of its own; in which direction it shall
/// work makes no difference to that.
///
/// # Errors
/// 400 `bad-rule` with what is wrong with it, in our words or nft's; 503 if nft is of no use here.
async fn check(firewall: &impl Firewall, text: &str) -> Result<RuleText, ApiError> {
    let refused = |why: String| {
        let message = format!("The firewall rule is not accepted: {why}.");
        ApiError::refused("bad-rule", message)
    };
    let rule: RuleText = text.parse().map_err(|bad| refused(format!("{bad}")))?;
    match firewall.check(&trial(std::slice::from_ref(&rule))).await {
        Ok(()) => Ok(rule),
        Err(FirewallError::Refused { message }) => Err(refused(message)),
        Err(error @ (FirewallError::Unusable(_) | FirewallError::Listing(_))) => {
            let message = "Firewall rules cannot be checked at this moment.";
            let cause = error
                .source()
                .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            Err(ApiError::unavailable(message, cause))
        }
    }
}

#[cfg(test)]
mod tests {
    use pvc_host::fake::FakeFirewall;

    use super::*;

    #[tokio::test]
    async fn a_rule_is_accepted_if_it_is_one_and_nft_takes_it() {
        let firewall = FakeFirewall::new();
        let rule = check(&firewall, " tcp dport 22 accept ").await.unwrap();
        assert_eq!(rule.as_str(), "tcp dport 22 accept");
        for (bad, why) in [
            ("accept; flush ruleset", "`;` at character 7: expected one rule on one line"),
            ("frobnicate", "syntax error, unexpected string"),
        ] {
            let refused = check(&firewall, bad).await.unwrap_err();
            assert_eq!(refused.status().as_u16(), 400);
            assert!(refused.to_string().contains(why), "{refused}");
        }
        assert!(firewall.applied().is_empty());
        firewall.uninstall(true);
        let unusable = check(&firewall, "drop").await.unwrap_err();
        assert_eq!(unusable.status().as_u16(), 503);
    }
}
