//! Turns an operation of the adapter into an HTTP request, and into its likeness for people.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::error::AdapterError;
use super::exchange::Likeness;
use super::file::{AuthenticationFile, RequestFile};
use super::source::Place;
use super::template::{Template, TemplateError, Templates, context};
use super::tree::Tree;

/// How a Partner shows the acquirer who it is.
#[derive(Debug, Clone)]
pub(super) enum Authentication {
    None,
    Bearer(Template),
    Basic { username: Template, password: Template },
    Header { name: HeaderName, value: Template },
}

impl Authentication {
    pub(super) fn compile(
        file: Option<&Spanned<AuthenticationFile>>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let Some(spanned) = file else { return Ok(Self::None) };
        let AuthenticationFile { bearer, basic, header } = &spanned.value;
        match (bearer, basic, header) {
            (Some(token), None, None) => Ok(Self::Bearer(templates.text(token)?)),
            (None, Some(basic), None) => Ok(Self::Basic {
                username: templates.text(&basic.username)?,
                password: templates.text(&basic.password)?,
            }),
            (None, None, Some(header)) => Ok(Self::Header {
                name: header_name(templates, &header.name)?,
                value: templates.text(&header.value)?,
            }),
            _ => Err(templates.source().complain(
                spanned.referenced.into(),
                "authentication takes exactly one of bearer, basic and header",
                Some("authentication: {bearer: \"{{ partner.vars.api_key }}\"}"),
            )),
        }
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        match self {
            Self::None => Ok(()),
            Self::Bearer(value) | Self::Header { value, .. } => templates.check(value, sample),
            Self::Basic { username, password } => {
                templates.check(username, sample)?;
                templates.check(password, sample)
            }
        }
    }
}

/// The request of one operation.
#[derive(Debug, Clone)]
pub(super) struct Request {
    method: Method,
    path: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Option<Tree>,
}

/// A request that is ready to be sent. It holds secrets, so it cannot be shown.
pub(super) struct Rendered {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn compile(file: &RequestFile, templates: &mut Templates) -> Result<Self, AdapterError> {
        let place: Place = file.method.referenced.into();
        let method = Method::from_bytes(file.method.value.as_bytes())
            .ok()
            .filter(|method| METHODS.contains(&method.as_str()))
            .ok_or_else(|| templates.source().unknown(place, "method", &file.method.value, METHODS))?;
        let path = &file.path;
        if !path.value.starts_with('/') && !path.value.starts_with("{{") {
            return Err(templates.source().complain(
                path.referenced.into(),
                "a path begins with /",
                Some("the acquirer's base URL is put in front of it"),
            ));
        }
        let path = templates.text(path)?;
        let headers = file
            .headers
            .iter()
            .map(|(name, value)| Ok((header_name(templates, name)?, templates.text(value)?)))
            .collect::<Result<_, AdapterError>>()?;
        let body = file.body.as_ref().map(|body| Tree::compile(&body.json, templates)).transpose()?;
        Ok(Self { method, path, headers, body })
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        templates.check(&self.path, sample)?;
        self.headers.iter().try_for_each(|(_, value)| templates.check(value, sample))?;
        self.body.iter().try_for_each(|body| body.check(templates, sample))
    }

    /// The request as it goes over the wire.
    pub(super) fn render(
        &self,
        templates: &Templates,
        authentication: &Authentication,
        base_url: &str,
        variables: &Value,
    ) -> Result<Rendered, TemplateError> {
        let parts = self.parts(templates, authentication, base_url, variables, Basic::Encoded)?;
        let headers = parts
            .headers
            .into_iter()
            .map(|(name, value)| match HeaderValue::from_str(&value) {
                Ok(value) => Ok((name, value)),
                // The value itself may be secret.
                Err(_) => Err(templates.fail(
                    &self.path,
                    &format!("the value of header {name} has characters that HTTP refuses"),
                )),
            })
            .collect::<Result<_, _>>()?;
        Ok(Rendered { method: self.method.clone(), url: parts.url, headers, body: parts.body })
    }

    /// The request as it may be shown; `variables` hold markers in place of secrets.
    pub(super) fn likeness(
        &self,
        templates: &Templates,
        authentication: &Authentication,
        base_url: &str,
        variables: &Value,
    ) -> Result<Likeness, TemplateError> {
        let parts = self.parts(templates, authentication, base_url, variables, Basic::Apart)?;
        Ok(Likeness {
            method: self.method.to_string(),
            url: parts.url,
            headers: parts.headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
            user: parts.user,
            body: parts.body.unwrap_or_default(),
        })
    }

    fn parts(
        &self,
        templates: &Templates,
        authentication: &Authentication,
        base_url: &str,
        variables: &Value,
        basic: Basic,
    ) -> Result<Parts, TemplateError> {
        let variables = context(variables);
        let text = |template: &Template| templates.render_text(template, &variables);
        let path = text(&self.path)?.unwrap_or_default();
        let mut headers: Vec<(HeaderName, String)> = Vec::new();
        let mut user = None;
        match authentication {
            Authentication::None => {}
            Authentication::Bearer(token) => headers
                .extend(text(token)?.map(|token| (http::header::AUTHORIZATION, format!("Bearer {token}")))),
            Authentication::Header { name, value } => {
                headers.extend(text(value)?.map(|value| (name.clone(), value)));
            }
            Authentication::Basic { username, password } => {
                let pair = format!(
                    "{}:{}",
                    text(username)?.unwrap_or_default(),
                    text(password)?.unwrap_or_default()
                );
                match basic {
                    Basic::Encoded => headers
                        .push((http::header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)))),
                    Basic::Apart => user = Some(pair),
                }
            }
        }
        for (name, value) in &self.headers {
            headers.extend(text(value)?.map(|value| (name.clone(), value)));
        }
        let tree = self.body.as_ref().map(|body| body.render(templates, &variables)).transpose()?.flatten();
        let body = tree.map(|value| value.to_string().into_bytes());
        let mut add = |name: HeaderName| {
            if !headers.iter().any(|(present, _)| *present == name) {
                headers.push((name, "application/json".to_owned()));
            }
        };
        add(http::header::ACCEPT);
        if body.is_some() {
            add(http::header::CONTENT_TYPE);
        }
        Ok(Parts { url: format!("{}{path}", base_url.trim_end_matches('/')), headers, user, body })
    }
}

/// Methods that an operation may use.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

#[derive(Debug, Clone, Copy)]
enum Basic {
    Encoded,
    Apart,
}

struct Parts {
    url: String,
    headers: Vec<(HeaderName, String)>,
    user: Option<String>,
    body: Option<Vec<u8>>,
}

fn header_name(templates: &Templates, name: &Spanned<String>) -> Result<HeaderName, AdapterError> {
    HeaderName::from_bytes(name.value.as_bytes()).map_err(|_| {
        templates.source().complain(
            name.referenced.into(),
            &format!("\"{}\" is no header name", name.value),
            None,
        )
    })
}
