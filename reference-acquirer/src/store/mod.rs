//! Everything that must survive a crash, behind one trait.
//!
//! A write is one transaction that either commits as a whole or never was. No method holds a lock
//! while somebody outside is being called.

mod dead_letters;
mod dialect;
mod group_commit;
mod idempotency;
mod in_use;
mod operations;
mod postgres;
mod reading;
mod rows;
mod script;
mod seal;
mod sql;
mod sql_dead_letters;
mod sql_idempotency;
mod sql_operations;
mod sql_reading;
mod sqlite;
mod statements;
mod writers;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, SigningKeyId};
use secrecy::SecretString;

pub use self::dead_letters::{DeadLetter, DeadLetters};
pub use self::idempotency::{Begun, IdempotencyKeys, KeptAnswer, KeyedRequest};
pub use self::operations::{NewOperation, OperationCall, OperationChange, OperationCreated, Operations};
pub use self::reading::{ListedAfter, PaymentFilter, Reading};
pub use self::seal::{NotAKey, SealError, Sealer};
use crate::payments::history::HistoryEntry;
use crate::payments::payment::Payment;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database answered with an error.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The commit that a writer shared with others failed, or a writer before it broke the batch.
    #[error("the database failed to commit: {0}")]
    Batch(#[source] Arc<sqlx::Error>),
    /// The tables could not be brought up to date.
    #[error("the database could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Another process serves the database.
    #[error(
        "another process serves {file}; stop it, or give each its own with --database: SQLite is for one process at a time"
    )]
    InUse {
        /// Which file.
        file: String,
    },
    /// The file that marks the database as in use cannot be locked.
    #[error("cannot lock {file}: {source}")]
    Lock {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A secret could not be encrypted, or not be read again.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Neither SQLite nor PostgreSQL.
    #[error("a database is sqlite://FILE or postgres://HOST/NAME")]
    UnknownDatabase,
    /// A row holds what this release never writes.
    #[error("the database holds an unreadable {what}: {value:?}")]
    Unreadable {
        /// Which column.
        what: &'static str,
        /// What stands there.
        value: String,
    },
}

/// Which of a payment's two authorize calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The first, which may end in a step-up.
    Initial,
    /// The second, after the customer approved.
    Final,
}

impl Step {
    /// The name in the database and in idempotency keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Final => "final",
        }
    }
}

/// A Klarna call as it is written down before it is made; every repetition sends the same.
#[derive(Debug, Clone)]
pub struct KlarnaCall {
    /// The payment that it is for.
    pub payment_id: String,
    /// Which call.
    pub step: Step,
    /// `Klarna-Idempotency-Key`.
    pub idempotency_key: String,
    /// `Klarna-Network-Session-Token`: the Partner's on the initial call, if any; the event's on
    /// the final call.
    pub session_token: Option<SecretString>,
    /// The exact body. Secret, as it holds personal data.
    pub body: SecretString,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Make the initial call. Subject: a payment id.
    Authorize,
    /// Act on a verified event. Subject: an event id.
    Event,
    /// Make the final call. Subject: a payment id.
    Finalize,
    /// Make an operation's call. Subject: an operation id.
    Operate,
    /// Tell the Partner. Subject: a notification id.
    Notify,
    /// Ask Klarna how a step-up stands. Subject: a payment id.
    Reconcile,
    /// Cancel the payment request of a payment that failed. Subject: a payment id.
    Withdraw,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 7] = [
        Self::Authorize,
        Self::Event,
        Self::Finalize,
        Self::Notify,
        Self::Operate,
        Self::Reconcile,
        Self::Withdraw,
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Event => "event",
            Self::Finalize => "finalize",
            Self::Notify => "notify",
            Self::Operate => "operate",
            Self::Reconcile => "reconcile",
            Self::Withdraw => "withdraw",
        }
    }
}

/// A row of the outbox that this process has claimed, and may finish while its lease holds.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The row.
    pub id: i64,
    /// What to do.
    pub task: Task,
    /// To what.
    pub subject: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Who claimed it.
    pub owner: String,
}

impl Claim {
    /// The claim on a row that was just written for this owner.
    fn of_new_row(id: Option<i64>, task: Task, subject: &str, lease: &Lease) -> Result<Self, StoreError> {
        let id = id.ok_or(sqlx::Error::RowNotFound)?;
        Ok(Self { id, task, subject: subject.to_owned(), attempt: 1, owner: lease.owner.clone() })
    }
}

/// Who claims, and for how long.
#[derive(Debug, Clone)]
pub struct Lease {
    /// A name that no other process has.
    pub owner: String,
    /// From when on somebody else may claim the row.
    pub until: Timestamp,
}

/// A new payment and all that commits with it.
#[derive(Debug)]
pub struct NewPayment {
    /// The payment, still `authorizing`.
    pub payment: Payment,
    /// Tells a repetition of the same request from another one.
    pub request_fingerprint: String,
    /// The initial call.
    pub initial: KlarnaCall,
    /// The final call, still without its token.
    pub r#final: KlarnaCall,
    /// The creator makes the initial call itself, so its row is born claimed.
    pub lease: Lease,
}

/// What became of a new payment.
#[derive(Debug)]
pub enum Created {
    /// It is stored; here is the claim on its initial call.
    Stored(Claim),
    /// The Partner used the reference before.
    ReferenceTaken {
        /// For what.
        payment: Box<Payment>,
        /// Fingerprint of that request.
        request_fingerprint: String,
    },
}

/// A change that was made to a payment, with all that commits with it.
#[derive(Debug)]
pub struct Change {
    /// The payment after it; its `version` is still the one that was read.
    pub payment: Payment,
    /// The customer approved: the token for the final call, which is thereby due.
    pub finalize_with: Option<SecretString>,
    /// The payment has its outcome: what the Partner is told.
    pub notification: Option<Notification>,
    /// A step-up has begun: when Klarna is asked how it stands, if no webhook has told by then.
    pub reconcile_at: Option<Timestamp>,
    /// The payment failed and left a payment request at Klarna, which is to be canceled.
    pub withdraw: bool,
    /// No call of the payment needs its session token any more.
    pub forget_tokens: bool,
    /// What the history says of it.
    pub entry: HistoryEntry,
}

/// Rows of one task that are not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWork {
    /// Which task.
    pub task: Task,
    /// How many rows.
    pub rows: u64,
    /// When the first of them was or becomes due.
    pub first_due: Timestamp,
}

/// Whether a change was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is committed, and the claim is finished.
    Done,
    /// Somebody else changed the payment meanwhile: read it again and decide anew.
    Overtaken,
    /// The lease ran out and somebody else goes on; nothing was changed.
    LeaseLost,
}

/// What a Partner is told.
#[derive(Debug, Clone)]
pub struct Notification {
    /// `webhook-id`, the same in every attempt.
    pub id: String,
    /// The payment that it is about.
    pub payment_id: String,
    /// Who is told.
    pub partner: String,
    /// The exact body.
    pub body: String,
}

/// A verified event. Its body is kept until it was acted on, its id for good.
#[derive(Debug, Clone)]
pub struct ReceivedEvent {
    /// What repeats are told by.
    pub event_id: String,
    /// The exact body. Secret, as it holds a session token.
    pub body: SecretString,
}

/// A signing key of ours.
#[derive(Debug, Clone)]
pub struct StoredSigningKey {
    /// Klarna's name for it.
    pub id: SigningKeyId,
    /// The secret.
    pub key: SecretString,
}

/// The acquirer's memory.
#[async_trait]
pub trait Store:
    DeadLetters + IdempotencyKeys + Operations + Reading + Send + Sync + std::fmt::Debug
{
    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;
    /// Closes every connection, so that the database is whole and free.
    async fn close(&self);

    /// Stores a payment with both calls and its open work, unless its reference is taken.
    async fn create_payment(&self, new: &NewPayment) -> Result<Created, StoreError>;
    /// A payment by id.
    async fn payment(&self, id: &str) -> Result<Option<Payment>, StoreError>;
    /// A payment by the unguessable part of its return URL.
    async fn payment_by_return_key(&self, key: &str) -> Result<Option<Payment>, StoreError>;
    /// The payment that an event is about. Our reference finds it while Klarna's id is not known.
    async fn payment_of_request(
        &self,
        account: &PartnerAccountId,
        request: &PaymentRequestId,
        reference: Option<&str>,
    ) -> Result<Option<Payment>, StoreError>;
    /// A call as it was written down.
    async fn klarna_call(&self, payment_id: &str, step: Step) -> Result<Option<KlarnaCall>, StoreError>;

    /// Stores a verified event with its open work; `false` if it is known already.
    async fn receive_event(&self, event: &ReceivedEvent, now: Timestamp) -> Result<bool, StoreError>;
    /// An event's body; empty once it was acted on.
    async fn event(&self, event_id: &str) -> Result<Option<SecretString>, StoreError>;
    /// What a Partner is to be told.
    async fn notification(&self, id: &str) -> Result<Option<Notification>, StoreError>;

    /// Claims rows that are due and that nobody holds, oldest first.
    async fn claim(
        &self,
        lease: &Lease,
        now: Timestamp,
        limit: usize,
        tasks: &[Task],
    ) -> Result<Vec<Claim>, StoreError>;
    /// When the next row that nobody holds becomes due.
    async fn next_due(&self, tasks: &[Task]) -> Result<Option<Timestamp>, StoreError>;
    /// How much work is open, by task; a task that is not there has none.
    async fn open_work(&self) -> Result<Vec<OpenWork>, StoreError>;
    /// Makes a change and finishes the claim that led to it, in one step.
    async fn settle(&self, claim: &Claim, change: &Change, now: Timestamp) -> Result<Settled, StoreError>;
    /// Finishes a claim that changed nothing.
    async fn finish(&self, claim: &Claim, now: Timestamp) -> Result<(), StoreError>;
    /// Gives a claim back, to be tried again.
    async fn postpone(&self, claim: &Claim, due_at: Timestamp) -> Result<(), StoreError>;
    /// Gives back every claim of an owner that stops: somebody else may take it up at once.
    async fn release(&self, owner: &str) -> Result<u64, StoreError>;

    /// Takes a lock, or renews the owner's own; `false` while another owner's holds.
    async fn lock(&self, name: &str, lease: &Lease, now: Timestamp) -> Result<bool, StoreError>;
    /// Gives a lock back, if it is still this owner's.
    async fn unlock(&self, name: &str, owner: &str) -> Result<(), StoreError>;

    /// Every signing key that is kept.
    async fn signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError>;
    /// One signing key.
    async fn signing_key(&self, id: &SigningKeyId) -> Result<Option<SecretString>, StoreError>;
    /// Keeps a signing key; what was kept under its name is replaced.
    async fn keep_signing_key(&self, key: &StoredSigningKey, now: Timestamp) -> Result<(), StoreError>;
}

/// Whether a URL names a database that [`open`] can open.
pub fn is_known(url: &str) -> bool {
    Kind::of(url).is_some()
}

enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            _ => None,
        }
    }
}

/// Opens a database, `sqlite://FILE` or `postgres://…`, and brings its tables up to date.
pub async fn open(url: &str, sealer: Sealer) -> Result<Arc<dyn Store>, StoreError> {
    match Kind::of(url).ok_or(StoreError::UnknownDatabase)? {
        Kind::Sqlite => Ok(Arc::new(sqlite::open(url, sealer).await?)),
        Kind::Postgres => Ok(Arc::new(postgres::open(url, sealer).await?)),
    }
}

/// Makes an empty schema in a PostgreSQL, for whoever wants a store of his own in a database that he
/// shares, and answers the URL that leads there. `schema` is a name that needs no quotes.
pub async fn make_schema(url: &str, schema: &str) -> Result<String, StoreError> {
    postgres::make_schema(url, schema).await
}

/// Drops what [`make_schema`] made, with all that is in it; `url` is that of the database.
pub async fn drop_schema(url: &str, schema: &str) -> Result<(), StoreError> {
    postgres::drop_schema(url, schema).await
}

/// Opens a database beside the process that serves it: nothing is created, and nobody's claims are freed.
pub async fn open_beside(url: &str, sealer: Sealer) -> Result<Arc<dyn Store>, StoreError> {
    match Kind::of(url).ok_or(StoreError::UnknownDatabase)? {
        Kind::Sqlite => Ok(Arc::new(sqlite::open_beside(url, sealer).await?)),
        Kind::Postgres => Ok(Arc::new(postgres::open(url, sealer).await?)),
    }
}
