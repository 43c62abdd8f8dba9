//! The adapter that docs/bind-your-acquirer.md shows is one that loads, and the keys that it tells
//! to fix are ones that an adapter has.

use klarna_conformance::adapter::{Adapter, AdapterSource};

use crate::suite::root;

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
    let page = std::fs::read_to_string(root().join("docs/bind-your-acquirer.md")).unwrap();
    let blocks = yaml_blocks(&page);
    let [whole, attached] = blocks.as_slice() else { panic!("two blocks of YAML, not {}", blocks.len()) };
    let adapter = load(whole);
    assert_eq!(adapter.name(), "acme");
    assert!(adapter.claims("redirect") && adapter.claims("sdk") && adapter.claims("notifications"));
    assert_eq!(adapter.partners().len(), 2);

    let (head, rest) = whole.split_once("launch:\n").unwrap();
    let (_, rest) = rest.split_once("\npartners:\n").unwrap();
    let adapter = load(&format!("{head}{attached}\npartners:\n{rest}"));
    assert_eq!(adapter.listen().simulator.port(), 8080);
    assert_eq!(adapter.listen().partner.port(), 8090);
}
