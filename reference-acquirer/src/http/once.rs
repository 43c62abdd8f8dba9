//! `Idempotency-Key`: a request that a Partner repeats is done once, and answered alike.
//!
//! A key belongs to one Partner and one request: method, path and the bytes of the body. It is written
//! down before anything is done, with the name of what the request will make, so whoever takes the
//! request up after a crash finds what was made. Kept are good answers; a refusal makes nothing and
//! leaves nothing, so a mended request may use the key again.

use http::{HeaderMap, HeaderName, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::Instrument as _;

use super::Api;
use super::post::{Answer, PartnerPost};
use super::problem::Problem;
use crate::payments::create::WrongField;
use crate::store::{Begun, KeptAnswer, KeyedRequest, Lease};
use crate::{chance, clock};

/// The header.
pub const HEADER: &str = "Idempotency-Key";

/// The most characters of a key.
pub const MOST_CHARACTERS: usize = 255;

/// The key of a request, if it carries one.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(HeaderName::from_static("idempotency-key")).iter();
    let (Some(value), more) = (values.next(), values.next()) else { return Ok(None) };
    let bytes = value.as_bytes();
    let is_key = (1..=MOST_CHARACTERS).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(key) if is_key && more.is_none() => Ok(Some(key.to_owned())),
        _ => {
            let reason = format!("must be one value of 1 to {MOST_CHARACTERS} visible ASCII characters");
            Err(Problem::wrong_fields(vec![WrongField::new(HEADER, reason)]))
        }
    }
}

/// Answers a request that was found sound; if it carries a key, once. `answer` is given a new name for
/// what the request makes.
pub async fn once<F>(
    api: &Api,
    post: PartnerPost,
    answer: impl FnOnce(String) -> F + Send + 'static,
) -> Result<Answer, Problem>
where
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let makes = chance::new_id("op");
    let Some(key) = post.key else { return answer(makes).await };
    let payments = &api.payments;
    let request =
        KeyedRequest { partner: post.partner.name, key, fingerprint: post.request_fingerprint, makes };
    let now = clock::now();
    let forget_before = now.checked_sub(payments.settings.idempotency.keep).unwrap_or(now);
    let lease = Lease { owner: payments.owner.clone(), until: clock::after(payments.settings.outbox.lease) };
    let makes = match payments.store.begin_request(&request, &lease, now, forget_before).await? {
        Begun::Ours { makes } => makes,
        Begun::Answered(kept) => return again(kept),
        Begun::UnderWay => return Err(Problem::request_under_way()),
        Begun::KeyTaken => return Err(Problem::idempotency_key_taken()),
    };
    // On its own: a Partner who hangs up is the one who will repeat the request.
    let store = payments.store.clone();
    let doing = async move {
        let answer = answer(makes).await;
        match &answer {
            Ok(answer) => store.keep_answer(&request, &lease.owner, &kept(answer)).await?,
            Err(problem) if problem.is_ours() => store.release_request(&request, &lease.owner).await?,
            Err(_) => store.forget_request(&request, &lease.owner).await?,
        }
        answer
    };
    let doing = payments.tasks.spawn(doing.in_current_span());
    doing.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request could not be served");
        Err(Problem::internal())
    })
}

fn kept(answer: &Answer) -> KeptAnswer {
    KeptAnswer {
        status: answer.status.as_u16(),
        location: answer.location.clone(),
        body: SecretString::from(answer.body.as_str()),
    }
}

fn again(kept: KeptAnswer) -> Result<Answer, Problem> {
    let status = StatusCode::from_u16(kept.status).map_err(|_| Problem::internal())?;
    Ok(Answer { status, location: kept.location, body: kept.body.expose_secret().to_owned() })
}
