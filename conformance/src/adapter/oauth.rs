//! OAuth 2.0 by client credentials (RFC 6749, section 4.4): a token that is asked for once and used until it
//! ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;
use tera::Context;

use super::error::AdapterError;
use super::file::OAuthFile;
use super::template::{Template, TemplateError, Templates, context};
use super::variables::{CLOSES, OPENS};

/// The variable that holds the token, once there is one.
const TOKEN: &str = "access_token";
/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(10);
/// How long a token is used that does not say how long.
const LIFE: Duration = Duration::from_mins(1);
/// How much of an answer is read, in bytes.
const ANSWER_LIMIT: usize = 64 << 10;

/// Where tokens come from.
#[derive(Debug, Clone)]
pub(super) struct OAuth {
    url: Template,
    client_id: Template,
    client_secret: Template,
    scope: Option<Template>,
}

/// Tokens that can still be used, by client.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens(Arc<Mutex<HashMap<String, (SecretString, Instant)>>>);

/// What a token server answers.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum OAuthError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("the token server at {url}: {reason}")]
    Refused { url: String, reason: String },
}

impl OAuth {
    pub(super) fn compile(
        file: &Spanned<OAuthFile>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let file = &file.value;
        Ok(Self {
            url: templates.text(&file.token_url)?,
            client_id: templates.text(&file.client_id)?,
            client_secret: templates.text(&file.client_secret)?,
            scope: file.scope.as_ref().map(|scope| templates.text(scope)).transpose()?,
        })
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        let own = [&self.url, &self.client_id, &self.client_secret];
        own.into_iter().chain(&self.scope).try_for_each(|template| templates.check(template, sample))
    }

    /// The token that was put among the variables; where there is none, what stands for it.
    pub(super) fn token(variables: &Context) -> String {
        let token = variables.get(TOKEN).and_then(tera::Value::as_str).map(str::to_owned);
        token.unwrap_or_else(|| format!("{OPENS}ACCESS_TOKEN{CLOSES}"))
    }

    /// Puts a token among the variables of a call: one that is known, or a new one.
    ///
    /// # Errors
    /// When the token server gives none.
    pub(super) async fn add_to(
        &self,
        variables: &mut Value,
        templates: &Templates,
        tokens: &Tokens,
        http: &reqwest::Client,
    ) -> Result<(), OAuthError> {
        let seen = context(variables);
        let text = |template: &Template| {
            Ok::<_, TemplateError>(templates.render_text(template, &seen)?.unwrap_or_default())
        };
        let (url, client) = (text(&self.url)?, text(&self.client_id)?);
        let token = if let Some(token) = tokens.known(&client) {
            token
        } else {
            let mut form = vec![("grant_type", "client_credentials".to_owned())];
            if let Some(scope) = &self.scope {
                form.push(("scope", text(scope)?));
            }
            let request = http.post(&url).basic_auth(&client, Some(text(&self.client_secret)?)).form(&form);
            let (token, life) = ask(request).await.map_err(|reason| OAuthError::Refused { url, reason })?;
            tokens.keep(client, token.clone(), life);
            token
        };
        if let Some(variables) = variables.as_object_mut() {
            variables.insert(TOKEN.to_owned(), Value::from(token.expose_secret()));
        }
        Ok(())
    }
}

async fn ask(request: reqwest::RequestBuilder) -> Result<(SecretString, Duration), String> {
    let broken = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = request.send().await.map_err(broken)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_LIMIT {
            return Err(format!("the answer has more than {ANSWER_LIMIT} bytes"));
        }
    }
    if !status.is_success() {
        return Err(format!("it answered {status}"));
    }
    // What it says may hold the token: it is not shown.
    let granted: Granted =
        serde_json::from_slice(&body).map_err(|_| format!("it answered {status} without an access_token"))?;
    let life = granted.expires_in.map_or(LIFE, Duration::from_secs);
    Ok((SecretString::from(granted.access_token), life))
}

impl Tokens {
    fn known(&self, client: &str) -> Option<SecretString> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, ends) = tokens.get(client)?;
        (Instant::now() < *ends).then(|| token.clone())
    }

    fn keep(&self, client: String, token: SecretString, life: Duration) {
        let ends = Instant::now() + life.saturating_sub(MARGIN);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(client, (token, ends));
    }
}
