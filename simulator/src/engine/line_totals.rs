//! What the order lines of purchase data add up to (contract `payments.md` 2.2).

use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::money::MinorUnits;
use serde_json::Value;

/// A line whose total is not its unit price times its quantity.
pub(crate) struct OddLine {
    /// Counted from 0.
    pub(crate) position: usize,
    /// Unit price times quantity.
    pub(crate) product: i128,
    /// What stands there.
    pub(crate) total: Option<i64>,
}

/// What the lines add up to, where there are lines and each has a total.
pub(crate) fn total(purchase_data: &Value) -> Option<i128> {
    let lines = purchase_data.get("line_items")?.as_array().filter(|lines| !lines.is_empty())?;
    lines.iter().map(|line| Some(i128::from(line.get("total_amount")?.as_i64()?))).sum()
}

/// The first of these lines that has a unit price and another total.
pub(crate) fn odd_line(lines: &Value) -> Option<OddLine> {
    lines.as_array()?.iter().enumerate().find_map(|(position, line)| {
        let number = |name: &str| line.get(name).and_then(Value::as_i64);
        let product = i128::from(number("unit_price")?) * i128::from(number("quantity")?);
        let total = number("total_amount");
        (total.map(i128::from) != Some(product)).then_some(OddLine { position, product, total })
    })
}

/// The field to blame where the lines do not add up to an amount.
pub(crate) fn misfit(purchase_data: Option<&Value>, amount: MinorUnits) -> Option<ValidationError> {
    let total = total(purchase_data?)?;
    let why = format!("add up to {total}, and the amount is {amount}");
    (total != i128::from(amount.0))
        .then(|| ValidationError::new("supplementary_purchase_data.line_items", why))
}
