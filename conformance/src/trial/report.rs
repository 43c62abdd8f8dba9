//! What one payment showed.

use std::fmt::Write as _;

use serde_json::Value;

use super::canary::Canary;
use super::find::Form;
use super::sureness::Sureness;

/// Where a canary came out at Klarna.
#[derive(Debug, Clone)]
pub struct CameOut {
    /// The canary.
    pub canary: Canary,
    /// Places in the Payment Authorize, each once; the Partner's return page is one of them.
    pub places: Vec<String>,
    /// In which form, where it came out.
    pub form: Option<Form>,
    /// How sure it is.
    pub sure: Sureness,
    /// Whether the adapter sends it at all.
    pub sent: bool,
}

/// A value that the adapter reads.
#[derive(Debug, Clone)]
pub struct WasRead {
    /// What it is.
    pub name: String,
    /// What was found first.
    pub value: Option<String>,
    /// How sure it is.
    pub sure: Sureness,
}

/// A notification that came.
#[derive(Debug, Clone)]
pub struct Heard {
    /// What it says.
    pub outcome: Option<String>,
    /// Whether its signature fits, in words.
    pub verified: String,
    /// Why it could not be read, or not be trusted.
    pub trouble: Option<String>,
}

/// What one payment showed.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was done, in order.
    pub course: Vec<String>,
    /// Each canary.
    pub came_out: Vec<CameOut>,
    /// What was read from answers.
    pub was_read: Vec<WasRead>,
    /// The notifications.
    pub heard: Vec<Heard>,
    /// What Klarna's rulebook found, in words.
    pub findings: Vec<String>,
    /// What did not hold; empty where the adapter and the acquirer understand each other.
    pub trouble: Vec<String>,
}

/// How much of a value is shown, in characters.
const SHOWN: usize = 44;

impl Report {
    /// Whether all held that a run needs.
    pub fn holds(&self) -> bool {
        self.trouble.is_empty()
    }

    /// The report for a person.
    pub fn in_words(&self) -> String {
        let mut text = String::new();
        for line in &self.course {
            let _ = writeln!(text, "  {line}");
        }
        text.push('\n');
        text.push_str(&table(
            &["canary", "value", "how sure", "form", "where at Klarna"],
            &self.canary_rows(),
        ));
        text.push_str("\n\n");
        let read = self.was_read.iter();
        let read = read.map(|read| {
            [read.name.clone(), cut(read.value.as_deref().unwrap_or("–")), read.sure.to_string()].to_vec()
        });
        text.push_str(&table(&["read from answers", "value", "how sure"], &read.collect::<Vec<_>>()));
        text.push_str("\n\n");
        let heard = self.heard.iter().map(|heard| {
            let outcome = heard.outcome.clone().unwrap_or_else(|| "–".to_owned());
            vec![outcome, heard.verified.clone(), heard.trouble.clone().unwrap_or_default()]
        });
        let heard: Vec<_> = heard.collect();
        if heard.is_empty() {
            text.push_str("no notification came\n");
        } else {
            text.push_str(&table(&["notification", "signature", "what could not be read"], &heard));
            text.push('\n');
        }
        for (title, lines) in
            [("Klarna's rulebook found:", &self.findings), ("What did not hold:", &self.trouble)]
        {
            if !lines.is_empty() {
                let _ = writeln!(text, "\n{title}");
                for line in lines {
                    let _ = writeln!(text, "  {line}");
                }
            }
        }
        text
    }

    fn canary_rows(&self) -> Vec<Vec<String>> {
        let row = |one: &CameOut| {
            let value = match &one.canary.value {
                Value::Null => "–".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            vec![
                one.canary.name.clone(),
                cut(&value),
                one.sure.to_string(),
                one.form.map(|form| form.to_string()).unwrap_or_default(),
                places(&one.places),
            ]
        };
        self.came_out.iter().map(row).collect()
    }
}

/// The first places, and how many more there are.
fn places(places: &[String]) -> String {
    match places {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one}, {other}"),
        [one, other, more @ ..] => format!("{one}, {other} and {} more", more.len()),
    }
}

/// A value in one line, cut where it is long.
fn cut(value: &str) -> String {
    let line: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Columns under their titles.
fn table(titles: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(titles.get(column).map(|title| title.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    [head, rule].iter().chain(rows).map(|cells| line(cells)).collect::<Vec<_>>().join("\n")
}
