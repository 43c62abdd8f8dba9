//! The few pages that a person may see at the Partner stand-in.

/// What stands at `/`.
pub(super) fn welcome() -> String {
    page(
        "The Partner stand-in",
        "<p>This is the shop of the conformance suite. Customers come back to <code>/shop/return/…</code>, \
         and the acquirer tells its news to <code>/notifications/…</code>.</p>",
    )
}

/// What the Customer sees after the Purchase Journey.
pub(super) fn back_at_the_shop(query: &[(String, String)]) -> String {
    let rows: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value)))
        .collect();
    page(
        "Back at the shop",
        &format!(
            "<p>Thank you. The shop waits for its acquirer to say how the payment ended; \
             what this address says proves nothing.</p><dl>{}</dl>",
            rows.concat()
        ),
    )
}

/// Where a paid order ends.
pub(super) fn confirmation() -> String {
    page("Your order is confirmed", "<p>The acquirer says that the payment is approved. Thank you.</p>")
}

/// Where an order ends that was not paid.
pub(super) fn checkout_with_an_error() -> String {
    page(
        "Checkout",
        "<p role=\"alert\">The payment did not come to be. Nothing was charged; please choose another way to \
         pay.</p>",
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><h1>{title}</h1>{body}</body></html>\n"
    )
}

/// Text that is safe in HTML: the query comes from whoever made the link.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_query_cannot_write_html() {
        let page = super::back_at_the_shop(&[("a<b".to_owned(), "\"><script>&".to_owned())]);
        assert!(page.contains("<dt>a&lt;b</dt><dd>&quot;&gt;&lt;script&gt;&amp;</dd>"), "{page}");
    }
}
