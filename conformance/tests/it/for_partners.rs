//! docs/for-partners.md, played as a Partner's developer would: its commands against Klarna, the
//! acquirer and the Partner's ears as separate processes, and what they print against the page.

use crate::suite::root;
use crate::tour::{Reader, blocks_of, programs};

/// Not commands: a file that the commands of the page use.
const EARS: &str = "python ears.py";

#[tokio::test]
async fn every_request_of_the_page_for_partners_goes_as_it_says() {
    let Some(programs) = programs() else { return };
    let blocks = blocks_of(&std::fs::read_to_string(root().join("docs/for-partners.md")).unwrap());
    let of = |kind: &str| blocks.iter().filter(|block| block.kind == kind).cloned().collect::<Vec<_>>();
    let (servers, typed, files) = (of("sh server"), of("sh"), of(EARS));
    assert_eq!(servers.len() + typed.len() + files.len(), blocks.len(), "a block of an unknown kind");
    let [ears] = &files[..] else { panic!("one file: {files:#?}") };
    assert_eq!(servers.len(), 3, "Klarna, the Partner's ears and the acquirer");
    assert!(
        typed.iter().filter(|block| block.prints.is_some()).count() > 8,
        "the page shows what is printed"
    );

    let mut reader = Reader::new(programs);
    reader.write("ears.py", &ears.commands);
    for server in &servers {
        reader.start(server).await;
    }
    reader.type_in(&typed).await;
}
