//! One finding, as a person reads it.

use std::fmt::Write as _;

use crate::model::{Exchange, FindingSeen, PlannedScenario};

/// The lines of a finding: what `remarks` the step made, duty, where, what, expected, got, diff, exchanges, and how to see it again.
pub(super) fn render(seen: &FindingSeen, planned: Option<&PlannedScenario>, remarks: &[String]) -> String {
    let mut text = String::new();
    let finding = &seen.finding;
    if let Some(planned) = planned {
        let _ = writeln!(text, "{} ({}:{})", planned.name, planned.file, planned.line);
        let step = seen.line.and_then(|line| planned.steps.iter().find(|step| step.line == line));
        let _ = match step {
            Some(step) => writeln!(text, "at line {}: {} {}", step.line, step.keyword, step.text),
            None => writeln!(text, "watched throughout the scenario"),
        };
    }
    let _ = writeln!(text, "{}: {}", finding.rule, finding.what);
    let mut row = |name: &str, value: &str| {
        let mut lines = value.lines();
        let _ = writeln!(text, "  {name:<10}{}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(text, "  {:<10}{line}", "");
        }
    };
    if let (Some(duty), Some(title)) = (finding.duties.first(), &seen.requirement) {
        let source = seen.source.as_deref().unwrap_or_default();
        row("duty", &format!("{duty} {title} [{source}]"));
    }
    if finding.duties.len() > 1 {
        row("also", &finding.duties.get(1..).unwrap_or_default().join(", "));
    }
    row("where", &finding.r#where);
    if let Some(expected) = &finding.expected {
        row("expected", expected);
    }
    if let Some(got) = &finding.got {
        row("got", got);
    }
    if let Some(diff) = &finding.diff {
        row(
            "diff",
            &format!(
                "first at byte {} ({} bytes expected, {} came)",
                diff.position, diff.expected_length, diff.got_length
            ),
        );
        row("", &format!("- {}", diff.expected_excerpt));
        row("", &format!("+ {}", diff.got_excerpt));
    }
    if !finding.mend.is_empty() {
        row("mend", &finding.mend);
    }
    for fact in &finding.rests_on {
        row("inferred", fact);
    }
    for remark in remarks {
        row("remark", remark);
    }
    for exchange in &seen.exchanges {
        row("exchange", &exchange_text(exchange));
    }
    if let Some(curl) = &seen.curl {
        row("curl", curl);
    }
    if let Some(log) = &seen.log_tail {
        row("log", log);
    }
    row("repeat", &seen.repeat);
    text
}

fn exchange_text(exchange: &Exchange) -> String {
    let mut text = format!(
        "#{} {}: {} {} → {}",
        exchange.seq,
        exchange.direction,
        exchange.method,
        exchange.target,
        exchange.status.map_or_else(|| exchange.ended.replace('_', " "), |status| status.to_string())
    );
    for (name, value) in &exchange.headers {
        let _ = write!(text, "\n  {name}: {value}");
    }
    if !exchange.request_body.is_empty() {
        let _ = write!(text, "\n  {}", exchange.request_body);
    }
    if !exchange.response_body.is_empty() {
        let _ = write!(text, "\n  → {}", exchange.response_body);
    }
    text
}
