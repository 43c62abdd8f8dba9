//! The promises of the store, whatever database is behind it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId};
use klarna_schemas::money::MinorUnits;
use reference_acquirer::payments::payment::{Mode, Payment, State};
use reference_acquirer::store::{
    Change, Claim, Created, KlarnaCall, Lease, NewPayment, Notification, ReceivedEvent, Settled, SqliteStore,
    Step, Store, Task,
};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn later(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

fn lease(owner: &str, until: i64) -> Lease {
    Lease { owner: owner.to_owned(), until: later(until) }
}

async fn store() -> (TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("acquirer.db").display());
    (folder, Arc::new(SqliteStore::open(&url).await.unwrap()))
}

fn new_payment(id: &str, reference: &str) -> NewPayment {
    let call = |step| KlarnaCall {
        payment_id: id.to_owned(),
        step,
        idempotency_key: format!("{id}/{}", step.as_str()),
        session_token: None,
        body: "{}".into(),
    };
    NewPayment {
        payment: Payment {
            id: id.to_owned(),
            version: 1,
            partner: "alpha".to_owned(),
            reference: reference.to_owned(),
            account: PartnerAccountId::from("krn:alpha"),
            amount: MinorUnits(1),
            currency: "SEK".parse().unwrap(),
            mode: Mode::Sdk,
            return_url: "https://shop.test/".to_owned(),
            return_key: format!("key of {id}"),
            state: State::Authorizing,
            request_id: None,
            request_url: None,
            transaction_id: None,
            response_data: None,
            created_at: NOW,
            updated_at: NOW,
        },
        request_fingerprint: "print".to_owned(),
        initial: call(Step::Initial),
        r#final: call(Step::Final),
        lease: lease("creator", 10),
    }
}

async fn created(store: &dyn Store, id: &str) -> (Payment, Claim) {
    let new = new_payment(id, id);
    match store.create_payment(&new).await.unwrap() {
        Created::Stored(claim) => (new.payment, claim),
        Created::ReferenceTaken { .. } => panic!("the reference {id} is taken"),
    }
}

#[tokio::test]
async fn a_payment_reads_as_it_was_written() {
    let (_folder, store) = store().await;
    let (payment, claim) = created(store.as_ref(), "p").await;
    assert_eq!(store.payment("p").await.unwrap(), Some(payment.clone()));
    assert_eq!(store.payment_by_return_key("key of p").await.unwrap(), Some(payment.clone()));

    let changed = Payment {
        state: State::StepUpRequired,
        request_id: Some("krn:r".into()),
        request_url: Some("https://k/?a=é".to_owned()),
        transaction_id: Some("krn:t".into()),
        response_data: Some(" {} ".to_owned()),
        ..payment
    };
    let change = Change {
        payment: changed.clone(),
        finalize_with: None,
        notification: None,
        withdraw: false,
        forget_tokens: false,
    };
    assert_eq!(store.settle(&claim, &change, later(1)).await.unwrap(), Settled::Done);
    let read = store.payment("p").await.unwrap().unwrap();
    assert_eq!(read, Payment { version: 2, updated_at: later(1), ..changed });
}

#[tokio::test]
async fn a_reference_is_a_partners_own() {
    let (_folder, store) = store().await;
    created(store.as_ref(), "p").await;
    let again = store.create_payment(&new_payment("q", "p")).await.unwrap();
    assert!(matches!(again, Created::ReferenceTaken { payment, .. } if payment.id == "p"));
    assert_eq!(store.payment("q").await.unwrap(), None);
    let mut others = new_payment("q", "p");
    others.payment.partner = "beta".to_owned();
    assert!(matches!(store.create_payment(&others).await.unwrap(), Created::Stored(_)));
}

/// Before Klarna's id is known our reference finds the payment; afterwards only the id does, and
/// always only within the account.
#[tokio::test]
async fn an_event_finds_its_payment() {
    let (_folder, store) = store().await;
    let (payment, claim) = created(store.as_ref(), "p").await;
    let find = async |account: &str, request: &str, reference: Option<&str>| {
        let (account, request) = (PartnerAccountId::from(account), PaymentRequestId::from(request));
        store.payment_of_request(&account, &request, reference).await.unwrap().map(|payment| payment.id)
    };
    assert_eq!(find("krn:alpha", "krn:r", Some("p")).await.as_deref(), Some("p"));
    assert_eq!(find("krn:beta", "krn:r", Some("p")).await, None);
    assert_eq!(find("krn:alpha", "krn:r", None).await, None);

    let payment = Payment { request_id: Some("krn:r".into()), ..payment };
    let change =
        Change { payment, finalize_with: None, notification: None, withdraw: false, forget_tokens: false };
    store.settle(&claim, &change, NOW).await.unwrap();
    assert_eq!(find("krn:alpha", "krn:r", None).await.as_deref(), Some("p"));
    assert_eq!(find("krn:alpha", "krn:another", Some("p")).await, None);
}

#[tokio::test]
async fn a_row_is_claimed_by_one_until_its_lease_ends() {
    let (_folder, store) = store().await;
    let (_, first) = created(store.as_ref(), "p").await;
    assert!(store.claim(&lease("b", 20), later(9), 10, &Task::ALL).await.unwrap().is_empty());

    let taken = store.claim(&lease("b", 20), later(10), 10, &Task::ALL).await.unwrap();
    assert_eq!((taken.len(), taken[0].task, taken[0].attempt), (1, Task::Authorize, 2));
    // The first owner woke up too late: it can neither settle, finish nor postpone.
    let payment = store.payment("p").await.unwrap().unwrap();
    let change = Change {
        payment: Payment { state: State::Failed, ..payment.clone() },
        finalize_with: None,
        notification: None,
        withdraw: false,
        forget_tokens: false,
    };
    assert_eq!(store.settle(&first, &change, later(11)).await.unwrap(), Settled::LeaseLost);
    store.finish(&first, later(11)).await.unwrap();
    store.postpone(&first, later(11)).await.unwrap();
    assert_eq!(store.payment("p").await.unwrap(), Some(payment));
    assert!(store.claim(&lease("c", 30), later(19), 10, &Task::ALL).await.unwrap().is_empty());

    store.postpone(&taken[0], later(40)).await.unwrap();
    assert!(store.claim(&lease("c", 50), later(39), 10, &Task::ALL).await.unwrap().is_empty());
    let taken = store.claim(&lease("c", 50), later(40), 10, &Task::ALL).await.unwrap();
    assert_eq!(taken[0].attempt, 3);
    store.finish(&taken[0], later(41)).await.unwrap();
    assert!(store.claim(&lease("d", 99), later(98), 10, &Task::ALL).await.unwrap().is_empty());
}

#[tokio::test]
async fn many_claimants_share_the_work_without_sharing_a_row() {
    let (_folder, store) = store().await;
    for number in 0..60 {
        let event = ReceivedEvent { event_id: format!("e-{number}"), body: "{}".into() };
        assert!(store.receive_event(&event, NOW).await.unwrap());
        assert!(!store.receive_event(&event, NOW).await.unwrap());
    }
    let claimants = (0..6).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let some = store.claim(&lease(&format!("o-{number}"), 10), NOW, 7, &Task::ALL).await.unwrap();
                if some.is_empty() {
                    return claimed;
                }
                claimed.extend(some.into_iter().map(|claim| claim.subject));
            }
        })
    });
    let mut claimed: Vec<_> =
        futures::future::join_all(claimants).await.into_iter().flat_map(Result::unwrap).collect();
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 60);
}

/// Two who read the same payment: the second one's change is refused as a whole.
#[tokio::test]
async fn nobody_overwrites_what_he_has_not_seen() {
    let (_folder, store) = store().await;
    let (payment, authorize) = created(store.as_ref(), "p").await;
    store.receive_event(&ReceivedEvent { event_id: "e".to_owned(), body: "{}".into() }, NOW).await.unwrap();
    let event = store.claim(&lease("b", 10), NOW, 1, &Task::ALL).await.unwrap().remove(0);
    let change = |state, token: Option<&str>, told: Option<&str>| Change {
        payment: Payment { state, ..payment.clone() },
        finalize_with: token.map(Into::into),
        notification: told.map(|id| Notification {
            id: id.to_owned(),
            payment_id: "p".to_owned(),
            partner: "alpha".to_owned(),
            body: "{}".to_owned(),
        }),
        withdraw: false,
        forget_tokens: false,
    };
    let finalizing = change(State::Finalizing, Some("token"), None);
    assert_eq!(store.settle(&event, &finalizing, NOW).await.unwrap(), Settled::Done);

    let failed = change(State::Failed, None, Some("m"));
    assert_eq!(store.settle(&authorize, &failed, NOW).await.unwrap(), Settled::Overtaken);
    assert_eq!(store.payment("p").await.unwrap().unwrap().state, State::Finalizing);
    assert!(store.notification("m").await.unwrap().is_none());
    let call = store.klarna_call("p", Step::Final).await.unwrap().unwrap();
    assert_eq!(call.session_token.unwrap().expose_secret(), "token");
    let open = store.claim(&lease("c", 99), later(50), 10, &Task::ALL).await.unwrap();
    let tasks: Vec<_> = open.iter().map(|claim| claim.task).collect();
    assert_eq!(tasks, [Task::Authorize, Task::Finalize], "the refused settle left its claim open");
}

#[tokio::test]
async fn what_a_run_left_claimed_is_free_at_the_next_start() {
    let (folder, store) = store().await;
    created(store.as_ref(), "p").await;
    drop(store);
    let url = format!("sqlite://{}", folder.path().join("acquirer.db").display());
    let store = SqliteStore::open(&url).await.unwrap();
    assert_eq!(store.release_abandoned_claims().await.unwrap(), 1);
    assert_eq!(store.claim(&lease("b", 10), NOW, 10, &Task::ALL).await.unwrap().len(), 1);
}
