//! A PostgreSQL and a PowerDNS of a test's own, which end with it.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pvc_common::secret::Secret;
use pvc_database::Login;
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

const POSTGRES: &str = "/usr/lib/postgresql/15/bin";
const SCHEMA: &str = "/usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql";

/// Both are there in a second or two; on a machine that builds meanwhile it takes longer.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Of the role that owns PowerDNS' tables: what a careless connection string would stumble over.
const PASSWORD: &str = r"it's a \ secret";
const ADMIN_PASSWORD: &str = "admin";

pub(crate) struct Server {
    database: u16,
    names: u16,
    postgres: Child,
    pdns: Option<Child>,
    folder: TempDir,
}

impl Server {
    /// Starts both, with PowerDNS' tables in a database of its own.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [owner, group] = postgres_user();
        chown(folder.path(), Some(owner), Some(group)).unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, ADMIN_PASSWORD).unwrap();
        chown(&secret, Some(owner), Some(group)).unwrap();
        let data = folder.path().join("data");
        let made = as_postgres("initdb")
            .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"])
            .arg("--no-sync")
            .arg(format!("--pwfile={}", secret.display()))
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let database = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let names = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut postgres = as_postgres("postgres");
        postgres.arg("-D").arg(&data).args(["-p", &database.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB"] {
            postgres.args(["-c", setting]);
        }
        postgres.arg("-c").arg(format!("unix_socket_directories={}", folder.path().display()));
        let postgres = logged(&mut postgres, &folder.path().join("postgres.log"));
        let mut server = Self { database, names, postgres, pdns: None, folder };
        server.fill().await;
        server.pdns = Some(server.start_pdns());
        server
    }

    /// What it takes to log in as PowerDNS does.
    pub(crate) fn login(&self) -> Login {
        Login {
            host: "127.0.0.1".to_owned(),
            port: self.database,
            database: "pvcdns".to_owned(),
            user: "pvcdns".to_owned(),
            password: Secret::new(PASSWORD.to_owned()),
        }
    }

    /// Does something as the administrator.
    pub(crate) async fn execute(&self, database: &str, statements: &[&str]) {
        let client = self.connect("postgres", ADMIN_PASSWORD, database).await;
        for statement in statements {
            client.batch_execute(statement).await.unwrap();
        }
    }

    /// What PowerDNS answers.
    pub(crate) fn answers(&self, name: &str, kind: &str) -> Vec<String> {
        let asked = Command::new("dig")
            .args(["@127.0.0.1", "-p", &self.names.to_string(), "+short", "+tries=1", "+time=2"])
            .args(["-t", kind, name])
            .output()
            .unwrap();
        let text = String::from_utf8(asked.stdout).unwrap();
        // Names have a dot at their end there.
        let words = |line: &str| {
            let words = line.split(' ').map(|word| word.strip_suffix('.').unwrap_or(word));
            words.collect::<Vec<_>>().join(" ")
        };
        text.lines().filter(|line| !line.starts_with(';')).map(words).collect()
    }

    async fn fill(&self) {
        let password = PASSWORD.replace('\'', "''");
        let role = format!("CREATE ROLE pvcdns LOGIN PASSWORD '{password}'");
        self.execute("postgres", &[&role, "CREATE DATABASE pvcdns OWNER pvcdns"]).await;
        let schema = fs::read_to_string(SCHEMA).unwrap();
        let owner = self.connect("pvcdns", PASSWORD, "pvcdns").await;
        owner.batch_execute(&schema).await.unwrap();
    }

    async fn connect(&self, user: &str, password: &str, database: &str) -> Client {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.database).user(user).password(password);
        let begun = Instant::now();
        loop {
            match config.dbname(database).connect(NoTls).await {
                Ok((client, connection)) => {
                    tokio::spawn(connection);
                    return client;
                }
                Err(error) => {
                    let log = fs::read_to_string(self.folder.path().join("postgres.log"));
                    assert!(begun.elapsed() < STARTS_WITHIN, "{error:?}\n{}", log.unwrap());
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn start_pdns(&self) -> Child {
        let place = self.folder.path();
        let settings = format!(
            "launch=gpgsql\ngpgsql-host=127.0.0.1\ngpgsql-port={}\ngpgsql-dbname=pvcdns\n\
             gpgsql-user=pvcdns\ngpgsql-password={PASSWORD}\nlocal-address=127.0.0.1\n\
             local-port={}\nsocket-dir={}\nsecurity-poll-suffix=\ncache-ttl=1\n\
             query-cache-ttl=0\nnegquery-cache-ttl=1\nzone-cache-refresh-interval=1\n\
             primary=yes\ndefault-soa-content=dns.pvc.local root.pvc.local 0 10800 1800 86400 60\n",
            self.database,
            self.names,
            place.display()
        );
        fs::write(place.join("pdns.conf"), settings).unwrap();
        let mut pdns = Command::new("setpriv");
        pdns.args(["--pdeathsig", "KILL", "pdns_server", "--guardian=no", "--daemon=no"]);
        pdns.arg(format!("--config-dir={}", place.display()));
        logged(&mut pdns, &place.join("pdns.log"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in self.pdns.iter_mut().chain([&mut self.postgres]) {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

fn logged(command: &mut Command, log: &Path) -> Child {
    let log = fs::File::create(log).unwrap();
    let and_errors = log.try_clone().unwrap();
    command.stdin(Stdio::null()).stdout(log).stderr(and_errors).spawn().unwrap()
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--reuid", "postgres", "--regid", "postgres"]);
    command.args(["--clear-groups", &format!("{POSTGRES}/{program}")]).current_dir("/");
    command
}

fn postgres_user() -> [u32; 2] {
    ["-u", "-g"].map(|which| {
        let asked = Command::new("id").args([which, "postgres"]).output().unwrap();
        String::from_utf8(asked.stdout).unwrap().trim().parse().unwrap()
    })
}
