//! `klarna-simulator ctl`: the control API for shells.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use futures::StreamExt as _;
use klarna_schemas::cause::told;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::complain;
use crate::control::examples::example;
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

/// Every operation with what it needs and an example of its body, for the end of the help.
pub(super) fn operations() -> String {
    let mut text = "Operations:\n".to_owned();
    for one in CONTROL {
        text.extend(["  ", one.id]);
        for part in one.path.split('/') {
            text.push_str(match part {
                "{account}" => " --account ACCOUNT",
                "{acquirer}" => " [--acquirer ACCOUNT]",
                "{id}" => " --id ID",
                "{name}" => " --name NAME",
                _ => "",
            });
        }
        if one.body.is_some() {
            text.push_str(if one.needs_body() { " JSON" } else { " [JSON]" });
        }
        for parameter in one.query.parameters().filter(|parameter| parameter.is_required()) {
            text.extend([" -q ", parameter.name, "=VALUE"]);
        }
        text.extend(["\n      ", one.summary, "\n"]);
        if let Some(example) = example(one.id) {
            text.extend(["      '", example, "'\n"]);
        }
        let names: Vec<_> = one.query.parameters().map(|parameter| parameter.name).collect();
        if !names.is_empty() {
            text.extend(["      -q ", &names.join(", "), "\n"]);
        }
    }
    text + "\nExit codes: 0 done; 1 refused, with the reason on standard error; 2 wrong usage; 5 nobody answers."
}

/// Makes the call; what it answers goes to standard output.
pub(super) fn run(arguments: &Ctl) -> ExitCode {
    let prepared = prepare(arguments).and_then(|call| Ok((client(arguments)?, call)));
    let (http, (operation, url, body)) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return complain(error.as_ref(), ExitCode::from(2)),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error, ExitCode::from(5)),
    };
    match runtime.block_on(call(arguments, &http, operation, url, body)) {
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
    if let Some(body) = &body {
        check(operation, body)?;
    }
    Ok((operation, url, body))
}

/// Finds what is no JSON before anything is sent. No body at all stands for an empty object.
fn check(operation: &ControlOperation, body: &[u8]) -> Result<(), Failed> {
    if body.is_empty() {
        return Ok(());
    }
    let checked = serde_json::from_slice::<serde::de::IgnoredAny>(body);
    checked.map(drop).map_err(|error| {
        let example = example(operation.id).unwrap_or("{}");
        format!("the body is no JSON: {error}\n  hint: {} takes such as '{example}'", operation.id).into()
    })
}

fn client(arguments: &Ctl) -> Result<reqwest::Client, Failed> {
    crate::install_crypto_provider();
    let builder = reqwest::Client::builder().no_proxy();
    let Some(file) = &arguments.ca_file else { return Ok(builder.build()?) };
    let name = file.display();
    let hint = "the first line that serve --tls prints names the file of its authority, as ca_file";
    let pem = std::fs::read(file)
        .map_err(|error| format!("--ca-file: {name} cannot be read: {error}\n  hint: {hint}"))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if certificates.is_empty() {
        return Err(format!("--ca-file: {name} has no certificate in PEM\n  hint: {hint}").into());
    }
    let built = builder.tls_certs_only(certificates).build();
    Ok(built.map_err(|error| {
        format!("--ca-file: {name} has no usable certificate: {}\n  hint: {hint}", told(&error))
    })?)
}

/// Why nobody answers at a URL, and what may help.
fn silence(arguments: &Ctl, url: &Url, error: reqwest::Error) -> String {
    let is_connect = error.is_connect();
    let why = told(&error.without_url());
    let hint = match (&arguments.ca_file, url.scheme()) {
        (None, "https") if why.contains("certificate") => {
            "it speaks TLS by an authority of its own: name its file with --ca-file; the first line that serve \
             --tls prints names it, as ca_file"
                .to_owned()
        }
        (Some(file), "https") if why.contains("certificate") => format!(
            "{} vouches for another: an authority is made at each start, unless tls.folder keeps it",
            file.display()
        ),
        (_, "http") if !is_connect => "where it listens by TLS, its URL begins with https".to_owned(),
        _ => "is it running there? klarna-simulator serve starts it; --url says where it is".to_owned(),
    };
    format!("the simulator at {url} does not answer: {why}\n  hint: {hint}")
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
    http: &reqwest::Client,
    operation: &ControlOperation,
    url: Url,
    body: Option<Vec<u8>>,
) -> Result<bool, Failed> {
    let mut request = http.request(operation.method.parse()?, url.clone());
    if let Some(token) = &arguments.token {
        request = request.bearer_auth(token.expose_secret());
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body);
    }
    let response = request.send().await.map_err(|error| silence(arguments, &url, error))?;
    let done = response.status().is_success();
    let mut pieces = response.bytes_stream();
    let mut ends_its_line = true;
    while let Some(piece) = pieces.next().await {
        let piece = piece
            .map_err(|error| format!("the answer of {url} broke off: {}", told(&error.without_url())))?;
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
