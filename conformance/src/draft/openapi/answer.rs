//! What answers mean, and what is read from them.

use serde_json::Value;

use super::super::words::{self, bare};
use super::super::{Read, Rule, Sure, Wishes};
use super::document::Document;
use super::likely;
use super::operations::Call;
use crate::adapter::Outcome;

/// What stands for the first item of a list, among names.
const FIRST: &str = "\u{0}first";

/// How deep an answer is looked through.
const DEPTH_MAX: usize = 4;

/// Names of a member that says how a payment stands.
const STATES: &[&str] = &[
    "status",
    "state",
    "result",
    "resultcode",
    "outcome",
    "paymentstatus",
    "paymentstate",
    "transactionstatus",
];

/// A member somewhere in an answer.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// JSONPath.
    pub(super) path: String,
    /// Names from the top.
    pub(super) names: Vec<String>,
    /// The words that it can have.
    pub(super) words: Vec<Value>,
}

/// Rules and reads of an answer about a payment.
pub(super) fn of_payment(document: &Document, call: &Call<'_>, creates: bool) -> (Vec<Rule>, Vec<Read>) {
    let members =
        document.answer_schema(call.operation).map(|schema| all(document, schema)).unwrap_or_default();
    let mut rules = outcome(&members, Some("2xx"));
    must_say(&mut rules, Outcome::Approved, Some("2xx"), "which answer says that the payment is approved");
    if creates {
        must_say(&mut rules, Outcome::StepUp, Some("2xx"), "which answer asks for a step-up");
    }
    rules.push(Rule { status: Some("4xx"), word: None, is: Ok(Outcome::Invalid), sure: Sure::Sure });
    (rules, reads(&members))
}

/// Every member that is neither a list nor a mapping.
pub(super) fn all(document: &Document, schema: &Value) -> Vec<Member> {
    let mut members = Vec::new();
    gather(document, schema, false, &mut Vec::new(), &mut members);
    members
}

/// As [`all`]; of a list its first item, too.
pub(super) fn all_in_lists(document: &Document, schema: &Value) -> Vec<Member> {
    let mut members = Vec::new();
    gather(document, schema, true, &mut Vec::new(), &mut members);
    members
}

fn gather(
    document: &Document,
    schema: &Value,
    lists: bool,
    names: &mut Vec<String>,
    found: &mut Vec<Member>,
) {
    let shape = document.shape(schema);
    for (name, schema) in &shape.members {
        let member = document.shape(schema);
        names.push(name.clone());
        if member.is_object() && names.len() < DEPTH_MAX {
            gather(document, schema, lists, names, found);
        } else if let Some(items) = member.items.as_ref().filter(|_| lists && names.len() < DEPTH_MAX) {
            names.push(FIRST.to_owned());
            gather(document, items, lists, names, found);
            names.pop();
        } else if member.items.is_none() && !member.is_object() {
            found.push(Member { path: json_path(names), names: names.clone(), words: member.words });
        }
        names.pop();
    }
}

fn json_path(names: &[String]) -> String {
    let step = |name: &String| {
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if name == FIRST {
            "[0]".to_owned()
        } else if plain {
            format!(".{name}")
        } else {
            format!("['{}']", name.replace('\'', "\\'"))
        }
    };
    std::iter::once("$".to_owned()).chain(names.iter().map(step)).collect()
}

/// A rule for each word of the member that says how a payment stands.
pub(super) fn outcome(members: &[Member], status: Option<&'static str>) -> Vec<Rule> {
    let known = |member: &Member| member.words.iter().filter(|word| meaning(word).is_some()).count();
    let named =
        |member: &Member| member.names.last().is_some_and(|name| STATES.contains(&bare(name).as_str()));
    // The more words are known the better, then the nearer to the top.
    let best = members.iter().filter(|member| known(member) >= 2 || (known(member) == 1 && named(member)));
    let best = best
        .max_by_key(|member| (known(member), named(member), DEPTH_MAX.saturating_sub(member.names.len())));
    let Some(member) = best else {
        let Some(member) = members.iter().find(|member| named(member)) else {
            return vec![unknown(status, "which answers say that the payment is approved, declined, …")];
        };
        let mut rule = unknown(status, &format!("the words of {}, a rule each", member.path));
        rule.word = Some((member.path.clone(), Value::from("approved")));
        return vec![rule];
    };
    let rule = |word: &Value| Rule {
        status,
        word: Some((member.path.clone(), word.clone())),
        is: meaning(word).ok_or_else(|| format!("what {word} means to a Partner, or no rule")),
        sure: if is_our_own(word) { Sure::Sure } else { likely("by the word") },
    };
    member.words.iter().filter(|word| !word.is_null()).map(rule).collect()
}

fn meaning(word: &Value) -> Option<Outcome> {
    words::outcome(word.as_str()?)
}

/// Whether a word is the suite's own for what it means.
fn is_our_own(word: &Value) -> bool {
    let bare_word = word.as_str().map(bare).unwrap_or_default();
    meaning(word).is_some_and(|outcome| bare(outcome.as_str()) == bare_word)
}

fn unknown(status: Option<&'static str>, what: &str) -> Rule {
    // A notification has no status to go by.
    let word = status.is_none().then(|| ("$.TODO".to_owned(), Value::from("TODO")));
    Rule { status, word, is: Err(what.to_owned()), sure: Sure::Sure }
}

/// What the suite looks for.
fn reads(members: &[Member]) -> Vec<Read> {
    let mut reads =
        vec![read(members, "payment_id", payment_id, Some("where the answer says the payment's id"))];
    let url = read(members, "redirect_url", redirect_url, None);
    let id = read(members, "payment_request_id", request_id, None);
    if url.path.is_err() && id.path.is_err() {
        reads.push(Read {
            path: Err(
                "where a step-up's answer says the URL for the Customer, or payment_request_id for the SDK"
                    .to_owned(),
            ),
            ..url
        });
    } else {
        reads.extend([url, id].into_iter().filter(|read| read.path.is_ok()));
    }
    let data = read(members, "network_response_data", response_data, None);
    reads.extend(Some(data).filter(|read| read.path.is_ok()));
    reads
}

/// The member with the most points.
fn read(members: &[Member], name: &'static str, points: fn(&[String]) -> u32, todo: Option<&str>) -> Read {
    let scored = members.iter().map(|member| {
        let names: Vec<String> = member.names.iter().map(|name| bare(name)).collect();
        (points(&names), member)
    });
    let best =
        scored.filter(|(points, _)| *points > 0).reduce(|best, one| if one.0 > best.0 { one } else { best });
    match best {
        Some((_, member)) => {
            let same = member.names.last().is_some_and(|last| bare(last) == bare(name));
            let sure = if same { Sure::Sure } else { likely("by its name") };
            Read { name, path: Ok(member.path.clone()), sure }
        }
        None => Read { name, path: Err(todo.unwrap_or("where it stands").to_owned()), sure: Sure::Sure },
    }
}

/// The JSONPath of the payment's id.
pub(super) fn id_of_payment(members: &[Member]) -> Result<String, String> {
    read(members, "payment_id", payment_id, Some("where the payment's id stands")).path
}

/// That nothing says so is to be found out.
pub(super) fn must_say(rules: &mut Vec<Rule>, outcome: Outcome, status: Option<&'static str>, what: &str) {
    let says = |rule: &Rule| rule.is == Ok(outcome);
    // Where nothing is known, that is to be found out first.
    if rules.iter().any(|rule| rule.is.is_ok()) && !rules.iter().any(says) {
        rules.push(unknown(status, what));
    }
}

fn payment_id(names: &[String]) -> u32 {
    let Some((last, within)) = names.split_last() else { return 0 };
    let depth = u32::try_from(within.len()).unwrap_or(u32::MAX);
    let in_payment = within.last().is_some_and(|name| name.contains("payment") || name == "data");
    let points: u32 = match last.as_str() {
        "paymentid" => 20,
        "pspreference" | "transactionid" | "chargeid" => 16,
        "id" if within.is_empty() => 14,
        "id" if in_payment => 12,
        _ => 0,
    };
    points.saturating_sub(depth)
}

fn redirect_url(names: &[String]) -> u32 {
    let Some((last, within)) = names.split_last() else { return 0 };
    let leads = |name: &String| {
        ["redirect", "action", "stepup", "challenge", "customer"].iter().any(|word| name.contains(word))
    };
    match last.as_str() {
        "paymentrequesturl" | "redirecturl" | "stepupurl" | "customerurl" | "actionurl" => 20,
        "checkouturl" | "hostedurl" | "approvalurl" | "redirectto" => 15,
        "url" | "href" | "location" | "uri" if within.iter().any(leads) => 12,
        _ => 0,
    }
}

fn request_id(names: &[String]) -> u32 {
    let Some((last, within)) = names.split_last() else { return 0 };
    let about = |name: &String| ["klarna", "sdk", "action", "stepup"].iter().any(|word| name.contains(word));
    match last.as_str() {
        "paymentrequestid" | "klarnapaymentrequestid" => 20,
        "requestid" | "klarnarequestid" if within.iter().any(about) => 12,
        _ => 0,
    }
}

fn response_data(names: &[String]) -> u32 {
    let Some((last, within)) = names.split_last() else { return 0 };
    let klarna = within.iter().any(|name| name.contains("klarna"));
    match last.as_str() {
        "klarnanetworkresponsedata" | "networkresponsedata" => 20,
        "responsedata" if klarna => 12,
        _ => 0,
    }
}

/// What was asked for by flags goes before what was found.
pub(super) fn with_wishes(found: Vec<Read>, given: &[Read], wishes: &Wishes) -> Vec<Read> {
    if wishes.reads.is_empty() {
        return found;
    }
    let asked = given.iter().filter(|read| read.path.is_ok()).cloned();
    let named: Vec<&str> = given.iter().filter(|read| read.path.is_ok()).map(|read| read.name).collect();
    found.into_iter().filter(|read| !named.contains(&read.name)).chain(asked).collect()
}
