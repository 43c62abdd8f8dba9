//! The two neighbours, and an acquirer between them.

mod acquirer;
mod database;
mod installed;
mod klarna;
mod partner;
mod recorded;
mod registered;
mod requests;

pub(crate) use self::acquirer::{ALPHA, Acquirer, BETA, Setup, order};
pub(crate) use self::database::{Database, POSTGRES, on_both, sealer};
pub(crate) use self::installed::installed;
pub(crate) use self::klarna::{
    CAPTURE_ID, FakeKlarna, REFUND_ID, REQUEST_ID, REQUEST_URL, Reply, SIGNING_KEY, TOKEN, TRANSACTION_ID,
    client, event_body, step_up_body,
};
pub(crate) use self::partner::{FakePartner, Hears, KEY, secret_of, signature_by, verify};
pub(crate) use self::recorded::{DEADLINE, Exchange, Recorded, assert_same_call};
pub(crate) use self::requests::sound;
