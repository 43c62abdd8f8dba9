//! The operation `list_payment_methods`: how it is asked, and how its answer is read.

use serde_json::Value;
use serde_json_path::JsonPath;
use serde_saphyr::Spanned;

use super::error::{self, AdapterError};
use super::exchange::PartnerExchange;
use super::file::MethodsFile;
use super::reading;
use super::request::Request;
use super::rules::{self, StatusRange};
use super::source::Place;
use super::template::Templates;

/// Where the instruction stands in Klarna's presentation.
pub const INSTRUCTION: &str = "/instruction";
/// Where the id of the payment option stands in Klarna's presentation.
pub const PAYMENT_OPTION_ID: &str = "/payment_option/payment_option_id";

/// The compiled operation.
#[derive(Debug, Clone)]
pub(super) struct ListMethods {
    pub(super) request: Request,
    statuses: Vec<StatusRange>,
    names: JsonPath,
    names_text: String,
    klarna: String,
    given: Vec<Handed>,
}

/// A value of the acquirer's answer that must be Klarna's own.
#[derive(Debug, Clone)]
struct Handed {
    text: String,
    path: JsonPath,
    /// Where it stands in Klarna's presentation, as a JSON pointer.
    pointer: String,
}

/// What the acquirer listed.
#[derive(Debug, Clone)]
pub struct MethodsAnswer {
    /// The names, in order.
    pub names: Vec<String>,
    /// Which of them is Klarna.
    pub klarna: String,
    /// What it gave as Klarna's.
    pub given: Vec<Given>,
    /// The call itself.
    pub exchange: PartnerExchange,
}

/// A value that the acquirer gave as Klarna's.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Where it stands in the acquirer's answer.
    pub path: String,
    /// Where it stands in Klarna's presentation.
    pub pointer: String,
    /// What stands there, if exactly one value does.
    pub value: Option<Value>,
}

impl MethodsAnswer {
    /// Whether Klarna is among them.
    pub fn lists_klarna(&self) -> bool {
        self.names.contains(&self.klarna)
    }

    /// The names without Klarna's, in order.
    pub fn others(&self) -> Vec<&str> {
        self.names.iter().filter(|name| **name != self.klarna).map(String::as_str).collect()
    }

    /// What was given for a place in Klarna's presentation.
    pub fn given_for(&self, pointer: &str) -> Option<&Value> {
        self.given.iter().find(|given| given.pointer == pointer)?.value.as_ref()
    }
}

impl ListMethods {
    pub(super) fn compile(file: &MethodsFile, templates: &mut Templates) -> Result<Self, AdapterError> {
        let answer = &file.answer;
        let source = templates.source();
        let handed = |(path, pointer): (&Spanned<String>, &Spanned<String>)| {
            if !pointer.value.is_empty() && !pointer.value.starts_with('/') {
                return Err(source.complain(
                    pointer.referenced.into(),
                    &format!("\"{}\" is no JSON pointer", pointer.value),
                    Some("a place in Klarna's presentation, such as /payment_option/header/text"),
                ));
            }
            let compiled = reading::compile(source, &path.value, path.referenced.into())?;
            Ok(Handed { text: path.value.clone(), path: compiled, pointer: pointer.value.clone() })
        };
        let given = error::all(answer.given.iter().map(handed))?;
        for needed in [INSTRUCTION, PAYMENT_OPTION_ID] {
            // The empty pointer hands on the whole presentation.
            if given.iter().all(|one| one.pointer != needed && !one.pointer.is_empty()) {
                let place: Place = answer.methods.referenced.into();
                let what = format!("answer.given does not say where Klarna's {needed} is handed on");
                return Err(source.complain(
                    place,
                    &what,
                    Some("given: {$.klarna.instruction: /instruction}"),
                ));
            }
        }
        let statuses = match &answer.status {
            Some(node) => rules::statuses(source, node)?,
            None => vec![StatusRange::SUCCESS],
        };
        let names = reading::compile(source, &answer.methods.value, answer.methods.referenced.into())?;
        let klarna = answer.klarna.value.clone();
        let request = Request::compile(&file.request, templates)?;
        let names_text = answer.methods.value.clone();
        Ok(Self { request, statuses, names, names_text, klarna, given })
    }

    /// How an answer is read, in words and in order.
    pub(super) fn in_words(&self) -> Vec<(String, String)> {
        let names = (
            "methods".to_owned(),
            format!("{}, where the status is {}", self.names_text, rules::status_words(&self.statuses)),
        );
        let klarna = ("klarna".to_owned(), format!("the name {}", self.klarna));
        let given = self.given.iter().map(|handed| {
            let pointer = if handed.pointer.is_empty() { "the whole" } else { handed.pointer.as_str() };
            (format!("Klarna's {pointer}"), handed.text.clone())
        });
        [names, klarna].into_iter().chain(given).collect()
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Why it is no list of payment methods.
    pub(super) fn read(&self, exchange: &PartnerExchange) -> Result<MethodsAnswer, String> {
        if !rules::is_among(&self.statuses, exchange.status) {
            return Err(format!("the answer has the status {}", exchange.status));
        }
        let Ok(body) = serde_json::from_slice::<Value>(&exchange.response_body) else {
            return Err("the answer is no JSON".to_owned());
        };
        let mut names = Vec::new();
        for name in self.names.query(&body) {
            match name {
                Value::String(name) => names.push(name.clone()),
                other => return Err(format!("a payment method's name is {other}, and no text")),
            }
        }
        let given = self.given.iter().map(|handed| handed.read(&body)).collect();
        Ok(MethodsAnswer { names, klarna: self.klarna.clone(), given, exchange: exchange.clone() })
    }
}

impl Handed {
    fn read(&self, body: &Value) -> Given {
        let value = self.path.query(body).exactly_one().ok().cloned();
        Given { path: self.text.clone(), pointer: self.pointer.clone(), value }
    }
}

impl Given {
    /// Whether it is what Klarna presented. Some acquirers hand parts on as JSON text.
    pub fn is(&self, presented: &Value) -> bool {
        match (&self.value, presented) {
            (Some(Value::String(text)), Value::Object(_) | Value::Array(_)) => {
                serde_json::from_str::<Value>(text).is_ok_and(|value| value == *presented)
            }
            (value, presented) => value.as_ref() == Some(presented),
        }
    }
}
