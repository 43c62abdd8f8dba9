//! Partners and their variables; the one place that reads the environment for an adapter.

use indexmap::IndexMap;
use klarna_schemas::ids::PartnerAccountId;
use secrecy::SecretString;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::error::AdapterError;
use super::file::{EnvFile, PartnerFile};
use super::node::{Node, Shape};
use super::source::{Place, Source};

/// Looks up an environment variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A Partner that the acquirer knows.
#[derive(Debug, Clone)]
pub struct PartnerBinding {
    /// How the adapter calls it.
    pub name: String,
    /// The Klarna account that the acquirer must use for it.
    pub klarna_account: PartnerAccountId,
    /// What the acquirer gave this Partner: keys, merchant numbers, notification secrets.
    pub vars: IndexMap<String, SecretString>,
    /// What stands for each variable where it would be shown, without the `$`.
    pub(super) shown_as: IndexMap<String, String>,
}

/// What stands for a variable that could not be read, so that the rest of the file can be looked at: sound in
/// hexadecimal and in Base64, for it may be part of a key.
const UNREAD: &str = "00000000";

/// The process environment.
#[expect(
    clippy::disallowed_methods,
    reason = "adapters name environment variables; this is their one reader"
)]
pub(super) fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads the Partners of a file.
pub(super) fn partners(
    source: &mut Source,
    files: &Spanned<Vec<PartnerFile>>,
    environment: Environment<'_>,
) -> Result<Vec<PartnerBinding>, AdapterError> {
    if files.value.is_empty() {
        let place: Place = files.referenced.into();
        return Err(source.complain(place, "an adapter needs at least one Partner", None));
    }
    let mut partners: Vec<PartnerBinding> = Vec::new();
    for file in &files.value {
        let place: Place = file.name.referenced.into();
        let name = &file.name.value;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(source.complain(
                place,
                &format!("\"{name}\" is no name for a Partner"),
                Some("letters, digits, - and _, for it stands in URLs"),
            ));
        }
        if partners.iter().any(|partner| partner.name == *name) {
            return Err(source.complain(place, &format!("two Partners are called \"{name}\""), None));
        }
        let account = &file.klarna_account;
        let account_place: Place = account.referenced.into();
        if account.value.trim().is_empty() {
            return Err(source.complain(account_place, "klarna_account is empty", None));
        }
        if partners.iter().any(|partner| partner.klarna_account.as_str() == account.value) {
            return Err(source.complain(
                account_place,
                "two Partners have this klarna_account",
                Some("scenarios run side by side, each on a Partner's own account"),
            ));
        }
        let mut partner = PartnerBinding {
            name: name.clone(),
            klarna_account: PartnerAccountId(account.value.clone()),
            vars: IndexMap::new(),
            shown_as: IndexMap::new(),
        };
        for (key, node) in &file.vars {
            let read = variable(source, name, &key.value, node, environment);
            let (value, shown) = source.sift(read).unwrap_or_else(|| (UNREAD.to_owned(), key.value.clone()));
            partner.vars.insert(key.value.clone(), SecretString::from(value));
            partner.shown_as.insert(key.value.clone(), shown);
        }
        partners.push(partner);
    }
    Ok(partners)
}

fn variable(
    source: &mut Source,
    partner: &str,
    key: &str,
    node: &Node,
    environment: Environment<'_>,
) -> Result<(String, String), AdapterError> {
    if let Shape::Map(_) = node.shape() {
        let file = env_file(source, node)?;
        return match environment(&file.env).or(file.default) {
            Some(value) => Ok((value, file.env)),
            None => Err(source.complain(
                node.place(),
                &format!("the environment variable {} is not set", file.env),
                Some(&format!("export {}=…, or give a default beside env", file.env)),
            )),
        };
    }
    let value = match node.scalar() {
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        _ => {
            return Err(source.complain(
                node.place(),
                "a variable is text or {env: NAME, default: text}",
                None,
            ));
        }
    };
    source.hide(&value);
    Ok((value, format!("{partner}_{key}").to_uppercase().replace('-', "_")))
}

/// Reads `{env, default}` by hand: the node has been read already, as a shape.
fn env_file(source: &Source, node: &Node) -> Result<EnvFile, AdapterError> {
    let Shape::Map(pairs) = node.shape() else {
        return Err(source.complain(node.place(), "a variable is text or {env: NAME, default: text}", None));
    };
    for (key, _) in pairs {
        if !EnvFile::KEYS.contains(&key.value.as_str()) {
            return Err(source.unknown(key.referenced.into(), "key", &key.value, EnvFile::KEYS));
        }
    }
    let text = |key: &str| {
        node.get(key).and_then(Node::scalar).map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
    };
    let env = text("env").ok_or_else(|| {
        source.complain(node.place(), "the key \"env\" is missing", Some("{env: NAME, default: text}"))
    })?;
    Ok(EnvFile { env, default: text("default") })
}
