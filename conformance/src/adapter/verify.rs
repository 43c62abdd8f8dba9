//! Whether a notification is the acquirer's own: the signature schemes that adapters can name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName};
use serde_json::Value;
use serde_saphyr::Spanned;
use sha2::Sha256;

use super::error::AdapterError;
use super::file::VerifyFile;
use super::source::{Place, Source};
use super::template::{Template, TemplateError, Templates, context};

/// How notifications are signed.
#[derive(Debug, Clone)]
pub(super) enum Scheme {
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature`, as standardwebhooks.com has them.
    /// The age of the timestamp is not judged.
    StandardWebhooks,
    /// HMAC-SHA256 over the exact body, in one header.
    HmacSha256 { header: HeaderName, encoding: Encoding, prefix: String, secret_encoding: SecretEncoding },
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
}

/// How the key's bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretEncoding {
    Utf8,
    Hex,
    Base64,
}

/// A scheme and where its secret comes from.
#[derive(Debug, Clone)]
pub(super) struct Verify {
    pub(super) scheme: Scheme,
    secret: Template,
}

const SCHEMES: &[&str] = &["standard-webhooks", "hmac-sha256"];

impl Verify {
    pub(super) fn compile(
        file: &Spanned<VerifyFile>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let place: Place = file.referenced.into();
        let file = &file.value;
        let secret = templates.text(&file.secret)?;
        let source = templates.source();
        let scheme = match file.scheme.value.as_str() {
            "standard-webhooks" => {
                for (key, value) in [
                    ("header", &file.header),
                    ("encoding", &file.encoding),
                    ("prefix", &file.prefix),
                    ("secret_encoding", &file.secret_encoding),
                ] {
                    if let Some(value) = value {
                        return Err(source.complain(
                            value.referenced.into(),
                            &format!("standard-webhooks has no \"{key}\""),
                            Some("headers and encoding are fixed by that scheme; remove the key"),
                        ));
                    }
                }
                Scheme::StandardWebhooks
            }
            "hmac-sha256" => Scheme::HmacSha256 {
                header: header(source, file.header.as_ref(), place)?,
                encoding: word(
                    source,
                    file.encoding.as_ref(),
                    &[("hex", Encoding::Hex), ("base64", Encoding::Base64)],
                )?
                .unwrap_or(Encoding::Hex),
                prefix: file.prefix.as_ref().map(|prefix| prefix.value.clone()).unwrap_or_default(),
                secret_encoding: word(
                    source,
                    file.secret_encoding.as_ref(),
                    &[
                        ("utf8", SecretEncoding::Utf8),
                        ("hex", SecretEncoding::Hex),
                        ("base64", SecretEncoding::Base64),
                    ],
                )?
                .unwrap_or(SecretEncoding::Utf8),
            },
            other => {
                return Err(source.unknown(file.scheme.referenced.into(), "scheme", other, SCHEMES));
            }
        };
        Ok(Self { scheme, secret })
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        templates.check(&self.secret, sample)?;
        self.key(templates, sample)
            .map(drop)
            .map_err(|error| templates.complain(&self.secret, &error.message))
    }

    /// The key's bytes for one Partner.
    pub(super) fn key(&self, templates: &Templates, variables: &Value) -> Result<Vec<u8>, TemplateError> {
        let secret = templates.render_text(&self.secret, &context(variables))?.unwrap_or_default();
        let bytes = match &self.scheme {
            Scheme::StandardWebhooks => STANDARD
                .decode(secret.strip_prefix("whsec_").unwrap_or(&secret))
                .map_err(|_| "whsec_ and base64"),
            Scheme::HmacSha256 { secret_encoding: SecretEncoding::Utf8, .. } => Ok(secret.into_bytes()),
            Scheme::HmacSha256 { secret_encoding: SecretEncoding::Hex, .. } => {
                hex::decode(secret).map_err(|_| "hexadecimal")
            }
            Scheme::HmacSha256 { secret_encoding: SecretEncoding::Base64, .. } => {
                STANDARD.decode(secret).map_err(|_| "base64")
            }
        };
        match bytes {
            Ok(bytes) if bytes.is_empty() => Err(templates.fail(&self.secret, "the secret is empty")),
            Ok(bytes) => Ok(bytes),
            Err(wanted) => Err(templates.fail(&self.secret, &format!("the secret is not {wanted}"))),
        }
    }
}

impl Scheme {
    /// Whether a notification was signed with `key`.
    ///
    /// # Errors
    /// Why not, in words; secrets and expected signatures are not among them.
    pub(super) fn verify(&self, key: &[u8], headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        match self {
            Self::StandardWebhooks => {
                let id = value(headers, "webhook-id")?;
                let timestamp = value(headers, "webhook-timestamp")?;
                let signatures = value(headers, "webhook-signature")?;
                if timestamp.parse::<u64>().is_err() {
                    return Err(format!("webhook-timestamp \"{timestamp}\" is no number of seconds"));
                }
                let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
                let fits = signatures.split_ascii_whitespace().any(|signature| {
                    signature
                        .strip_prefix("v1,")
                        .and_then(|text| STANDARD.decode(text).ok())
                        .is_some_and(|claimed| signed_with(key, &message, &claimed))
                });
                if fits { Ok(()) } else { Err("no v1 signature in webhook-signature fits".to_owned()) }
            }
            Self::HmacSha256 { header, encoding, prefix, .. } => {
                let text = value(headers, header.as_str())?;
                let text = text
                    .strip_prefix(prefix.as_str())
                    .ok_or_else(|| format!("{header} does not begin with \"{prefix}\""))?;
                let claimed = match encoding {
                    Encoding::Hex => hex::decode(text).map_err(|_| format!("{header} is not hexadecimal"))?,
                    Encoding::Base64 => {
                        STANDARD.decode(text).map_err(|_| format!("{header} is not base64"))?
                    }
                };
                if signed_with(key, &[body], &claimed) {
                    Ok(())
                } else {
                    Err(format!("the signature in {header} does not fit the body"))
                }
            }
        }
    }
}

/// Constant-time comparison of a claimed HMAC-SHA256.
fn signed_with(key: &[u8], message: &[&[u8]], claimed: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in message {
        mac.update(part);
    }
    mac.verify_slice(claimed).is_ok()
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, String> {
    let value = headers.get(name).ok_or_else(|| format!("the header {name} is missing"))?;
    value.to_str().map_err(|_| format!("the header {name} is not plain text"))
}

fn header(source: &Source, name: Option<&Spanned<String>>, place: Place) -> Result<HeaderName, AdapterError> {
    let Some(name) = name else {
        return Err(source.complain(
            place,
            "hmac-sha256 needs the key \"header\"",
            Some("{scheme: hmac-sha256, header: X-Signature, encoding: hex, secret: …}"),
        ));
    };
    HeaderName::from_bytes(name.value.as_bytes()).map_err(|_| {
        source.complain(name.referenced.into(), &format!("\"{}\" is no header name", name.value), None)
    })
}

fn word<T: Copy>(
    source: &Source,
    word: Option<&Spanned<String>>,
    known: &[(&str, T)],
) -> Result<Option<T>, AdapterError> {
    let Some(word) = word else { return Ok(None) };
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == word.value) {
        return Ok(Some(*value));
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    Err(source.unknown(word.referenced.into(), "encoding", &word.value, &names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    const BODY: &[u8] = br#"{"type":"payment.updated","data":{"payment_id":"p-1"}}"#;

    /// `printf 'msg_1.1700000000.%s' '{"type":"payment.updated","data":{"payment_id":"p-1"}}' |
    /// openssl dgst -sha256 -hmac 'a-test-key-of-some-length' -binary | base64`
    const STANDARD_BY_OPENSSL: &str = "lCYIhePBegKrVjZRiL1AjsayGq8JadbsowDVepboOvY=";

    /// `printf '%s' '{"type":"payment.updated","data":{"payment_id":"p-1"}}' |
    /// openssl dgst -sha256 -hmac 'a-test-key-of-some-length'`, and the same with `-binary | base64`
    const HEX_BY_OPENSSL: &str = "22aa17494c0184d290954c6e3264bc664126843b06d9bde3e5a149d13d0ff678";
    const BASE64_BY_OPENSSL: &str = "IqoXSUwBhNKQlUxuMmS8ZkEmhDsG2b3j5aFJ0T0P9ng=";

    const KEY: &[u8] = b"a-test-key-of-some-length";

    #[test]
    fn standard_webhooks_agrees_with_openssl() {
        let verify = |id: &str, signature: &str, body: &[u8]| {
            let headers = headers(&[
                ("webhook-id", id),
                ("webhook-timestamp", "1700000000"),
                ("webhook-signature", signature),
            ]);
            Scheme::StandardWebhooks.verify(KEY, &headers, body)
        };
        let good = format!("v1,{STANDARD_BY_OPENSSL}");
        assert_eq!(verify("msg_1", &good, BODY), Ok(()));
        assert_eq!(verify("msg_1", &format!("v1,AAAA {good}"), BODY), Ok(()), "during a rotation");
        assert!(verify("msg_2", &good, BODY).is_err(), "the id is signed");
        assert!(verify("msg_1", &good, b"{}").is_err(), "the body is signed");
        assert!(verify("msg_1", STANDARD_BY_OPENSSL, BODY).is_err(), "the version is part of it");
        assert!(
            Scheme::StandardWebhooks
                .verify(b"other", &headers(&[]), BODY)
                .unwrap_err()
                .contains("webhook-id")
        );
    }

    fn hmac(encoding: Encoding, prefix: &str) -> Scheme {
        Scheme::HmacSha256 {
            header: HeaderName::from_static("x-signature"),
            encoding,
            prefix: prefix.to_owned(),
            secret_encoding: SecretEncoding::Utf8,
        }
    }

    #[test]
    fn hmac_agrees_with_openssl_in_both_encodings() {
        let hex = hmac(Encoding::Hex, "sha256=");
        let signed = headers(&[("X-Signature", &format!("sha256={HEX_BY_OPENSSL}"))]);
        assert_eq!(hex.verify(KEY, &signed, BODY), Ok(()));
        assert_eq!(
            hex.verify(b"another", &signed, BODY).unwrap_err(),
            "the signature in x-signature does not fit the body"
        );
        let bare = headers(&[("X-Signature", HEX_BY_OPENSSL)]);
        assert!(hex.verify(KEY, &bare, BODY).unwrap_err().contains("does not begin with"));
        let base64 = hmac(Encoding::Base64, "");
        assert_eq!(base64.verify(KEY, &headers(&[("X-Signature", BASE64_BY_OPENSSL)]), BODY), Ok(()));
        assert!(base64.verify(KEY, &headers(&[("X-Signature", "!")]), BODY).is_err());
        assert_eq!(base64.verify(KEY, &headers(&[]), BODY).unwrap_err(), "the header x-signature is missing");
    }
}
