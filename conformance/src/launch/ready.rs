//! How a process tells that it is ready.

use std::time::Duration;

use klarna_schemas::cause::innermost;
use url::Url;

/// Between two tries to reach a process that tells nothing on its standard output.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// How long one try may take.
const ONE_TRY: Duration = Duration::from_secs(2);

/// Tries an URL once. Any answer counts: something listens there and speaks HTTP.
pub(super) async fn answers(url: &Url) -> Result<(), String> {
    let http = client()?;
    http.get(url.clone()).send().await.map(drop).map_err(|error| innermost(&error).to_string())
}

/// Tries an URL until it answers with a status below 500. The caller sets the deadline.
pub(super) async fn until_answers(url: &str) -> Result<(), String> {
    let http = client()?;
    // A process cannot tell us here, so it is asked again and again.
    let mut tries = tokio::time::interval(BETWEEN_TRIES);
    loop {
        tries.tick().await;
        if let Ok(response) = http.get(url).send().await
            && response.status().as_u16() < 500
        {
            return Ok(());
        }
    }
}

/// The URL that a ready line names under `key`.
pub(super) fn from_line(line: &str, key: &str) -> Result<Url, String> {
    let object: serde_json::Value = serde_json::from_str(line)
        .map_err(|_| format!("its first line on standard output is no JSON object: {line}"))?;
    let text = object
        .get(key)
        .and_then(serde_json::Value::as_str)
        .ok_or_else(|| format!("its first line on standard output has no text under \"{key}\": {line}"))?;
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err(format!("\"{key}\" in its ready line is no http or https URL: {text}")),
    }
}

fn client() -> Result<reqwest::Client, String> {
    klarna_simulator::install_crypto_provider();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(ONE_TRY)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_line_is_json_with_an_url_and_more_is_welcome() {
        let url = from_line(r#"{"version":"1","listening":"http://127.0.0.1:41234"}"#, "listening").unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:41234/");
        assert!(
            from_line("listening on 41234", "listening")
                .unwrap_err()
                .contains("no JSON object: listening on")
        );
        assert!(from_line(r#"{"ready":true}"#, "listening").unwrap_err().contains("\"listening\""));
        assert!(from_line(r#"{"listening":"127.0.0.1:1"}"#, "listening").unwrap_err().contains("no http"));
    }
}
