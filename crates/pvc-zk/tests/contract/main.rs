//! One suite for the fake tree and for a real server, so that the fake cannot drift.
//!
//! On the fake, each scenario is a test of its own. On a real server they run one after another,
//! each on its own branch, because a server takes a while to start.

#![expect(clippy::unwrap_used, reason = "scenarios are called by tests")]

mod branches;
mod ending;
mod locks;
mod mirrors;
mod random;
mod reads_and_writes;
mod rig;
mod sessions;
mod watches;

use pvc_zk::testing::services_are_unwanted;
use rig::{Fake, Real};

macro_rules! contract {
    ($($area:ident: $($scenario:ident)+;)+) => {
        mod fake {
            $(mod $area {
                $(#[tokio::test]
                async fn $scenario() {
                    crate::$area::$scenario(&mut crate::Fake::new().await).await;
                })+
            })+
        }

        mod real {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $area() {
                if crate::services_are_unwanted() {
                    return;
                }
                let mut rig = crate::Real::start().await;
                $(rig.enter(stringify!($scenario)).await;
                println!("scenario {}", stringify!($scenario));
                crate::$area::$scenario(&mut rig).await;)+
            })+
        }
    };
}

contract! {
    reads_and_writes:
        what_is_written_is_read_with_its_version
        many_are_read_in_order_and_absence_is_an_answer
        children_are_sorted_and_counted
        a_transaction_happens_whole_or_not_at_all
        a_superseded_commit_names_the_first_path_that_differs
        a_missing_or_ephemeral_parent_is_refused
        what_no_server_would_do_is_refused_unasked
        places_in_a_queue_have_rising_numbers;
    random:
        a_thousand_random_transactions_end_as_the_model_says;
    sessions:
        a_session_survives_an_interruption
        a_new_session_has_a_greater_epoch_and_nothing_ephemeral_of_the_old
        calls_without_an_answer_end_at_their_limit;
    watches:
        a_watch_begins_with_a_resync_and_reports_what_changes_below
        watches_of_one_branch_do_not_disturb_each_other
        a_new_session_brings_a_resync_and_further_changes
        no_change_is_lost_when_the_server_is_killed;
    locks:
        of_many_contenders_one_holds_at_a_time
        whoever_gives_up_is_told_who_holds_and_leaves_the_queue
        a_lock_ends_with_its_session
        a_transaction_with_proof_fails_without_the_lock
        a_dropped_lock_is_released
        a_contender_of_upstream_goes_first;
    mirrors:
        a_view_is_complete_and_follows
        what_vanished_during_an_interruption_is_dropped
        a_view_without_a_session_stays_and_is_stale;
    branches:
        a_branch_is_copied_renamed_and_deleted
        a_rename_onto_something_is_superseded_and_changes_nothing
        a_path_is_made_sure_of_by_many_at_once
        a_large_dump_is_restored_over_what_is_there;
}
