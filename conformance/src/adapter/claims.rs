//! What an adapter claims, by naming, by binding and by silence.

use serde_saphyr::Spanned;

use super::Capability;
use super::capability::ClaimedBy;
use super::error::AdapterError;
use super::file::AdapterFile;
use super::source::{Place, Source};

/// Which capabilities hold, and why the others do not.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    held: Vec<&'static str>,
    /// Capability and reason, as the file gives them.
    unclaimed: Vec<(&'static str, String)>,
}

impl Claims {
    pub(super) fn compile(source: &Source, file: &AdapterFile) -> Result<Self, AdapterError> {
        let mut named = Vec::new();
        for claimed in &file.capabilities {
            let capability = known(source, claimed)?;
            if let ClaimedBy::Binding(part) = capability.claimed_by
                && !is_bound(file, part)
            {
                let what = format!("{} is claimed, and the file has no {part}", capability.name);
                let mend = format!("add {part}, or claim less");
                return Err(source.complain(claimed.referenced.into(), &what, Some(&mend)));
            }
            if let Some(whole) = capability.goes_with().filter(|whole| !binds(file, whole)) {
                let (part, whole) = (capability.name, whole.name);
                let what = format!("{part} is claimed, and {whole} is not");
                let mend = format!("add operations.{whole}, or claim less");
                return Err(source.complain(claimed.referenced.into(), &what, Some(&mend)));
            }
            named.push(capability.name);
        }
        let unclaimed = unclaimed(source, file, &named)?;
        let held = Capability::ALL.iter().filter(|capability| match capability.claimed_by {
            ClaimedBy::Naming => named.contains(&capability.name),
            ClaimedBy::Binding(part) => is_bound(file, part),
            ClaimedBy::Silence => unclaimed.iter().all(|(name, _)| *name != capability.name),
        });
        Ok(Self { held: held.map(|capability| capability.name).collect(), unclaimed })
    }

    pub(super) fn holds(&self, capability: &str) -> bool {
        self.held.contains(&capability)
    }

    /// Why a capability is not claimed, in a sentence.
    pub(super) fn why_not(&self, capability: &str) -> Option<String> {
        if self.holds(capability) {
            return None;
        }
        let bare = format!("the adapter does not claim the capability \"{capability}\"");
        let given = self.unclaimed.iter().find(|(name, _)| *name == capability);
        Some(given.map_or(bare.clone(), |(_, reason)| format!("{bare}: {reason}")))
    }
}

/// What the file says not to claim, with its reasons.
fn unclaimed(
    source: &Source,
    file: &AdapterFile,
    named: &[&'static str],
) -> Result<Vec<(&'static str, String)>, AdapterError> {
    let mut unclaimed = Vec::new();
    for (name, reason) in &file.unclaimed {
        let capability = known(source, name)?;
        let place: Place = name.referenced.into();
        if named.contains(&capability.name) {
            let what = format!("{} stands under capabilities and under unclaimed", capability.name);
            return Err(source.complain(place, &what, Some("take it out of one of them")));
        }
        if let ClaimedBy::Binding(part) = capability.claimed_by
            && is_bound(file, part)
        {
            let what = format!("{} is unclaimed, and {part} binds it", capability.name);
            let mend = format!("what is bound is tested: take {part} away, or this line");
            return Err(source.complain(place, &what, Some(&mend)));
        }
        if reason.value.trim().is_empty() {
            let what = format!("nothing says why {} is unclaimed", capability.name);
            let mend = "the reason stands in each report: network_data: our API has no field for it yet";
            return Err(source.complain(reason.referenced.into(), &what, Some(mend)));
        }
        unclaimed.push((capability.name, reason.value.trim().to_owned()));
    }
    Ok(unclaimed)
}

fn known(source: &Source, name: &Spanned<String>) -> Result<&'static Capability, AdapterError> {
    Capability::named(&name.value).ok_or_else(|| {
        source.unknown(name.referenced.into(), "capability", &name.value, &Capability::names())
    })
}

fn binds(file: &AdapterFile, capability: &Capability) -> bool {
    matches!(capability.claimed_by, ClaimedBy::Binding(part) if is_bound(file, part))
}

/// Whether the file has the part by which a capability is claimed.
fn is_bound(file: &AdapterFile, part: &str) -> bool {
    let operations = &file.operations.value;
    match part {
        "notifications" => file.notifications.is_some(),
        "operations.list_payment_methods" => operations.list_payment_methods.is_some(),
        "operations.capture" => operations.capture.is_some(),
        "operations.refund" => operations.refund.is_some(),
        "operations.cancel" => operations.cancel.is_some(),
        _ => false,
    }
}
