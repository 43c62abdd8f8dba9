//! A new adapter file: what is known of an acquirer's API, by flags, by answers, or by its OpenAPI document.
//!
//! [`by_hand`] and [`openapi`] make a [`Draft`]; [`write`] turns it into the file, in which each thing that
//! is not known stands as a line that `adapter check` points to.

pub mod ask;
pub mod by_hand;
pub mod openapi;
pub mod words;
pub mod write;

use serde_json::Value;

use crate::adapter::Outcome;

/// What an adapter file would say.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The acquirer's name.
    pub name: String,
    /// How it is started or found.
    pub start: Start,
    /// The Partner's Klarna account; an example where `None`.
    pub klarna_account: Option<String>,
    /// How a Partner shows who it is; `None` where that is not known.
    pub authentication: Option<Authentication>,
    /// Variables of the Partner that templates name, besides those of the authentication.
    pub variables: Vec<Variable>,
    /// The call that creates a payment.
    pub create: Operation,
    /// The call that reads one.
    pub read: Option<Operation>,
    /// The call that lists payment methods.
    pub list: Option<Listing>,
    /// What the acquirer tells its Partners.
    pub notifications: Option<Notifications>,
    /// What was looked for and not found, and left out: it is not needed.
    pub left_out: Vec<String>,
    /// What stands in front of every path.
    pub base_path: String,
}

/// How the acquirer is started or found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Start {
    /// Not known.
    #[default]
    Unknown,
    /// It runs at this URL.
    Attach(String),
    /// This command starts it.
    Launch(Vec<String>),
}

/// A variable of the Partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// As templates name it.
    pub name: String,
    /// The environment variable that holds it.
    pub env: String,
}

/// How a Partner shows who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// It does not.
    Nothing,
    /// `Authorization: Bearer`.
    Bearer(Variable),
    /// HTTP Basic.
    Basic(Variable, Variable),
    /// A header of the acquirer's own.
    Header(String, Variable),
    /// OAuth 2.0 by client credentials, with the URL of the token server.
    OAuth(String, Variable, Variable),
}

/// How sure a proposal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sure {
    /// Somebody said so, or the name is the same.
    Sure,
    /// It is likely, and why.
    Likely(String),
}

/// An operation.
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// `POST`; empty where it is not known.
    pub method: String,
    /// A template.
    pub path: String,
    /// How sure the choice of the call is.
    pub choice: Option<Sure>,
    /// Headers that the call needs.
    pub headers: Vec<Field>,
    /// Parameters of the query that the call needs.
    pub query: Vec<Field>,
    /// The body; `None` where there is none.
    pub body: Option<Body>,
    /// What an answer means.
    pub outcome: Vec<Rule>,
    /// What is read from it.
    pub reads: Vec<Read>,
}

/// A body.
#[derive(Debug, Clone)]
pub struct Body {
    /// `json` or `form`.
    pub kind: &'static str,
    /// Its members.
    pub fields: Vec<Field>,
    /// Optional members that nothing of an order is called like.
    pub left_out: Vec<String>,
}

/// A member of a body.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What stands there.
    pub content: Content,
}

/// What stands at a place of a body.
#[derive(Debug, Clone)]
pub enum Content {
    /// A template.
    Template(String, Sure),
    /// Always the same.
    Constant(Value, Sure),
    /// Members.
    Object(Vec<Field>, Vec<String>),
    /// One item for each order line.
    Lines(Vec<Field>, Vec<String>),
    /// Nobody knows; why it matters.
    Todo(String),
}

/// What an answer means.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `2xx`; none for notifications.
    pub status: Option<&'static str>,
    /// JSONPath and the word there.
    pub word: Option<(String, Value)>,
    /// The outcome; `Err` is what is to be found out.
    pub is: Result<Outcome, String>,
    /// How sure it is.
    pub sure: Sure,
}

/// A value that is read.
#[derive(Debug, Clone)]
pub struct Read {
    /// As the suite names it.
    pub name: &'static str,
    /// JSONPath; `Err` is what is to be found out.
    pub path: Result<String, String>,
    /// How sure it is.
    pub sure: Sure,
}

/// The call that lists payment methods.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The request; without rules and reads.
    pub call: Operation,
    /// JSONPath of the names.
    pub methods: String,
    /// The name that is Klarna's.
    pub klarna: String,
    /// JSONPath in the answer, or what is to be found out, and the JSON pointer in Klarna's.
    pub given: Vec<(Result<String, String>, &'static str)>,
}

/// What the acquirer tells its Partners.
#[derive(Debug, Clone)]
pub struct Notifications {
    /// Where it was found.
    pub found: String,
    /// JSONPath of the payment's id.
    pub payment_id: Result<String, String>,
    /// What one says.
    pub outcome: Vec<Rule>,
}

/// What flags and answers say, before it is made sense of.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `--name`
    pub name: Option<String>,
    /// `--base-url`
    pub base_url: Option<String>,
    /// `--command`
    pub command: Option<String>,
    /// `--klarna-account`
    pub klarna_account: Option<String>,
    /// `--authentication`
    pub authentication: Option<String>,
    /// `--create`
    pub create: Option<String>,
    /// `--read`
    pub read: Option<String>,
    /// `--list`
    pub list: Option<String>,
    /// `--field`
    pub fields: Vec<String>,
    /// `--outcome`
    pub outcomes: Vec<String>,
    /// `--reads`
    pub reads: Vec<String>,
}

impl Variable {
    /// A variable with this name of its own in the environment, below the acquirer's.
    pub fn new(acquirer: &str, name: &str) -> Self {
        let env: String = format!("{acquirer}_{name}")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        Self { name: name.to_owned(), env }
    }
}

impl Authentication {
    /// The variables that it needs.
    pub fn variables(&self) -> Vec<&Variable> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Bearer(one) | Self::Header(_, one) => vec![one],
            Self::Basic(one, other) | Self::OAuth(_, one, other) => vec![one, other],
        }
    }
}

impl Draft {
    /// What an acquirer's answers let it claim.
    pub fn capabilities(&self) -> Vec<&'static str> {
        let reads = |name: &str| self.create.reads.iter().any(|read| read.name == name && read.path.is_ok());
        let claims = [("redirect", "redirect_url"), ("sdk", "payment_request_id")];
        claims.into_iter().filter(|(_, read)| reads(read)).map(|(claim, _)| claim).collect()
    }

    /// The Partner's variables, those of the authentication first.
    pub fn secrets(&self) -> Vec<&Variable> {
        let own = self.authentication.iter().flat_map(Authentication::variables);
        own.chain(&self.variables).collect()
    }

    /// Notes a variable of the Partner once.
    pub fn needs(&mut self, variable: Variable) {
        if !self.variables.contains(&variable) {
            self.variables.push(variable);
        }
    }
}
