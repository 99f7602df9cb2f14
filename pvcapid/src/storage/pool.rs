//! Pools.

use pvc_ceph::{CephError, NewPool};
use pvc_common::id::PoolName;
use pvc_common::model::Json;
use pvc_common::zk::{Seen, key};

use super::{Act, carry_out};
use crate::api::ApiError;
use crate::app::App;
use crate::apply::{apply, commit};
use crate::change::{Change, storage};
use crate::fetch;

/// How many keys are deleted in one transaction.
const BATCH: usize = 500;

/// Makes a pool.
pub(crate) async fn create_pool(app: &App, pool: NewPool) -> Result<String, ApiError> {
    carry_out(app, vec![pool.name.to_string()], |app| async move {
        let known = app.view()?.pools.get(&pool.name).cloned();
        match known {
            Some(known) if known.tier != Seen::Absent => {
                let message = format!("ERROR: There is a pool '{}' already.", pool.name);
                return Err(ApiError::refused("name-in-use", message));
            }
            // It was announced, and whoever did so came to no end.
            Some(_) => {}
            None => {
                if app.storage().pools().await?.contains(&pool.name) {
                    let message = format!(
                        "ERROR: There is a pool '{}' in the storage cluster, of which PVC knows \
                         nothing.",
                        pool.name
                    );
                    return Err(ApiError::refused("name-in-use", message));
                }
                announce(&app, &pool).await?;
            }
        }
        if let Err(error) = app.storage().act(Act::CreatePool(pool.clone())).await {
            // If Ceph did not answer, it does not tell either whether the pool is there.
            if !matches!(error, CephError::NoAnswer { .. }) {
                withdraw(&app, &pool.name).await;
            }
            return Err(error.into());
        }
        commit(&app, vec![key::pool_tier(&pool.name).create(&pool.tier)]).await?;
        Ok(format!("Created RBD pool '{}' with {} PGs", pool.name, pool.pgs))
    })
    .await
}

/// Announces a pool: all but its tier, which says that it was made to the end. Its statistics do not
/// say that, for Ceph tells of a pool that is half configured, too.
async fn announce(app: &App, pool: &NewPool) -> Result<(), ApiError> {
    let name = &pool.name;
    let none = Json::empty_object();
    let ops = vec![
        key::pool(name).create(&()),
        key::pool_pgs(name).create(&pool.pgs),
        key::pool_stats(name).create(&none),
        key::pool_volumes(name).create(&()),
        key::pool_snapshots(name).create(&()),
    ];
    Ok(commit(app, ops).await?)
}

/// Takes back the announcement of a pool that Ceph does not have. One that it has, or may have, is
/// made to the end when it is asked for again, or removed.
async fn withdraw(app: &App, pool: &PoolName) {
    let absent = app.storage().pools().await.is_ok_and(|pools| !pools.contains(pool));
    if absent && let Err(error) = forget(app, pool).await {
        tracing::warn!(%error, "pool {pool} was not made, but stays announced");
    }
}

/// Changes how many placement groups a pool has.
pub(crate) async fn set_pgs(app: &App, pool: PoolName, pgs: u32) -> Result<String, ApiError> {
    carry_out(app, vec![pool.to_string()], |app| async move {
        storage::known_pool(&*app.view()?, &pool)?;
        app.storage().act(Act::SetPgs(pool.clone(), pgs)).await?;
        apply(&app, || async {
            let key = key::pool_pgs(&pool);
            let seen = fetch::one(app.store(), &key).await?;
            let put = key.put(&seen, &pgs);
            Ok(Change::of([Some(put)], format!("Set PGs count to {pgs} for RBD pool '{pool}'.")))
        })
        .await
    })
    .await
}

/// Removes a pool with all its volumes.
pub(crate) async fn remove_pool(app: &App, pool: PoolName) -> Result<String, ApiError> {
    carry_out(app, vec![pool.to_string()], |app| async move {
        let view = app.view()?;
        storage::known_pool(&view, &pool)?;
        storage::nobody_runs_on(&view, &pool)?;
        app.storage().act(Act::RemovePool(pool.clone())).await?;
        forget(&app, &pool).await?;
        Ok(format!("Removed RBD pool '{pool}' and all volumes."))
    })
    .await
}

/// Takes a pool and all it held out of the tree, the pool itself last.
async fn forget(app: &App, pool: &PoolName) -> Result<(), ApiError> {
    let roots = [
        key::pool_snapshots(pool).into_path(),
        key::pool_volumes(pool).into_path(),
        key::pool(pool).into_path(),
    ];
    for root in roots {
        let deletes = app.store().branch(&root).await?.deletes();
        for batch in deletes.chunks(BATCH) {
            commit(app, batch.to_vec()).await?;
        }
    }
    Ok(())
}
