//! The proxy in front of Klarna.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::defects::Defect;
use super::passage::Passage;
use crate::authority::Authority;
use crate::wire::{Wire, serve};

/// The proxy could not start.
#[derive(Debug, thiserror::Error)]
#[error("the defect proxy cannot start: {reason}")]
pub struct MutantError {
    /// What went wrong.
    pub reason: String,
}

/// The proxy. It ends when dropped.
#[derive(Debug)]
pub struct MutantProxy {
    base_url: Url,
    _listening: AbortOnDropHandle<()>,
}

impl MutantProxy {
    /// Listens on a free loopback port, by plain http, and stands before `klarna`, for which `authority`
    /// vouches where it speaks TLS.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(
        defect: &Defect,
        klarna: &Url,
        authority: Option<&Authority>,
    ) -> Result<Self, MutantError> {
        let wire = Wire::new(authority).map_err(|error| failed(&error))?;
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| failed(&error))?;
        let address = socket.local_addr().map_err(|error| failed(&error))?;
        let base_url = Url::parse(&format!("http://{address}/")).map_err(|error| failed(&error))?;
        let passage = Passage::new((defect.plan)(&base_url), wire, klarna, &base_url);
        let task = tokio::spawn(serve(socket, Arc::new(passage)));
        Ok(Self { base_url, _listening: AbortOnDropHandle::new(task) })
    }

    /// What the acquirer takes for Klarna.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }
}

fn failed(error: &dyn ToString) -> MutantError {
    MutantError { reason: error.to_string() }
}
