//! Carrying out a change: read, decide, commit, and wait until the own view shows it.

use std::future::Future;

use pvc_common::zk::Op;
use pvc_zk::CommitError;

use crate::api::ApiError;
use crate::app::App;
use crate::change::Change;

/// How often a change is decided anew when somebody else was faster. Each time somebody did
/// succeed, so that many in a row mean a key that is written all the time.
const ATTEMPTS: usize = 8;

/// Carries out what `decide` wants, deciding anew as long as others are faster; answers its
/// message once the own view shows the change.
pub(crate) async fn apply<F, D>(app: &App, decide: D) -> Result<String, ApiError>
where
    D: Fn() -> F,
    F: Future<Output = Result<Change, ApiError>>,
{
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let before = app.view()?.generation();
        let change = decide().await?;
        match commit(app, change.ops).await {
            Ok(()) => return Ok(change.message),
            Err(CommitError::Superseded { path }) => {
                last = path;
                // What was decided on the view has to see it move on, or it would decide the same;
                // what reads for itself loses no time by that, for the view follows at once.
                app.until(app.limits().arrival, |view| view.generation() > before).await;
            }
            Err(error @ (CommitError::Refused { .. } | CommitError::Unknown { .. })) => {
                return Err(error.into());
            }
        }
    }
    Err(ApiError::contended(&last))
}

/// Commits once; returns when the own view shows it, or would have had time to.
pub(crate) async fn commit(app: &App, ops: Vec<Op>) -> Result<(), CommitError> {
    if ops.is_empty() {
        return Ok(());
    }
    let arrival = app.arrivals().expect(&ops);
    app.store().commit(ops).await?;
    let limit = app.limits().arrival;
    let shown = tokio::time::timeout(limit, async {
        let generation = arrival.landed().await?;
        app.until(limit, |view| view.generation() >= generation).await
    });
    if !matches!(shown.await, Ok(Some(_))) {
        tracing::warn!("the view does not show a change {} ms after it", limit.as_millis());
    }
    Ok(())
}
