//! Several statements that go to the database together, because none needs what another answers.
//!
//! To PostgreSQL they go one after another, in one transaction. To SQLite they go as one text: between
//! this program and the thread that the database runs on, each way costs more than most statements do.

use super::statements as sql;
use super::{Claim, Lease, Notification, Task};
use crate::payments::history::HistoryEntry;
use jiff::Timestamp;

/// A value of a statement's parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A text, or none.
    Text(Option<String>),
    /// A number, or none.
    Number(Option<i64>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        time.as_millisecond().into()
    }
}

/// One statement, of [`super::statements`], with its values.
#[derive(Debug)]
pub(super) struct Line {
    /// The statement; its parameters are numbered from 1.
    pub(super) statement: &'static str,
    /// Their values, in this order.
    pub(super) values: Vec<Value>,
}

/// Statements, in the order in which they are done.
#[derive(Debug, Default)]
pub(super) struct Script {
    lines: Vec<Line>,
}

/// What a script did.
#[derive(Debug, Default)]
pub(super) struct Did {
    /// How many rows each of its statements wrote.
    pub(super) rows_affected: Vec<u64>,
    /// What the last statement that returns an `id` returned.
    pub(super) id: Option<i64>,
}

impl Did {
    /// The same of all statements but the first.
    pub(super) fn without_the_first(mut self, statements: usize) -> Self {
        self.rows_affected.drain(..statements.min(self.rows_affected.len()));
        self
    }

    /// Whether the statement at this place wrote anything.
    pub(super) fn wrote(&self, place: usize) -> bool {
        self.rows_affected.get(place).is_some_and(|rows| *rows > 0)
    }
}

impl Script {
    /// One more statement, and the place that it has.
    pub(super) fn then(&mut self, statement: &'static str, values: impl Into<Vec<Value>>) -> usize {
        self.lines.push(Line { statement, values: values.into() });
        self.lines.len() - 1
    }

    /// The same, after statements that have no values.
    pub(super) fn after(mut self, first: &[&'static str]) -> Self {
        let first = first.iter().map(|statement| Line { statement, values: Vec::new() });
        self.lines.splice(0..0, first);
        self
    }

    /// The statements, one by one.
    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    /// The statements as one text, whose parameters are numbered throughout.
    pub(super) fn joined(self) -> (String, Vec<Value>) {
        let (mut text, mut values) = (String::new(), Vec::new());
        for line in self.lines {
            push_renumbered(&mut text, line.statement, values.len());
            text.push_str(";\n");
            values.extend(line.values);
        }
        (text, values)
    }

    /// Ends a claim, if it is still the owner's, and forgets what was kept for it alone. Nothing of the
    /// script may be kept if the statement at the answered place wrote nothing.
    pub(super) fn finish(&mut self, claim: &Claim, now: Timestamp) -> usize {
        let attempt = i64::from(claim.attempt);
        let owner = claim.owner.as_str();
        let place = self.then(sql::FINISH, [claim.id.into(), owner.into(), now.into(), attempt.into()]);
        match claim.task {
            Task::Event => {
                self.then(sql::FORGET_EVENT, [claim.subject.as_str().into()]);
            }
            Task::Withdraw => self.forget_tokens(&claim.subject),
            _ => {}
        }
        place
    }

    /// No call of the payment needs its session token any more.
    pub(super) fn forget_tokens(&mut self, payment_id: &str) {
        self.then(sql::FORGET_TOKENS, [payment_id.into()]);
    }

    /// A row that is there already stays as it is: that is what makes a claim once per subject.
    pub(super) fn enqueue(&mut self, task: Task, subject: &str, due_at: Timestamp) {
        self.then(sql::ENQUEUE, [task.as_str().into(), subject.into(), due_at.into()]);
    }

    /// A row that whoever writes it works on at once; its `id` is what the script returns.
    pub(super) fn enqueue_claimed(&mut self, task: Task, subject: &str, due_at: Timestamp, lease: &Lease) {
        self.then(
            sql::ENQUEUE_CLAIMED,
            [
                task.as_str().into(),
                subject.into(),
                due_at.into(),
                lease.owner.as_str().into(),
                lease.until.into(),
            ],
        );
    }

    /// What the history says, committed with the change that it tells of.
    pub(super) fn record(&mut self, payment_id: &str, entry: &HistoryEntry) {
        self.then(
            sql::INSERT_HISTORY,
            [
                payment_id.into(),
                entry.operation_id.clone().into(),
                entry.at.into(),
                entry.status.as_str().into(),
                entry.cause.as_str().into(),
                entry.klarna_id.clone().into(),
                entry.klarna_event_id.clone().into(),
                entry.klarna_correlation_id.clone().into(),
            ],
        );
    }

    /// A notification and the work of delivering it.
    pub(super) fn notify(&mut self, notification: &Notification, now: Timestamp) {
        let Notification { id, payment_id, partner, body } = notification;
        self.then(
            sql::INSERT_NOTIFICATION,
            [
                id.as_str().into(),
                payment_id.as_str().into(),
                partner.as_str().into(),
                body.as_str().into(),
                now.into(),
            ],
        );
        self.enqueue(Task::Notify, id, now);
    }
}

/// Appends a statement whose first parameter is `$1` as one whose first is `$(1 + before)`.
fn push_renumbered(text: &mut String, statement: &str, before: usize) {
    let mut parts = statement.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        text.push('$');
        if let Ok(number) = number.parse::<usize>() {
            text.push_str(&(number + before).to_string());
        }
        text.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_parameters_are_numbered_throughout() {
        let mut script = Script::default();
        script.then("UPDATE a SET b = $2 WHERE c = $1", ["one".into(), 2.into()]);
        script.then("DELETE FROM d", []);
        script.then("INSERT INTO e VALUES ($1, $12, $1)", [Value::Number(None)]);
        let (text, values) = script.joined();
        assert_eq!(
            text,
            "UPDATE a SET b = $2 WHERE c = $1;\nDELETE FROM d;\nINSERT INTO e VALUES ($3, $14, $3);\n"
        );
        assert_eq!(values, [Value::from("one"), Value::from(2), Value::Number(None)]);
    }

    /// The lexer above knows no text literals, nor anything else that a dollar could mean.
    #[test]
    fn a_dollar_in_a_statement_is_a_parameter() {
        for statement in sql::ALL {
            for part in statement.split('$').skip(1) {
                assert!(part.starts_with(|c: char| ('1'..='9').contains(&c)), "{statement}");
            }
        }
    }
}
