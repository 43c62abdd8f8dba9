//! Scripts of the customer that cannot be played.

use klarna_schemas::simulator::control::{CustomerAct, CustomerScript};

/// Where the customer stands in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// Has neither decided nor left.
    There,
    Left,
    Approved,
    Refused,
}

/// The first step that cannot be done after those before it, and why.
pub(crate) fn impossible_step(script: &CustomerScript) -> Option<(usize, &'static str)> {
    let mut stands = Stands::There;
    for (index, step) in script.0.iter().enumerate() {
        let why = match (stands, step.act) {
            (Stands::There, CustomerAct::ComeBack) => Some("nobody comes back who has not left before"),
            (Stands::Approved, CustomerAct::Refuse | CustomerAct::WrongCode | CustomerAct::ChooseOption) => {
                Some("the customer has approved before, and nothing more can be done")
            }
            (Stands::Refused, CustomerAct::Approve | CustomerAct::WrongCode | CustomerAct::ChooseOption) => {
                Some("the customer has refused before, and nothing more can be done")
            }
            _ => None,
        };
        if let Some(why) = why {
            return Some((index, why));
        }
        stands = after(stands, step.act);
    }
    None
}

fn after(stands: Stands, act: CustomerAct) -> Stands {
    if matches!(stands, Stands::Approved | Stands::Refused) {
        // It is over: what can still be done changes nothing.
        return stands;
    }
    match act {
        CustomerAct::Approve => Stands::Approved,
        CustomerAct::Refuse => Stands::Refused,
        CustomerAct::Leave => Stands::Left,
        CustomerAct::Open
        | CustomerAct::ComeBack
        | CustomerAct::ChangeNothing
        | CustomerAct::WrongCode
        | CustomerAct::ChooseOption => Stands::There,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_done_after_what_was_done_is_found() {
        for (acts, step) in [
            (json!(["come_back"]), Some(0)),
            (json!(["open", "come_back", "approve"]), Some(1)),
            (json!(["leave", "come_back", "come_back"]), Some(2)),
            (json!(["approve", "refuse"]), Some(1)),
            (json!(["approve", "open", "wrong_code"]), Some(2)),
            (json!(["refuse", "approve"]), Some(1)),
            (json!(["refuse", "choose_option"]), Some(1)),
            (json!(["leave", "come_back", "approve"]), None),
            (json!(["leave", "approve"]), None),
            (json!(["leave", "come_back", "leave", "come_back", "refuse"]), None),
            (json!(["wrong_code", "choose_option", "change_nothing", "approve", "come_back"]), None),
            (json!(["approve", "approve", "leave"]), None),
        ] {
            let steps = acts.as_array().unwrap().iter().map(|act| json!({ "act": act }));
            let script: CustomerScript =
                serde_json::from_value(steps.collect::<serde_json::Value>()).unwrap();
            assert_eq!(impossible_step(&script).map(|(index, _)| index), step, "{acts}");
        }
    }
}
