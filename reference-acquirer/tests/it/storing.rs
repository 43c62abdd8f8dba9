//! The promises of the store, whatever database is behind it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId};
use klarna_schemas::money::MinorUnits;
use reference_acquirer::payments::history::{Cause, HistoryEntry};
use reference_acquirer::payments::operation::{Failure, FailureReason, Kind, Operation, Outcome, Target};
use reference_acquirer::payments::payment::{Mode, Payment, State};
use reference_acquirer::store::{
    self, Begun, Change, Claim, Created, KeptAnswer, KeyedRequest, KlarnaCall, Lease, NewOperation,
    NewPayment, Notification, OperationCall, OperationChange, OperationCreated, ReceivedEvent, Sealer,
    Settled, Step, Store, StoreError, StoredSigningKey, Task,
};
use secrecy::ExposeSecret as _;

use crate::support::{Database, on_both, sealer};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn later(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

fn lease(owner: &str, until: i64) -> Lease {
    Lease { owner: owner.to_owned(), until: later(until) }
}

on_both! {
    a_payment_reads_as_it_was_written
    a_reference_is_a_partners_own
    a_reference_is_taken_once_by_many_at_once
    an_event_finds_its_payment
    a_row_is_claimed_by_one_until_its_lease_ends
    many_claimants_share_the_work_without_sharing_a_row
    nobody_overwrites_what_he_has_not_seen
    a_claim_that_is_given_back_is_free_at_once
    the_next_row_is_due_when_its_lease_ends
    an_operation_reads_as_it_was_written
    of_operations_alike_one_is_stored
    an_operation_ends_once_and_with_its_payment
    a_request_is_taken_up_by_one_until_its_lease_ends
    an_answer_is_kept_for_its_time
    what_is_secret_stands_nowhere_in_plain
    many_open_it_at_once
    tables_that_are_not_as_they_should_be_show_at_the_start
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

fn entry() -> HistoryEntry {
    HistoryEntry {
        at: later(1),
        operation_id: None,
        status: "approved".to_owned(),
        cause: Cause::KlarnaAnswered,
        klarna_id: Some("krn:t".to_owned()),
        klarna_event_id: Some("e".to_owned()),
        klarna_correlation_id: Some("c".to_owned()),
    }
}

async fn a_payment_reads_as_it_was_written(database: &Database) {
    let store = database.open().await;
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
        reconcile_at: None,
        withdraw: false,
        forget_tokens: false,
        entry: entry(),
    };
    assert_eq!(store.settle(&claim, &change, later(1)).await.unwrap(), Settled::Done);
    let read = store.payment("p").await.unwrap().unwrap();
    assert_eq!(read, Payment { version: 2, updated_at: later(1), ..changed });
    let history = store.history("p").await.unwrap();
    assert_eq!((history.len(), history[0].cause, &history[1]), (2, Cause::PartnerAsked, &entry()));
}

async fn a_reference_is_a_partners_own(database: &Database) {
    let store = database.open().await;
    created(store.as_ref(), "p").await;
    let again = store.create_payment(&new_payment("q", "p")).await.unwrap();
    assert!(matches!(again, Created::ReferenceTaken { payment, .. } if payment.id == "p"));
    assert_eq!(store.payment("q").await.unwrap(), None);
    let mut others = new_payment("q", "p");
    "beta".clone_into(&mut others.payment.partner);
    assert!(matches!(store.create_payment(&others).await.unwrap(), Created::Stored(_)));
}

/// Before Klarna's id is known our reference finds the payment; afterwards only the id does, and
/// always only within the account.
async fn an_event_finds_its_payment(database: &Database) {
    let store = database.open().await;
    let (payment, claim) = created(store.as_ref(), "p").await;
    let find = async |account: &str, request: &str, reference: Option<&str>| {
        let (account, request) = (PartnerAccountId::from(account), PaymentRequestId::from(request));
        store.payment_of_request(&account, &request, reference).await.unwrap().map(|payment| payment.id)
    };
    assert_eq!(find("krn:alpha", "krn:r", Some("p")).await.as_deref(), Some("p"));
    assert_eq!(find("krn:beta", "krn:r", Some("p")).await, None);
    assert_eq!(find("krn:alpha", "krn:r", None).await, None);

    let payment = Payment { request_id: Some("krn:r".into()), ..payment };
    let change = Change {
        payment,
        finalize_with: None,
        notification: None,
        reconcile_at: None,
        withdraw: false,
        forget_tokens: false,
        entry: entry(),
    };
    store.settle(&claim, &change, NOW).await.unwrap();
    assert_eq!(find("krn:alpha", "krn:r", None).await.as_deref(), Some("p"));
    assert_eq!(find("krn:alpha", "krn:another", Some("p")).await, None);
}

async fn a_row_is_claimed_by_one_until_its_lease_ends(database: &Database) {
    let store = database.open().await;
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
        reconcile_at: None,
        withdraw: false,
        forget_tokens: false,
        entry: entry(),
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

async fn many_claimants_share_the_work_without_sharing_a_row(database: &Database) {
    let store = database.open().await;
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
async fn nobody_overwrites_what_he_has_not_seen(database: &Database) {
    let store = database.open().await;
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
        reconcile_at: None,
        withdraw: false,
        forget_tokens: false,
        entry: entry(),
    };
    let finalizing = change(State::Finalizing, Some("token"), None);
    assert_eq!(store.settle(&event, &finalizing, NOW).await.unwrap(), Settled::Done);

    let failed = change(State::Failed, None, Some("m"));
    assert_eq!(store.settle(&authorize, &failed, NOW).await.unwrap(), Settled::Overtaken);
    assert_eq!(store.payment("p").await.unwrap().unwrap().state, State::Finalizing);
    assert!(store.notification("m").await.unwrap().is_none());
    assert_eq!(store.history("p").await.unwrap().len(), 2, "what did not happen is not told");
    let call = store.klarna_call("p", Step::Final).await.unwrap().unwrap();
    assert_eq!(call.session_token.unwrap().expose_secret(), "token");
    let open = store.claim(&lease("c", 99), later(50), 10, &Task::ALL).await.unwrap();
    let tasks: Vec<_> = open.iter().map(|claim| claim.task).collect();
    assert_eq!(tasks, [Task::Authorize, Task::Finalize], "the refused settle left its claim open");
}

async fn a_reference_is_taken_once_by_many_at_once(database: &Database) {
    let store = database.open().await;
    let creators = (0..16).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(
            async move { store.create_payment(&new_payment(&format!("p-{number}"), "r")).await.unwrap() },
        )
    });
    let created = futures::future::join_all(creators).await;
    let stored =
        created.iter().filter(|created| matches!(created.as_ref().unwrap(), Created::Stored(_))).count();
    assert_eq!(stored, 1);
}

/// A replica that stops: nobody has to wait for its leases.
async fn a_claim_that_is_given_back_is_free_at_once(database: &Database) {
    let store = database.open().await;
    created(store.as_ref(), "p").await;
    assert_eq!(store.release("another").await.unwrap(), 0);
    assert!(store.claim(&lease("b", 10), NOW, 10, &Task::ALL).await.unwrap().is_empty());
    assert_eq!(store.release("creator").await.unwrap(), 1);
    assert_eq!(store.claim(&lease("b", 10), NOW, 10, &Task::ALL).await.unwrap().len(), 1);
}

fn new_operation(id: &str, kind: Kind, reference: &str) -> NewOperation {
    NewOperation {
        operation: Operation {
            id: id.to_owned(),
            payment_id: "p".to_owned(),
            kind,
            reference: reference.to_owned(),
            amount: matches!(kind, Kind::Capture | Kind::Refund).then_some(MinorUnits(5)),
            outcome: Outcome::Pending,
            created_at: NOW,
            updated_at: NOW,
        },
        call: OperationCall {
            target: match kind {
                Kind::Cancel => Target::Request("krn:r".into()),
                Kind::Capture | Kind::Refund | Kind::Void => Target::Transaction("krn:t".into()),
            },
            payment_id: "p".to_owned(),
            idempotency_key: format!("key of {id}"),
            body: matches!(kind, Kind::Capture).then(|| "the-body-of-the-operation".into()),
        },
        lease: lease("creator", 10),
    }
}

async fn an_operation_reads_as_it_was_written(database: &Database) {
    let store = database.open().await;
    created(store.as_ref(), "p").await;
    for (kind, outcome) in [
        (Kind::Cancel, Outcome::Succeeded { klarna_id: None }),
        (Kind::Capture, Outcome::Succeeded { klarna_id: Some("krn:capture".to_owned()) }),
        (
            Kind::Refund,
            Outcome::Failed(Failure { reason: FailureReason::Unanswered, klarna_error_code: None }),
        ),
        (
            Kind::Void,
            Outcome::Failed(Failure {
                reason: FailureReason::Refused,
                klarna_error_code: Some("NO".to_owned()),
            }),
        ),
    ] {
        let new = new_operation(kind.as_str(), kind, "r");
        let OperationCreated::Stored(claim) = store.create_operation(&new).await.unwrap() else {
            panic!("{kind:?} is not new")
        };
        assert_eq!((claim.task, claim.subject.as_str()), (Task::Operate, kind.as_str()));
        assert_eq!(store.operation(kind.as_str()).await.unwrap().as_ref(), Some(&new.operation));
        let call = store.operation_call(kind.as_str()).await.unwrap().unwrap();
        assert_eq!((&call.target, &call.idempotency_key), (&new.call.target, &new.call.idempotency_key));
        let text = |call: &OperationCall| call.body.as_ref().map(|body| body.expose_secret().to_owned());
        assert_eq!(text(&call), text(&new.call));
        let operation = Operation { outcome, updated_at: later(1), ..new.operation };
        let change =
            OperationChange { operation, payment: None, notifications: Vec::new(), entries: Vec::new() };
        assert_eq!(store.settle_operation(&claim, &change, later(1)).await.unwrap(), Settled::Done);
        assert_eq!(store.operation(kind.as_str()).await.unwrap(), Some(change.operation));
    }
    let names: Vec<_> =
        store.operations("p").await.unwrap().into_iter().map(|operation| operation.id).collect();
    assert_eq!(names, ["cancel", "capture", "refund", "void"]);
    assert!(!database.everything().await.contains("the-body-of-the-operation"));
}

/// By id, by reference, and of cancels and voids whatever is under way.
async fn of_operations_alike_one_is_stored(database: &Database) {
    let store = database.open().await;
    created(store.as_ref(), "p").await;
    let askers = (0..12).map(|number| {
        let store = Arc::clone(&store);
        let new = new_operation(&format!("o-{number}"), Kind::Capture, "r");
        tokio::spawn(async move { store.create_operation(&new).await.unwrap() })
    });
    let asked: Vec<_> = futures::future::join_all(askers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(asked.iter().filter(|asked| matches!(asked, OperationCreated::Stored(_))).count(), 1);

    let stored = async |id: &str, kind, reference: &str| match store
        .create_operation(&new_operation(id, kind, reference))
        .await
        .unwrap()
    {
        OperationCreated::Stored(claim) => Ok(claim),
        OperationCreated::Exists(operation) => Err(operation.id),
    };
    assert!(stored("a", Kind::Refund, "r").await.is_ok(), "a refund may be called as a capture is");
    assert_eq!(stored("a", Kind::Refund, "another").await.unwrap_err(), "a");
    let void = stored("v", Kind::Void, "v").await.unwrap();
    assert_eq!(stored("w", Kind::Void, "w").await.unwrap_err(), "v");
    let operation = store.operation("v").await.unwrap().unwrap();
    let outcome = Outcome::Failed(Failure { reason: FailureReason::Refused, klarna_error_code: None });
    let operation = Operation { outcome, ..operation };
    let change = OperationChange { operation, payment: None, notifications: Vec::new(), entries: Vec::new() };
    store.settle_operation(&void, &change, NOW).await.unwrap();
    assert!(stored("w", Kind::Void, "w").await.is_ok(), "a void that failed may be tried again");
    // One that was asked with the first, and is written down when the first has ended.
    assert_eq!(stored("x", Kind::Void, "v").await.unwrap_err(), "v");
}

async fn an_operation_ends_once_and_with_its_payment(database: &Database) {
    let store = database.open().await;
    let (payment, _) = created(store.as_ref(), "p").await;
    let new = new_operation("c", Kind::Cancel, "c");
    let OperationCreated::Stored(claim) = store.create_operation(&new).await.unwrap() else {
        panic!("taken")
    };
    let told = Notification {
        id: "m".to_owned(),
        payment_id: "p".to_owned(),
        partner: "alpha".to_owned(),
        body: "{}".to_owned(),
    };
    let change = |version| OperationChange {
        operation: Operation { outcome: Outcome::Succeeded { klarna_id: None }, ..new.operation.clone() },
        payment: Some(Payment { version, state: State::Canceled, ..payment.clone() }),
        notifications: vec![told.clone()],
        entries: Vec::new(),
    };
    // Somebody changed the payment meanwhile: nothing of it happens.
    assert_eq!(store.settle_operation(&claim, &change(7), NOW).await.unwrap(), Settled::Overtaken);
    assert_eq!(store.operation("c").await.unwrap().unwrap().outcome, Outcome::Pending);
    assert!(store.notification("m").await.unwrap().is_none());
    assert_eq!(store.settle_operation(&claim, &change(1), NOW).await.unwrap(), Settled::Done);
    assert_eq!(store.payment("p").await.unwrap().unwrap().state, State::Canceled);
    assert!(store.notification("m").await.unwrap().is_some());
    assert_eq!(store.settle_operation(&claim, &change(2), NOW).await.unwrap(), Settled::LeaseLost);
}

fn keyed(fingerprint: &str, makes: &str) -> KeyedRequest {
    KeyedRequest {
        partner: "alpha".to_owned(),
        key: "k".to_owned(),
        fingerprint: fingerprint.to_owned(),
        makes: makes.to_owned(),
    }
}

async fn a_request_is_taken_up_by_one_until_its_lease_ends(database: &Database) {
    let store = database.open().await;
    let begin = async |makes: &str, owner: &str, at: i64| match store
        .begin_request(&keyed("f", makes), &lease(owner, at + 10), later(at), NOW)
        .await
        .unwrap()
    {
        Begun::Ours { makes } => Some(makes),
        Begun::UnderWay => None,
        other => panic!("{other:?}"),
    };
    let at_once = futures::future::join_all((0..8).map(|_| begin("one", "a", 0))).await;
    assert_eq!(at_once.into_iter().flatten().collect::<Vec<_>>(), ["one"]);
    assert_eq!(begin("two", "b", 9).await, None);
    // Whoever takes it up goes on under the first one's name.
    assert_eq!(begin("two", "b", 10).await.as_deref(), Some("one"));
    // The first owner woke up too late.
    let answer = KeptAnswer { status: 201, location: None, body: "{}".into() };
    store.keep_answer(&keyed("f", "one"), "a", &answer).await.unwrap();
    store.forget_request(&keyed("f", "one"), "a").await.unwrap();
    assert_eq!(begin("three", "c", 11).await, None);
    store.release_request(&keyed("f", "one"), "b").await.unwrap();
    assert_eq!(begin("three", "c", 12).await.as_deref(), Some("one"));
    store.release("c").await.unwrap();
    assert_eq!(begin("three", "c", 13).await.as_deref(), Some("one"));
    store.forget_request(&keyed("f", "one"), "c").await.unwrap();
    assert_eq!(begin("four", "d", 14).await.as_deref(), Some("four"));
}

async fn an_answer_is_kept_for_its_time(database: &Database) {
    let store = database.open().await;
    let begin = async |request: KeyedRequest, at: i64, forget_before: i64| {
        store.begin_request(&request, &lease("a", at + 10), later(at), later(forget_before)).await.unwrap()
    };
    assert!(matches!(begin(keyed("f", "one"), 0, -9).await, Begun::Ours { .. }));
    let answer = KeptAnswer {
        status: 202,
        location: Some("/there".to_owned()),
        body: "the-body-of-the-answer".into(),
    };
    store.keep_answer(&keyed("f", "one"), "a", &answer).await.unwrap();
    let Begun::Answered(kept) = begin(keyed("f", "two"), 5, 0).await else { panic!("it was answered") };
    assert_eq!((kept.status, kept.location.as_deref()), (202, Some("/there")));
    assert_eq!(kept.body.expose_secret(), "the-body-of-the-answer");
    assert!(!database.everything().await.contains("the-body-of-the-answer"));
    assert!(matches!(begin(keyed("another", "two"), 5, 0).await, Begun::KeyTaken));
    let betas = KeyedRequest { partner: "beta".to_owned(), ..keyed("another", "two") };
    assert!(matches!(begin(betas, 5, 0).await, Begun::Ours { .. }));
    let Begun::Ours { makes } = begin(keyed("another", "two"), 6, 1).await else { panic!("it is forgotten") };
    assert_eq!(makes, "two");
}

async fn the_next_row_is_due_when_its_lease_ends(database: &Database) {
    let store = database.open().await;
    assert_eq!(store.next_due(&Task::ALL).await.unwrap(), None);
    let (_, claim) = created(store.as_ref(), "p").await;
    assert_eq!(store.next_due(&Task::ALL).await.unwrap(), Some(later(10)));
    assert_eq!(store.next_due(&[Task::Notify]).await.unwrap(), None);
    store.postpone(&claim, later(5)).await.unwrap();
    assert_eq!(store.next_due(&Task::ALL).await.unwrap(), Some(later(5)));
}

/// Whoever reads the database without its key learns no token, no key and nothing of a customer.
async fn what_is_secret_stands_nowhere_in_plain(database: &Database) {
    let store = database.open().await;
    let mut new = new_payment("p", "r");
    new.initial.session_token = Some("the-partners-token".into());
    new.initial.body = r#"{"email":"alva@shop.test"}"#.into();
    let Created::Stored(claim) = store.create_payment(&new).await.unwrap() else { panic!("taken") };
    let change = Change {
        payment: Payment {
            state: State::Finalizing,
            response_data: Some("the-response-data\u{0}".to_owned()),
            ..new.payment
        },
        finalize_with: Some("the-events-token".into()),
        notification: None,
        reconcile_at: None,
        withdraw: false,
        forget_tokens: false,
        entry: entry(),
    };
    store.settle(&claim, &change, NOW).await.unwrap();
    let event = ReceivedEvent { event_id: "e".to_owned(), body: "the-body-of-the-event".into() };
    store.receive_event(&event, NOW).await.unwrap();
    let key = StoredSigningKey { id: "k".into(), key: "the-signing-key".into() };
    store.keep_signing_key(&key, NOW).await.unwrap();

    let everything = database.everything().await;
    for secret in [
        "the-partners-token",
        "alva@shop.test",
        "the-response-data",
        "the-events-token",
        "the-body-of-the-event",
        "the-signing-key",
    ] {
        assert!(!everything.contains(secret), "{secret} stands there");
    }
    // And all of it can be read by who has the key.
    let initial = store.klarna_call("p", Step::Initial).await.unwrap().unwrap();
    assert_eq!(initial.session_token.unwrap().expose_secret(), "the-partners-token");
    assert_eq!(initial.body.expose_secret(), r#"{"email":"alva@shop.test"}"#);
    let payment = store.payment("p").await.unwrap().unwrap();
    assert_eq!(payment.response_data.as_deref(), Some("the-response-data\u{0}"));
    assert_eq!(store.event("e").await.unwrap().unwrap().expose_secret(), "the-body-of-the-event");
    assert_eq!(store.signing_key(&"k".into()).await.unwrap().unwrap().expose_secret(), "the-signing-key");

    let other = Sealer::new(&Sealer::new_key()).unwrap();
    store.close().await;
    let stranger = store::open(&database.url(), other).await.unwrap();
    let error = stranger.signing_key(&"k".into()).await.unwrap_err().to_string();
    assert!(error.contains("signing_keys.signing_key cannot be opened with the database_key"), "{error}");
    stranger.close().await;
}

/// Replicas that start together; on SQLite all but the first are turned away.
async fn many_open_it_at_once(database: &Database) {
    let url = database.url();
    let opened = futures::future::join_all((0..6).map(|_| store::open(&url, sealer()))).await;
    let (open, refused): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    let expected = if matches!(database, Database::Sqlite(_)) { 1 } else { 6 };
    assert_eq!(open.len(), expected);
    for error in refused.into_iter().filter_map(Result::err) {
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    }
    for store in open.into_iter().flatten() {
        store.ping().await.unwrap();
        store.close().await;
    }
}

/// Every statement is prepared when the database is opened.
async fn tables_that_are_not_as_they_should_be_show_at_the_start(database: &Database) {
    database.open().await.close().await;
    database.execute("ALTER TABLE outbox RENAME COLUMN lease_until TO leased_until").await;
    let error = store::open(&database.url(), sealer()).await.unwrap_err().to_string();
    assert!(error.contains("lease_until"), "{error}");
}

/// Of one process alone, whatever is claimed at its start was claimed by a run that ended.
#[tokio::test]
async fn what_a_run_left_claimed_is_free_at_the_next_start() {
    let database = Database::sqlite();
    let store = database.open().await;
    created(store.as_ref(), "p").await;
    store.close().await;
    let store = database.open().await;
    assert_eq!(store.claim(&lease("b", 10), NOW, 10, &Task::ALL).await.unwrap().len(), 1);
}

/// Who shares a PostgreSQL has a schema of his own there, and leaves nothing.
#[tokio::test]
async fn a_schema_of_ones_own() {
    let Some(database) = Database::postgres().await else { return };
    let Database::Postgres { server, .. } = &database else { panic!("no PostgreSQL") };
    let name = reference_acquirer::chance::new_id("own");
    let url = store::make_schema(server.as_str(), &name).await.unwrap();
    let opened = store::open(&url, sealer()).await.unwrap();
    assert_eq!(opened.open_work().await.unwrap(), []);
    opened.close().await;
    store::drop_schema(server.as_str(), &name).await.unwrap();
    store::open(&url, sealer()).await.unwrap_err();
    database.drop().await;
}
