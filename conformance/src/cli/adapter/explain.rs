//! `adapter explain`.

use std::fmt::Write as _;

use super::answer::{self, Pasted};
use super::args::ExplainArgs;
use super::dry::indented;
use super::source;
use crate::adapter::{Adapter, ExplainError, Explained, ExplainedAnswer};
use crate::cli::output::{complain, say};
use crate::cli::run::Stop;
use crate::cli::run::prepare::load;
use crate::exit_code::Exit;

/// Explains an operation, and an answer to it.
pub(super) fn run(args: &ExplainArgs) -> Exit {
    match explained(args) {
        Ok((text, exit)) => {
            say(text.trim_end());
            exit
        }
        Err(stop) => {
            stop.say();
            stop.exit
        }
    }
}

fn explained(args: &ExplainArgs) -> Result<(String, Exit), Stop> {
    let usage = |why: String| Stop::new(Exit::Usage, why);
    let adapter = load(&source(args.acquirer.as_ref()))?;
    let base_url = match &args.base_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => adapter.likely_base_url(),
    };
    let of_adapter = |error: ExplainError| match error {
        ExplainError::Template(_) => Stop::new(Exit::Invalid, error.to_string()),
        ExplainError::Unknown { .. } | ExplainError::NotBound { .. } => usage(error.to_string()),
    };
    let operation = args.operation.as_str();
    let explained = adapter.explain(operation, &base_url).map_err(of_adapter)?;
    let pasted = match (&args.answer, &args.answer_file) {
        (Some(text), _) => Some(answer::of_status(text).map_err(usage)?),
        (None, Some(path)) => Some(answer::of_file(path).map_err(usage)?),
        (None, None) => None,
    };
    let Some(pasted) = pasted else { return Ok((in_words(&adapter, operation, &explained), Exit::Held)) };
    let Pasted { status, headers, body } = &pasted;
    let read = adapter.explain_answer(operation, *status, headers, body).map_err(of_adapter)?;
    let unread = read.read.iter().any(|value| value.found.is_err());
    let fits = read.outcome.is_some() || (read.rules.is_empty() && !unread);
    if read.outcome.is_none() && !read.rules.is_empty() {
        complain(&format!("no rule of operations.{operation}.answer.outcome fits the answer"));
    }
    Ok((answer_in_words(operation, *status, &read), if fits { Exit::Held } else { Exit::NotHeld }))
}

fn in_words(adapter: &Adapter, operation: &str, explained: &Explained) -> String {
    let mut text = String::new();
    let last = explained.calls.len();
    for (index, call) in explained.calls.iter().enumerate() {
        let _ = if index + 1 == last {
            writeln!(text, "{operation}")
        } else {
            writeln!(text, "before {operation}, call {}", index + 1)
        };
        let _ = writeln!(text, "\n  {}\n", call.request.curl);
        for (name, from) in adapter.variables_in(&call.request.curl) {
            let _ = writeln!(text, "  ${name} is {from}");
        }
        if !call.rules.is_empty() {
            text.push_str("\n  The first rule that fits the answer decides:\n");
            for (index, rule) in call.rules.iter().enumerate() {
                let _ = writeln!(text, "    {}. {rule}", index + 1);
            }
        }
        if !call.reads.is_empty() {
            text.push_str("\n  Read from the answer:\n");
            text.push_str(&indented(&columns(&call.reads)));
        }
        text.push('\n');
    }
    text
}

fn columns(pairs: &[(String, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = pairs.iter().map(|(name, from)| format!("  {name:width$}  {from}")).collect();
    lines.join("\n")
}

/// Which rule fits and why the earlier ones do not, and what was read.
pub(super) fn answer_in_words(operation: &str, status: u16, answer: &ExplainedAnswer) -> String {
    let mut text = format!("{operation}, answered {status}\n\n");
    for rule in &answer.rules {
        let _ = if rule.misses.is_empty() {
            writeln!(text, "  rule {} fits: {}", rule.number, rule.words)
        } else {
            writeln!(text, "  rule {} does not fit: {}", rule.number, rule.misses.join("; "))
        };
    }
    match answer.outcome {
        Some(outcome) => {
            let _ = writeln!(text, "  so the outcome is {outcome}\n");
        }
        None if !answer.rules.is_empty() => text.push_str("  so nobody knows what it means\n\n"),
        None => {}
    }
    for value in &answer.read {
        let found = match &value.found {
            Ok(Some(found)) => found.clone(),
            Ok(None) => format!("nothing at {}", value.from),
            Err(why) => format!("cannot be read: {why}"),
        };
        let _ = writeln!(text, "  {}: {found}", value.name);
    }
    text
}
