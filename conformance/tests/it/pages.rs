//! What the pages under docs/ say is so.

use std::collections::BTreeSet;

use klarna_conformance::adapter::{Adapter, AdapterSource, Capability, ClaimedBy};

use regex::Regex;

use crate::suite::root;

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

fn yaml_blocks(page: &str) -> Vec<&str> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn load(yaml: &str) -> Adapter {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.yaml");
    std::fs::write(&file, yaml).unwrap();
    Adapter::load(&AdapterSource::File(file))
        .unwrap_or_else(|error| panic!("{:?}", miette::Report::new(error)))
}

#[test]
fn the_adapter_of_the_guide_loads_launched_and_attached() {
    let page = page("docs/bind-your-acquirer.md");
    let blocks = yaml_blocks(&page);
    let (Some(whole), Some(attached)) = (blocks.first(), blocks.last()) else { panic!("no YAML") };
    let adapter = load(whole);
    assert_eq!(adapter.name(), "acme");
    assert!(adapter.claims("redirect") && adapter.claims("sdk") && adapter.claims("notifications"));
    assert!(adapter.claims("capture") && adapter.claims("cancel") && !adapter.claims("partial_refund"));
    assert!(
        adapter.why_not("sync_approval").unwrap().ends_with("by notification when Klarna takes its time")
    );
    assert_eq!(adapter.partners().len(), 2);

    let (head, rest) = whole.split_once("launch:\n").unwrap();
    let (_, rest) = rest.split_once("\npartners:\n").unwrap();
    let adapter = load(&format!("{head}{attached}\npartners:\n{rest}"));
    assert_eq!(adapter.listen().simulator.port(), 8080);
    assert_eq!(adapter.listen().partner.port(), 8090);
}

#[test]
fn the_guide_lists_every_capability_and_what_rests_on_it() {
    let page = page("docs/bind-your-acquirer.md");
    let (_, rest) = page.split_once("| capability | what it means |").unwrap();
    let listed: Vec<&str> = rest.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let rows = Capability::ALL.iter().map(|capability| {
        let claimed = match capability.claimed_by {
            ClaimedBy::Naming => "by name".to_owned(),
            ClaimedBy::Binding(part) => format!("by binding `{part}`"),
            ClaimedBy::Silence => "unless it stands under `unclaimed`".to_owned(),
        };
        let unless = capability.or.map(|or| format!(", unless `{or}` is claimed")).unwrap_or_default();
        let duties = format!("{}{unless}", capability.duties.join(", "));
        let row = format!("| `{}` | {} | {claimed} | {duties} |", capability.name, capability.doc);
        row.replace("|  |", "| |")
    });
    assert_eq!(listed, rows.collect::<Vec<_>>());
}

/// Each way to show who calls, and each way to sign, in the place of those of the whole adapter.
#[test]
fn every_other_way_of_the_guide_loads_in_its_place() {
    let page = page("docs/bind-your-acquirer.md");
    let blocks = yaml_blocks(&page);
    let whole = blocks[0].replace("-test-secret}", "-test-secret, id: shop, secret: 00ff, account: \"1\"}");
    let (head, rest) = whole.split_once("authentication:\n").unwrap();
    let (_, tail) = rest.split_once("\noperations:").unwrap();
    let (begin, rest) = whole.split_once("  verify:").unwrap();
    let (_, end) = rest.split_once('\n').unwrap();
    let mut loaded = 0;
    let starts = Regex::new(r"(?m)^(authentication|verify):").unwrap();
    for block in &blocks[1..blocks.len() - 1] {
        let mut at: Vec<usize> = starts.find_iter(block).map(|found| found.start()).collect();
        at.push(block.len());
        for way in at.windows(2).map(|ends| &block[ends[0]..ends[1]]) {
            let indented = format!("  {}\n", way.trim_end().replace('\n', "\n  "));
            let yaml = if way.starts_with("verify") {
                format!("{begin}{indented}{end}")
            } else {
                format!("{head}{way}\noperations:{tail}")
            };
            load(&yaml);
            loaded += 1;
        }
    }
    assert_eq!(loaded, 8, "four ways to say who calls, one to sign, three to verify");
}

/// Paths of the control API, with every variable as `{}`.
fn paths(text: &str, pattern: &str) -> BTreeSet<String> {
    let variable = Regex::new(r"\{\w+\}").unwrap();
    let found = Regex::new(pattern).unwrap();
    found.captures_iter(text).map(|path| variable.replace_all(&path[1], "{}").into_owned()).collect()
}

#[test]
fn the_architecture_page_lists_the_control_api() {
    let listed = paths(&page("docs/architecture.md"), r"(?m)^\| `(?:GET|PUT|POST|DELETE) (/\S+)` \|");
    let served = paths(&page("simulator/src/control/mod.rs"), r#"\.route\(\s*"([^"]+)""#);
    assert!(served.len() > 8, "{served:?}");
    assert_eq!(listed, served);
}

#[test]
fn the_architecture_page_maps_every_folder() {
    let page = page("docs/architecture.md");
    for part in ["simulator", "reference-acquirer", "conformance"] {
        let (_, map) = page.split_once(&format!("\n**{part}/**\n")).unwrap();
        let map = map.split("\n\n").next().unwrap();
        for entry in std::fs::read_dir(root().join(part).join("src")).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                assert!(map.contains(&format!("`{name}/`")), "{part}/src/{name} is not on the map");
            }
        }
    }
}
