//! `klarna-simulator ctl`: the control API for shells.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use futures::StreamExt as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::complain;
use crate::control::operations::{CONTROL, ControlOperation};

#[derive(Debug, clap::Args)]
pub(super) struct Ctl {
    /// What to do; docs/control-api.md shows each.
    #[arg(value_name = "OPERATION", value_parser = PossibleValuesParser::new(CONTROL.iter().map(|one| one.id)), hide_possible_values = true)]
    operation: String,
    /// The body, as JSON; @FILE reads a file, - standard input.
    #[arg(value_name = "JSON")]
    body: Option<String>,
    /// Where the simulator is.
    #[arg(long, value_name = "URL", env = "KLARNA_SIMULATOR_URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// The token that guards its control API, where one does.
    #[arg(long, value_name = "TOKEN", env = "KLARNA_SIMULATOR_TOKEN", hide_env_values = true)]
    token: Option<SecretString>,
    /// The file of its authority, where it listens by TLS.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<std::path::PathBuf>,
    /// A Partner account.
    #[arg(long, short = 'a', value_name = "ACCOUNT", env = "KLARNA_SIMULATOR_ACCOUNT")]
    account: Option<String>,
    /// An acquirer account.
    #[arg(long, value_name = "ACCOUNT", default_value = "krn:partner:global:account:test:LOCALACQ")]
    acquirer: String,
    /// The id of a transaction.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The name of a snapshot.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What the query says, as name=value; may be given more than once.
    #[arg(long, short = 'q', value_name = "NAME=VALUE", value_parser = pair)]
    query: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write it as name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Every operation with its summary, for the end of the help.
pub(super) fn operations() -> String {
    let mut text = "Operations:\n".to_owned();
    for one in CONTROL {
        text.extend(["  ", one.id, "\n      ", one.summary, "\n"]);
    }
    text + "\nExit codes: 0 done; 1 refused, with the reason on standard error; 2 wrong usage; 5 nobody answers."
}

/// Makes the call; what it answers goes to standard output.
pub(super) fn run(arguments: &Ctl) -> ExitCode {
    let prepared = prepare(arguments);
    let (operation, url, body) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return complain(error.as_ref(), ExitCode::from(2)),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error, ExitCode::from(5)),
    };
    match runtime.block_on(call(arguments, operation, url, body)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => complain(error.as_ref(), ExitCode::from(5)),
    }
}

type Failed = Box<dyn std::error::Error>;

fn prepare(arguments: &Ctl) -> Result<(&'static ControlOperation, Url, Option<Vec<u8>>), Failed> {
    let operation =
        CONTROL.iter().find(|one| one.id == arguments.operation).ok_or("there is no such operation")?;
    let mut path = String::from("/_simulator/v1");
    for part in operation.path.split('/').skip(1) {
        let value = match part {
            "{account}" => Some(arguments.account.as_ref().ok_or("name the Partner account: --account")?),
            "{acquirer}" => Some(&arguments.acquirer),
            "{id}" => Some(arguments.id.as_ref().ok_or("name the transaction: --id")?),
            "{name}" => Some(arguments.name.as_ref().ok_or("name the snapshot: --name")?),
            _ => None,
        };
        path.push('/');
        match value {
            Some(value) => path.extend(utf8_percent_encode(value, NON_ALPHANUMERIC)),
            None => path.push_str(part),
        }
    }
    let mut url = arguments.url.join(&path)?;
    if !arguments.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&arguments.query);
    }
    let body = match (operation.body, arguments.body.as_deref()) {
        (None, Some(_)) => return Err(format!("{} takes no body", operation.id).into()),
        (_, body) => body.map(read).transpose()?,
    };
    Ok((operation, url, body))
}

fn read(body: &str) -> Result<Vec<u8>, Failed> {
    match body.strip_prefix('@') {
        Some(file) => {
            Ok(std::fs::read(Path::new(file)).map_err(|error| format!("{file} cannot be read: {error}"))?)
        }
        None if body == "-" => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)?;
            Ok(bytes)
        }
        None => Ok(body.as_bytes().to_vec()),
    }
}

/// Whether it was done. A stream is written out as it comes.
async fn call(
    arguments: &Ctl,
    operation: &ControlOperation,
    url: Url,
    body: Option<Vec<u8>>,
) -> Result<bool, Failed> {
    crate::install_crypto_provider();
    let mut http = reqwest::Client::builder().no_proxy();
    if let Some(file) = &arguments.ca_file {
        http = http.tls_certs_only([reqwest::Certificate::from_pem(&std::fs::read(file)?)?]);
    }
    let mut request = http.build()?.request(operation.method.parse()?, url.clone());
    if let Some(token) = &arguments.token {
        request = request.bearer_auth(token.expose_secret());
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body);
    }
    let response =
        request.send().await.map_err(|error| format!("the simulator at {url} does not answer: {error}"))?;
    let done = response.status().is_success();
    let mut pieces = response.bytes_stream();
    let mut ends_its_line = true;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        ends_its_line = piece.last() == Some(&b'\n');
        write(done, &piece)?;
    }
    if !ends_its_line {
        write(done, b"\n")?;
    }
    Ok(done)
}

/// Answers go to standard output, refusals to standard error.
fn write(done: bool, bytes: &[u8]) -> std::io::Result<()> {
    if done {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    } else {
        std::io::stderr().lock().write_all(bytes)
    }
}
