//! Fields of the order that get lost on the way.

use klarna_conformance::plan::{check, embedded_features};

use super::{at_once, changed, none, play};

const ROWS: &str = "purchase-data/what-the-partner-gave/no-field-gets-lost";

/// What is left out, and the rows that must say so: no other may.
struct Loss {
    changes: &'static [(&'static str, &'static str)],
    rows: &'static [usize],
}

const LOSSES: &[Loss] = &[
    Loss {
        changes: &[
            ("\"purchase_reference\": order[\"orderNumber\"],", ""),
            ("\"unit_price\": minor(item[\"unitPrice\"], currency),", ""),
            ("{\"given_name\": shopper[\"firstName\"], \"family_name\"", "{\"family_name\""),
            ("\"street_address\": of[\"street\"],", ""),
        ],
        rows: &[1, 4, 8, 12, 19],
    },
    Loss {
        changes: &[
            ("\"name\": item[\"label\"],", "\"name\": \"Goods\","),
            ("minor(item[\"lineTotal\"], currency)", "minor(item[\"unitPrice\"], currency)"),
            (", \"family_name\": shopper[\"lastName\"]}", "}"),
            ("\"postal_code\": of[\"zip\"],", ""),
        ],
        rows: &[2, 5, 9, 13, 20],
    },
    Loss {
        changes: &[
            ("\"quantity\": item[\"count\"],", "\"quantity\": 1,"),
            ("\"total_tax_amount\": minor(item[\"taxTotal\"], currency),", ""),
            ("{\"email\": shopper[\"emailAddress\"], \"phone\"", "{\"phone\""),
            ("\"city\": of[\"town\"],", ""),
        ],
        rows: &[3, 6, 10, 14, 21],
    },
    Loss {
        changes: &[
            (", \"phone\": shopper[\"phoneNumber\"]}", "}"),
            ("\"country\": of[\"countryCode\"],", ""),
        ],
        rows: &[11, 16, 23],
    },
    Loss {
        changes: &[
            ("\"line_item_reference\": item[\"sku\"],", ""),
            ("        \"region\": of.get(\"state\"),\n", ""),
            ("\"given_name\": order[\"delivery\"][\"firstName\"]", "**person, \"family_name\": \"\""),
            ("\"family_name\": order[\"delivery\"][\"lastName\"]", "**person"),
        ],
        rows: &[7, 15, 17, 18, 22],
    },
    Loss {
        // The bill goes to where the goods go.
        changes: &[("address(order[\"billing\"])", "address(order[\"delivery\"])")],
        rows: &[12, 13, 14, 15],
    },
    Loss {
        // The goods go to where the bill goes.
        changes: &[("address(order[\"delivery\"])", "address(order[\"billing\"])")],
        rows: &[19, 20, 21, 22],
    },
];

#[test]
fn each_lost_field_is_missed_by_its_own_row() {
    let all: Vec<String> = check(&embedded_features())
        .scenarios
        .into_iter()
        .map(|scenario| scenario.id)
        .filter(|id| id.starts_with(ROWS))
        .collect();
    assert_eq!(all.len(), 23, "each row is one of the losses");
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    none(&at_once(LOSSES, |loss| {
        let ran = play(&changed(loss.changes), &all);
        let wanted: Vec<String> = loss.rows.iter().map(|row| format!("{ROWS}#{row}")).collect();
        let red: Vec<&str> = all
            .iter()
            .copied()
            .filter(|id| ran.failing(id).contains(&"purchase-data.field".to_owned()))
            .collect();
        let missing: Vec<&String> = wanted.iter().filter(|id| !red.contains(&id.as_str())).collect();
        let beside: Vec<&&str> =
            red.iter().filter(|id| !wanted.iter().any(|wanted| wanted == **id)).collect();
        (!missing.is_empty() || !beside.is_empty() || ran.code != 1)
            .then(|| format!("not red: {missing:?}, red besides: {beside:?}\n{}", ran.all()))
    }));
}
