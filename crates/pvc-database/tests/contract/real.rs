//! PostgreSQL keeps the contract, and PowerDNS answers by it.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use pvc_common::secret::Secret;
use pvc_database::{Login, Postgres, Zones, ZonesError};

use crate::cases;
use crate::server::Server;
use crate::site::Site;

struct Place {
    port: Postgres,
    server: Server,
}

impl Site for Place {
    type Port = Postgres;

    fn port(&self) -> &Postgres {
        &self.port
    }

    async fn answers(&self, name: &str, kind: &str) -> Vec<String> {
        self.server.answers(name, kind)
    }

    async fn occupy(&self, zone: &str) {
        let insert = format!("INSERT INTO domains (name, type) VALUES ('{zone}', 'NATIVE')");
        self.server.execute("pvcdns", &[&insert]).await;
    }

    /// A replica refuses writes in the same words.
    async fn follow(&self, follows: bool) {
        let setting = if follows { "on" } else { "off" };
        let alter = format!("ALTER DATABASE pvcdns SET default_transaction_read_only = {setting}");
        self.server.execute("postgres", &[&alter]).await;
    }
}

/// Whether the real thing is to be left out; fails if it is wanted but cannot be.
fn left_out() -> bool {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some_and(|value| value == "1") {
        return true;
    }
    for (program, package) in [
        ("/usr/lib/postgresql/15/bin/postgres", "postgresql"),
        ("/usr/sbin/pdns_server", "pdns-server"),
        ("/usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql", "pdns-backend-pgsql"),
        ("/usr/bin/dig", "bind9-dnsutils"),
    ] {
        assert!(
            Path::new(program).exists(),
            "{program} is missing: apt-get install {package}, or set PVC_TEST_NO_SERVICES=1"
        );
    }
    false
}

/// One for all cases, for making a database takes longer than all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_keeps_the_contract_and_powerdns_answers_by_it() {
    if left_out() {
        return;
    }
    let server = Server::start().await;
    let place = Place { port: Postgres::new(&server.login()), server };
    cases::what_is_written_is_read_and_answered(&place).await;
    cases::what_changes_is_answered_soon(&place).await;
    cases::a_zone_that_is_removed_is_gone_with_all_that_stood_in_it(&place).await;
    cases::a_change_made_of_what_is_not_there_any_more_changes_nothing(&place).await;
    cases::a_zone_is_made_once(&place).await;
    cases::zones_of_others_are_named_and_never_changed(&place).await;
    cases::a_database_that_follows_is_neither_read_nor_written(&place).await;
    a_wrong_password_is_refused_and_not_shown(&place).await;
}

async fn a_wrong_password_is_refused_and_not_shown(place: &Place) {
    let login = Login { password: Secret::new("wr0ng".to_owned()), ..place.server.login() };
    let refused = Postgres::new(&login).read().await.unwrap_err();
    assert!(matches!(refused, ZonesError::Unreachable { .. }), "{refused:?}");
    assert!(!format!("{refused:?} {refused}").contains("wr0ng"));
}

fn at(port: u16) -> Postgres {
    Postgres::new(&Login {
        host: "127.0.0.1".to_owned(),
        port,
        database: "pvcdns".to_owned(),
        user: "pvcdns".to_owned(),
        password: Secret::new("secret".to_owned()),
    })
}

#[tokio::test]
async fn a_database_that_says_nothing_is_given_up_when_the_limit_has_passed() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let limit = Duration::from_millis(300);
    let port = at(silent.local_addr().unwrap().port()).limit(limit);
    let begun = Instant::now();
    let late = port.read().await.unwrap_err();
    assert!(matches!(late, ZonesError::Late { .. }), "{late:?}");
    assert!(begun.elapsed() >= limit && begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn where_nothing_listens_is_known_at_once() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = at(closed).read().await.unwrap_err();
    let ZonesError::Unreachable { database, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(*database, format!("database pvcdns at 127.0.0.1:{closed}"));
}
