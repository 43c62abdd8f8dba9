//! The duties are all there, and weigh what they should.

use std::collections::BTreeSet;

use klarna_schemas::catalogue::check;
use klarna_schemas::requirements::{Evidence, Level, Requirement, Requirements, Verified};
use klarna_schemas::simulator::finding::Severity;

const FILE: &str = include_str!("../../requirements.toml");

/// Levels of contract `payments.md` 9, from AP-01 to AP-53: must, should, inferred.
const LEVELS: &str = "MMMMMMMMSMMMMSMMMSMMMMMMMMMMMSMSMSSMMMMSMMSMSSMMMSMII";

#[test]
fn every_duty_of_the_contract_is_listed_once_and_in_order() {
    let requirements = Requirements::parse(FILE).unwrap();
    let ids: Vec<&str> = requirements.iter().map(|requirement| requirement.id.as_str()).collect();
    let mut expected: Vec<String> = (1..=53).map(|number| format!("AP-{number:02}")).collect();
    expected.extend(["F15", "F16", "F17"].map(str::to_owned));
    assert_eq!(ids, expected);
    assert_eq!(Requirements::global().iter().count(), expected.len());
}

#[test]
fn every_duty_has_the_level_of_the_contract() {
    assert_eq!(LEVELS.len(), 53);
    for (requirement, level) in Requirements::global().iter().zip(LEVELS.chars()) {
        let expected = if level == 'S' { Level::Recommended } else { Level::Required };
        assert_eq!(requirement.level, expected, "{}", requirement.id);
        if level == 'I' {
            assert_eq!(requirement.evidence, Evidence::Inferred, "{}", requirement.id);
        }
        // A duty that the contract calls a must, and that we let warn only, says why.
        if level == 'M' && requirement.evidence == Evidence::Inferred {
            assert!(requirement.note.is_some(), "{}", requirement.id);
        }
    }
}

#[test]
fn the_file_fits_its_schema_and_every_field_says_something() {
    let value: serde_json::Value = toml::from_str(FILE).unwrap();
    assert_eq!(check("conformance/requirements", &value).unwrap(), []);
    let mut titles = BTreeSet::new();
    for Requirement { id, title, source, .. } in Requirements::global().iter() {
        assert!(!title.trim().is_empty() && !title.contains('\n') && !title.ends_with('.'), "{id}: {title}");
        assert!(!source.trim().is_empty(), "{id}");
        assert!(titles.insert(title), "{id} has the title of another duty");
    }
}

/// F1 … F24 of the contract: each is listed, or the twin of a duty that is, and never both.
#[test]
fn no_duty_of_the_second_list_is_lost() {
    for number in 1..=24 {
        let id = format!("F{number}");
        let listed = Requirements::global().get(&id).is_some();
        let twin = Requirements::global().iter().any(|requirement| requirement.twins.contains(&id));
        assert!(listed ^ twin, "{id}: listed {listed}, twin {twin}");
    }
}

#[test]
fn only_required_duties_on_confirmed_ground_fail() {
    let requirements = Requirements::global();
    for (id, severity) in [
        ("AP-11", Severity::Fails),
        ("AP-25", Severity::Fails),
        ("AP-09", Severity::Warns),
        ("AP-52", Severity::Warns),
        ("AP-04", Severity::Warns),
        ("AP-99", Severity::Warns),
    ] {
        assert_eq!(requirements.severity(id), severity, "{id}");
    }
}

#[test]
fn people_verify_what_no_machine_sees() {
    for (id, verified) in
        [("AP-01", Verified::Partner), ("AP-11", Verified::Journal), ("AP-47", Verified::Person)]
    {
        assert_eq!(Requirements::global().get(id).unwrap().verified, verified, "{id}");
    }
}

#[test]
fn a_mistyped_id_finds_its_duty() {
    let requirements = Requirements::global();
    for (wrong, meant) in [
        ("AP11", Some("AP-11")),
        ("ap-7", Some("AP-07")),
        ("@AP-111", Some("AP-11")),
        ("F5", Some("AP-49")),
        ("f24", Some("AP-47")),
        ("nonsense", None),
    ] {
        assert_eq!(requirements.nearest(wrong), meant, "{wrong}");
    }
}
