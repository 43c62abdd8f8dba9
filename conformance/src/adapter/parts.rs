//! What a signature is over: parts of an HTTP message, in the order in which an adapter names them.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::error::AdapterError;
use super::hmac::{Encoding, HASHES, Hash};
use super::node::{Node, Shape};
use super::reading;
use super::source::Source;

/// An HTTP message, as far as signatures are concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) method: &'a str,
    /// As it goes over the wire, without the query.
    pub(crate) path: &'a str,
    /// Behind the `?`, as it goes over the wire.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: &'a [u8],
}

/// One part of a message.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Method,
    Path,
    Query,
    /// Path and query.
    Target,
    Body,
    /// Always the same.
    Text(String),
    /// The value of a header, or of one item in a list such as `t=1,v1=ab`.
    Header {
        name: String,
        item: Option<String>,
    },
    /// All headers whose names begin so, by name: each as `name:value`.
    Headers(Sorted),
    /// The value of a parameter of the query.
    Parameter(String),
    /// All parameters of the query whose names begin so, by name.
    Parameters(Sorted),
    /// A value in a body of JSON.
    Field {
        written: String,
        path: JsonPath,
    },
    /// A hash of the body.
    BodyDigest(Hash, Encoding),
}

/// Named values in the order of their names.
#[derive(Debug, Clone)]
pub(super) struct Sorted {
    begin: String,
    between: String,
    separator: String,
}

/// Parts, and what stands between them.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    parts: Vec<Part>,
    separator: String,
}

const WORDS: &[&str] = &["method", "path", "query", "target", "body"];
const KEYS: &[&str] = &["text", "header", "headers", "parameter", "parameters", "field", "body_digest"];

impl Parts {
    /// The body alone.
    pub(super) fn body() -> Self {
        Self { parts: vec![Part::Body], separator: String::new() }
    }

    pub(super) fn compile(source: &Source, nodes: &[Node], separator: &str) -> Result<Self, AdapterError> {
        let parts = nodes.iter().map(|node| Part::compile(source, node)).collect::<Result<_, _>>()?;
        Ok(Self { parts, separator: separator.to_owned() })
    }

    /// What they make together, for a reader.
    pub(super) fn name(&self) -> &'static str {
        if matches!(self.parts.as_slice(), [Part::Body]) { "body" } else { "parts that it is over" }
    }

    /// The bytes that are signed.
    ///
    /// # Errors
    /// What of it is not there.
    pub(super) fn bytes(&self, message: &Message<'_>) -> Result<Vec<u8>, String> {
        let parts = self.parts.iter().map(|part| part.bytes(message)).collect::<Result<Vec<_>, _>>()?;
        Ok(parts.join(self.separator.as_bytes()))
    }
}

impl Part {
    pub(super) fn compile(source: &Source, node: &Node) -> Result<Self, AdapterError> {
        match node.shape() {
            Shape::Text(word) => match word.as_str() {
                "method" => Ok(Self::Method),
                "path" => Ok(Self::Path),
                "query" => Ok(Self::Query),
                "target" => Ok(Self::Target),
                "body" => Ok(Self::Body),
                other => Err(source.unknown(node.place(), "part", other, WORDS)),
            },
            Shape::Map(pairs) => {
                let Some((key, value)) = pairs.first() else { return Err(no_part(source, node)) };
                let of = |key: &str| text(source, node, key);
                let named = |value: &Node| {
                    value
                        .scalar()
                        .as_ref()
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                        .ok_or_else(|| source.complain(value.place(), "this takes text", None))
                };
                let (part, beside): (Self, &[&str]) = match key.value.as_str() {
                    "text" => (Self::Text(named(value)?), &[]),
                    "header" => (
                        Self::Header { name: named(value)?.to_ascii_lowercase(), item: of("item")? },
                        &["item"],
                    ),
                    "headers" => {
                        let sorted =
                            Sorted::new(named(value)?.to_ascii_lowercase(), of("between")?, of("separator")?);
                        (Self::Headers(sorted), &["between", "separator"])
                    }
                    "parameter" => (Self::Parameter(named(value)?), &[]),
                    "parameters" => {
                        let sorted = Sorted::new(named(value)?, of("between")?, of("separator")?);
                        (Self::Parameters(sorted), &["between", "separator"])
                    }
                    "field" => {
                        let written = named(value)?;
                        let path = reading::compile(source, &written, value.place())?;
                        (Self::Field { written, path }, &[])
                    }
                    "body_digest" => (digest(source, value, node)?, &["encoding"]),
                    other => return Err(source.unknown(key.referenced.into(), "part", other, KEYS)),
                };
                for (name, _) in pairs.iter().skip(1) {
                    if !beside.contains(&name.value.as_str()) {
                        let what = format!("key beside {}", key.value);
                        return Err(source.unknown(name.referenced.into(), &what, &name.value, beside));
                    }
                }
                Ok(part)
            }
            Shape::Scalar(_) | Shape::List(_) => Err(no_part(source, node)),
        }
    }

    /// What it is in a message.
    ///
    /// # Errors
    /// What is not there.
    pub(super) fn bytes(&self, message: &Message<'_>) -> Result<Vec<u8>, String> {
        let text = match self {
            Self::Body => return Ok(message.body.to_vec()),
            Self::Method => message.method.to_owned(),
            Self::Path => message.path.to_owned(),
            Self::Query => message.query.to_owned(),
            Self::Target if message.query.is_empty() => message.path.to_owned(),
            Self::Target => format!("{}?{}", message.path, message.query),
            Self::Text(text) => text.clone(),
            Self::Header { name, item: None } => header(message, name)?.to_owned(),
            Self::Header { name, item: Some(item) } => items(message, name, item)?.swap_remove(0),
            Self::Headers(sorted) => {
                let headers = message.headers.iter();
                sorted.written(headers.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())))
            }
            Self::Parameter(name) => parameters(message)
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
                .ok_or_else(|| format!("the query has no {name}"))?,
            Self::Parameters(sorted) => sorted.written(parameters(message)),
            Self::Field { written, path } => field(message, written, path)?,
            Self::BodyDigest(hash, encoding) => encoding.write(&hash.digest(message.body)),
        };
        Ok(text.into_bytes())
    }
}

impl Part {
    /// Every value of it that a signature may be: a header's item can stand there several times.
    ///
    /// # Errors
    /// What is not there.
    pub(super) fn candidates(&self, message: &Message<'_>) -> Result<Vec<String>, String> {
        match self {
            Self::Header { name, item: Some(item) } => items(message, name, item),
            _ => Ok(vec![String::from_utf8_lossy(&self.bytes(message)?).into_owned()]),
        }
    }

    /// Where it stands, for a reader.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Header { name, .. } => name.clone(),
            Self::Parameter(name) => format!("the parameter {name}"),
            Self::Field { written, .. } => written.clone(),
            _ => "the message".to_owned(),
        }
    }
}

impl Sorted {
    fn new(begin: String, between: Option<String>, separator: Option<String>) -> Self {
        let or = |text: Option<String>, default: &str| text.unwrap_or_else(|| default.to_owned());
        Self { begin, between: or(between, ":"), separator: or(separator, "\n") }
    }

    fn written(&self, pairs: impl Iterator<Item = (String, String)>) -> String {
        let mut pairs: Vec<_> = pairs.filter(|(name, _)| name.starts_with(&self.begin)).collect();
        pairs.sort();
        let lines = pairs.into_iter().map(|(name, value)| format!("{name}{}{value}", self.between));
        lines.collect::<Vec<_>>().join(&self.separator)
    }
}

fn parameters<'a>(message: &Message<'a>) -> impl Iterator<Item = (String, String)> + use<'a> {
    url::form_urlencoded::parse(message.query.as_bytes()).into_owned()
}

/// The value of a header.
///
/// # Errors
/// When it is missing.
pub(super) fn header<'a>(message: &Message<'a>, name: &str) -> Result<&'a str, String> {
    let value = message.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    value.map(|(_, value)| value.as_str()).ok_or_else(|| format!("the header {name} is missing"))
}

/// The values of an item in a header such as `t=1,v1=ab,v1=cd`; at least one.
fn items(message: &Message<'_>, name: &str, item: &str) -> Result<Vec<String>, String> {
    let pairs = header(message, name)?.split(',').filter_map(|pair| pair.trim().split_once('='));
    let found: Vec<String> =
        pairs.filter(|(known, _)| *known == item).map(|(_, value)| value.to_owned()).collect();
    if found.is_empty() { Err(format!("the header {name} has no item {item}")) } else { Ok(found) }
}

/// A value in the body; one that is not there counts as empty text, as signature schemes have it.
fn field(message: &Message<'_>, written: &str, path: &JsonPath) -> Result<String, String> {
    let body: Value =
        serde_json::from_slice(message.body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let found = path.query(&body).all();
    match found.as_slice() {
        [] | [Value::Null] => Ok(String::new()),
        [Value::String(text)] => Ok(text.clone()),
        [other] => Ok(other.to_string()),
        several => Err(format!("{written} matches {} values, it must match one", several.len())),
    }
}

fn text(source: &Source, node: &Node, key: &str) -> Result<Option<String>, AdapterError> {
    let Some(value) = node.get(key) else { return Ok(None) };
    match value.shape() {
        Shape::Text(text) => Ok(Some(text.clone())),
        _ => Err(source.complain(value.place(), &format!("\"{key}\" takes text"), None)),
    }
}

fn digest(source: &Source, value: &Node, node: &Node) -> Result<Part, AdapterError> {
    let name = value.scalar().as_ref().and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    let Some((_, hash)) = HASHES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = HASHES.iter().map(|(name, _)| *name).collect();
        return Err(source.unknown(value.place(), "hash", &name, &known));
    };
    let encoding = match text(source, node, "encoding")?.as_deref() {
        None | Some("hex") => Encoding::Hex,
        Some("base64") => Encoding::Base64,
        Some(other) => return Err(source.unknown(node.place(), "encoding", other, &["hex", "base64"])),
    };
    Ok(Part::BodyDigest(*hash, encoding))
}

fn no_part(source: &Source, node: &Node) -> AdapterError {
    source.complain(
        node.place(),
        "a part is a word or a mapping with one of its names",
        Some("message: [method, path, {header: x-timestamp}, {headers: x-acme-}, {field: $.id}, body]"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(yaml: &str, separator: &str) -> Result<Parts, AdapterError> {
        let source = Source::new("a.yaml".to_owned(), yaml.to_owned());
        Parts::compile(&source, &serde_saphyr::from_str::<Vec<Node>>(yaml).unwrap(), separator)
    }

    fn signed(yaml: &str, separator: &str) -> Result<String, String> {
        let headers: Vec<(String, String)> = [
            ("Checkout-Nonce", "n-1"),
            ("checkout-account", "375917"),
            ("signature", "none of it"),
            ("X-Sig", "t=1700000000, v1=ab,v1=cd"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let message = Message {
            method: "POST",
            path: "/pay%20ments",
            query: "b=2&a=1%2B1&sig=x",
            headers: &headers,
            body: br#"{"id":"p-1","amount":{"value":459},"none":null}"#,
        };
        let bytes = parts(yaml, separator).unwrap().bytes(&message)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn parts_stand_in_the_order_in_which_they_are_named() {
        assert_eq!(
            signed("[method, path, target]", " ").unwrap(),
            "POST /pay%20ments /pay%20ments?b=2&a=1%2B1&sig=x"
        );
        // `printf '%s' '{"id":"p-1","amount":{"value":459},"none":null}' | openssl dgst -sha256`
        let digest = "8a1ca1a2022a439b8dfdeaf48d24820d119606d710c9a83ea7dc7f54953ca18a";
        let expected = format!("checkout-account:375917\ncheckout-nonce:n-1\n{digest}");
        assert_eq!(signed("[{headers: checkout-}, {body_digest: sha256}]", "\n").unwrap(), expected);
        assert_eq!(
            signed("[{header: X-SIG, item: t}, body]", ".").unwrap(),
            concat!("1700000000.", r#"{"id":"p-1","amount":{"value":459},"none":null}"#)
        );
        assert_eq!(
            signed("[{field: $.id}, {field: $.amount.value}, {field: $.none}, {text: end}]", ":").unwrap(),
            "p-1:459::end"
        );
        assert_eq!(signed("[{parameter: a}]", "").unwrap(), "1+1");
        assert_eq!(
            signed("[{parameters: '', between: '=', separator: '&'}]", "").unwrap(),
            "a=1+1&b=2&sig=x"
        );
    }

    #[test]
    fn what_is_not_there_is_told() {
        assert_eq!(signed("[{header: x-none}]", "").unwrap_err(), "the header x-none is missing");
        assert_eq!(signed("[{header: x-sig, item: v2}]", "").unwrap_err(), "the header x-sig has no item v2");
        assert_eq!(signed("[{parameter: c}]", "").unwrap_err(), "the query has no c");
    }

    #[test]
    fn mistakes_have_their_place() {
        for (yaml, place, nearest) in [
            ("[bdy]", "a.yaml:1:2", Some("body")),
            ("[{heder: x}]", "a.yaml:1:3", Some("header")),
            ("[{header: x, itm: t}]", "a.yaml:1:14", Some("item")),
            ("[{body_digest: sha25}]", "a.yaml:1:16", Some("sha256")),
            ("[{field: id}]", "a.yaml:1:10", None),
            ("[5]", "a.yaml:1:2", None),
        ] {
            let error = parts(yaml, "").unwrap_err();
            assert_eq!((error.place().as_str(), error.nearest()), (place, nearest), "{yaml}: {error}");
        }
    }
}
