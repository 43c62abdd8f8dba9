//! The table of grounds: an entry for each operation.

use super::{Fact, Ground, Subject};

pub(super) const fn operation(
    id: &'static str,
    confirmed: &'static [Fact],
    inferred: &'static [Fact],
) -> Ground {
    Ground { of: Subject::Operation(id), confirmed, inferred }
}

/// What is not about transactions.
pub(super) static GROUNDS: &[Ground] = &[
    operation(
        "authorize",
        &[
            Fact(
                "payments.md 2",
                "One operation serves the initial and the final call; APPROVED and STEP_UP_REQUIRED come with 200.",
            ),
            Fact(
                "payments.md 2.3",
                "`step_up_config` says how the customer is led; the initial call has it.",
            ),
            Fact(
                "payments.md 2.6",
                "The final call carries the session token in a header, within 60 minutes of its issue; the same token again gets the same result.",
            ),
            Fact(
                "payments.md 2.6",
                "A second final call that differs has been seen to get 409 RESOURCE_CONFLICT.",
            ),
            Fact("payments.md 1.1", "Direct Partners call it without an account in the path."),
            Fact(
                "payments.md 8",
                "A customer token that is asked for gets STEP_UP_REQUIRED; a charge with one carries it in `Klarna-Customer-Token`.",
            ),
        ],
        &[
            Fact(
                "payments.md 8",
                "A customer token alone is asked for without a transaction; that its request then has no amount, and that a call with a known token is approved where nothing else decides.",
            ),
            Fact("payments.md 2", "DECLINED comes with 200, too: clients look for it after a success only."),
            Fact(
                "payments.md 2.5",
                "The three results are all that there are, and a call that nothing decides is stepped up.",
            ),
            Fact(
                "payments.md 2.5",
                "With DECLINED there is neither a Payment Transaction nor a Payment Request.",
            ),
            Fact(
                "webhooks-and-network-data.md C, E",
                "That `acquiring_config` never names the account in two ways is confirmed of presentation; in a body it is reported only.",
            ),
            Fact(
                "README, Decisions",
                "A call is final when its token belongs to a COMPLETED request of the same account.",
            ),
            Fact(
                "payments.md 5.1",
                "Idempotency keys count per credential, method and path; another body under a key is a conflict.",
            ),
        ],
    ),
    operation(
        "payment_request.create",
        &[
            Fact(
                "payments.md 3.1",
                "Answers 201 with a request in SUBMITTED; the amount stands flat in the body.",
            ),
            Fact(
                "payments.md 3.4",
                "It lives three hours unless `interaction_expiry` says otherwise, 15 minutes to 48 hours.",
            ),
            Fact(
                "payments.md 3.1",
                "With a customer token in `Klarna-Customer-Token` it may come back COMPLETED.",
            ),
        ],
        &[
            Fact("payments.md 3.4", "An `interaction_expiry` out of range is a 400."),
            Fact(
                "payments.md 3.1",
                "With a customer token it always comes back COMPLETED, unless another is asked for; that events tell of SUBMITTED and COMPLETED; what an unknown token gets, see the policy `unknown_token`.",
            ),
            Fact("payments.md 5.1", "Idempotency keys count per credential, method and path."),
        ],
    ),
    operation(
        "payment_request.update",
        &[
            Fact("payments.md 3.1", "PATCH answers 200, and the request stays SUBMITTED."),
            Fact("payments.md 3.3", "Only a SUBMITTED request can be changed."),
        ],
        &[Fact(
            "payments.md 3.3",
            "How a change at the wrong time is refused; see the policy `update_out_of_turn`.",
        )],
    ),
    operation(
        "payment_request.replace",
        &[Fact(
            "payments.md 3.1",
            "The newest pages show PUT where older ones show PATCH, and say that what is left out stays.",
        )],
        &[Fact("payments.md 10", "Sources differ on the verb; both are served, and do the same.")],
    ),
    operation(
        "payment_request.read",
        &[
            Fact("payments.md 3.1", "Answers 200 with the object."),
            Fact(
                "payments.md 3.2",
                "`state_context` leads to the customer while the request is open, and has the session token once it is COMPLETED.",
            ),
            Fact(
                "payments.md 2.6, 3.2",
                "With express shipping it then has `shipping`, too, and the amount that is to be finalised may have changed.",
            ),
        ],
        &[
            Fact(
                "payments.md 3.1",
                "That `shipping_config` EDITABLE is what lets the customer choose, in one of `supported_countries` where there are any.",
            ),
            Fact("payments.md 3.2", "`state_context` is empty in all other states."),
            Fact(
                "payments.md 3.4",
                "What reading an expired request gets; see the policy `expired_request`.",
            ),
        ],
    ),
    operation(
        "payment_request.cancel",
        &[
            Fact("payments.md 3.1", "DELETE answers 200 with the object, not 204."),
            Fact(
                "payments.md 3.3",
                "SUBMITTED and IN_PROGRESS can be canceled, DECLINED and EXPIRED cannot.",
            ),
        ],
        &[
            Fact(
                "payments.md 10",
                "Sources differ on COMPLETED; here it can be canceled until its final authorize is decided.",
            ),
            Fact(
                "payments.md 3.3",
                "How a cancel at the wrong time is refused; see the policy `cancel_out_of_turn`.",
            ),
        ],
    ),
    operation(
        "payment_token.cancel",
        &[Fact("payments.md 3.1", "Method and path, in releases up to r2512.")],
        &[
            Fact(
                "payments.md 3.1",
                "204 without a body; that it takes a session token, too, and that the Payment Request is canceled with its token.",
            ),
            Fact(
                "payments.md 5.3",
                "404 where the token names nothing or has expired, 409 where a final authorize has used it.",
            ),
        ],
    ),
    operation(
        "sdk_token.create",
        &[Fact(
            "webhooks-and-network-data.md B.6",
            "The path, that it has no body, and that a session token may come in its header.",
        )],
        &[Fact("webhooks-and-network-data.md B.6", "The status and the fields of its answer.")],
    ),
    operation(
        "interoperability_token.create",
        &[
            Fact(
                "webhooks-and-network-data.md B.6",
                "The path, and `interoperability_token` in the answer of its test-only twin.",
            ),
            Fact(
                "webhooks-and-network-data.md B.6",
                "A session token can come from the exchange of a customer token.",
            ),
        ],
        &[
            Fact(
                "webhooks-and-network-data.md B.6",
                "The status, the current name of the token beside the older one, and its end.",
            ),
            Fact(
                "payments.md 2.6",
                "What a customer token that names nothing gets; see the policy `unknown_token`.",
            ),
        ],
    ),
    operation(
        "test_token.create",
        &[Fact(
            "webhooks-and-network-data.md B.6",
            "The path, the four journeys, and `interoperability_token` in the answer.",
        )],
        &[
            Fact(
                "webhooks-and-network-data.md B.6",
                "The status, the current name of the token beside the older one, and its end.",
            ),
            Fact(
                "webhooks-and-network-data.md B.6",
                "That only express checkout leaves a purchase completed, so that an authorize is final.",
            ),
        ],
    ),
    operation(
        "presentation.read",
        &[
            Fact(
                "webhooks-and-network-data.md C",
                "Path, queries, the four instructions, and the parts of an option that clients show.",
            ),
            Fact(
                "webhooks-and-network-data.md C",
                "404 where Klarna has nothing for a currency, by a comment in a client library.",
            ),
            Fact(
                "webhooks-and-network-data.md C",
                "An answer may be cached where no token was sent, as Cache-Control says.",
            ),
        ],
        &[
            Fact(
                "webhooks-and-network-data.md C",
                "How the remaining leaves are spelled; they are known from client libraries only.",
            ),
            Fact("webhooks-and-network-data.md C", "What `payment_status` asks for."),
            Fact("webhooks-and-network-data.md C", "That `locale` must be there: all samples have it."),
        ],
    ),
    operation(
        "signing_key.create",
        &[
            Fact("webhooks-and-network-data.md A.1", "Takes no body; answers 201 with id, secret and time."),
            Fact("webhooks-and-network-data.md A.1", "An account has 50 keys at most."),
        ],
        &[Fact("webhooks-and-network-data.md A.1", "One key too many is a 403: no code is published.")],
    ),
    operation(
        "signing_key.list",
        &[Fact("webhooks-and-network-data.md A.1", "Answers 200 with an array `signing_keys`.")],
        &[Fact("webhooks-and-network-data.md A.1", "The list is whole: nothing is said of pages.")],
    ),
    operation(
        "signing_key.read",
        &[Fact("webhooks-and-network-data.md A.1", "Answers 200; the secret is not shown again.")],
        &[],
    ),
    operation(
        "signing_key.delete",
        &[Fact("webhooks-and-network-data.md A.1", "Answers 204.")],
        &[Fact("README, Decisions", "A key that a webhook still uses can be deleted.")],
    ),
    operation(
        "webhook.create",
        &[
            Fact("webhooks-and-network-data.md A.1", "The fields of the body, and https with a valid URL."),
            Fact("webhooks-and-network-data.md A.1", "A configuration that exists already is a 409."),
        ],
        &[
            Fact("webhooks-and-network-data.md A.1", "Success is 201, and a webhook that rests is DISABLED."),
            Fact("README, Decisions", "The same URL with the same event types is the same configuration."),
            Fact("README, Decisions", "Plain http may go to loopback."),
        ],
    ),
    operation(
        "webhook.list",
        &[Fact("webhooks-and-network-data.md A.1", "Answers 200 with an array `webhooks`.")],
        &[Fact("webhooks-and-network-data.md A.1", "The list is whole: nothing is said of pages.")],
    ),
    operation(
        "webhook.read",
        &[Fact("webhooks-and-network-data.md A.1", "The path, and the fields of a webhook.")],
        &[Fact("webhooks-and-network-data.md A.1", "Success is 200.")],
    ),
    operation(
        "webhook.update",
        &[Fact(
            "webhooks-and-network-data.md A.1",
            "PATCH on a webhook, with any of the fields that it was made with; rotation changes its signing key so.",
        )],
        &[Fact(
            "webhooks-and-network-data.md A.1",
            "200 with the webhook, that what is left out stays, and 409 where another one would be the same.",
        )],
    ),
    operation(
        "webhook.simulate",
        &[Fact(
            "webhooks-and-network-data.md A.1",
            "The path, and a body of `event_type` and `event_version`.",
        )],
        &[
            Fact(
                "webhooks-and-network-data.md A.1",
                "202 and its body; that one attempt is made, whatever the webhook wants and whether it is enabled.",
            ),
            Fact(
                "webhooks-and-network-data.md A.3",
                "What samples hold beside ids, references and states, but for Payment Requests and disputes.",
            ),
        ],
    ),
    operation(
        "webhook.delete",
        &[Fact("webhooks-and-network-data.md A.1", "The path.")],
        &[Fact("webhooks-and-network-data.md A.1", "Success is 204.")],
    ),
];
