//! Slips of the pen in an adapter file, each with its place and the name that was meant.

use super::{SOUND, load};

/// One change to a sound adapter, and what is said about it.
struct Slip {
    from: &'static str,
    to: &'static str,
    place: &'static str,
    message: &'static str,
    nearest: Option<&'static str>,
}

const SLIPS: &[Slip] = &[
    Slip {
        from: "name: acme\n",
        to: "nmae: acme\n",
        place: "2:1",
        message: "unknown key \"nmae\"",
        nearest: Some("name"),
    },
    Slip {
        from: "name: acme\n",
        to: "",
        place: "10:1",
        message: "the key \"name\" is missing",
        nearest: None,
    },
    Slip {
        from: "version: 1",
        to: "version: 2",
        place: "1:10",
        message: "version 2 of the format is not known",
        nearest: None,
    },
    Slip {
        from: "name: acme\n",
        to: "name: acme\nname: acme\n",
        place: "3:1",
        message: "this key stands here twice",
        nearest: None,
    },
    Slip {
        from: "  read_payment:",
        to: "  raed_payment:",
        place: "29:3",
        message: "unknown key \"raed_payment\"",
        nearest: Some("read_payment"),
    },
    Slip {
        from: "[redirect]",
        to: "[redirct]",
        place: "8:16",
        message: "unknown capability \"redirct\"",
        nearest: Some("redirect"),
    },
    Slip {
        from: "[redirect]",
        to: "[notifications]",
        place: "8:16",
        message: "notifications is claimed, and the file has no notifications",
        nearest: None,
    },
    Slip {
        from: "[redirect]",
        to: "[redirect, capture]",
        place: "8:26",
        message: "capture is claimed, and the file has no operations.capture",
        nearest: None,
    },
    Slip {
        from: "[redirect]",
        to: "[redirect, partial_refund]",
        place: "8:26",
        message: "partial_refund is claimed, and refund is not",
        nearest: None,
    },
    Slip {
        from: "[redirect]",
        to: "[redirect]\nunclaimed: {redirect: we have none}",
        place: "9:13",
        message: "redirect stands under capabilities and under unclaimed",
        nearest: None,
    },
    Slip {
        from: "[redirect]",
        to: "[redirect]\nunclaimed: {sesion_token: we have none}",
        place: "9:13",
        message: "unknown capability \"sesion_token\"",
        nearest: Some("session_token"),
    },
    Slip {
        from: "[redirect]",
        to: "[redirect]\nunclaimed: {session_token: \" \"}",
        place: "9:28",
        message: "nothing says why session_token is unclaimed",
        nearest: None,
    },
    Slip {
        from: "order.amount | decimal",
        to: "order.amount | decimals",
        place: "19:46",
        message: "unknown filter \"decimals\"",
        nearest: Some("decimal"),
    },
    Slip {
        from: "order.network_data | omit",
        to: "order.networkdata | omit",
        place: "20:51",
        message: "unknown field of order \"networkdata\"",
        nearest: Some("network_data"),
    },
    Slip {
        from: "{{ partner.vars.merchant }}/payments",
        to: "{{ partner.vars.merchnt }}/payments",
        place: "15:41",
        message: "unknown field of partner.vars \"merchnt\"",
        nearest: Some("merchant"),
    },
    Slip {
        from: "payment.payment_id",
        to: "payment.id",
        place: "30:56",
        message: "unknown field of payment \"id\"",
        nearest: None,
    },
    Slip {
        from: "{{ payment.payment_id",
        to: "{{ order.reference",
        place: "30:48",
        message: "unknown variable \"order\"",
        nearest: None,
    },
    Slip {
        from: "$.transactionId",
        to: "$.transaction Id",
        place: "28:26",
        message: "is no JSONPath",
        nearest: None,
    },
    Slip {
        from: "redirect_url: $",
        to: "redirect_uri: $",
        place: "28:43",
        message: "unknown name to read \"redirect_uri\"",
        nearest: Some("redirect_url"),
    },
    Slip {
        from: "read: {payment_id: $.transactionId, ",
        to: "read: {",
        place: "13:5",
        message: "create_payment.answer.read does not say where the payment_id is",
        nearest: None,
    },
    Slip {
        from: "is: step_up",
        to: "is: stepup",
        place: "26:65",
        message: "unknown outcome \"stepup\"",
        nearest: Some("step_up"),
    },
    Slip {
        from: "method: POST",
        to: "method: PSOT",
        place: "14:15",
        message: "unknown method \"PSOT\"",
        nearest: Some("POST"),
    },
    Slip {
        from: "default: shop-4711",
        to: "defualt: shop-4711",
        place: "7:61",
        message: "unknown key \"defualt\"",
        nearest: Some("default"),
    },
    Slip {
        from: ", default: shop-4711",
        to: "",
        place: "7:45",
        message: "the environment variable MERCHANT is not set",
        nearest: None,
    },
    Slip {
        from: "attach: {base_url: \"http://127.0.0.1:9\"}\n",
        to: "",
        place: "",
        message: "neither launch nor attach",
        nearest: None,
    },
    Slip {
        from: "attach: {base_url: \"http:",
        to: "attach: {base_url: \"ftp:",
        place: "3:20",
        message: "is no http or https URL",
        nearest: None,
    },
    Slip {
        from: "  create_payment:\n",
        to: "  create_payment: [\n",
        place: "12:19",
        message: "expected mapping start",
        nearest: None,
    },
    Slip {
        from: "{bearer: ",
        to: "{basic: {username: a, password: b}, bearer: ",
        place: "10:17",
        message: "one of bearer, basic, header and oauth2",
        nearest: None,
    },
];

#[test]
fn every_slip_is_shown_with_its_place_and_the_name_that_was_meant() {
    load(SOUND).unwrap();
    let mut wrong = Vec::new();
    for slip in SLIPS {
        let yaml = SOUND.replacen(slip.from, slip.to, 1);
        assert_ne!(yaml, SOUND, "{}", slip.from);
        let error = load(&yaml).expect_err(slip.to);
        let place = error.place();
        let place = place.split_once("acme.yaml").map_or("", |(_, rest)| rest.trim_start_matches(':'));
        if (place, error.nearest()) != (slip.place, slip.nearest) {
            wrong.push(format!("{} -> {}: {:?} {error}", slip.from, slip.to, error.nearest()));
        }
        assert!(error.message().contains(slip.message), "{error}");
        if slip.nearest.is_some() {
            assert!(error.hint().is_some_and(|hint| hint.starts_with("did you mean")), "{error}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
