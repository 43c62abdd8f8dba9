//! The page that the customer sees.

use std::sync::LazyLock;

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::money::MinorUnits;
use serde::Serialize;
use serde_json::Value;
use tera::{Context, Tera};

use crate::engine::RequestRecord;

const TEMPLATE: &str = include_str!("../../templates/journey.html");

static TERA: LazyLock<Result<Tera, tera::Error>> = LazyLock::new(|| {
    let mut tera = Tera::default();
    tera.add_raw_template("journey.html", TEMPLATE)?;
    Ok(tera)
});

#[derive(Serialize)]
struct View {
    merchant: String,
    amount: String,
    purchase_reference: Option<String>,
    lines: Vec<Line>,
    payment_request_id: String,
    payment_option_id: Option<String>,
    open: bool,
    wrong_code: bool,
    outcome: &'static str,
    back: Option<String>,
}

#[derive(Serialize)]
struct Line {
    name: String,
    quantity: String,
    total: String,
}

/// Renders the page of a request.
pub(super) fn render(record: &RequestRecord, merchant: &PartnerAccountId) -> Result<String, String> {
    let tera = TERA.as_ref().map_err(ToString::to_string)?;
    let context = Context::from_serialize(&view(record, merchant)).map_err(|error| error.to_string())?;
    tera.render("journey.html", &context).map_err(|error| error.to_string())
}

fn view(record: &RequestRecord, merchant: &PartnerAccountId) -> View {
    let data = record.purchase_data.as_ref();
    let lines = data.and_then(|data| data.get("line_items")).and_then(Value::as_array);
    let open = matches!(record.state, PaymentRequestState::Submitted | PaymentRequestState::InProgress);
    View {
        // Klarna knows the merchant by its account; its last part is what a tester recognises.
        merchant: merchant.as_str().rsplit(':').next().unwrap_or_default().to_owned(),
        amount: record.currency.display(record.amount),
        purchase_reference: data
            .and_then(|data| data.get("purchase_reference"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        lines: lines.into_iter().flatten().map(|line| self::line(record, line)).collect(),
        payment_request_id: record.id.0.clone(),
        payment_option_id: record.payment_option_id.clone(),
        open,
        wrong_code: record.wrong_code,
        outcome: outcome(&record.state),
        back: (!open).then(|| record.return_target()).flatten(),
    }
}

fn line(record: &RequestRecord, line: &Value) -> Line {
    let text = |field: &str| line.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let total = line.get("total_amount").and_then(Value::as_i64);
    Line {
        name: text("name"),
        quantity: line.get("quantity").map(ToString::to_string).unwrap_or_default(),
        total: total.map(|total| record.currency.display(MinorUnits(total))).unwrap_or_default(),
    }
}

fn outcome(state: &PaymentRequestState) -> &'static str {
    match state {
        PaymentRequestState::Completed => "You have approved this purchase.",
        PaymentRequestState::Declined => "This purchase was refused.",
        PaymentRequestState::Canceled => "The shop has taken this purchase back.",
        PaymentRequestState::Expired => "The time for this purchase has run out.",
        _ => "",
    }
}
