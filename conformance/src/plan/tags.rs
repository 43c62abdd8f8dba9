//! What a tag means.

use klarna_schemas::requirements::Requirements;

use super::prose::nearest;
use crate::adapter::{Capability, Timing};

/// Tags that are neither a duty nor a capability.
const WORDS: &[&str] = &["document", "exclusive"];

/// A tag, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tag {
    Duty(String),
    Capability(String),
    /// `timing.<claim>`: the name of the claim.
    Timing(String),
    Exclusive,
    Document,
}

/// Why a tag is refused, with a hint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RefusedTag {
    pub(super) what: String,
    pub(super) hint: String,
}

fn refused(what: String, hint: impl Into<String>) -> RefusedTag {
    RefusedTag { what, hint: hint.into() }
}

impl Tag {
    /// Understands a tag, given without `@`.
    pub(super) fn read(tag: &str) -> Result<Self, RefusedTag> {
        if tag == "exclusive" {
            return Ok(Self::Exclusive);
        }
        if tag == "document" {
            return Ok(Self::Document);
        }
        if Capability::named(tag).is_some() {
            return Ok(Self::Capability(tag.to_owned()));
        }
        if let Some(claim) = tag.strip_prefix("timing.") {
            return Self::timing(claim);
        }
        let requirements = Requirements::global();
        if requirements.get(tag).is_some() {
            return Ok(Self::Duty(tag.to_owned()));
        }
        if tag == "retry" || tag.starts_with("retry(") || tag.starts_with("retry.") {
            return Err(refused(
                format!("the tag @{tag} is refused: a check that holds only sometimes does not hold"),
                "take the tag away and mend what is unsteady",
            ));
        }
        if tag == "allow.skipped" {
            return Err(refused(
                format!("the tag @{tag} is refused: a skipped step is never green"),
                "take the tag away, or the step that nothing matches",
            ));
        }
        if tag == "serial" {
            return Err(refused(
                format!("the tag @{tag} is not known"),
                "a scenario that must run alone is @exclusive",
            ));
        }
        if looks_like_a_duty(tag) {
            let hint =
                requirements.nearest(tag).map(|known| format!("did you mean @{known}?")).unwrap_or_default();
            return Err(refused(format!("requirements.toml knows no duty \"{tag}\""), hint));
        }
        let known = Capability::names().into_iter().chain(WORDS.iter().copied());
        let hint = match nearest(tag, known) {
            Some(known) => format!("did you mean @{known}?"),
            None => format!(
                "known are duties like @AP-11, the capabilities @{}, the claims @timing.{}, and @exclusive",
                Capability::names().join(" @"),
                Timing::CLAIMS.join(" @timing.")
            ),
        };
        Err(refused(format!("the tag @{tag} is not known"), hint))
    }

    fn timing(claim: &str) -> Result<Self, RefusedTag> {
        if Timing::CLAIMS.contains(&claim) {
            return Ok(Self::Timing(claim.to_owned()));
        }
        let known: Vec<String> = Timing::CLAIMS.iter().map(|known| format!("@timing.{known}")).collect();
        let hint = match nearest(claim, Timing::CLAIMS.iter().copied()) {
            Some(known) => format!("did you mean @timing.{known}?"),
            None => format!("an adapter can claim {}", known.join(", ")),
        };
        Err(refused(format!("no adapter can claim \"timing.{claim}\""), hint))
    }
}

/// Letters, perhaps a dash, then a digit.
fn looks_like_a_duty(tag: &str) -> bool {
    let rest = tag.trim_start_matches(|character: char| character.is_ascii_alphabetic());
    rest.len() < tag.len() && rest.trim_start_matches(['-', '_']).starts_with(|c: char| c.is_ascii_digit())
}
