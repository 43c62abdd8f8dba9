//! The questions that a person is asked for what no flag says.

use std::io::{BufRead, Write};

use super::Wishes;

/// A question, and where its answer goes.
struct Question {
    text: &'static str,
    example: &'static str,
    /// Whether it is answered already.
    known: fn(&Wishes) -> bool,
    take: fn(&mut Wishes, String),
}

/// Whether some flag of a kind is about a variable.
fn says(flags: &[String], what: &str) -> bool {
    flags.iter().any(|flag| flag.contains(what))
}

const QUESTIONS: &[Question] = &[
    Question {
        text: "What is the acquirer called",
        example: "acme",
        known: |wishes| wishes.name.is_some(),
        take: |wishes, answer| wishes.name = Some(answer),
    },
    Question {
        text: "Where does it run",
        example: "http://127.0.0.1:8081",
        known: |wishes| wishes.base_url.is_some() || wishes.command.is_some(),
        take: |wishes, answer| wishes.base_url = Some(answer),
    },
    Question {
        text: "Which Klarna account does it use for the Partner",
        example: "krn:partner:global:account:test:SHOP0001",
        known: |wishes| wishes.klarna_account.is_some(),
        take: |wishes, answer| wishes.klarna_account = Some(answer),
    },
    Question {
        text: "How does a Partner show who it is: none, bearer:ENV, header:NAME:ENV, basic:USER_ENV:PASSWORD_ENV",
        example: "bearer:ACME_KEY",
        known: |wishes| wishes.authentication.is_some(),
        take: |wishes, answer| wishes.authentication = Some(answer),
    },
    Question {
        text: "Which call creates a payment",
        example: "POST /v1/payments",
        known: |wishes| wishes.create.is_some(),
        take: |wishes, answer| wishes.create = Some(answer),
    },
    Question {
        text: "Which member of its body is the amount, in minor units (for a decimal text, add |decimal)",
        example: "amount.value",
        known: |wishes| says(&wishes.fields, "amount"),
        take: |wishes, answer| wishes.fields.push(with_filter(&answer, "order.amount")),
    },
    Question {
        text: "Which member is the currency",
        example: "amount.currency",
        known: |wishes| says(&wishes.fields, "order.currency") || says(&wishes.fields, "=currency"),
        take: |wishes, answer| wishes.fields.push(format!("{answer}=order.currency")),
    },
    Question {
        text: "Which member is the Partner's reference",
        example: "reference",
        known: |wishes| says(&wishes.fields, "reference"),
        take: |wishes, answer| wishes.fields.push(format!("{answer}=order.reference")),
    },
    Question {
        text: "Which member is the URL that the Customer comes back to",
        example: "return_url",
        known: |wishes| says(&wishes.fields, "return_url"),
        take: |wishes, answer| wishes.fields.push(format!("{answer}=order.return_url")),
    },
    Question {
        text: "Which member is the Klarna Network Data",
        example: "klarna_network_data",
        known: |wishes| says(&wishes.fields, "network_data"),
        take: |wishes, answer| wishes.fields.push(format!("{answer}=order.network_data")),
    },
    Question {
        text: "Which member of the answer is the payment's id",
        example: "id",
        known: |wishes| says(&wishes.reads, "payment_id="),
        take: |wishes, answer| wishes.reads.push(format!("payment_id={answer}")),
    },
    Question {
        text: "Which member is the URL of a step-up",
        example: "action.url",
        known: |wishes| says(&wishes.reads, "redirect_url=") || says(&wishes.reads, "payment_request_id="),
        take: |wishes, answer| wishes.reads.push(format!("redirect_url={answer}")),
    },
    Question {
        text: "What do answers mean: MEMBER=WORD:OUTCOME, several parted by spaces",
        example: "state=paid:approved state=refused:declined state=action:step_up state=working:pending",
        known: |wishes| !wishes.outcomes.is_empty(),
        take: |wishes, answer| wishes.outcomes.extend(answer.split_ascii_whitespace().map(str::to_owned)),
    },
    Question {
        text: "Which call reads a payment",
        example: "GET /v1/payments/{id}",
        known: |wishes| wishes.read.is_some(),
        take: |wishes, answer| wishes.read = Some(answer),
    },
];

/// `amount|decimal` is a member and a filter.
fn with_filter(answer: &str, variable: &str) -> String {
    match answer.split_once('|') {
        Some((member, filter)) => format!("{}={variable} | {}", member.trim(), filter.trim()),
        None => format!("{answer}={variable}"),
    }
}

/// Asks for what is not known. An empty line leaves a question open; the end of the input all that follow.
///
/// # Errors
/// When input or output break.
pub fn ask(wishes: &mut Wishes, input: &mut impl BufRead, output: &mut impl Write) -> std::io::Result<()> {
    writeln!(output, "An empty line leaves a question open: the file then has a TODO there.")?;
    for question in QUESTIONS {
        if (question.known)(wishes) {
            continue;
        }
        write!(output, "{}, e.g. {}\n> ", question.text, question.example)?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(output)?;
            break;
        }
        let answer = line.trim();
        if !answer.is_empty() {
            (question.take)(wishes, answer.to_owned());
        }
    }
    Ok(())
}
