//! Deliberate defects, as a proxy between a sound acquirer and Klarna: they show that the suite can
//! fail.

use url::Url;

/// One defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// What `--defect` takes.
    pub name: &'static str,
    /// What the proxy does.
    pub plants: &'static str,
    /// The scenario that must turn red.
    pub killed_by: &'static str,
    /// The finding that must say so.
    pub finding: &'static str,
}

/// Every defect that can be planted.
pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "network-data-dropped",
        plants: "Klarna Network Data is left out of every authorize",
        killed_by: "",
        finding: "network-data.byte-equal",
    },
    Defect {
        name: "network-data-reserialised",
        plants: "Klarna Network Data is parsed as JSON and written again",
        killed_by: "",
        finding: "network-data.byte-equal",
    },
    Defect {
        name: "final-call-skipped",
        plants: "the final authorize never reaches Klarna and is answered APPROVED",
        killed_by: "",
        finding: "final.missing",
    },
];

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
}

impl MutantProxy {
    /// Listens on a free loopback port and stands before `klarna`.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(_defect: &Defect, _klarna: &Url) -> Result<Self, MutantError> {
        Err(MutantError { reason: "the proxy is being built".to_owned() })
    }

    /// What the acquirer takes for Klarna.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }
}
