//! The vocabulary as a person reads it: `klarna-conformance steps` and docs/steps.md.

use std::fmt::Write as _;

use super::catalogue::all;
use super::definition::{Argument, Definition, Keyword, Voice};
use super::expression::{FREE, parameters};

const ORDER: [Keyword; 3] = [Keyword::Given, Keyword::When, Keyword::Then];

fn of(voice: Voice) -> Vec<&'static Definition> {
    let mut steps: Vec<_> = all().filter(|step| step.voice == voice).collect();
    steps.sort_by_key(|step| ORDER.iter().position(|keyword| *keyword == step.keyword));
    steps
}

/// The list for a terminal.
pub fn listing() -> String {
    let mut text = String::new();
    for voice in Voice::ALL {
        let _ = writeln!(text, "{}", voice.as_str());
        for step in of(voice) {
            let _ = writeln!(text, "  {:<5} {}", step.keyword.as_str(), step.expression);
            let _ = writeln!(text, "        {}", step.doc);
            let _ = writeln!(text, "        e.g. {} {}{}", step.keyword, step.example, below(step, " "));
        }
        let _ = writeln!(text);
    }
    text
}

fn below(step: &Definition, lead: &str) -> String {
    match step.argument {
        Argument::None => String::new(),
        Argument::DocString { .. } => format!("{lead}(with a doc string below)"),
    }
}

/// The page docs/steps.md.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Steps\n\n\
         <!-- Made by `klarna-conformance steps --markdown`; a test compares. Change the tables in conformance/src/steps. -->\n\n\
         Every step that a feature can use, by the one it is about. They are written as Cucumber Expressions:\n\
         `{amount}` takes `459.00 SEK`, `{int}` a whole number, `{duration}` such as `10 minutes`, in seconds,\n\
         minutes or hours, `{time}` such as `2040-01-01T00:00:00Z`, `{operation}` a name of docs/journal.md, where\n\
         a `*` at the end stands for any rest, and `{header}` a header's name. The other parameters take the words of the table at the end. `And` and\n\
         `But` count as the keyword before them. A doc string is text between two lines of `\"\"\"`, without the first and\n\
         the last line break, nothing in it escaped.\n",
    );
    for voice in Voice::ALL {
        let _ = write!(text, "\n## {}\n", voice.as_str());
        for step in of(voice) {
            let _ = write!(text, "\n### {} {}\n\n{}\n\n", step.keyword, step.expression, step.doc);
            let _ = write!(text, "```gherkin\n{} {}\n", step.keyword, step.example);
            if let Argument::DocString { example, .. } = step.argument {
                text.push_str("  \"\"\"\n");
                for line in example.lines() {
                    let _ = writeln!(text, "  {line}");
                }
                text.push_str("  \"\"\"\n");
            }
            text.push_str("```\n");
        }
    }
    text.push_str("\n## Parameters\n\n| parameter | takes |\n|---|---|\n");
    for (name, words) in parameters().filter(|(name, _)| !FREE.contains(name)) {
        let shown = |word: &String| format!("`{}`", word.replace(r"[45]\d{2}", "503"));
        let words: Vec<String> = words.iter().map(shown).collect();
        let _ = writeln!(text, "| `{{{name}}}` | {} |", words.join(", "));
    }
    text.push_str("\nIn the place of 503 any status from 400 to 599.\n");
    text
}
