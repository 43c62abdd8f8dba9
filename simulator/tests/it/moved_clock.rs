//! Moves of a sandbox's clock: told whole, one after another, and refused before anything is done.

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{PutSandbox, QueuedOutcome, SetClock};
use serde_json::json;

use crate::klarna::{ALPHA, BETA, Klarna, initial};
use crate::sink::Sink;

fn hours(hours: i64) -> SetClock {
    SetClock::Advance(SignedDuration::from_hours(hours))
}

/// A customer who opens the Purchase Journey and approves.
fn planned() -> QueuedOutcome {
    let plan = json!([{"act": "open", "after": "10s"}, {"act": "approve", "after": "30s"}]);
    serde_json::from_value(json!({"on": "initial", "result": "STEP_UP_REQUIRED", "customer": plan})).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_falls_due_on_the_way_is_told_by_the_move() {
    let klarna = Klarna::start().await;
    let sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.*"]).await;
    let (control, account) = (klarna.control(), ALPHA.into());
    for round in 1..=60 {
        let frozen = PutSandbox { clock: Some(SetClock::Freeze(true)), ..PutSandbox::default() };
        control.put_sandbox(&account, &frozen).await.unwrap();
        control.queue_outcomes(&account, &[planned()]).await.unwrap();
        klarna.authorize(ALPHA, &[], &initial("t-1")).await;
        let told = control.set_clock(&account, &hours(25)).await.unwrap().happened;
        let payment = format!("(e{round}p1)");
        let expected = [
            format!("journey.open {payment}"),
            format!("payment.request.state-change.in-progress {payment}"),
            format!("payment.request.state-change.in-progress {payment}: attempt 1 was answered 200"),
            format!("journey.approve {payment}"),
            format!("payment.request.state-change.completed {payment}"),
            format!("payment.request.state-change.completed {payment}: attempt 1 was answered 200"),
            format!("the session token of e{round}p1 died"),
            format!("payment.request.state-change.expired {payment}"),
            format!("payment.request.state-change.expired {payment}: attempt 1 was answered 200"),
        ];
        assert_eq!(told, expected, "round {round}");
    }
}

#[tokio::test]
async fn moves_at_the_same_time_go_one_after_another() {
    let klarna = Klarna::frozen().await;
    let (control, account) = (klarna.control(), ALPHA.into());
    let sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.*"]).await;
    let start = control.set_clock(&account, &hours(0)).await.unwrap().now;
    // The first one waits for this event.
    sink.hold(true);
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let four = hours(4);
    let moves = futures::future::join_all((0..3).map(|_| control.set_clock(&account, &four)));
    let let_go = async {
        klarna.awaited("authorize", 1).await;
        sink.hold(false);
    };
    let (views, ()) = tokio::join!(moves, let_go);
    let mut led_to: Vec<_> =
        views.into_iter().map(|view| view.unwrap().now.duration_since(start).as_hours()).collect();
    led_to.sort_unstable();
    assert_eq!(led_to, [4, 8, 12]);
}

#[tokio::test]
async fn a_move_tells_of_each_retry_and_of_the_last_one() {
    let klarna = Klarna::frozen().await;
    let (control, account) = (klarna.control(), ALPHA.into());
    let sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.request.state-change.submitted"]).await;
    sink.answer(&[503; 6]);
    sink.answer(&[410]);
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    klarna.awaited("event:*", 1).await;
    let mut told = control.set_clock(&account, &hours(23)).await.unwrap().happened;
    told.retain(|line| line.contains("attempt"));
    let line = |number: u32, end: &str| {
        format!("payment.request.state-change.submitted (e1p1): attempt {number} was answered {end}")
    };
    let mut expected: Vec<_> = (2..7).map(|number| line(number, "503")).collect();
    expected.push(line(7, "410, and it was the last"));
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_refused_put_has_done_nothing() {
    let klarna = Klarna::frozen().await;
    let control = klarna.control();
    let before = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let back = json!({"clock": {"set": "2001-01-01T00:00:00Z"}});
    let endless = json!({"clock": {"advance": "PT87600000H"}});
    for (account, body) in [(ALPHA, &back), (BETA, &back), (ALPHA, &endless), (BETA, &endless)] {
        let put = klarna.http.put(klarna.url(&format!("/_simulator/v1/sandboxes/{account}")));
        let refused =
            klarna.send(put.header("content-type", "application/json").body(body.to_string())).await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }
    assert_eq!(control.set_clock(&ALPHA.into(), &hours(0)).await.unwrap().happened, Vec::<String>::new());
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", before.request_id())).await;
    assert_eq!(read.status, 200, "it was not reset");
    let other = klarna.http.get(klarna.url(&format!("/_simulator/v1/sandboxes/{BETA}")));
    assert_eq!(klarna.send(other).await.status, 404, "it was not made");
}
