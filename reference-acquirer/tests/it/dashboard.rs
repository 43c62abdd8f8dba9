//! The dashboard shows what the program measures: each name in each expression stands in `/metrics`.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::command_line::program;
use crate::support::{ALPHA, DEADLINE, Reply, Setup, client, order};

const DASHBOARD: &str = include_str!("../../dashboards/grafana.json");

/// What `PromQL` gives, as far as the dashboard uses it.
const WORDS: [&str; 8] = ["by", "histogram_quantile", "increase", "le", "max", "rate", "sum", "or"];

/// The names of metrics in an expression: every name outside of `{…}`, `[…]` and `by (…)` that is none of `PromQL`'s.
fn metrics_of(expression: &str) -> BTreeSet<String> {
    let mut bare = String::new();
    let mut depth = 0;
    for character in expression.chars() {
        depth += i32::from(matches!(character, '{' | '['));
        bare.push(if depth == 0 { character } else { ' ' });
        depth -= i32::from(matches!(character, '}' | ']'));
    }
    let mut kept = String::new();
    for (index, part) in bare.split(" by (").enumerate() {
        kept += if index == 0 { part } else { part.split_once(')').unwrap().1 };
        kept.push(' ');
    }
    kept.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == ':'))
        .filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_'))
        .filter(|word| !WORDS.contains(word))
        .map(str::to_owned)
        .collect()
}

/// Every member of that name, wherever it stands.
fn all<'a>(name: &str, value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name).and_then(Value::as_str));
            members.values().for_each(|member| all(name, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all(name, item, found)),
        _ => {}
    }
}

/// The names of the samples in Prometheus' text.
fn measured(text: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

#[test]
fn names_are_found_in_expressions() {
    let expression = "sum by (task) (rate(a_total{operation=\"b\"}[5m])) / max(c_rows) > 0 or d";
    assert_eq!(metrics_of(expression), ["a_total", "c_rows", "d"].map(str::to_owned).into());
    let expression = "histogram_quantile(0.95, sum(rate(e_seconds_bucket[5m])) by (le, operation))";
    assert_eq!(metrics_of(expression), ["e_seconds_bucket".to_owned()].into());
}

#[tokio::test]
async fn every_metric_of_the_dashboard_is_measured() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut expressions = Vec::new();
    all("expr", &dashboard, &mut expressions);
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(expressions.len() >= panels.len() && panels.len() > 8, "{expressions:#?}");
    let wanted: BTreeSet<String> = expressions
        .iter()
        .flat_map(|expression| {
            let names = metrics_of(expression);
            assert!(!names.is_empty(), "{expression} measures nothing");
            names
        })
        .collect();

    // A process of its own: what other tests have measured does not count.
    let setup = Setup::new().await;
    let file = setup.config_file();
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    let mut child = program(&["serve", "--config", file.to_str().unwrap()]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let base_url = serde_json::from_str::<Value>(&line).unwrap()["listening"].as_str().unwrap().to_owned();
    let create = client().post(format!("{base_url}/v1/payments")).bearer_auth(ALPHA).json(&order("tx-1"));
    assert!(create.send().await.unwrap().status().is_success());
    setup.klarna.send_event("e-1", "COMPLETED", &setup.klarna.authorizes()[0]).await;
    setup.partner.await_verified().await;

    // The Partner hears a moment before it is counted.
    let mut missing = Vec::new();
    let all_measured = async {
        loop {
            let text =
                client().get(format!("{base_url}/metrics")).send().await.unwrap().text().await.unwrap();
            let measured = measured(&text);
            missing = wanted.difference(&measured).cloned().collect();
            if missing.is_empty() {
                return;
            }
        }
    };
    let in_time = tokio::time::timeout(DEADLINE, all_measured).await;
    assert!(in_time.is_ok(), "not in /metrics after a payment: {missing:?}");
    child.kill().await.unwrap();
}
