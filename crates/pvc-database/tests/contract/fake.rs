//! The zones in memory keep the contract.

use pvc_database::fake::FakeZones;

use crate::cases;
use crate::site::Site;

impl Site for FakeZones {
    type Port = Self;

    fn port(&self) -> &Self {
        self
    }

    async fn answers(&self, name: &str, kind: &str) -> Vec<String> {
        FakeZones::answers(self, name, kind)
    }

    async fn occupy(&self, zone: &str) {
        FakeZones::occupy(self, zone);
    }

    async fn follow(&self, follows: bool) {
        FakeZones::follow(self, follows);
    }
}

macro_rules! kept {
    ($($case:ident)+) => {
        $(
            #[tokio::test]
            async fn $case() {
                cases::$case(&FakeZones::new()).await;
            }
        )+
    };
}

kept! {
    what_is_written_is_read_and_answered
    what_changes_is_answered_soon
    a_zone_that_is_removed_is_gone_with_all_that_stood_in_it
    a_change_made_of_what_is_not_there_any_more_changes_nothing
    a_zone_is_made_once
    zones_of_others_are_named_and_never_changed
    a_database_that_follows_is_neither_read_nor_written
}
