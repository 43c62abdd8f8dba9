//! A draft from what flags, or answers to questions, say.

use klarna_schemas::nearest::nearest;
use serde_json::Value;

use super::{
    Authentication, Body, Content, Draft, Field, Operation, Read, Rule, Start, Sure, Variable, Wishes, words,
};
use crate::adapter::Outcome;

/// What it is called where nobody says.
const NAME: &str = "acquirer";

/// Names that the suite reads.
const READS: &[&str] = &["payment_id", "redirect_url", "payment_request_id", "network_response_data"];

/// Methods of a call.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The draft of what is wished.
///
/// # Errors
/// When a wish makes no sense.
pub fn draft(wishes: &Wishes) -> Result<Draft, String> {
    let name = wishes.name.clone().unwrap_or_else(|| NAME.to_owned());
    let mut draft = Draft {
        start: start(wishes)?,
        klarna_account: wishes.klarna_account.clone(),
        authentication: wishes.authentication.as_deref().map(|how| authentication(how, &name)).transpose()?,
        name: name.clone(),
        ..Draft::default()
    };
    let (method, path) =
        wishes.create.as_deref().map(|wish| call("--create", wish)).transpose()?.unwrap_or_default();
    let mut fields_of_body = Vec::new();
    for (path, template) in fields(&wishes.fields)? {
        place(&mut fields_of_body, &path, template);
    }
    for (variable, field) in [
        ("order.amount", "amount"),
        ("order.currency", "currency"),
        ("order.network_data", "klarna_network_data"),
    ] {
        if !wishes.fields.iter().any(|wish| wish.contains(variable.trim_start_matches("order."))) {
            let what = format!("which member holds {variable}; its name here is an example");
            fields_of_body.push(Field { name: field.to_owned(), content: Content::Todo(what) });
        }
    }
    draft.create = Operation {
        path: path_template(&path, &name, &mut draft, None),
        method,
        body: Some(Body { kind: "json", fields: fields_of_body, left_out: Vec::new() }),
        outcome: outcomes(&wishes.outcomes)?,
        reads: reads(&wishes.reads)?,
        ..Operation::default()
    };
    if let Some(wish) = &wishes.read {
        let (method, path) = call("--read", wish)?;
        let read = Operation {
            path: path_template(&path, &name, &mut draft, Some("payment.payment_id")),
            method,
            outcome: draft.create.outcome.clone(),
            reads: draft.create.reads.iter().filter(|read| read.path.is_ok()).cloned().collect(),
            ..Operation::default()
        };
        draft.read = Some(read);
    }
    Ok(draft)
}

fn start(wishes: &Wishes) -> Result<Start, String> {
    match (&wishes.base_url, &wishes.command) {
        (Some(url), _) => Ok(Start::Attach(url.clone())),
        (None, Some(command)) => {
            let words: Vec<String> = command.split_ascii_whitespace().map(str::to_owned).collect();
            if words.is_empty() {
                return Err("--command: it has no words".to_owned());
            }
            Ok(Start::Launch(words))
        }
        (None, None) => Ok(Start::Unknown),
    }
}

fn authentication(how: &str, acquirer: &str) -> Result<Authentication, String> {
    let named = |name: &str, env: &str| {
        let is_name = !env.is_empty() && env.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name {
            Ok(Variable { name: name.to_owned(), env: env.to_owned() })
        } else {
            Err(format!("--authentication: \"{env}\" is no name of an environment variable"))
        }
    };
    let known = Variable::new(acquirer, "api_key").env;
    let parts: Vec<&str> = how.split(':').collect();
    match parts.as_slice() {
        ["none"] => Ok(Authentication::Nothing),
        ["bearer"] => Ok(Authentication::Bearer(named("api_key", &known)?)),
        ["bearer", env] => Ok(Authentication::Bearer(named("api_key", env)?)),
        ["header", name, env] => Ok(Authentication::Header((*name).to_owned(), named("api_key", env)?)),
        ["basic", user, password] => {
            Ok(Authentication::Basic(named("username", user)?, named("password", password)?))
        }
        _ => {
            let ways = ["none", "bearer", "header", "basic"];
            let word = parts.first().copied().unwrap_or_default();
            let meant = nearest(word, &ways).filter(|meant| *meant != word);
            let meant = meant.map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
            Err(format!(
                "--authentication: \"{how}\" is not understood\n  hint: {meant}there are none, bearer:ENV, header:NAME:ENV and basic:USER_ENV:PASSWORD_ENV"
            ))
        }
    }
}

/// Reads `POST /v1/payments`.
///
/// # Errors
/// When it is none.
pub fn call(flag: &str, text: &str) -> Result<(String, String), String> {
    let wrong = |what: &str| {
        format!("{flag}: \"{text}\" {what}\n  hint: a method and a path, as 'POST /v1/payments'")
    };
    let (method, path) = text.trim().split_once(' ').ok_or_else(|| wrong("is no call"))?;
    let method = method.to_uppercase();
    if !METHODS.contains(&method.as_str()) {
        return Err(wrong("has no method that an adapter knows"));
    }
    let path = path.trim();
    if !path.starts_with('/') {
        return Err(wrong("has no path that begins with /"));
    }
    Ok((method, path.to_owned()))
}

/// A path with a template for each `{parameter}`: `last` for the last one, a variable of the Partner's for
/// each other.
pub fn path_template(path: &str, acquirer: &str, draft: &mut Draft, last: Option<&str>) -> String {
    let mut template = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        template.push_str(before);
        let variable = if let Some(variable) = last.filter(|_| !after.contains('{')) {
            variable.to_owned()
        } else {
            let name: String =
                name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            draft.needs(Variable::new(acquirer, &name));
            format!("partner.vars.{name}")
        };
        template.extend(["{{ ", &variable, " | urlencode }}"]);
        rest = after;
    }
    template.push_str(rest);
    template
}

/// Reads `amount.value=amount`: where, and the template there.
///
/// # Errors
/// When one is none.
pub fn fields(wishes: &[String]) -> Result<Vec<(Vec<String>, String)>, String> {
    let read = |wish: &String| {
        let wrong = || {
            format!(
                "--field: \"{wish}\" is none\n  hint: a member and a variable, as amount.value=order.amount"
            )
        };
        let (path, variable) = wish.split_once('=').ok_or_else(wrong)?;
        let names: Vec<String> = path.split('.').map(|name| name.trim().to_owned()).collect();
        if variable.trim().is_empty() || names.iter().any(String::is_empty) {
            return Err(wrong());
        }
        let variable = variable.trim();
        let template = if variable.contains("{{") {
            variable.to_owned()
        } else {
            let (name, filter) = variable
                .split_once('|')
                .map_or((variable, None), |(name, filter)| (name.trim(), Some(filter.trim())));
            let name = if name.contains('.') { name.to_owned() } else { format!("order.{name}") };
            match filter {
                Some(filter) => format!("{{{{ {name} | {filter} }}}}"),
                None if words::is_optional(&name) => format!("{{{{ {name} | omit }}}}"),
                None => format!("{{{{ {name} }}}}"),
            }
        };
        Ok((names, template))
    };
    wishes.iter().map(read).collect()
}

/// Puts a template at its place, among what is there.
pub fn place(fields: &mut Vec<Field>, path: &[String], template: String) {
    let Some((first, rest)) = path.split_first() else { return };
    let at = fields.iter().position(|field| field.name == *first).unwrap_or(fields.len());
    if at == fields.len() {
        fields.push(Field { name: first.clone(), content: Content::Object(Vec::new(), Vec::new()) });
    }
    let Some(field) = fields.get_mut(at) else { return };
    if rest.is_empty() {
        field.content = Content::Template(template, Sure::Sure);
        return;
    }
    match &mut field.content {
        Content::Object(members, _) => place(members, rest, template),
        other => {
            let mut members = Vec::new();
            place(&mut members, rest, template);
            *other = Content::Object(members, Vec::new());
        }
    }
}

fn outcomes(wishes: &[String]) -> Result<Vec<Rule>, String> {
    let mut rules = Vec::new();
    for wish in wishes {
        let wrong = |what: &str| format!("--outcome: \"{wish}\" {what}\n  hint: as status=paid:approved");
        let (rest, is) = wish.rsplit_once(':').ok_or_else(|| wrong("says no outcome"))?;
        let (member, word) = rest.split_once('=').ok_or_else(|| wrong("says no member and word"))?;
        let known: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == is).ok_or_else(|| {
            let meant =
                nearest(is, &known).map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
            format!("--outcome: there is no outcome \"{is}\"\n  hint: {meant}There are {}", known.join(", "))
        })?;
        rules.push(rule(Some((json_path(member), Value::from(word))), Ok(outcome)));
    }
    if rules.is_empty() {
        rules.push(rule(None, Err("what an answer means: a rule for each word".to_owned())));
    }
    rules.push(Rule { status: Some("4xx"), word: None, is: Ok(Outcome::Invalid), sure: Sure::Sure });
    Ok(rules)
}

fn rule(word: Option<(String, Value)>, is: Result<Outcome, String>) -> Rule {
    Rule { status: Some("2xx"), word, is, sure: Sure::Sure }
}

fn reads(wishes: &[String]) -> Result<Vec<Read>, String> {
    let mut reads = Vec::new();
    for wish in wishes {
        let (name, member) = wish.split_once('=').ok_or_else(|| {
            format!("--reads: \"{wish}\" is none\n  hint: a name and a member, as payment_id=id")
        })?;
        let known = READS.iter().find(|known| **known == name).ok_or_else(|| {
            let meant =
                nearest(name, READS).map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
            format!("--reads: nothing is called \"{name}\"\n  hint: {meant}There are {}", READS.join(", "))
        })?;
        reads.push(Read { name: known, path: Ok(json_path(member)), sure: Sure::Sure });
    }
    let has = |name: &str, reads: &[Read]| reads.iter().any(|read| read.name == name);
    let missing = |name, what: &str| Read { name, path: Err(what.to_owned()), sure: Sure::Sure };
    if !has("payment_id", &reads) {
        reads.insert(0, missing("payment_id", "where the answer says the payment's id, as $.id"));
    }
    if !has("redirect_url", &reads) && !has("payment_request_id", &reads) {
        reads.push(missing(
            "redirect_url",
            "where a step-up's answer says the URL for the Customer, or payment_request_id for the SDK",
        ));
    }
    Ok(reads)
}

/// A JSONPath, of a member that is named by its way from the top.
fn json_path(member: &str) -> String {
    if member.starts_with('$') { member.to_owned() } else { format!("$.{member}") }
}
