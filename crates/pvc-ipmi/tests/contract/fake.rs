//! The fake keeps the contract.

use pvc_ipmi::Bmc;
use pvc_ipmi::fake::{Condition, FakePower};

use crate::cases;
use crate::site::{LIMIT, Site};

const WELL: &str = "hv1-lom";

struct Room(FakePower);

impl Site for Room {
    type Port = FakePower;

    fn port(&self) -> &FakePower {
        &self.0
    }

    fn bmc(&self) -> Bmc {
        self.0.machine(WELL)
    }

    fn is_on(&self) -> bool {
        self.0.is_on(WELL)
    }

    fn hang(&self, hung: bool) {
        self.0.condition(WELL, if hung { Condition::Dead } else { Condition::Well });
    }

    fn silent(&self) -> Bmc {
        let bmc = self.0.machine("hv2-lom");
        self.0.condition(&bmc.host, Condition::Dead);
        bmc
    }

    fn closed(&self) -> Bmc {
        let bmc = self.0.machine("hv3-lom");
        self.0.condition(&bmc.host, Condition::Closed);
        bmc
    }
}

macro_rules! kept_by_the_fake {
    ($($case:ident),* $(,)?) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                cases::$case(&Room(FakePower::with_limit(LIMIT))).await;
            }
        )*
    };
}

kept_by_the_fake!(
    a_machine_goes_off_and_on_as_commanded,
    off_twice_is_off,
    on_twice_is_on,
    a_wrong_login_is_denied,
    a_silent_bmc_is_given_up_when_the_limit_has_passed,
    where_nothing_listens_is_known_at_once,
    a_placeholder_is_no_host,
    a_bmc_that_hangs_keeps_no_call_to_another_waiting,
    what_was_given_up_is_not_begun_later,
);
