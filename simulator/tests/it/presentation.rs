//! Payment Presentation: what a payment form is told to show.

use klarna_schemas::klarna::presentation::PresentationInstruction;
use klarna_schemas::simulator::control::{CustomerAct, Intent, PresentationWish, PutSandbox};
use klarna_schemas::simulator::finding::Severity;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, KEY, Klarna, TOKEN, initial, last};

async fn present(klarna: &Klarna, query: &str) -> Answer {
    klarna.get(&format!("/v2/accounts/{ALPHA}/payment/presentation?{query}")).await
}

const ASKED: &str = "currency=SEK&locale=sv-SE&amount=45900&intents[]=PAY";

fn option_of(answer: &Answer) -> String {
    answer.body["payment_option"]["payment_option_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_answer_fits_its_schema_and_speaks_the_customers_language() {
    let klarna = Klarna::start().await;
    let mut ids = std::collections::HashSet::new();
    for (locale, header) in
        [("sv-SE", "Betala med Klarna"), ("de-AT", "Mit Klarna bezahlen"), ("fi-FI", "Pay with Klarna")]
    {
        let query = format!("currency=EUR&locale={locale}&amount=100&intents%5B%5D=PAY&unheard_of=1");
        let answer = present(&klarna, &query).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(klarna_schemas::catalogue::check("klarna/presentation", &answer.body).unwrap(), []);
        assert_eq!(answer.body["instruction"], "SHOW_KLARNA");
        assert_eq!(answer.body["payment_option"]["header"]["text"], header);
        assert!(ids.insert(option_of(&answer)));
    }
    let page = klarna.journal("presentation.read").await;
    assert_eq!(page.entries.len(), 3);
    assert!(page.entries[0].request.target.contains("locale=sv-SE"), "{:?}", page.entries[0]);
}

#[tokio::test]
async fn the_pictures_are_there() {
    let klarna = Klarna::start().await;
    let option = &present(&klarna, ASKED).await.body["payment_option"];
    let icon = &option["icon"];
    for url in [
        &icon["badge_image_url"],
        &icon["rectangle_image_url"],
        &icon["square_image_url"],
        &option["payment_button"]["image_url"],
    ] {
        let response = klarna.http.get(url.as_str().unwrap()).send().await.unwrap();
        assert_eq!(response.status(), 200, "{url}");
        assert_eq!(response.headers()["content-type"], "image/svg+xml");
        assert!(response.headers()["cache-control"].to_str().unwrap().contains("max-age"));
        assert!(response.text().await.unwrap().contains(">Klarna</text>"));
    }
    let terms = option["terms"]["parts"][0]["url"].as_str().unwrap();
    let response = klarna.http.get(terms).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"text/plain; charset=utf-8".parse().unwrap())
    );
    let missing = klarna.http.get(klarna.url("/static/icons/other.svg")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn only_an_answer_without_a_token_may_be_kept() {
    let klarna = Klarna::start().await;
    let shared = present(&klarna, ASKED).await;
    assert_eq!(shared.headers["cache-control"], "max-age=300");
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/presentation?{ASKED}"));
    let request =
        klarna.http.get(url).header("authorization", format!("Basic {KEY}")).header(TOKEN, "a-token");
    assert_eq!(klarna.send(request).await.headers["cache-control"], "private, no-store");
}

#[tokio::test]
async fn a_wrong_read_is_refused_in_klarnas_words() {
    let klarna = Klarna::start().await;
    let refused = present(&klarna, "currency=SEK&amount=1").await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "locale"));
    let refused = present(&klarna, "currency=SEK&locale=sv-SE").await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "amount"));
    let refused = present(&klarna, "currency=JPY&locale=ja-JP&amount=1").await;
    assert_eq!(refused.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/presentation?{ASKED}"));
    assert_eq!(klarna.send(klarna.http.get(url)).await.refusal(), (401, "UNAUTHORIZED", ""));
}

#[tokio::test]
async fn a_tester_says_what_is_instructed_until_the_sandbox_is_reset() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    control.put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    for instruction in PresentationInstruction::KNOWN {
        let wish = PresentationWish { instruction: (*instruction).into() };
        control.set_presentation(&ALPHA.into(), &wish).await.unwrap();
        let answer = present(&klarna, ASKED).await;
        assert_eq!(answer.body["instruction"], *instruction);
        assert_eq!(answer.body.get("payment_option").is_none(), *instruction == "HIDE_KLARNA");
    }
    control.put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    assert_eq!(present(&klarna, ASKED).await.body["instruction"], "SHOW_KLARNA");

    let odd = PresentationWish { instruction: "SHOW_SOMEHOW".into() };
    let refused = control.set_presentation(&ALPHA.into(), &odd).await.unwrap_err().to_string();
    assert!(refused.contains("400") && refused.contains("PRESELECT_KLARNA"), "{refused}");
}

fn with_option(reference: &str, option: &str) -> Value {
    let mut body = initial(reference);
    body["request_payment_transaction"]["payment_option_id"] = json!(option);
    body
}

async fn intend(klarna: &Klarna, option: Option<String>) {
    let intent = Intent {
        network_data: Some(initial("x")["klarna_network_data"].as_str().unwrap().to_owned()),
        session_token: None,
        amount: klarna_schemas::money::MinorUnits(45_900),
        currency: "SEK".parse().unwrap(),
        purchase_reference: None,
        line_items: None,
        customer: None,
        shipping: None,
        payment_option_id: option,
    };
    klarna.control().declare_intent(&ALPHA.into(), &intent).await.unwrap();
}

/// The rules about payment options that found something in a payment, and how many judged.
async fn judged(klarna: &Klarna, reference: &str) -> (Vec<String>, usize) {
    let read = klarna.control().findings(&ALPHA.into(), Some(reference)).await.unwrap();
    let is_ours = |rule: &str| rule.starts_with("payment-option.");
    let judged = read.judged.keys().filter(|rule| is_ours(rule)).count();
    let found = read.findings.iter().filter(|finding| is_ours(&finding.rule));
    let severity =
        |rule: &str| if rule == "payment-option.known" { Severity::Warns } else { Severity::Fails };
    assert!(found.clone().all(|finding| finding.severity == severity(&finding.rule)));
    (found.map(|finding| finding.rule.clone()).collect(), judged)
}

#[tokio::test]
async fn the_option_that_the_customer_chose_reaches_klarna() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let first = option_of(&present(&klarna, ASKED).await);
    let second = option_of(&present(&klarna, ASKED).await);

    let authorize = async |reference: &str, intended: Option<&String>, sent: Option<&str>| {
        intend(&klarna, intended.cloned()).await;
        let body = sent.map_or_else(|| initial(reference), |sent| with_option(reference, sent));
        klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", reference)], &body).await.result();
        let payment = klarna.journal("authorize").await.entries.last().unwrap().payment.clone().unwrap();
        judged(&klarna, &payment).await
    };
    let rules = |rules: &[&str]| rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>();

    assert_eq!(authorize("sound", Some(&first), Some(&first)).await, (vec![], 2));
    assert_eq!(authorize("none", None, None).await, (vec![], 0));
    assert_eq!(authorize("dropped", Some(&first), None).await, (rules(&["payment-option.as-intended"]), 1));
    assert_eq!(
        authorize("another", Some(&first), Some(&second)).await,
        (rules(&["payment-option.as-intended"]), 2)
    );
    assert_eq!(authorize("made-up", None, Some("made-up")).await, (rules(&["payment-option.known"]), 1));
}

#[tokio::test]
async fn the_final_call_may_leave_the_option_out_but_not_change_it() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let first = option_of(&present(&klarna, ASKED).await);
    let second = option_of(&present(&klarna, ASKED).await);

    for (reference, sent, found) in [
        ("same", Some(&first), vec![]),
        ("less", None, vec![]),
        ("changed", Some(&second), vec!["payment-option.as-intended"]),
    ] {
        intend(&klarna, Some(first.clone())).await;
        let headers = [("Klarna-Idempotency-Key", reference)];
        let asked = klarna.authorize(ALPHA, &headers, &with_option(reference, &first)).await;
        klarna.act(&asked, CustomerAct::Approve).await;
        let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", asked.request_id())).await;
        let token = read.body["state_context"]["klarna_network_session_token"].as_str().unwrap().to_owned();
        let mut body = last(reference);
        if let Some(sent) = sent {
            body["request_payment_transaction"]["payment_option_id"] = json!(sent);
        }
        let key = format!("{reference}-final");
        klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", &key), (TOKEN, &token)], &body).await.result();
        let payment = klarna.journal("authorize").await.entries.last().unwrap().payment.clone().unwrap();
        assert_eq!(judged(&klarna, &payment).await.0, found, "{reference}");
    }
}

#[tokio::test]
async fn the_texts_say_what_the_customer_is_about_to_do() {
    const SUBSCRIBE: &str = "intents[]=SUBSCRIBE&subscription_billing_interval";
    let klarna = Klarna::start().await;
    let asked = [
        ("en-GB", "amount=4900&intents[]=PAY".to_owned(), "Pay with Klarna", "You pay 49.00 EUR"),
        (
            "en-GB",
            format!("amount=4900&{SUBSCRIBE}=MONTH&subscription_billing_interval_frequency=1"),
            "Pay with Klarna",
            "You pay 49.00 EUR every month",
        ),
        (
            "de-DE",
            format!("amount=4900&{SUBSCRIBE}=YEAR&subscription_billing_interval_frequency=2"),
            "Mit Klarna bezahlen",
            "Sie zahlen 49.00 EUR pro 2 Jahre",
        ),
        // An interval that is not known is no reason to refuse anything.
        ("en-GB", format!("amount=4900&{SUBSCRIBE}=MOON"), "Pay with Klarna", "You pay 49.00 EUR"),
        (
            "sv-SE",
            "intents[]=ADD_TO_WALLET".to_owned(),
            "Lägg till Klarna",
            "För att betala med Klarna senare",
        ),
    ];
    for (locale, rest, header, message) in asked {
        let answer = present(&klarna, &format!("currency=EUR&locale={locale}&{rest}")).await;
        let option = &answer.body["payment_option"];
        assert_eq!(
            (&option["header"]["text"], &option["message"]["text"]),
            (&header.into(), &message.into())
        );
    }
    let subscribed =
        present(&klarna, &format!("currency=EUR&locale=en-GB&amount=1&{SUBSCRIBE}=DAY&intents[]=PAY")).await;
    assert_eq!(subscribed.body["payment_option"]["subheader"]["text"], "Subscribe with Klarna");
}

#[tokio::test]
async fn a_customer_token_that_is_too_long_is_refused() {
    let klarna = Klarna::start().await;
    let long = [("Klarna-Customer-Token", "c".repeat(1025))];
    let long = long.each_ref().map(|(name, value)| (*name, value.as_str()));
    let path = format!("/v2/accounts/{ALPHA}/payment/presentation?{ASKED}");
    for answer in [
        klarna.call(reqwest::Method::GET, &path, &long, None).await,
        klarna.authorize(ALPHA, &long, &initial("t-1")).await,
    ] {
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR", "Klarna-Customer-Token"));
    }
}
