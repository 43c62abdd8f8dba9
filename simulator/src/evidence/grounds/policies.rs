//! The grounds of policies: an entry for each in the settings.

use super::{Fact, Ground, Subject};

const fn policy(name: &'static str, confirmed: &'static [Fact], inferred: &'static [Fact]) -> Ground {
    Ground { of: Subject::Policy(name), confirmed, inferred }
}

/// All of them.
pub(super) static GROUNDS: &[Ground] = &[
    policy(
        "no_way_to_the_customer",
        &[Fact("payments.md 2.6", "Without a `step_up_config` there cannot be a step-up.")],
        &[Fact("payments.md 2.6", "Without a token either, the call is declined; a 400 is as likely.")],
    ),
    policy(
        "unknown_token",
        &[],
        &[Fact(
            "payments.md 2.6",
            "A token that names nothing is a 400 that blames the header; a 404 is as likely.",
        )],
    ),
    policy(
        "expired_token",
        &[Fact("payments.md 2.6", "A token is good for 60 minutes; then the transaction is invalidated.")],
        &[Fact("payments.md 2.6", "A call after that gets 404; a 400 or DECLINED is as likely.")],
    ),
    policy(
        "foreign_token",
        &[],
        &[Fact("payments.md 2.6", "The token of another Partner account is a 403; a 404 is as likely.")],
    ),
    policy(
        "other_amount",
        &[Fact("payments.md 2.6", "Klarna compares the amount with the one that the customer approved.")],
        &[Fact("payments.md 2.6", "A difference is a 400 on the amount; DECLINED or a 409 is as likely.")],
    ),
    policy(
        "token_reused",
        &[
            Fact("payments.md 2.6", "The same call again gets the same result."),
            Fact("payments.md 2.6", "Two calls on one token have been seen to end in 409 RESOURCE_CONFLICT."),
        ],
        &[Fact("payments.md 2.6", "That the calls differed was the reason.")],
    ),
    policy(
        "update_out_of_turn",
        &[Fact("payments.md 3.3", "Only a SUBMITTED request can be changed.")],
        &[Fact("payments.md 3.3", "The refusal is 403 OPERATION_FORBIDDEN; a 409 is as likely.")],
    ),
    policy(
        "cancel_out_of_turn",
        &[Fact("payments.md 3.3", "What is EXPIRED or DECLINED cannot be canceled.")],
        &[
            Fact("payments.md 3.3", "Nor can what is CANCELED already."),
            Fact("payments.md 3.3", "The refusal is 403 OPERATION_FORBIDDEN; a 409 is as likely."),
        ],
    ),
    policy(
        "expired_request",
        &[Fact("payments.md 3.4", "A request that has expired is deleted.")],
        &[Fact("payments.md 3.4", "It can still be read for a while, as EXPIRED; a 404 is as likely.")],
    ),
    policy(
        "token_in_events",
        &[
            Fact(
                "webhooks-and-network-data.md A.3",
                "Klarna's own plugins read it in `payload`; its pages say `state_context`.",
            ),
            Fact("payments.md 3.6", "The read of a request has it in `state_context`."),
        ],
        &[Fact("payments.md 10", "Both places have it, since the sources differ.")],
    ),
    policy(
        "undocumented_fields",
        &[Fact("payments.md 2.1, 2.2", "The fields that sources describe.")],
        &[Fact(
            "README, Decisions",
            "What they do not describe, or describe elsewhere, is accepted; a 400 with every such field is as likely.",
        )],
    ),
    policy(
        "line_totals",
        &[
            Fact("payments.md 2.2", "Documents say that the totals of the lines add up to the amount."),
            Fact("payments.md 2.2", "A sample of Klarna's own breaks that, and expects 200."),
        ],
        &[Fact(
            "payments.md 10",
            "Lines that do not add up are accepted; a 400 is as likely. Nor is a line refused whose total is not its unit price times its quantity.",
        )],
    ),
    policy(
        "missing_key",
        &[Fact("payments.md 5.1", "Every POST and PATCH carries `Klarna-Idempotency-Key`.")],
        &[Fact("payments.md 5.1", "A call without one is accepted: no refusal is documented.")],
    ),
    policy(
        "older_names",
        &[Fact(
            "payments.md 7",
            "Which names, values and placeholders older revisions had; Klarna's own collections still send some.",
        )],
        &[Fact(
            "payments.md 2.6, 7",
            "All of them still work, until Klarna drops them; a 400 that names each is what comes then.",
        )],
    ),
    policy(
        "error_list",
        &[
            Fact(
                "payments.md 5.2",
                "Klarna's OpenAPI has `validation_errors[{parameter, reason, doc_url}]`.",
            ),
            Fact("payments.md 5.2", "An older sample has `errors[{parameter, error_message}]`."),
        ],
        &[Fact("payments.md 10", "The OpenAPI is right; a client that reads both is safe.")],
    ),
];
