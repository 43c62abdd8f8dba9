//! From the text of a list to its entries.

use std::path::Path;

use jiff::civil::Date;
use klarna_schemas::nearest::nearest;
use klarna_schemas::requirements::Requirements;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Entry, Expected, Subject};
use crate::adapter::AdapterError;
use crate::adapter::source::Source;
use crate::world::check;

/// The version of the format that this release reads.
const VERSION: u64 = 1;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListFile {
    version: Spanned<u64>,
    expected: Vec<EntryFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFile {
    #[serde(default)]
    requirement: Option<Spanned<String>>,
    #[serde(default)]
    scenario: Option<Spanned<String>>,
    #[serde(default)]
    finding: Option<Spanned<String>>,
    reason: Spanned<String>,
    date: Spanned<String>,
    #[serde(default)]
    until: Option<Spanned<String>>,
    owner: Spanned<String>,
}

/// Reads a list. `scenarios` are the ids that there are, where all of them are known.
///
/// # Errors
/// When the file cannot be read, is not of the form, or names what there is not: with its place.
pub fn load(path: &Path, scenarios: Option<&[&str]>, today: Date) -> Result<Expected, AdapterError> {
    let source = Source::read(path, "name a list of what is expected to fail with --expected")?;
    let file: ListFile = serde_saphyr::from_str(source.text()).map_err(|error| source.yaml(&error))?;
    if file.version.value != VERSION {
        let message = format!("version {} of the format is not known", file.version.value);
        let hint = Some("this release reads version: 1");
        return Err(source.complain(file.version.referenced.into(), &message, hint));
    }
    let mut entries: Vec<Entry> = Vec::new();
    for written in &file.expected {
        let reader = Reader { source: &source, scenarios, today };
        let (subject, place) = reader.subject(written)?;
        let entry = reader.entry(written, subject)?;
        if entries.iter().any(|known| known.subject == entry.subject && known.finding == entry.finding) {
            let message = format!("{} is listed twice", entry.subject.id());
            return Err(source.complain(place.referenced.into(), &message, Some("remove one of the two")));
        }
        entries.push(entry);
    }
    Ok(Expected::new(entries, today))
}

struct Reader<'a> {
    source: &'a Source,
    scenarios: Option<&'a [&'a str]>,
    today: Date,
}

impl Reader<'_> {
    fn subject<'e>(&self, entry: &'e EntryFile) -> Result<(Subject, &'e Spanned<String>), AdapterError> {
        match (&entry.requirement, &entry.scenario) {
            (Some(id), None) => Ok((self.requirement(id)?, id)),
            (None, Some(id)) => Ok((self.scenario(id)?, id)),
            (Some(_), Some(id)) => {
                Err(self.wrong(id, "an entry is about a requirement or a scenario, not both"))
            }
            (None, None) => {
                Err(self.wrong(&entry.reason, "the entry names neither a requirement nor a scenario"))
            }
        }
    }

    fn requirement(&self, id: &Spanned<String>) -> Result<Subject, AdapterError> {
        let all = Requirements::global();
        if all.get(&id.value).is_some() {
            return Ok(Subject::Requirement(id.value.clone()));
        }
        let hint = match all.nearest(&id.value) {
            Some(near) => format!("did you mean {near}? schemas/requirements.toml has them all"),
            None => "requirements are named as in AP-25; schemas/requirements.toml has them all".to_owned(),
        };
        let message = format!("there is no requirement \"{}\"", id.value);
        Err(self.source.complain(id.referenced.into(), &message, Some(&hint)))
    }

    fn scenario(&self, id: &Spanned<String>) -> Result<Subject, AdapterError> {
        if let Some(known) = self.scenarios
            && !known.contains(&id.value.as_str())
        {
            let rows = format!("{}#", id.value);
            let row = known.iter().find(|known| known.starts_with(&rows)).copied();
            let hint = match row.or_else(|| nearest(&id.value, known)) {
                Some(near) => format!("did you mean {near}? A run prints the id of each scenario"),
                None => "a run prints the id of each scenario".to_owned(),
            };
            let message = format!("there is no scenario \"{}\"", id.value);
            return Err(self.source.complain(id.referenced.into(), &message, Some(&hint)));
        }
        Ok(Subject::Scenario(id.value.clone()))
    }

    fn entry(&self, written: &EntryFile, subject: Subject) -> Result<Entry, AdapterError> {
        let date = self.date(&written.date)?;
        if date > self.today {
            return Err(self.wrong(&written.date, "the date, since when it is expected, lies in the future"));
        }
        let until = written.until.as_ref().map(|until| self.date(until)).transpose()?;
        if let (Some(until), Some(place)) = (until, &written.until)
            && until < date
        {
            return Err(self.wrong(place, "it ends before its date"));
        }
        if let Some(rule) = &written.finding
            && check(&rule.value).is_none()
        {
            let message = format!("there is no finding \"{}\"", rule.value);
            let hint = Some("a failure is printed with the name of its finding, as in network-data.bytes");
            return Err(self.source.complain(rule.referenced.into(), &message, hint));
        }
        Ok(Entry {
            subject,
            finding: written.finding.as_ref().map(|rule| rule.value.clone()),
            reason: self.said(&written.reason, "reason")?,
            date,
            until,
            owner: self.said(&written.owner, "owner")?,
        })
    }

    fn date(&self, text: &Spanned<String>) -> Result<Date, AdapterError> {
        text.value.parse().map_err(|_| {
            let message = format!("\"{}\" is no date", text.value);
            self.source.complain(text.referenced.into(), &message, Some("a date is written 2026-01-31"))
        })
    }

    fn said(&self, text: &Spanned<String>, what: &str) -> Result<String, AdapterError> {
        if text.value.trim().is_empty() {
            return Err(self.wrong(text, &format!("the {what} is empty")));
        }
        Ok(text.value.trim().to_owned())
    }

    fn wrong(&self, place: &Spanned<String>, message: &str) -> AdapterError {
        self.source.complain(place.referenced.into(), message, None)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const SCENARIOS: [&str; 3] = ["a/first", "a/rows#1", "a/rows#2"];

    fn read(text: &str) -> Result<Expected, AdapterError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("expected.yaml");
        std::fs::write(&path, text).unwrap();
        load(&path, Some(&SCENARIOS), date(2026, 3, 1))
    }

    fn entry(lines: &str) -> String {
        format!("version: 1\nexpected:\n  - {}\n", lines.replace('\n', "\n    "))
    }

    const REST: &str = "reason: slow\ndate: 2026-02-01\nowner: payments";

    #[test]
    fn a_list_is_read() {
        let text = format!("scenario: a/rows#2\nfinding: customer.comes-home\nuntil: 2026-04-01\n{REST}");
        let list = read(&entry(&text)).unwrap();
        let [only] = list.entries.as_slice() else { panic!("{list:?}") };
        assert_eq!(only.subject, Subject::Scenario("a/rows#2".to_owned()));
        assert_eq!(only.finding.as_deref(), Some("customer.comes-home"));
        assert_eq!((only.date, only.until), (date(2026, 2, 1), Some(date(2026, 4, 1))));
        assert!(read("version: 1\nexpected: []\n").unwrap().entries.is_empty());
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        let rest = |more: &str| entry(&format!("{more}\n{REST}"));
        for (text, place, message, hint) in [
            (rest("requirement: ap-25"), "3:18", "there is no requirement \"ap-25\"", "did you mean AP-25"),
            (rest("scenario: a/frist"), "3:15", "there is no scenario \"a/frist\"", "did you mean a/first"),
            (rest("scenario: a/rows"), "3:15", "there is no scenario", "did you mean a/rows#1"),
            (rest("scenario: a/first\nrequirement: AP-25"), "3:15", "not both", ""),
            (entry(REST), "3:13", "names neither", ""),
            (rest("requirement: AP-25\nfinding: nothing"), "4:14", "no finding \"nothing\"", "as in"),
            (rest("requirement: AP-25\nuntil: 2026-01-01"), "4:12", "it ends before its date", ""),
            (rest("requirement: AP-25\nuntil: soon"), "4:12", "\"soon\" is no date", "2026-01-31"),
            (
                entry("requirement: AP-25\nreason: ' '\ndate: 2026-02-01\nowner: us"),
                "4:13",
                "the reason is empty",
                "",
            ),
            (
                entry("requirement: AP-25\nreason: x\ndate: 2027-02-01\nowner: us"),
                "5:11",
                "in the future",
                "",
            ),
            (
                entry("requirement: AP-25\nreason: x\ndate: 2026-02-01"),
                "5:5",
                "the key \"owner\" is missing",
                "",
            ),
            (rest("requirment: AP-25"), "3:5", "unknown key \"requirment\"", "did you mean \"requirement\""),
            ("version: 2\nexpected: []\n".to_owned(), "1:10", "version 2", "version: 1"),
        ] {
            let error = read(&text).unwrap_err();
            let at = format!("{}:{}", error.line().unwrap(), error.column().unwrap());
            assert_eq!(at, place, "{error}\n{text}");
            assert!(error.message().contains(message), "{error}\n{text}");
            assert!(error.hint().unwrap_or_default().contains(hint), "{:?}\n{text}", error.hint());
        }
        let twice = format!("  - requirement: AP-25\n    {}\n", REST.replace('\n', "\n    "));
        let error = read(&format!("version: 1\nexpected:\n{twice}{twice}")).unwrap_err();
        assert_eq!((error.line(), error.message()), (Some(7), "AP-25 is listed twice"));
    }
}
