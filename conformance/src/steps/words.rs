//! What words of the features mean to the simulator: one table a parameter. From these come what the
//! parameters take, what the steps do, and the test that nothing of the tester's hand is out of reach.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CustomerAct, Evolution, Fault, FaultBody, Misbehaviour};

use crate::world::{Failure, Oddity};

/// Words, each with what it means.
pub(super) type Table<T> = [(&'static str, T)];

/// `{decision}`.
pub(super) const DECISIONS: &Table<AuthorizationResult> = &[
    ("approve", AuthorizationResult::Approved),
    ("decline", AuthorizationResult::Declined),
    ("require a step-up", AuthorizationResult::StepUpRequired),
];

/// `{act}`.
pub(super) const ACTS: &Table<CustomerAct> = &[
    ("open the purchase", CustomerAct::Open),
    ("approve the purchase", CustomerAct::Approve),
    ("refuse the purchase", CustomerAct::Refuse),
    ("leave the purchase undecided", CustomerAct::Leave),
    ("enter a wrong code", CustomerAct::WrongCode),
    ("choose another payment option", CustomerAct::ChooseOption),
    ("look at the purchase and change nothing", CustomerAct::ChangeNothing),
];

/// `{evolution}`, but for `everything at once`.
pub(super) const EVOLUTIONS: &Table<Evolution> = &[
    ("fields that nobody knows", Evolution::ExtraFields),
    ("values that nobody knows", Evolution::UnknownEnumValues),
    ("another order of keys", Evolution::ReorderedKeys),
    ("other success statuses", Evolution::Another2xx),
    ("longer ids", Evolution::LongerIds),
    ("headers that nobody knows", Evolution::NewHeaders),
    ("events that nobody knows", Evolution::NewEventTypes),
];

/// All of them.
pub(super) const EVERYTHING: &str = "everything at once";

/// `{forgery}`: events that are not Klarna's.
pub(super) const FORGERIES: &Table<Misbehaviour> = &[
    ("with a forged signature", Misbehaviour::Forged),
    ("under an unknown signing key", Misbehaviour::UnknownKey),
    ("signed with another key of the account", Misbehaviour::WrongKey),
    ("without a signature", Misbehaviour::Unsigned),
    ("altered on its way", Misbehaviour::Altered),
];

/// `{manner}`: how an event of Klarna's own comes.
pub(super) const MANNERS: &Table<Misbehaviour> = &[
    ("behind the next one", Misbehaviour::Reordered),
    ("ahead of its answer", Misbehaviour::BeforeResponse),
    ("in vain", Misbehaviour::Lost),
    ("twice", Misbehaviour::Duplicate),
    ("twice at once", Misbehaviour::Parallel),
    ("signed with the key before", Misbehaviour::OldKey),
    ("under a type that nobody knows", Misbehaviour::UnknownEvent),
    ("with the token in the payload only", Misbehaviour::TokenOnlyInPayload),
    ("with the token in its state context only", Misbehaviour::TokenOnlyInStateContext),
];

/// `{oddity}`: what makes no sense about an event of Klarna's own.
pub(super) const ODDITIES: &Table<Oddity> = &[
    ("about a payment request that nobody knows", Oddity::UnknownRequest),
    ("about another Partner's account", Oddity::AnothersAccount),
    ("in a state that is no text", Oddity::NoTextAsState),
    ("in a state that nobody knows", Oddity::UnknownState),
    ("that breaks off in the middle", Oddity::BrokenOff),
    ("of two megabytes", Oddity::Oversized),
];

/// `{trouble}`: what befalls a call, or its answer, below HTTP.
pub(super) const ON_THE_WIRE: &Table<Fault> = &[
    ("silence", Fault::Stall),
    ("a broken connection", Fault::Reset),
    ("an answer that is no HTTP", Fault::Garbage),
    ("a lost answer", Fault::LoseAnswer),
    ("an answer that breaks off", Fault::Cut { after: None }),
    ("half an answer", Fault::Truncate),
    ("an answer of a wrong length", Fault::WrongLength),
    ("an answer that drips", Fault::Drip { bytes: 16, every_ms: 1 }),
    ("a late answer", Fault::Delay { ms: 50 }),
];

/// `{trouble}` that has a status, as the pattern of the whole.
pub(super) const STATUSES: [&str; 3] =
    [r"status [45]\d{2}", r"status [45]\d{2} without a body", r"status [45]\d{2} and a page of HTML"];

/// The words of a table, in its order.
pub(super) fn of<T>(table: &'static Table<T>) -> Vec<&'static str> {
    table.iter().map(|(words, _)| *words).collect()
}

/// What words mean.
///
/// # Errors
/// When the table has them not: the pattern of the parameter takes what the table has.
pub(super) fn meaning<T: Clone>(table: &Table<T>, words: &str) -> Result<T, Failure> {
    let found = table.iter().find(|(known, _)| *known == words);
    found.map(|(_, meant)| meant.clone()).ok_or_else(|| unknown(words))
}

/// What befalls a call.
///
/// # Errors
/// When there is no such trouble.
pub(super) fn fault(words: &str) -> Result<Fault, Failure> {
    let Some(rest) = words.strip_prefix("status ") else { return meaning(ON_THE_WIRE, words) };
    let (number, body) = rest.split_once(' ').unwrap_or((rest, ""));
    let body = match body {
        "" => FaultBody::Klarna,
        "without a body" => FaultBody::None,
        "and a page of HTML" => FaultBody::Html,
        _ => return Err(unknown(words)),
    };
    Ok(Fault::Status { status: number.parse().map_err(|_| unknown(words))?, body })
}

/// In which ways Klarna has evolved.
///
/// # Errors
/// When there is no such way.
pub(super) fn evolutions(words: &str) -> Result<Vec<Evolution>, Failure> {
    if words == EVERYTHING {
        return Ok(Evolution::ALL.to_vec());
    }
    Ok(vec![meaning(EVOLUTIONS, words)?])
}

fn unknown(words: &str) -> Failure {
    Failure::misused(&format!("nobody knows what \"{words}\" means: docs/steps.md lists what there is"))
}
