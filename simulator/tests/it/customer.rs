//! The Customer: by the page, by JSON, by the control API, and by a script.

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{
    ActAsCustomer, CallKind, CustomerAct, CustomerScript, CustomerStep, QueuedOutcome, SetClock,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, Klarna, initial, last};

async fn state(klarna: &Klarna, answer: &Answer) -> Value {
    klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id())).await.body
}

async fn advance(klarna: &Klarna, seconds: i64) -> Vec<String> {
    let by = SetClock::Advance(SignedDuration::from_secs(seconds));
    klarna.control().set_clock(&ALPHA.into(), &by).await.unwrap().happened
}

#[tokio::test]
async fn a_wrong_code_decides_nothing_on_the_page_and_in_json() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let url = answer.journey();
    let form = [("act", "approve"), ("code", "999999")];
    let response = klarna.http.post(&url).form(&form).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (303, &"start".parse().unwrap())
    );
    let page =
        klarna.http.get(&url).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("That code was wrong"), "{page}");
    let post = |body: Value| klarna.send(klarna.http.post(&url).json(&body));
    let wrong = post(json!({"act": "approve", "code": "999999"})).await;
    assert_eq!(wrong.body, json!({"state": "IN_PROGRESS", "redirect_to": null}));
    assert_eq!(
        post(json!({"act": "approve", "code": "12345"})).await.refusal(),
        (400, "VALIDATION_ERROR", "code")
    );
    assert_eq!(
        post(json!({"act": "refuse", "code": "123456"})).await.refusal(),
        (400, "VALIDATION_ERROR", "code")
    );
    assert_eq!(post(json!({"act": "approve", "code": "123456"})).await.body["state"], "COMPLETED");
    let acts: Vec<_> =
        klarna.journal("journey.*").await.entries.into_iter().map(|entry| entry.operation).collect();
    assert_eq!(acts, ["journey.wrong_code", "journey.open", "journey.wrong_code", "journey.approve"]);
}

#[tokio::test]
async fn who_has_left_can_come_back_and_nobody_else() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let post = |act: &str| klarna.send(klarna.http.post(answer.journey()).json(&json!({ "act": act })));
    assert_eq!(post("come_back").await.refusal(), (409, "RESOURCE_CONFLICT", ""));
    assert_eq!(post("change_nothing").await.body["state"], "IN_PROGRESS");
    assert_eq!(post("come_back").await.refusal(), (409, "RESOURCE_CONFLICT", ""));
    assert_eq!(post("leave").await.body["state"], "SUBMITTED");
    assert_eq!(post("come_back").await.body["state"], "IN_PROGRESS");
    assert_eq!(post("change_nothing").await.body["state"], "IN_PROGRESS");
    assert_eq!(post("approve").await.body["state"], "COMPLETED");
}

/// Who was shown the way has been there: leaving at once is leaving.
#[tokio::test]
async fn a_script_may_begin_with_leaving() {
    let klarna = Klarna::frozen().await;
    let script: CustomerScript = serde_json::from_value(
        json!([{"act": "leave"}, {"act": "come_back", "after": "5m"}, {"act": "approve"}]),
    )
    .unwrap();
    let queued =
        QueuedOutcome { customer: script, ..QueuedOutcome::once(CallKind::Any, "STEP_UP_REQUIRED".into()) };
    klarna.control().queue_outcomes(&ALPHA.into(), &[queued]).await.unwrap();
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let left = state(&klarna, &answer).await;
    assert_eq!(
        (&left["state"], &left["state_reason"]),
        (&json!("SUBMITTED"), &json!("PURCHASE_FLOW_ABORTED"))
    );
    let happened = advance(&klarna, 300).await;
    assert!(!happened.iter().any(|line| line.contains("came to nothing")), "{happened:?}");
    assert_eq!(state(&klarna, &answer).await["state"], "COMPLETED");
}

#[tokio::test]
async fn another_option_is_in_the_request_and_the_state_stays() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let before = state(&klarna, &answer).await["payment_option_id"].clone();
    klarna.act(&answer, CustomerAct::ChooseOption).await;
    let after = state(&klarna, &answer).await;
    assert_ne!(after["payment_option_id"], before);
    assert_eq!(after["state"], "IN_PROGRESS");
    let named = ActAsCustomer {
        payment_option_id: Some("mine".to_owned()),
        ..ActAsCustomer::new(answer.request_id().into(), CustomerAct::ChooseOption)
    };
    klarna.control().act(&ALPHA.into(), &named).await.unwrap();
    assert_eq!(state(&klarna, &answer).await["payment_option_id"], "mine");
    let misplaced = ActAsCustomer { act: CustomerAct::Approve, ..named };
    let refused = klarna.control().act(&ALPHA.into(), &misplaced).await.unwrap_err().to_string();
    assert!(refused.contains("choose_option"), "{refused}");
}

#[tokio::test]
async fn an_act_can_wait_for_the_sandboxs_clock() {
    let klarna = Klarna::frozen().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let later = ActAsCustomer {
        after: Some(SignedDuration::from_secs(30)),
        ..ActAsCustomer::new(answer.request_id().into(), CustomerAct::Approve)
    };
    let told = klarna.control().act(&ALPHA.into(), &later).await.unwrap();
    assert_eq!(told.state.as_str(), "SUBMITTED");
    advance(&klarna, 29).await;
    assert_eq!(state(&klarna, &answer).await["state"], "SUBMITTED");
    let happened = advance(&klarna, 1).await;
    assert_eq!(happened[0], "journey.approve (e1p1)", "{happened:?}");
    assert_eq!(state(&klarna, &answer).await["state"], "COMPLETED");
    let past = ActAsCustomer { after: Some(SignedDuration::from_secs(-1)), ..later };
    assert!(klarna.control().act(&ALPHA.into(), &past).await.unwrap_err().to_string().contains("past"));
}

#[tokio::test]
async fn a_script_is_followed_step_by_step_and_its_end_is_paid() {
    let klarna = Klarna::frozen().await;
    let script = [
        CustomerStep::at_once(CustomerAct::Open),
        CustomerStep::after(CustomerAct::WrongCode, SignedDuration::from_secs(10)),
        CustomerStep::after(CustomerAct::Leave, SignedDuration::from_secs(10)),
        CustomerStep::after(CustomerAct::ComeBack, SignedDuration::from_mins(5)),
        CustomerStep::at_once(CustomerAct::Approve),
    ];
    let outcome = QueuedOutcome {
        customer: CustomerScript(script.to_vec()),
        ..QueuedOutcome::once(CallKind::Any, "STEP_UP_REQUIRED".into())
    };
    klarna.control().queue_outcomes(&ALPHA.into(), &[outcome]).await.unwrap();
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(answer.body["payment_request"]["state"], "SUBMITTED", "the answer is of before the first act");
    assert_eq!(state(&klarna, &answer).await["state"], "IN_PROGRESS");
    assert_eq!(advance(&klarna, 10).await, ["journey.wrong_code (e1p1)"]);
    let left = advance(&klarna, 10).await;
    assert_eq!(left, ["journey.leave (e1p1)", "payment.request.state-change.submitted (e1p1)"]);
    advance(&klarna, 300).await;
    let done = state(&klarna, &answer).await;
    assert_eq!(done["state"], "COMPLETED");
    let token = done["state_context"]["klarna_network_session_token"].as_str().unwrap();
    let last = klarna.authorize(ALPHA, &[("Klarna-Network-Session-Token", token)], &last("t-1")).await;
    assert_eq!(last.result(), "APPROVED");
    let entries = klarna.journal("journey.*").await.entries;
    assert!(entries.iter().all(|entry| entry.rule.as_deref() == Some("planned")));
    assert_eq!(entries.len(), 5);
}

#[tokio::test]
async fn who_comes_too_late_changes_nothing_and_the_clock_says_so() {
    let klarna = Klarna::frozen().await;
    let outcome = QueuedOutcome {
        customer: CustomerScript(vec![CustomerStep::after(
            CustomerAct::Approve,
            SignedDuration::from_hours(4),
        )]),
        ..QueuedOutcome::once(CallKind::Any, "STEP_UP_REQUIRED".into())
    };
    klarna.control().queue_outcomes(&ALPHA.into(), &[outcome]).await.unwrap();
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let happened = advance(&klarna, 5 * 3600).await;
    assert_eq!(happened[0], "payment.request.state-change.expired (e1p1)");
    assert!(happened[1].starts_with("journey.approve (e1p1) came to nothing"), "{happened:?}");
    assert_eq!(state(&klarna, &answer).await["state"], "EXPIRED");
}

#[tokio::test]
async fn one_step_need_not_stand_in_a_list_and_a_decided_call_has_no_customer() {
    let klarna = Klarna::start().await;
    let path = format!("/_simulator/v1/sandboxes/{ALPHA}");
    let put = async |path: &str, body: Value| klarna.call(Method::PUT, path, &[], Some(&body)).await;
    put(&path, json!({})).await;
    let rule = |then: Value| json!({"rules": [{"name": "a", "then": then}]});
    let rules = format!("{path}/rules");
    let answer = put(&rules, rule(json!({"customer": {"act": "refuse"}}))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let stepped_up = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(stepped_up.result(), "STEP_UP_REQUIRED");
    assert_eq!(state(&klarna, &stepped_up).await["state"], "DECLINED");
    let refused = put(&rules, rule(json!({"result": "DECLINED", "customer": {"act": "refuse"}}))).await;
    assert!(refused.body.to_string().contains("nothing for the customer to do"), "{}", refused.body);
}

/// By the journey's JSON, too, a customer takes time; and a slip of the pen is no act.
#[tokio::test]
async fn the_journeys_json_takes_a_while_and_nothing_unknown() {
    let klarna = Klarna::frozen().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let act = async |body: Value| {
        let request = klarna.http.post(answer.journey()).header("content-type", "application/json");
        klarna.send(request.body(body.to_string())).await
    };
    for wrong in [
        json!({"act": "approve", "cod": "999999"}),
        json!({"act": "approve", "after": "soon"}),
        json!({"act": "approve", "after": "-1s"}),
    ] {
        assert_eq!(act(wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(act(json!({"act": "approve", "after": "10s"})).await.body["state"], "SUBMITTED");
    let clock = serde_json::from_value(json!({"advance": "10s"})).unwrap();
    let moved = klarna.control().set_clock(&ALPHA.into(), &clock).await.unwrap();
    assert!(moved.happened.iter().any(|what| what.contains("journey.approve")), "{moved:?}");
}
