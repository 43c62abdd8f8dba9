//! Notifications that no Partner took: kept, printed, sent again.

use std::time::Duration;

use reference_acquirer::config::Settings;
use serde_json::Value;

use crate::command_line::ended;
use crate::support::{ALPHA, Acquirer, DEADLINE, Database, Reply, Setup, client, on_both, order, verify};

on_both! {
    what_is_given_up_is_kept_and_sent_again
}

/// Every attempt but the first would come too late.
fn impatient(settings: &mut Settings) {
    settings.notifications.span = Duration::ZERO;
}

async fn listed(arguments: &[&str]) -> Vec<Value> {
    let (code, stdout, stderr) = ended(arguments).await;
    assert_eq!(code, Some(0), "{stderr}");
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// As soon as there are so many; what gives up is not awaited by anybody else.
async fn await_listed(file: &str, count: usize) -> Vec<Value> {
    let waited = async {
        loop {
            let letters = listed(&["dead-letters", "list", "--config", file]).await;
            if letters.len() == count {
                return letters;
            }
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap()
}

async fn two_payments_of_which_nobody_hears(setup: &Setup, acquirer: &Acquirer) {
    setup.klarna.will([Reply::approved(), Reply::declined()]);
    setup.partner.will_answer([500, 503]);
    acquirer.create(ALPHA, &order("tx-1")).await;
    setup.partner.await_notifications(1).await;
    acquirer.create(ALPHA, &order("tx-2")).await;
    setup.partner.await_notifications(2).await;
}

async fn what_is_given_up_is_kept_and_sent_again(database: &Database) {
    let setup = Setup::new().await;
    let file = setup.config_file_on(&database.url());
    let file = file.to_str().unwrap();
    let acquirer = setup
        .start_with(|settings| {
            settings.database = database.url().into();
            impatient(settings);
        })
        .await;
    two_payments_of_which_nobody_hears(&setup, &acquirer).await;

    // The server runs on; the command works beside it.
    let letters = await_listed(file, 2).await;
    let told = setup.partner.await_notifications(2).await;
    for (letter, (told, status)) in letters.iter().zip(told.iter().zip(["500", "503"])) {
        assert_eq!(letter["webhook_id"], told.header("webhook-id").unwrap());
        assert_eq!(letter["payment_id"], told.json()["data"]["payment_id"]);
        assert_eq!((&letter["partner"], &letter["attempts"]), (&"alpha".into(), &1.into()));
        assert!(letter["reason"].as_str().unwrap().contains(status), "{letter}");
        assert!(letter["given_up_at"].is_string(), "{letter}");
    }
    assert_eq!(listed(&["dead-letters", "list", "--config", file, "--limit", "1"]).await, letters[..1]);
    let betas = ["dead-letters", "list", "--config", file, "--partner", "beta"];
    assert_eq!(listed(&betas).await, Vec::<Value>::new());

    // One by its id: the same id and the same bytes again, signed anew.
    let id = letters[0]["webhook_id"].as_str().unwrap();
    let sent = listed(&["dead-letters", "resend", "--config", file, id]).await;
    assert_eq!(sent[0]["sent_again"], 1);
    let told = setup.partner.await_notifications(3).await;
    verify(&told[2]);
    assert_eq!(told[2].header("webhook-id"), Some(id));
    assert_eq!(told[2].body, told[0].body);
    assert_eq!(await_listed(file, 1).await, letters[1..]);

    // The others by their Partner; of another Partner there is none.
    let none = ["dead-letters", "resend", "--config", file, "--partner", "beta"];
    assert_eq!(listed(&none).await[0]["sent_again"], 0);
    let rest = ["dead-letters", "resend", "--config", file, "--partner", "alpha"];
    assert_eq!(listed(&rest).await[0]["sent_again"], 1);
    let told = setup.partner.await_notifications(4).await;
    verify(&told[3]);
    assert_eq!(told[3].body, told[1].body);
    assert_eq!(await_listed(file, 0).await, Vec::<Value>::new());
    acquirer.stop().await;
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 4, "each was sent again once");
}

/// Who is sent again what he refuses again finds it among the dead letters again; there it is once.
#[tokio::test]
async fn what_is_refused_again_is_a_dead_letter_again() {
    let setup = Setup::new().await;
    let file = setup.config_file();
    let file = file.to_str().unwrap();
    let acquirer = setup.start_with(impatient).await;
    two_payments_of_which_nobody_hears(&setup, &acquirer).await;
    await_listed(file, 2).await;
    setup.partner.will_answer([410, 204]);
    assert_eq!(listed(&["dead-letters", "resend", "--config", file, "--all"]).await[0]["sent_again"], 2);
    setup.partner.await_notifications(4).await;
    let letters = await_listed(file, 1).await;
    assert!(letters[0]["reason"].as_str().unwrap().contains("410"), "{letters:?}");
    acquirer.stop().await;
}

/// Within its span nothing is given up, however often it fails.
#[tokio::test]
async fn within_its_span_a_notification_is_tried_again() {
    let setup = Setup::new().await;
    let file = setup.config_file();
    setup.klarna.will([Reply::approved()]);
    setup.partner.will_answer([500; 20]);
    let acquirer = setup.start().await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    setup.partner.await_notifications(21).await;
    acquirer.stop().await;
    await_listed(file.to_str().unwrap(), 0).await;
}

#[tokio::test]
async fn dead_letters_are_counted() {
    let setup = Setup::new().await;
    let file = setup.config_file();
    let acquirer = setup.start_with(impatient).await;
    two_payments_of_which_nobody_hears(&setup, &acquirer).await;
    await_listed(file.to_str().unwrap(), 2).await;
    acquirer.stop().await;
    // Measured when a server starts, and now and then.
    let again = setup.start_with(impatient).await;
    let url = format!("{}/metrics", again.base_url);
    let waited = async {
        loop {
            let metrics = client().get(&url).send().await.unwrap().text().await.unwrap();
            // Servers of other tests may share this process and its metrics.
            if metrics.lines().any(|line| line.starts_with("acquirer_dead_letters_rows ")) {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap();
    again.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let setup = Setup::new().await;
    let file = setup.config_file();
    let file = file.to_str().unwrap();
    // No database is made by looking for one.
    let (code, _, stderr) = ended(&["dead-letters", "list", "--config", file]).await;
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("cannot open the database"), "{stderr}");
    setup.start().await.stop().await;
    let (code, stdout, stderr) = ended(&["dead-letters", "resend", "--config", file, "msg_none"]).await;
    assert_eq!((code, stdout.trim()), (Some(2), r#"{"sent_again":0}"#));
    assert!(stderr.contains("no dead letter is called msg_none"), "{stderr}");
    for arguments in [vec![], vec!["--all", "msg_1"], vec!["--all", "--partner", "alpha"]] {
        let all = [vec!["dead-letters", "resend", "--config", file], arguments].concat();
        assert_eq!(ended(&all).await.0, Some(2), "{all:?}");
    }
}
