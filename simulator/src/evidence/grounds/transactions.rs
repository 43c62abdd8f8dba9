//! Grounds of what is done to a transaction after its authorize.

use super::table::operation;
use super::{Fact, Ground};

pub(super) static GROUNDS: &[Ground] = &[
    operation(
        "payment_transaction.read",
        &[Fact(
            "payments.md 4",
            "The path; the names of the object's fields, as far as they were retrieved; the four states.",
        )],
        &[Fact(
            "payments.md 4",
            "That an EXPIRED transaction stays readable, and how remaining, captured and refunded amounts are called.",
        )],
    ),
    operation(
        "payment_transaction.update",
        &[Fact(
            "payments.md 4",
            "PATCH changes the reference and the purchase data, and not in EXPIRED, COMPLETED or CLOSED.",
        )],
        &[Fact("payments.md 4", "200 with the object; that the refusal is 403 OPERATION_FORBIDDEN.")],
    ),
    operation(
        "payment_transaction.reauthorize",
        &[
            Fact("payments.md 4", "The path and the fields of its body."),
            Fact(
                "payments.md 4",
                "An expired transaction is closed unless it is reauthorized within 7 days.",
            ),
        ],
        &[Fact(
            "payments.md 4",
            "200 with the object; that the amount may not fall below what was captured.",
        )],
    ),
    operation(
        "payment_transaction.capture",
        &[
            Fact(
                "payments.md 4",
                "The path, the fields of its body, and `payment_capture_id` in the answer.",
            ),
            Fact("payments.md 4", "200 captures and 500 actions in all, then 403."),
        ],
        &[Fact(
            "payments.md 4",
            "201; that more than is left is 400 on `capture_amount`; The form of its id, and which fields its object has beside ids, references and amounts.",
        )],
    ),
    operation(
        "payment_transaction.refund",
        &[
            Fact(
                "payments.md 4",
                "The path, and that its reference is called `refund_reference` here, in one client's requests.",
            ),
            Fact("payments.md 4", "200 refunds, then 403."),
        ],
        &[Fact(
            "payments.md 4",
            "201; that the other name of the reference is taken, too; how a refund is spread over several captures; The form of its id, and which fields its object has beside ids, references and amounts.",
        )],
    ),
    operation(
        "payment_transaction.void",
        &[
            Fact(
                "payments.md 4",
                "No body; only while AUTHORIZED and not fully captured: CLOSED without captures, else COMPLETED.",
            ),
            Fact("payments.md 4", "200 voids, then 403."),
        ],
        &[Fact("payments.md 4", "200 with the object.")],
    ),
    operation(
        "payment_capture.read",
        &[Fact("payments.md 4", "The path.")],
        &[Fact(
            "payments.md 4",
            "The form of its id, and which fields its object has beside ids, references and amounts.",
        )],
    ),
    operation(
        "payment_capture.refund",
        &[Fact(
            "payments.md 4",
            "The path, `payment_refund_reference` in its body and `payment_refund_id` in the answer.",
        )],
        &[Fact("payments.md 4", "201; that more than the capture has left is 400 on `refund_amount`.")],
    ),
    operation(
        "payment_refund.read",
        &[Fact("payments.md 4", "The path.")],
        &[Fact(
            "payments.md 4",
            "The form of its id, and which fields its object has beside ids, references and amounts.",
        )],
    ),
    operation(
        "payment_chargeback.read",
        &[Fact("payments.md 4", "The path, and an event of this name.")],
        &[Fact(
            "payments.md 4",
            "The form of its id, and which fields its object has beside ids, references and amounts.",
        )],
    ),
];
