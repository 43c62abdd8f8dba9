//! Klarna in a run: a simulator that is started here, or one that runs already.

use std::net::{IpAddr, SocketAddr};

use klarna_schemas::cause::innermost;
use klarna_simulator::control::client::{ControlClient, ControlError};
use klarna_simulator::{Simulator, UnknownAccounts};
use url::Url;

use super::Stop;
use crate::adapter::Adapter;
use crate::authority::Authority;
use crate::cause::is_distrust;
use crate::cli::args::PartiesArgs;
use crate::cli::chance;
use crate::cli::output::complain;
use crate::exit_code::Exit;
use crate::partner::reachable;
use crate::port::{self, Reserved};

/// Klarna, and how it is reached.
pub(super) struct Klarna {
    /// The one that was started here.
    pub(super) simulator: Option<Simulator>,
    pub(super) control: ControlClient,
    /// Who vouches for it, where it speaks TLS and that is not left to the system.
    pub(super) authority: Option<Authority>,
    /// What the acquirer and Customers are told of where it is.
    pub(super) told: Url,
}

/// Starts or finds it.
pub(super) async fn find(
    args: &PartiesArgs,
    adapter: &Adapter,
    authority: Option<Authority>,
    seed: u64,
) -> Result<Klarna, Stop> {
    let Some(url) = &args.simulator else { return start(args, adapter, seed).await };
    let control = control(url, authority.as_ref())?.with_token(args.simulator_token.clone());
    let told = args.simulator_public_url.as_ref().unwrap_or(url).clone();
    Ok(Klarna { simulator: None, control, authority, told })
}

async fn start(args: &PartiesArgs, adapter: &Adapter, seed: u64) -> Result<Klarna, Stop> {
    let unreachable = |why: String| Stop::new(Exit::Unreachable, why);
    let (listen, reserved) = with_port(adapter.listen().simulator, args.tls)
        .map_err(|error| unreachable(format!("the simulator finds no free port: {error}")))?;
    let mut builder = Simulator::builder()
        .listen(listen)
        .seed(seed)
        // A wrong mapping of Partners to accounts must show.
        .unknown_accounts(UnknownAccounts::Refuse)
        .allow_http_webhooks(args.allow_http_webhooks.iter().cloned());
    if args.tls {
        builder = builder.tls();
    }
    // Others can reach it: nobody but this run is to make it do things.
    let token = (!listen.ip().is_loopback()).then(chance::new_token);
    if let Some(token) = &token {
        builder = builder.control_token(token.clone());
    }
    let mut public = args.simulator_public_url.clone();
    if public.is_none() && (args.tls || listen.ip().is_unspecified()) {
        let near = nearby(listen, args.tls)?;
        if listen.ip().is_unspecified() {
            told_on_loopback("the simulator", &near, "--simulator-public-url");
        }
        if args.tls && near.domain().is_none() {
            complain(&format!(
                "the acquirer is told {near}, an address: calls by TLS bear a server's name (SNI) only where they are to a name; --simulator-public-url gives one"
            ));
        }
        public = Some(near);
    }
    if let Some(public) = public.clone() {
        builder = builder.public_url(public);
    }
    let simulator = builder.start().await.map_err(|error| unreachable(error.to_string()))?;
    drop(reserved);
    let listens = if args.tls || listen.ip().is_unspecified() {
        nearby(listen, args.tls)?
    } else {
        simulator.base_url().clone()
    };
    let authority = simulator.ca_file().map(Authority::read).transpose();
    let authority = authority.map_err(|error| Stop::new(Exit::Broken, error.to_string()))?;
    let control = control(&listens, authority.as_ref())?.with_token(token);
    Ok(Klarna { simulator: Some(simulator), control, authority, told: public.unwrap_or(listens) })
}

fn control(url: &Url, authority: Option<&Authority>) -> Result<ControlClient, Stop> {
    ControlClient::trusting(url.clone(), authority.map(Authority::pem))
        .map_err(|error| Stop::new(Exit::Broken, error.to_string()))
}

/// The address with a port of its own, where others are told something else than the address that is
/// listened on: what they are told must be known before the simulator listens. What comes with it keeps
/// the port until then.
fn with_port(listen: SocketAddr, tls: bool) -> std::io::Result<(SocketAddr, Option<Reserved>)> {
    if (tls || listen.ip().is_unspecified()) && listen.port() == 0 {
        let reserved = port::reserve(listen.ip())?;
        return Ok((SocketAddr::new(listen.ip(), reserved.number), Some(reserved)));
    }
    Ok((listen, None))
}

/// How somebody on this machine calls whoever listens there; by TLS with a name, where it has one that
/// leads there on every machine.
fn nearby(listen: SocketAddr, tls: bool) -> Result<Url, Stop> {
    let scheme = if tls { "https" } else { "http" };
    let address = reachable(listen);
    // Not every machine gives the name to ::1 too; "every address" of either kind takes 127.0.0.1.
    let named = listen.ip().is_unspecified() || listen.ip() == IpAddr::from([127, 0, 0, 1]);
    let text = if tls && named {
        format!("{scheme}://localhost:{}/", address.port())
    } else {
        format!("{scheme}://{address}/")
    };
    Url::parse(&text).map_err(|error| Stop::new(Exit::Broken, error.to_string()))
}

/// Nobody can call "every address".
pub(super) fn told_on_loopback(who: &str, told: &Url, flag: &str) {
    complain(&format!(
        "{who} listens on every address, and others are told {told}; {flag} names what they can reach"
    ));
}

/// Why the simulator cannot be worked with, and what may help.
pub(super) fn trouble(error: &ControlError, authority: Option<&Authority>) -> String {
    let ControlError::Unreachable { source, .. } = error else {
        return format!("{error}\n  hint: is this the base URL of a klarna-simulator?");
    };
    let hint = match authority {
        _ if !is_distrust(source) => "is this the base URL of a klarna-simulator?".to_owned(),
        None => "--simulator-ca-file names the authority to trust: klarna-simulator tells its file as ca_file at its start".to_owned(),
        Some(authority) => format!(
            "{} vouches for another: klarna-simulator makes an authority at each start, unless tls.folder keeps it, and tells its file as ca_file",
            authority.file().display()
        ),
    };
    format!("{error}: {}\n  hint: {hint}", innermost(source))
}

#[cfg(test)]
mod tests {
    use super::nearby;

    #[test]
    fn by_tls_a_name_is_called_where_it_leads_there() {
        let near = |listen: &str, tls| nearby(listen.parse().unwrap(), tls).unwrap().to_string();
        for named in ["127.0.0.1:81", "0.0.0.0:81", "[::]:81"] {
            assert_eq!(near(named, true), "https://localhost:81/");
        }
        for (address, url) in [("[::1]:81", "https://[::1]:81/"), ("127.0.0.2:81", "https://127.0.0.2:81/")] {
            assert_eq!(near(address, true), url);
        }
        assert_eq!(near("0.0.0.0:81", false), "http://127.0.0.1:81/");
    }
}
