//! The vocabulary as a person reads it: `klarna-conformance steps` and docs/steps.md.

use std::fmt::Write as _;

use super::catalogue::all;
use super::definition::{Argument, Definition, Keyword, Voice};

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
        Argument::DocString => format!("{lead}(with a doc string below)"),
    }
}

/// The page docs/steps.md.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Steps\n\n\
         <!-- Made by `klarna-conformance steps --markdown`; a test compares. Change the tables in conformance/src/steps. -->\n\n\
         Every step that a feature can use, by the one it is about. They are written as Cucumber Expressions:\n\
         `{amount}` takes `459.00 SEK`, `{int}` a whole number, `{decision}` one of `approve`, `decline`,\n\
         `require a step-up`, `{outcome}` one of `approved`, `declined`, `canceled`, `expired`, `pending`,\n\
         `failed`, `{mode}` one of `redirect`, `SDK`, `{event}` a state of a Payment Request as its event names\n\
         it, such as `completed`, `{call}` one of `initial`, `final`, `{duration}` such as `10 minutes`, `{time}` such as `2040-01-01T00:00:00Z`, `{operation}` a name of\n\
         docs/journal.md, `{header}` a header's name, `{trouble}` one of `status 500` (any\n\
         error status), `status 403 without a body`, `status 503 and a page of HTML`, `silence`, `a broken\n\
         connection`, `an answer that is no HTTP`, `a lost answer`, `an answer that breaks off`, `half an answer`,\n\
         `an answer of a wrong length`, `an answer that drips`, `a late answer`. `{mistake}`, `{letters}`, `{peculiarity}`, `{field}`, `{forgery}`, `{manner}`, `{oddity}` `{evolution}`, `{act}` and `{page}` take the words that\n\
         the embedded features use, and no others. `And` and `But` count as the keyword before them. A doc string is text between\n\
         two lines of `\"\"\"`, without the first and the last line break, nothing in it escaped.\n",
    );
    for voice in Voice::ALL {
        let _ = write!(text, "\n## {}\n", voice.as_str());
        for step in of(voice) {
            let _ = write!(text, "\n### {} {}\n\n{}\n\n", step.keyword, step.expression, step.doc);
            let _ = write!(text, "```gherkin\n{} {}\n", step.keyword, step.example);
            if step.argument == Argument::DocString {
                text.push_str("  \"\"\"\n  {\"experience\": {\"version\": 1.0}}\n  \"\"\"\n");
            }
            text.push_str("```\n");
        }
    }
    text
}
