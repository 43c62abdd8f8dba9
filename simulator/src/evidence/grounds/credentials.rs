//! Grounds of what an account does with its own credentials.

use super::table::operation;
use super::{Fact, Ground};

pub(super) static GROUNDS: &[Ground] = &[
    operation(
        "client_certificate.create",
        &[
            Fact(
                "payments.md 1.3",
                "The path, and the body: a description, and a configuration of usage (MTLS or JWT_SIGNING) and certificate signing request.",
            ),
            Fact(
                "payments.md 1.3",
                "The key is on prime256v1; the common name is the last segment of the account's id.",
            ),
        ],
        &[
            Fact(
                "payments.md 1.3",
                "It answers 201 with the certificate as PEM, under the names that are ours.",
            ),
            Fact(
                "payments.md 1.3",
                "A request with another key or name gets 400; a certificate is good for a year.",
            ),
        ],
    ),
    operation(
        "client_certificate.enforce",
        &[
            Fact(
                "payments.md 1.3",
                "The path, `enforced_from` as NOW or a time at most three months ahead, and 204.",
            ),
            Fact(
                "payments.md 1.3",
                "Every answer says NOT_PRESENT, VALID or INVALID in `Klarna-Mtls-Verification-Status`; before enforcement calls are served without a certificate.",
            ),
        ],
        &[
            Fact(
                "payments.md 5.3",
                "Once they are enforced, a call without a valid one gets 401 UNAUTHORIZED.",
            ),
            Fact(
                "payments.md 1.3",
                "These three operations are served without one all the same: or an account could lock itself out.",
            ),
            Fact("payments.md 1.3", "A certificate that names another account than the API key is INVALID."),
        ],
    ),
    operation(
        "client_certificate.report",
        &[Fact("payments.md 1.3", "DELETE on the same path goes back to reporting.")],
        &[Fact("payments.md 1.3", "It answers 204, also where nothing was enforced.")],
    ),
];
