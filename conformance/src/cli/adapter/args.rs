//! Flags of `adapter …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use url::Url;

use crate::cli::args::PartiesArgs;

const CHECK_HELP: &str = "\
With --offline nothing is started and nobody is called: the file's shape, its templates against the
variables that there will be, and each request by a sample order, secrets by name.

Without it, Klarna, a Partner and the acquirer are started as for a run, and one payment is made to its
end. Each value of its order is a canary: no other value looks like it. The report shows where each came
out at Klarna, what was read from the acquirer's answers and notifications, and how sure that is:
  seen           in every call to Klarna, or in every answer, that could hold it
  seen once      in one of them only
  not seen: …    in none, and why: the adapter does not send it, the acquirer has lost it,
                 or nothing came that could hold it
A canary that came out is `byte for byte`, `within` a longer text, or `re-encoded`: the same value,
written in another way.

Exit codes:
  0    the file is sound and, with a live payment, that payment came to its end, the Klarna Network Data
       reached Klarna byte for byte, amount and currency as they are, and all that the file claims was read
  1    something of that did not hold; other canaries that were lost are shown, and judged by `run`
  3    the file is not valid; nothing was started
  5    the acquirer or the simulator could not be started or reached";

const EXPLAIN_HELP: &str = "\
Nothing is started and nobody is called.

Examples:
  klarna-conformance adapter explain create_payment --acquirer acme.yaml
      the request as a curl line, and how its answer is read
  klarna-conformance adapter explain create_payment --acquirer acme.yaml --answer 201:answer.json
      that answer, read: which rule fits, and why the earlier ones do not
  klarna-conformance adapter explain read_payment --acquirer acme.yaml --answer-file answer.txt
      the same for what `curl -i` printed

Exit codes: 0; 1 where no rule fits the answer; 2 where there is no such operation; 3 where the file is not
valid.";

const NEW_HELP: &str = "\
What is known goes into the file; what is not stands there as a line with TODO, which `adapter check` points
to, and is named on standard error. On a terminal, questions are asked for what no flag says.

Examples:
  klarna-conformance adapter new --from-openapi openapi.yaml --base-url http://127.0.0.1:8081
      proposes operations, fields and rules from the acquirer's own document
  klarna-conformance adapter new --name acme --create 'POST /v1/payments' --authentication bearer:ACME_KEY
      what the flags say, and a TODO for the rest

Exit codes: 0, also where something is left to do; 2 where a flag makes no sense or the file is there
already; 3 where the OpenAPI document cannot be read; 6 where the file cannot be written.";

/// Subcommands of `adapter`.
#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// Write a new adapter file: from flags, from answers to questions, or from an OpenAPI document
    #[command(after_help = NEW_HELP)]
    New(Box<NewArgs>),
    /// Check an adapter file and, unless --offline, make one payment by it
    #[command(after_help = CHECK_HELP)]
    Check(Box<CheckArgs>),
    /// Show an operation's request as a curl line, and how its answer is read
    #[command(after_help = EXPLAIN_HELP)]
    Explain(ExplainArgs),
}

/// Flags of `adapter check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The adapter file [default: that of the built-in reference acquirer]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Start nothing and call nobody
    #[arg(long)]
    pub offline: bool,

    /// Seed of the payment's ids and canaries; printed, and random when absent
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Who takes part, and where.
    #[command(flatten)]
    pub parties: PartiesArgs,
}

/// Flags of `adapter explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The operation, as the adapter file calls it
    #[arg(value_name = "OPERATION")]
    pub operation: String,

    /// Adapter file (YAML) [default: that of the built-in reference acquirer]
    #[arg(long, value_name = "FILE", env = "KLARNA_CONFORMANCE_ACQUIRER")]
    pub acquirer: Option<PathBuf>,

    /// Where the acquirer is [default: where the adapter attaches, else an example]
    #[arg(long, value_name = "URL")]
    pub base_url: Option<Url>,

    /// An answer to read: its status and, behind a colon, the file that holds its body; `-` is standard input
    #[arg(long, value_name = "STATUS[:FILE]", conflicts_with = "answer_file")]
    pub answer: Option<String>,

    /// An answer to read: a file with what `curl -i` printed; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub answer_file: Option<PathBuf>,
}

/// Flags of `adapter new`.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Replace the file where it is there already
    #[arg(long, requires = "out")]
    pub force: bool,

    /// The acquirer's OpenAPI document, 3.0 or 3.1, JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub from_openapi: Option<PathBuf>,

    /// Ask for what no flag says, also where standard input is no terminal
    #[arg(long, conflicts_with = "from_openapi")]
    pub ask: bool,

    /// What the acquirer is called in reports
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Where the acquirer runs
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    pub base_url: Option<Url>,

    /// The command that starts the acquirer, in words; it is told in `ACQUIRER_LISTEN` where to listen
    #[arg(long, value_name = "COMMAND")]
    pub command: Option<String>,

    /// The Klarna account that the acquirer uses for the Partner
    #[arg(long, value_name = "KRN")]
    pub klarna_account: Option<String>,

    /// How a Partner shows who it is: `none`, `bearer:ENV`, `header:NAME:ENV`, or `basic:USER_ENV:PASSWORD_ENV`,
    /// where ENV names an environment variable
    #[arg(long, value_name = "HOW")]
    pub authentication: Option<String>,

    /// The call that creates a payment, e.g. 'POST /v1/payments'
    #[arg(long, value_name = "METHOD PATH")]
    pub create: Option<String>,

    /// The call that reads a payment, e.g. 'GET /v1/payments/{id}'
    #[arg(long, value_name = "METHOD PATH")]
    pub read: Option<String>,

    /// The call that lists payment methods, e.g. 'POST /v1/payment-methods' (with --from-openapi)
    #[arg(long, value_name = "METHOD PATH", requires = "from_openapi")]
    pub list: Option<String>,

    /// A field of the create call's body and what of the order stands there, e.g. `amount.value=amount`; can be
    /// repeated
    #[arg(long, value_name = "FIELD=VARIABLE")]
    pub field: Vec<String>,

    /// What an answer means: a member of its body, the word there, and the outcome, e.g. `status=paid:approved`;
    /// can be repeated
    #[arg(long, value_name = "MEMBER=WORD:OUTCOME")]
    pub outcome: Vec<String>,

    /// A value that is read from an answer, e.g. `payment_id=id` or `redirect_url=action.url`; can be repeated
    #[arg(long, value_name = "NAME=MEMBER")]
    pub reads: Vec<String>,
}
