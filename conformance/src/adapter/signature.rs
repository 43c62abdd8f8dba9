//! Requests that are signed by HMAC, in the way that an adapter declares.

use http::HeaderName;
use serde_json::Value;
use serde_saphyr::Spanned;
use tera::Context;

use super::error::AdapterError;
use super::file::SignatureFile;
use super::hmac::{ALGORITHMS, Encoding, Hash, SecretEncoding, word};
use super::parts::{Message, Parts};
use super::template::{Template, TemplateError, Templates};
use super::variables::{CLOSES, OPENS};

/// How requests are signed.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    hash: Hash,
    secret: Template,
    secret_encoding: SecretEncoding,
    /// Sent beside the others, and there when the message is put together.
    headers: Vec<(HeaderName, Template)>,
    parts: Parts,
    encoding: Encoding,
    header: HeaderName,
    /// What the header says; the signature alone where absent.
    value: Option<Template>,
}

/// Whether a request is sent or only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Sent,
    /// Nobody can sign with markers in the place of secrets.
    Shown,
}

impl Signature {
    pub(super) fn compile(
        file: &Spanned<SignatureFile>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let file = &file.value;
        let source = templates.source();
        let hash = word(source, "algorithm", file.algorithm.as_ref(), ALGORITHMS)?.unwrap_or(Hash::Sha256);
        let secret_encoding = SecretEncoding::read_name(source, file.secret_encoding.as_ref())?;
        let encoding = Encoding::read_name(source, file.encoding.as_ref())?.unwrap_or(Encoding::Hex);
        let parts = Parts::compile(source, &file.message, file.separator.as_deref().unwrap_or("\n"))?;
        let headers = file
            .headers
            .iter()
            .map(|(name, value)| Ok((templates.source().header_name(name)?, templates.text(value)?)))
            .collect::<Result<_, AdapterError>>()?;
        Ok(Self {
            hash,
            secret: templates.text(&file.secret)?,
            secret_encoding,
            headers,
            parts,
            encoding,
            header: templates.source().header_name(&file.header)?,
            value: file.value.as_ref().map(|value| templates.text(value)).transpose()?,
        })
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        self.headers.iter().try_for_each(|(_, value)| templates.check(value, sample))?;
        templates.check(&self.secret, sample)?;
        let mut sample = sample.clone();
        if let Some(variables) = sample.as_object_mut() {
            variables.insert("signature".to_owned(), Value::from("sample"));
        }
        self.value.iter().try_for_each(|value| templates.check(value, &sample))
    }

    /// The headers that are signed with the rest.
    pub(super) fn signed_headers(
        &self,
        templates: &Templates,
        variables: &Context,
    ) -> Result<Vec<(HeaderName, String)>, TemplateError> {
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            headers.extend(templates.render_text(value, variables)?.map(|value| (name.clone(), value)));
        }
        Ok(headers)
    }

    /// The header that carries the signature.
    pub(super) fn sign(
        &self,
        templates: &Templates,
        variables: &Context,
        message: &Message<'_>,
        r#use: Use,
    ) -> Result<(HeaderName, String), TemplateError> {
        let failed = |what: String| templates.fail(&self.secret, &what);
        let signature = if r#use == Use::Shown {
            format!("{OPENS}SIGNATURE{CLOSES}")
        } else {
            let secret = templates.render_text(&self.secret, variables)?.unwrap_or_default();
            let key = self
                .secret_encoding
                .key(secret)
                .map_err(|wanted| failed(format!("the secret is not {wanted}")))?;
            let bytes = self.parts.bytes(message).map_err(failed)?;
            self.encoding.write(&self.hash.sign(&key, &bytes))
        };
        let Some(value) = &self.value else { return Ok((self.header.clone(), signature)) };
        let mut variables = variables.clone();
        variables.insert("signature", &signature);
        Ok((self.header.clone(), templates.render_text(value, &variables)?.unwrap_or_default()))
    }
}
