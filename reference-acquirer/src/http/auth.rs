//! Which Partner is calling: `Authorization: Bearer <api key>`.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConditionallySelectable as _;

use super::problem::Problem;
use crate::config::{KeyHash, PartnerSettings};

/// The Partners' keys, hashed: keys of any length compare in the same time.
#[derive(Debug)]
pub struct Keys {
    partners: Vec<(KeyHash, PartnerSettings)>,
}

impl Keys {
    /// The keys of these Partners.
    pub fn new(partners: &[PartnerSettings]) -> Self {
        let hashed = |partner: &PartnerSettings| Some((partner.key_hash()?, partner.clone()));
        Self { partners: partners.iter().filter_map(hashed).collect() }
    }

    /// The Partner whose key a request carries. Every key is compared, so that the time taken
    /// tells nothing about which one was nearly right.
    pub fn partner(&self, headers: &HeaderMap) -> Result<&PartnerSettings, Problem> {
        let presented = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| KeyHash::of(&key.trim().into()))
            .ok_or_else(Problem::unauthorized)?;
        let none = u64::MAX;
        let mut found = none;
        for (index, (key, _)) in (0_u64..).zip(&self.partners) {
            found.conditional_assign(&index, key.is(&presented));
        }
        usize::try_from(found)
            .ok()
            .and_then(|index| self.partners.get(index))
            .map(|(_, partner)| partner)
            .ok_or_else(Problem::unauthorized)
    }
}
