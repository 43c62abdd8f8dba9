//! What an acquirer can claim to do, and how an adapter claims it.

/// How an adapter comes to claim a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimedBy {
    /// By its name under `capabilities`.
    Naming,
    /// By binding it: the part of the file with this name. What is bound is tested.
    Binding(&'static str),
    /// By silence: every file that does not give it up under `unclaimed`. So no file can lose, by
    /// saying nothing, what a gate has asked of it before.
    Silence,
}

/// Something that an acquirer can claim to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// As adapters and tags write it.
    pub name: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
    /// How it is claimed.
    pub claimed_by: ClaimedBy,
    /// Required duties that rest on it: without it they are not shown to be kept.
    pub duties: &'static [&'static str],
    /// Another capability that carries these duties as well.
    pub or: Option<&'static str>,
}

const fn claimed(claimed_by: ClaimedBy, name: &'static str, doc: &'static str) -> Capability {
    Capability { name, doc, claimed_by, duties: &[], or: None }
}

impl Capability {
    /// Every capability, in the order in which help texts list them.
    pub const ALL: &'static [Self] = &[
        Self {
            duties: &["AP-15"],
            or: Some("sdk"),
            ..claimed(
                ClaimedBy::Naming,
                "redirect",
                "a step-up's answer carries a URL, which the Partner opens in the browser",
            )
        },
        Self {
            duties: &["AP-15"],
            or: Some("redirect"),
            ..claimed(
                ClaimedBy::Naming,
                "sdk",
                "a step-up's answer carries a payment request id, with which the Partner opens Klarna's SDK",
            )
        },
        // Without them a Partner can still be told by reading, which the same scenarios ask for.
        claimed(
            ClaimedBy::Binding("notifications"),
            "notifications",
            "Partners are told how a payment ended without asking",
        ),
        Self {
            duties: &["AP-01"],
            ..claimed(
                ClaimedBy::Binding("operations.list_payment_methods"),
                "payment_methods",
                "a Partner can ask for the payment methods of an order",
            )
        },
        Self {
            duties: &["AP-10", "AP-11"],
            ..claimed(
                ClaimedBy::Silence,
                "network_data",
                "a Partner's Klarna Network Data is taken with the order",
            )
        },
        Self {
            duties: &["AP-10", "AP-11"],
            ..claimed(
                ClaimedBy::Silence,
                "session_token",
                "a Partner's Klarna Network session token is taken with the order",
            )
        },
        claimed(
            ClaimedBy::Naming,
            "sync_approval",
            "what Klarna approves at once stands in the answer to the create call itself",
        ),
        claimed(ClaimedBy::Binding("operations.capture"), "capture", "an approved payment can be captured"),
        claimed(ClaimedBy::Naming, "partial_capture", "it can be captured in parts; goes with capture"),
        claimed(ClaimedBy::Binding("operations.refund"), "refund", "captured money can be given back"),
        claimed(ClaimedBy::Naming, "partial_refund", "it can be given back in parts; goes with refund"),
        claimed(
            ClaimedBy::Binding("operations.cancel"),
            "cancel",
            "a payment can be canceled while its Customer is in a step-up",
        ),
    ];

    /// The names of all.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|capability| capability.name).collect()
    }

    /// A capability by its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|capability| capability.name == name)
    }

    /// The capability without which this one means nothing.
    pub(super) fn goes_with(&self) -> Option<&'static Self> {
        Self::named(self.name.strip_prefix("partial_")?)
    }
}

#[cfg(test)]
mod tests {
    use klarna_schemas::requirements::{Level, Requirements};
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_schema_lists_the_same_capabilities() {
        let schema = klarna_schemas::catalogue::Catalogue::global().schema("conformance/adapter").unwrap();
        let listed = schema.pointer("/$defs/capability/enum").and_then(Value::as_array).unwrap();
        let listed: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
        assert_eq!(listed, Capability::names());
    }

    #[test]
    fn what_rests_on_a_capability_is_a_required_duty() {
        for capability in Capability::ALL {
            for duty in capability.duties {
                let known = Requirements::global().get(duty);
                assert_eq!(known.map(|known| known.level), Some(Level::Required), "{duty}");
            }
            assert!(capability.or.is_none_or(|or| Capability::named(or).is_some()), "{}", capability.name);
        }
    }

    #[test]
    fn parts_go_with_the_whole() {
        let of = |name| Capability::named(name).unwrap().goes_with().map(|whole| whole.name);
        assert_eq!(
            (of("partial_capture"), of("partial_refund"), of("sdk")),
            (Some("capture"), Some("refund"), None)
        );
    }
}
