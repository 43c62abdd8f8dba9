//! How the acquirer's calls travel to Klarna.

use super::World;
use super::failure::Failure;

/// The simulator's rule on handshakes.
const SERVER_NAME: &str = "tls.server-name";

impl World {
    /// Asks that the initial authorize came by TLS, from a handshake that named the server. Below TLS
    /// 1.2 there is no handshake: such an acquirer's calls never come.
    ///
    /// # Errors
    /// When it did not, or this run cannot tell.
    pub async fn must_be_called_by_tls(&mut self) -> Result<(), Failure> {
        let call = self.initial_call().await?;
        if call.entry.tls.is_none() {
            let why = "Klarna speaks plain http in this run: --tls has it speak TLS";
            return Err(Failure::NotApplicable(why.to_owned()));
        }
        match self.must_hold(&[SERVER_NAME]).await {
            Err(Failure::NothingToJudge(_)) => Err(Failure::NotApplicable(
                "the acquirer calls Klarna by an address, and no handshake names one".to_owned(),
            )),
            held => held,
        }
    }
}
