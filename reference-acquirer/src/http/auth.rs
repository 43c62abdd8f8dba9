//! Which Partner is calling: `Authorization: Bearer <api key>`.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::problem::Problem;
use crate::config::PartnerSettings;

/// The Partners' keys, hashed: keys of any length compare in the same time.
#[derive(Debug)]
pub struct Keys {
    partners: Vec<([u8; 32], PartnerSettings)>,
}

impl Keys {
    /// The keys of these Partners.
    pub fn new(partners: &[PartnerSettings]) -> Self {
        let hashed = |partner: &PartnerSettings| {
            (Sha256::digest(partner.api_key.expose_secret()).into(), partner.clone())
        };
        Self { partners: partners.iter().map(hashed).collect() }
    }

    /// The Partner whose key a request carries. Every key is compared, so that the time taken
    /// tells nothing about which one was nearly right.
    pub fn partner(&self, headers: &HeaderMap) -> Result<&PartnerSettings, Problem> {
        let presented = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| <[u8; 32]>::from(Sha256::digest(key.trim())))
            .ok_or_else(Problem::unauthorized)?;
        let none = u64::MAX;
        let mut found = none;
        for (index, (key, _)) in (0_u64..).zip(&self.partners) {
            let same: Choice = key.as_slice().ct_eq(presented.as_slice());
            found.conditional_assign(&index, same);
        }
        usize::try_from(found)
            .ok()
            .and_then(|index| self.partners.get(index))
            .map(|(_, partner)| partner)
            .ok_or_else(Problem::unauthorized)
    }
}
