//! Grounds of rules that rest on more than the duty they are about: what is inferred in them makes their
//! findings warn, whatever the duty weighs.

use super::{Fact, Ground, Subject};

const fn rule(id: &'static str, confirmed: &'static [Fact], inferred: &'static [Fact]) -> Ground {
    Ground { of: Subject::Rule(id), confirmed, inferred }
}

/// All of them.
pub(super) static GROUNDS: &[Ground] = &[
    rule(
        "token.known",
        &[Fact("payments.md 2.1", "A session token that the Partner gave is forwarded.")],
        &[Fact(
            "README, Decisions",
            "A token that nobody has issued is accepted on an initial call, and has no effect.",
        )],
    ),
    rule(
        "token.current-name",
        &[Fact("payments.md 7", "The older headers still work.")],
        &[Fact(
            "payments.md 7",
            "Klarna will drop them; the page says so of the field `payment_token` only.",
        )],
    ),
    rule(
        "body.current-names",
        &[Fact("payments.md 7", "Which name belongs to which revision.")],
        &[Fact("payments.md 7", "Klarna still takes them, and will drop them.")],
    ),
    rule(
        "secret.in-url",
        &[],
        &[Fact("payments.md 9", "A secret in a URL is a leak: Klarna says it of logs and pages.")],
    ),
    rule(
        "client-certificate.valid",
        &[Fact(
            "payments.md 1.3",
            "Klarna tells whether a certificate is valid, and serves the call in reporting mode.",
        )],
        &[Fact("payments.md 1.3", "A certificate that names another account than the API key is not valid.")],
    ),
    rule(
        "headers.no-tracing",
        &[Fact("payments.md 1.4", "Klarna asks not to forward tracing headers.")],
        &[Fact("payments.md 1.4", "Which headers are meant: those of W3C, B3, Jaeger and Datadog.")],
    ),
    rule(
        "line-totals.add-up",
        &[Fact("payments.md 2.2", "The totals of the order lines add up to the amount.")],
        &[Fact("payments.md 2.2", "One of Klarna's own samples does not keep to it, and gets 200.")],
    ),
    rule(
        "final.purchase-data-unchanged",
        &[Fact("payments.md 2.6", "Purchase data that differs materially has an adverse outcome.")],
        &[Fact("payments.md 2.6", "What is material: the sentence is cut off in every copy.")],
    ),
    rule(
        "body.as-documented",
        &[],
        &[Fact("README, Decisions", "Fields that no source describes are accepted.")],
    ),
    rule(
        "authorize.strictly-valid",
        &[],
        &[Fact(
            "README, Decisions",
            "A policy of this simulator refuses what Klarna is not known to refuse.",
        )],
    ),
    rule(
        "payment-option.known",
        &[Fact("payments.md 2.1", "The id is opaque, and comes from the presentation.")],
        &[Fact("payments.md 2.1", "An id that no presentation has given is accepted.")],
    ),
    rule(
        "idempotency-key.own-header",
        &[Fact("payments.md 1.4", "The header is Klarna-Idempotency-Key; others are seen in clients.")],
        &[Fact("payments.md 1.4", "Klarna does not honour Idempotency-Key.")],
    ),
    rule(
        "idempotency-key.uuid",
        &[Fact("payments.md 5.1", "Guides ask for a UUID, of version 5 or of any.")],
        &[Fact("payments.md 5.1", "Any key of 1 to 255 characters is accepted.")],
    ),
    rule(
        "retry.backed-off",
        &[Fact(
            "payments.md 5.5",
            "After a 429 a caller backs off; X-Ratelimit-Reset says in how many seconds the quota is renewed.",
        )],
        &[Fact("payments.md 5.5", "What is no pause: less than a tenth of that.")],
    ),
    rule(
        "bare-error.survived",
        &[Fact("payments.md 9", "Errors can come without Klarna's body.")],
        &[Fact(
            "payments.md 9",
            "A server's error of that kind is to be met like one with a body: by the same call again.",
        )],
    ),
    rule(
        "webhook.forged-refused",
        &[Fact(
            "webhooks-and-network-data.md F5",
            "A webhook whose signature does not fit is answered with 400.",
        )],
        &[Fact(
            "webhooks-and-network-data.md F5",
            "Another refusal does as well: that it has no effect is what counts.",
        )],
    ),
];
