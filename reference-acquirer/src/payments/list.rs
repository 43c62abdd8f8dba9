//! A Partner's payments, page by page, newest first.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::create::WrongField;
use super::payment::{Payment, State};
use super::service::PaymentService;
use crate::config::PartnerSettings;
use crate::store::{ListedAfter, PaymentFilter, StoreError};

/// Payments on a page, where the Partner does not say.
const USUAL_LIMIT: usize = 20;
/// The most payments on a page.
const MOST: usize = 100;
/// The most characters of a reference (`schemas/acquirer/create-payment.schema.json`).
const LONGEST_REFERENCE: usize = 255;

/// Which payments a Partner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPayments {
    filter: PaymentFilter,
    limit: usize,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// The payments, newest first.
    pub payments: Vec<Payment>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
}

impl ListPayments {
    /// Reads the query, or names *every* parameter that is wrong.
    pub fn read(query: &str) -> Result<Self, Vec<WrongField>> {
        let mut asked = Self { filter: PaymentFilter::default(), limit: USUAL_LIMIT };
        let mut wrong = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let taken = if seen.iter().any(|earlier| *earlier == name) {
                Err("stands twice; which one is meant?".to_owned())
            } else {
                asked.take(&name, &value)
            };
            if let Err(reason) = taken {
                wrong.push(WrongField::new(name.as_ref(), reason));
            }
            seen.push(name.into_owned());
        }
        if wrong.is_empty() { Ok(asked) } else { Err(wrong) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "status" => self.filter.states = states(value)?,
            "reference" if is_reference(value) => self.filter.reference = Some(value.to_owned()),
            "reference" => {
                return Err(format!("must be 1 to {LONGEST_REFERENCE} characters, none of them a control"));
            }
            "created_from" => self.filter.from = time(value)?,
            "created_to" => self.filter.to = time(value)?,
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                self.limit = limit.ok_or_else(|| format!("must be a whole number from 1 to {MOST}"))?;
            }
            "cursor" => {
                self.filter.after =
                    Some(after(value).ok_or("is none: take next_cursor of a page as it stands there")?);
            }
            _ => return Err("there is no such parameter".to_owned()),
        }
        Ok(())
    }
}

impl PaymentService {
    /// A page of a Partner's payments.
    pub async fn list(&self, partner: &PartnerSettings, asked: &ListPayments) -> Result<Page, StoreError> {
        // One more than fits tells whether there is a next page.
        let mut payments = self.store.list(&partner.name, &asked.filter, asked.limit + 1).await?;
        let more = payments.len() > asked.limit;
        payments.truncate(asked.limit);
        let next_cursor = payments.last().filter(|_| more).map(cursor);
        Ok(Page { payments, next_cursor })
    }
}

/// The states that a Partner reads as one status.
fn states(status: &str) -> Result<Vec<State>, String> {
    let meant: Vec<_> = State::ALL.into_iter().filter(|state| state.status() == status).collect();
    if meant.is_empty() { Err("is no status of a payment".to_owned()) } else { Ok(meant) }
}

fn is_reference(text: &str) -> bool {
    (1..=LONGEST_REFERENCE).contains(&text.chars().count()) && !text.contains(char::is_control)
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "must be a time by RFC 3339: 2026-01-31T12:00:00Z".to_owned())
}

/// A cursor is a place in the order, which no new payment moves. Opaque to Partners.
fn cursor(last: &Payment) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", last.created_at.as_millisecond(), last.id))
}

fn after(cursor: &str) -> Option<ListedAfter> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (created_at, id) = text.split_once(' ')?;
    let created_at = Timestamp::from_millisecond(created_at.parse().ok()?).ok()?;
    (!id.contains(char::is_control)).then(|| ListedAfter { created_at, id: id.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(query: &str) -> Vec<String> {
        ListPayments::read(query).unwrap_err().into_iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let nul = URL_SAFE_NO_PAD.encode("1 pay\0");
        for (query, fields) in [
            ("status=paid", vec!["status"]),
            ("status=authorizing", vec!["status"]),
            ("reference=", vec!["reference"]),
            ("reference=a%00b", vec!["reference"]),
            ("created_from=today&created_to=2026-13-01T00:00:00Z", vec!["created_from", "created_to"]),
            ("limit=0", vec!["limit"]),
            ("limit=101", vec!["limit"]),
            ("limit=-1", vec!["limit"]),
            ("limit=99999999999999999999", vec!["limit"]),
            ("cursor=x", vec!["cursor"]),
            (&format!("cursor={nul}"), vec!["cursor"]),
            ("limit=5&limit=5", vec!["limit"]),
            ("limt=5&status=", vec!["limt", "status"]),
        ] {
            assert_eq!(wrong(query), fields, "{query}");
        }
    }

    #[test]
    fn pending_is_every_state_without_an_answer() {
        let asked = ListPayments::read("status=pending").unwrap();
        assert_eq!(asked.filter.states, [State::Authorizing, State::Finalizing]);
        assert_eq!(ListPayments::read("").unwrap().limit, USUAL_LIMIT);
    }
}
