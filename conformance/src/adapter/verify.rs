//! Whether a notification is the acquirer's own: the signature schemes that adapters can name.

use serde_json::Value;
use serde_saphyr::Spanned;

use super::error::AdapterError;
use super::file::VerifyFile;
use super::hmac::{ALGORITHMS, Encoding, Hash, SecretEncoding};
use super::node::Node;
use super::parts::{self, Message, Part, Parts};
use super::source::{Place, Source};
use super::template::{Template, TemplateError, Templates, context};

/// How notifications are signed.
#[derive(Debug, Clone)]
pub(super) enum Scheme {
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature`, as standardwebhooks.com has them.
    /// The age of the timestamp is not judged.
    StandardWebhooks,
    /// HMAC over parts of the message.
    Hmac(Box<HmacScheme>),
}

/// HMAC over parts of a message, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct HmacScheme {
    hash: Hash,
    /// Where the signature stands.
    at: Part,
    encoding: Encoding,
    /// What stands before it.
    prefix: String,
    secret_encoding: SecretEncoding,
    message: Parts,
}

/// A scheme and where its secret comes from.
#[derive(Debug, Clone)]
pub(super) struct Verify {
    pub(super) scheme: Scheme,
    secret: Template,
}

const STANDARD_WEBHOOKS: &str = "standard-webhooks";

impl Verify {
    pub(super) fn compile(
        file: &Spanned<VerifyFile>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let secret = templates.text(&file.value.secret)?;
        let source = templates.source();
        let scheme = if file.value.scheme.value == STANDARD_WEBHOOKS {
            only_the_scheme(source, &file.value)?;
            Scheme::StandardWebhooks
        } else {
            Scheme::Hmac(Box::new(HmacScheme::compile(source, file)?))
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
            Scheme::StandardWebhooks => Encoding::Base64
                .read(secret.strip_prefix("whsec_").unwrap_or(&secret))
                .map_err(|_| "whsec_ and base64"),
            Scheme::Hmac(scheme) => scheme.secret_encoding.key(secret),
        };
        match bytes {
            Ok(bytes) if bytes.is_empty() => Err(templates.fail(&self.secret, "the secret is empty")),
            Ok(bytes) => Ok(bytes),
            Err(wanted) => Err(templates.fail(&self.secret, &format!("the secret is not {wanted}"))),
        }
    }
}

/// Refuses what the standard has fixed.
fn only_the_scheme(source: &Source, file: &VerifyFile) -> Result<(), AdapterError> {
    let places = [
        ("header", file.header.as_ref().map(|value| value.referenced.into())),
        ("encoding", file.encoding.as_ref().map(|value| value.referenced.into())),
        ("prefix", file.prefix.as_ref().map(|value| value.referenced.into())),
        ("secret_encoding", file.secret_encoding.as_ref().map(|value| value.referenced.into())),
        ("signature", file.signature.as_ref().map(Node::place)),
        ("message", file.message.as_ref().map(|_| file.scheme.referenced.into())),
        ("separator", file.separator.as_ref().map(|_| file.scheme.referenced.into())),
    ];
    match places.into_iter().find_map(|(key, place)| Some((key, place?))) {
        None => Ok(()),
        Some((key, place)) => Err(source.complain(
            place,
            &format!("{STANDARD_WEBHOOKS} has no \"{key}\""),
            Some("headers and encoding are fixed by that scheme; remove the key"),
        )),
    }
}

impl HmacScheme {
    fn compile(source: &Source, file: &Spanned<VerifyFile>) -> Result<Self, AdapterError> {
        let place: Place = file.referenced.into();
        let file = &file.value;
        let named = ALGORITHMS.iter().find(|(name, _)| *name == file.scheme.value);
        let Some((_, hash)) = named else {
            let known: Vec<&str> =
                std::iter::once(STANDARD_WEBHOOKS).chain(ALGORITHMS.iter().map(|(name, _)| *name)).collect();
            let place = file.scheme.referenced.into();
            return Err(source.unknown(place, "scheme", &file.scheme.value, &known));
        };
        let at = match (&file.header, &file.signature) {
            (Some(header), None) => {
                Part::Header { name: source.header_name(header)?.to_string(), item: None }
            }
            (None, Some(node)) => Part::compile(source, node)?,
            _ => {
                return Err(source.complain(
                    place,
                    &format!("{} needs the key \"header\", or \"signature\" in its place", file.scheme.value),
                    Some("{scheme: hmac-sha256, header: X-Signature, encoding: hex, secret: …}"),
                ));
            }
        };
        let message = match &file.message {
            None => Parts::body(),
            Some(nodes) => Parts::compile(source, nodes, file.separator.as_deref().unwrap_or("\n"))?,
        };
        Ok(Self {
            hash: *hash,
            at,
            encoding: Encoding::read_name(source, file.encoding.as_ref())?.unwrap_or(Encoding::Hex),
            prefix: file.prefix.as_ref().map(|prefix| prefix.value.clone()).unwrap_or_default(),
            secret_encoding: SecretEncoding::read_name(source, file.secret_encoding.as_ref())?,
            message,
        })
    }

    fn verify(&self, key: &[u8], message: &Message<'_>) -> Result<(), String> {
        let place = self.at.place();
        let signed = self.message.bytes(message)?;
        let mut reason = String::new();
        for text in self.at.candidates(message)? {
            let claimed = text
                .strip_prefix(self.prefix.as_str())
                .ok_or_else(|| format!("{place} does not begin with \"{}\"", self.prefix))
                .and_then(|text| {
                    self.encoding.read(text).map_err(|wanted| format!("{place} is not {wanted}"))
                });
            match claimed {
                Ok(claimed) if self.hash.fits(key, &signed, &claimed) => return Ok(()),
                Ok(_) => {
                    reason = format!("the signature in {place} does not fit the {}", self.message.name());
                }
                Err(why) => reason = why,
            }
        }
        Err(reason)
    }
}

impl Scheme {
    /// Whether a notification was signed with `key`.
    ///
    /// # Errors
    /// Why not, in words; secrets and expected signatures are not among them.
    pub(super) fn verify(&self, key: &[u8], message: &Message<'_>) -> Result<(), String> {
        match self {
            Self::StandardWebhooks => {
                let id = parts::header(message, "webhook-id")?;
                let timestamp = parts::header(message, "webhook-timestamp")?;
                let signatures = parts::header(message, "webhook-signature")?;
                if timestamp.parse::<u64>().is_err() {
                    return Err(format!("webhook-timestamp \"{timestamp}\" is no number of seconds"));
                }
                let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", message.body].concat();
                let fits = signatures.split_ascii_whitespace().any(|signature| {
                    signature
                        .strip_prefix("v1,")
                        .and_then(|text| Encoding::Base64.read(text).ok())
                        .is_some_and(|claimed| Hash::Sha256.fits(key, &signed, &claimed))
                });
                if fits { Ok(()) } else { Err("no v1 signature in webhook-signature fits".to_owned()) }
            }
            Self::Hmac(scheme) => scheme.verify(key, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn verified(
        scheme: &Scheme,
        key: &[u8],
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<(), String> {
        scheme.verify(key, &Message { method: "POST", path: "/n", query: "", headers, body })
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
            verified(&Scheme::StandardWebhooks, KEY, &headers, body)
        };
        let good = format!("v1,{STANDARD_BY_OPENSSL}");
        assert_eq!(verify("msg_1", &good, BODY), Ok(()));
        assert_eq!(verify("msg_1", &format!("v1,AAAA {good}"), BODY), Ok(()), "during a rotation");
        assert!(verify("msg_2", &good, BODY).is_err(), "the id is signed");
        assert!(verify("msg_1", &good, b"{}").is_err(), "the body is signed");
        assert!(verify("msg_1", STANDARD_BY_OPENSSL, BODY).is_err(), "the version is part of it");
        assert!(
            verified(&Scheme::StandardWebhooks, b"other", &headers(&[]), BODY)
                .unwrap_err()
                .contains("webhook-id")
        );
    }

    fn hmac(encoding: Encoding, prefix: &str) -> Scheme {
        Scheme::Hmac(Box::new(HmacScheme {
            hash: Hash::Sha256,
            at: Part::Header { name: "x-signature".to_owned(), item: None },
            encoding,
            prefix: prefix.to_owned(),
            secret_encoding: SecretEncoding::Utf8,
            message: Parts::body(),
        }))
    }

    #[test]
    fn hmac_agrees_with_openssl_in_both_encodings() {
        let hex = hmac(Encoding::Hex, "sha256=");
        let signed = headers(&[("X-Signature", &format!("sha256={HEX_BY_OPENSSL}"))]);
        assert_eq!(verified(&hex, KEY, &signed, BODY), Ok(()));
        assert_eq!(
            verified(&hex, b"another", &signed, BODY).unwrap_err(),
            "the signature in x-signature does not fit the body"
        );
        let bare = headers(&[("X-Signature", HEX_BY_OPENSSL)]);
        assert!(verified(&hex, KEY, &bare, BODY).unwrap_err().contains("does not begin with"));
        let base64 = hmac(Encoding::Base64, "");
        assert_eq!(verified(&base64, KEY, &headers(&[("X-Signature", BASE64_BY_OPENSSL)]), BODY), Ok(()));
        assert!(verified(&base64, KEY, &headers(&[("X-Signature", "!")]), BODY).is_err());
        assert_eq!(
            verified(&base64, KEY, &headers(&[]), BODY).unwrap_err(),
            "the header x-signature is missing"
        );
    }
}
