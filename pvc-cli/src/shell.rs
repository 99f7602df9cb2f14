//! What every command has at hand: its options, its output, a question, a connection.

use std::env;
use std::io::{self, BufRead};

use pvc_client::{Client, Destructive, Exchange};

use crate::failure::Failure;
use crate::options::Options;
use crate::out::Out;
use crate::session::Session;
use crate::store::{Entry, Store};

/// How this client presents itself to the API.
pub(crate) const AGENT: &str = concat!("pvc-client-cli/", env!("CARGO_PKG_VERSION"));

/// The surroundings of a command.
#[derive(Debug)]
pub(crate) struct Shell {
    /// Where its text goes.
    pub(crate) out: Out,
    options: Options,
}

impl Shell {
    pub(crate) const fn new(options: Options) -> Self {
        Self { out: Out::new(options.quiet, options.silent, options.colour), options }
    }

    /// Connects to the cluster that was chosen. Nothing is sent yet.
    pub(crate) fn connect(&self) -> Result<Session, Failure> {
        let session = self.connect_quietly()?;
        let endpoint = session.client.endpoint();
        let unverified = match endpoint.scheme {
            pvc_client::Scheme::Https { verify: false } => " (unverified)",
            pvc_client::Scheme::Https { verify: true } | pvc_client::Scheme::Http => "",
        };
        self.out.note(&format!(
            "Using connection \"{}\" - Host: \"{}\"  Scheme: \"{}{unverified}\"  Prefix: \"{}\"\n",
            session.name,
            endpoint.authority(),
            endpoint.scheme,
            endpoint.prefix(),
        ));
        Ok(session)
    }

    /// As [`Shell::connect`], without telling where to.
    pub(crate) fn connect_quietly(&self) -> Result<Session, Failure> {
        let store = Store::open(self.out)?;
        let (name, entry) = store.select(self.options.connection.as_deref())?;
        let client = self.client(&entry)?;
        Ok(Session { name, client, out: self.out })
    }

    /// A client for one entry of the store.
    pub(crate) fn client(&self, entry: &Entry) -> Result<Client, Failure> {
        let verify = match entry {
            // This machine's certificate is made for the cluster's public name.
            Entry::Config(_) => false,
            Entry::Remote(_) => {
                env::var("PVC_CLIENT_VERIFY_SSL").map_or(true, |text| text == "True")
            }
        };
        let client = Client::new(entry.resolve()?.endpoint(verify), AGENT)?;
        Ok(if self.options.debug {
            let out = self.out;
            client.traced(move |exchange| trace(out, exchange))
        } else {
            client
        })
    }

    /// Asks a yes-or-no question; no answer is a no.
    pub(crate) fn ask(&self, question: &str) -> Result<bool, Failure> {
        Ok(self.options.r#unsafe || self.answered_yes(question)?)
    }

    /// As [`Shell::ask`], where yes is not what was wished but a wish of its own: `--unsafe`, which asks
    /// no questions, does not wish it.
    pub(crate) fn choose(&self, question: &str) -> Result<bool, Failure> {
        Ok(!self.options.r#unsafe && self.answered_yes(question)?)
    }

    fn answered_yes(&self, question: &str) -> Result<bool, Failure> {
        let answer = self.answer(&format!("{question} [y/N] "))?.to_ascii_lowercase();
        Ok(answer == "y" || answer == "yes")
    }

    /// One line from standard input, without blanks around it.
    fn answer(&self, prompt: &str) -> Result<String, Failure> {
        self.out.prompt(prompt);
        let mut answer = String::new();
        io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(|error| Failure::new(format!("Failed to read the answer: {error}")))?;
        if !answer.ends_with('\n') {
            self.out.prompt("\n");
        }
        Ok(answer.trim().to_owned())
    }

    /// Asks whether to do what `question` says, unless `yes` answers it already.
    ///
    /// This is the only place that makes a [`Destructive`].
    pub(crate) fn confirm(&self, question: &str, yes: bool) -> Result<Destructive, Failure> {
        if yes || self.ask(&format!("{question}?"))? {
            Ok(Destructive::agreed())
        } else {
            Err(Failure::Declined)
        }
    }

    /// As [`Shell::confirm`], and asks once more: for the name of what it is about.
    pub(crate) fn confirm_by_name(
        &self,
        question: &str,
        name: &str,
        yes: bool,
    ) -> Result<Destructive, Failure> {
        let agreed = self.confirm(question, yes)?;
        let asks = !yes && !self.options.r#unsafe;
        if asks && self.answer(&format!("Type \"{name}\" to confirm: "))? != name {
            return Err(Failure::Declined);
        }
        Ok(agreed)
    }
}

fn trace(out: Out, exchange: &Exchange<'_>) {
    let headers: Vec<String> =
        exchange.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    out.debug(&format!("API endpoint: {}", exchange.url));
    out.debug(&format!("Response code: {}", exchange.status));
    out.debug(&format!("Response headers: {}\n", headers.join(", ")));
}
