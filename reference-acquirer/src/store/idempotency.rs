//! Requests that carry an `Idempotency-Key`, and their answers, kept.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use super::{Lease, StoreError};

/// A request that carries a key.
#[derive(Debug, Clone)]
pub struct KeyedRequest {
    /// Whose key it is; keys of different Partners have nothing to do with each other.
    pub partner: String,
    /// The key.
    pub key: String,
    /// Tells a repetition of the request from another one.
    pub fingerprint: String,
    /// A new name, for what the request makes if it is the first.
    pub makes: String,
}

/// An answer as it was given.
#[derive(Debug, Clone)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// `Location`, if it had one.
    pub location: Option<String>,
    /// The exact body. Secret, as Klarna's data for the Partner may stand in it.
    pub body: SecretString,
}

/// What a request that carries a key turns out to be.
#[derive(Debug)]
pub enum Begun {
    /// It is to be done. Whatever it makes has this name; after a crash the same as before, so that
    /// what was made already is found.
    Ours {
        /// The name.
        makes: String,
    },
    /// It was done: here is the answer.
    Answered(KeptAnswer),
    /// Somebody is at it.
    UnderWay,
    /// The key was used for another request.
    KeyTaken,
}

/// The acquirer's memory of keys.
#[async_trait]
pub trait IdempotencyKeys {
    /// Takes up a request under a lease, unless it was done before or is under way. Keys from before
    /// `forget_before` are forgotten.
    async fn begin_request(
        &self,
        request: &KeyedRequest,
        lease: &Lease,
        now: Timestamp,
        forget_before: Timestamp,
    ) -> Result<Begun, StoreError>;
    /// Keeps the answer, if the owner's lease still holds.
    async fn keep_answer(
        &self,
        request: &KeyedRequest,
        owner: &str,
        answer: &KeptAnswer,
    ) -> Result<(), StoreError>;
    /// Nothing was made: the key is as good as new.
    async fn forget_request(&self, request: &KeyedRequest, owner: &str) -> Result<(), StoreError>;
    /// Something may have been made, but there is no answer: the next may take it up, under the same
    /// name.
    async fn release_request(&self, request: &KeyedRequest, owner: &str) -> Result<(), StoreError>;
}
