//! Whether nft takes a firewall rule, asked before the rule is stored.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use pvc_common::zk::key::Direction;

use crate::api::ApiError;

/// Tells whether a text is a rule of the firewall.
pub trait RuleCheck: Send + Sync + 'static {
    /// Whether nft would take it as one rule of a network's chain for this direction. Changes nothing.
    ///
    /// # Errors
    /// 400 `bad-rule` with nft's words when it is none; 503 when nobody could tell within a limit.
    fn check(
        &self,
        rule: &str,
        direction: Direction,
    ) -> impl Future<Output = Result<(), ApiError>> + Send;
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), ApiError>> + Send + 'a>>;

/// The same, usable behind a pointer.
trait Erased: Send + Sync {
    fn check<'a>(&'a self, rule: &'a str, direction: Direction) -> Answer<'a>;
}

impl<C: RuleCheck> Erased for C {
    fn check<'a>(&'a self, rule: &'a str, direction: Direction) -> Answer<'a> {
        Box::pin(RuleCheck::check(self, rule, direction))
    }
}

/// Any [`RuleCheck`]. Cloning shares it.
#[derive(Clone)]
pub struct Rules(Arc<dyn Erased>);

impl Rules {
    /// Hides which check it is.
    pub fn new(check: impl RuleCheck) -> Self {
        Self(Arc::new(check))
    }

    /// See [`RuleCheck::check`].
    pub(crate) async fn check(&self, rule: &str, direction: Direction) -> Result<(), ApiError> {
        self.0.check(rule, direction).await
    }
}
