//! A draft from the acquirer's OpenAPI document, 3.0 or 3.1: what its names and shapes make likely.

mod answer;
mod body;
mod document;
mod listing;
mod notifications;
mod operations;
mod security;

pub use document::{Document, DocumentError};

use super::write::NOTIFICATION_SECRET;
use super::{Draft, Start, Sure, Variable, Wishes, by_hand};

/// Proposes an adapter. What `wishes` say goes before what the document makes likely.
///
/// # Errors
/// When a wish makes no sense, or names a call that the document does not have.
pub fn propose(document: &Document, wishes: &Wishes) -> Result<Draft, String> {
    let mut draft = by_hand::draft(wishes)?;
    if wishes.name.is_none()
        && let Some(name) = document.name()
    {
        draft.name = name;
    }
    if draft.start == Start::Unknown
        && let Some(url) = document.local_server()
    {
        draft.start = Start::Attach(url);
    }
    let chosen = operations::choose(document, wishes)?;
    let Some(create) = chosen.create else {
        draft
            .left_out
            .push("the document has no call with a body that has an amount and a currency".to_owned());
        return Ok(draft);
    };
    if draft.authentication.is_none() {
        draft.authentication = security::of(document, create.operation, &draft.name);
    }
    let given = std::mem::take(&mut draft.create);
    draft.create = operations::create(document, &create, wishes, &mut draft)?;
    let (outcome, reads) = answer::of_payment(document, &create, true);
    draft.create.outcome = if wishes.outcomes.is_empty() { outcome } else { given.outcome };
    draft.create.reads = answer::with_wishes(reads, &given.reads, wishes);
    match chosen.read {
        None => draft.left_out.push(
            "read_payment: no call reads one payment; notifications must tell how a payment ends".to_owned(),
        ),
        Some(read) => {
            let mut operation = operations::read(&read, &mut draft);
            let (outcome, reads) = answer::of_payment(document, &read, false);
            operation.outcome =
                if wishes.outcomes.is_empty() { outcome } else { draft.create.outcome.clone() };
            operation.reads = reads.into_iter().filter(|read| read.path.is_ok()).collect();
            draft.read = Some(operation);
        }
    }
    match chosen.list.map(|list| (listing::of(document, &list), list)) {
        Some((Some(listing), _)) => draft.list = Some(listing),
        Some((None, list)) => draft.left_out.push(format!(
            "list_payment_methods: in the answer to {} {} no list of methods has a name that is Klarna's",
            list.method, list.path
        )),
        None => draft.left_out.push("list_payment_methods: no call lists payment methods".to_owned()),
    }
    draft.notifications = notifications::of(document, create.operation);
    if draft.notifications.is_some() {
        let secret = Variable::new(&draft.name, NOTIFICATION_SECRET);
        draft.needs(secret);
    } else {
        draft.left_out.push("notifications: the document describes none".to_owned());
    }
    Ok(draft)
}

/// A guess, with its reason.
fn likely(why: impl Into<String>) -> Sure {
    Sure::Likely(why.into())
}
