//! Each kind of mistake in an adapter file, as `adapter check` shows it: line, column, what there is, and the
//! nearest name.

use tempfile::TempDir;

use super::{SOUND, adapter, write};

/// One change to the sound adapter.
struct Mistake {
    from: &'static str,
    to: &'static str,
    /// Line and column.
    place: &'static str,
    says: &'static [&'static str],
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        from: "order.network_data",
        to: "order.netwrok_data",
        place: "22:27",
        says: &[
            "unknown field of order \"netwrok_data\"",
            "did you mean \"network_data\"?",
            "purchase_reference",
        ],
    },
    Mistake {
        from: "{{ order.currency }}",
        to: "{{ ordre.currency }}",
        place: "21:25",
        says: &["unknown variable \"ordre\"", "did you mean \"order\"?", "partner"],
    },
    Mistake {
        from: "| decimal",
        to: "| decmal",
        place: "20:38",
        says: &["unknown filter \"decmal\"", "did you mean \"decimal\"?", "urlencode"],
    },
    Mistake {
        from: "  read_payment:",
        to: "  raed_payment:",
        place: "29:3",
        says: &["unknown key \"raed_payment\"", "did you mean \"read_payment\"?", "list_payment_methods"],
    },
    Mistake {
        from: "payment_id: $.id, redirect",
        to: "payment_id: .id, redirect",
        place: "28:26",
        says: &["\".id\" is no JSONPath", "begins with $"],
    },
    Mistake {
        from: "redirect_url:",
        to: "redirct_url:",
        place: "28:32",
        says: &["unknown name to read \"redirct_url\"", "did you mean \"redirect_url\"?"],
    },
    Mistake {
        from: ", default: \"a-secret-of-acme\"",
        to: "",
        place: "7:17",
        says: &["the environment variable ACME_KEY is not set", "export ACME_KEY"],
    },
    Mistake {
        from: "is: approved}\n        -",
        to: "is: aproved}\n        -",
        place: "25:61",
        says: &["unknown outcome \"aproved\"", "did you mean \"approved\"?"],
    },
    Mistake {
        from: "name: acme\n",
        to: "name: acme\nname: other\n",
        place: "3:1",
        says: &["this key stands here twice"],
    },
    Mistake { from: "  create_payment:\n", to: "\tcreate_payment:\n", place: "10:2", says: &["tab"] },
    Mistake {
        from: "call.session",
        to: "call.sesion",
        place: "16:32",
        says: &["unknown field of call \"sesion\"", "did you mean \"session\"?"],
    },
    Mistake { from: "status: 201", to: "status: 2x1", place: "25:20", says: &["\"2x1\" is no HTTP status"] },
];

#[test]
fn each_mistake_is_shown_with_its_place_and_what_was_meant() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "acme.yaml", SOUND);
    adapter(folder.path(), &["check", "acme.yaml", "--offline"], &[]).must_exit(0);
    for mistake in MISTAKES {
        assert_eq!(SOUND.matches(mistake.from).count(), 1, "{}", mistake.from);
        write(folder.path(), "acme.yaml", &SOUND.replace(mistake.from, mistake.to));
        let said = adapter(folder.path(), &["check", "acme.yaml", "--offline"], &[]);
        said.must_exit(3).must_complain(&format!("acme.yaml:{}: ", mistake.place));
        // The page is folded where a terminal is narrow.
        let unfolded = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
        for what in mistake.says {
            assert!(unfolded.contains(what), "{what}: {said}");
        }
        said.must_complain("1 mistake in acme.yaml; nothing was started");
        assert!(said.out.is_empty(), "{said}");
        assert!(!said.err.contains("a-secret-of-acme"), "{said}");
    }
}

#[test]
fn mistakes_are_told_all_at_once_in_the_order_of_the_file() {
    let folder = TempDir::new().unwrap();
    let texts = [
        "order.network_data",
        "| decimal",
        "payment_id: $.id, redirect",
        "is: approved}\n        -",
        ", default: \"a-secret-of-acme\"",
        "http://127.0.0.1:9",
    ];
    let mut text = SOUND.to_owned();
    for from in texts {
        let to = MISTAKES.iter().find(|mistake| mistake.from == from).map_or("TODO", |mistake| mistake.to);
        text = text.replace(from, to);
    }
    write(folder.path(), "acme.yaml", &text);
    let said = adapter(folder.path(), &["check", "acme.yaml", "--offline"], &[]);
    said.must_exit(3).must_complain("6 mistakes in acme.yaml");
    let places = ["3:20", "7:17", "20:38", "22:27", "25:61", "28:26"];
    let at: Vec<usize> =
        places.iter().map(|place| said.err.find(&format!("acme.yaml:{place}: ")).expect(place)).collect();
    assert!(at.is_sorted(), "{said}");

    // Keys that no adapter has are known together, too.
    let text =
        SOUND.replace("  read_payment:", "  raed_payment:").replace("      headers:", "      haeders:");
    write(folder.path(), "acme.yaml", &text);
    let said = adapter(folder.path(), &["check", "acme.yaml", "--offline"], &[]);
    said.must_exit(3).must_complain("acme.yaml:17:7: ").must_complain("acme.yaml:29:3: ");

    // A run shows as much.
    let said = super::Said::of(
        crate::suite::command(folder.path(), &["run", "--acquirer", "acme.yaml"]).output().unwrap(),
    );
    said.must_exit(3).must_complain("acme.yaml:17:7: ").must_complain("acme.yaml:29:3: ");
}
