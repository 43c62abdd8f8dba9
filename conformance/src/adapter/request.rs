//! Turns an operation of the adapter into an HTTP request, and into its likeness for people.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use serde_saphyr::Spanned;
use tera::Context;

use super::error::{self, AdapterError};
use super::exchange::Likeness;
use super::file::{AuthenticationFile, BodyFile, RequestFile};
use super::form;
use super::oauth::OAuth;
use super::parts::Message;
use super::signature::{Signature, Use};
use super::source::Place;
use super::template::{Template, TemplateError, Templates, context};
use super::tree::Tree;
use super::variables::{CLOSES, OPENS};

/// How a Partner shows the acquirer who it is: by what it says, by how it signs, or both.
#[derive(Debug, Clone, Default)]
pub(super) struct Authentication {
    pub(super) shown: Shown,
    signature: Option<Signature>,
}

/// What a Partner says.
#[derive(Debug, Clone, Default)]
pub(super) enum Shown {
    #[default]
    Nothing,
    Bearer(Template),
    Basic {
        username: Template,
        password: Template,
    },
    Header {
        name: HeaderName,
        value: Template,
    },
    OAuth(OAuth),
}

impl Authentication {
    pub(super) fn compile(
        file: Option<&Spanned<AuthenticationFile>>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let Some(spanned) = file else { return Ok(Self::default()) };
        let AuthenticationFile { bearer, basic, header, oauth2, signature } = &spanned.value;
        let shown = match (bearer, basic, header, oauth2) {
            (Some(token), None, None, None) => Shown::Bearer(templates.text(token)?),
            (None, Some(basic), None, None) => Shown::Basic {
                username: templates.text(&basic.username)?,
                password: templates.text(&basic.password)?,
            },
            (None, None, Some(header), None) => Shown::Header {
                name: templates.source().header_name(&header.name)?,
                value: templates.text(&header.value)?,
            },
            (None, None, None, Some(oauth)) => Shown::OAuth(OAuth::compile(oauth, templates)?),
            (None, None, None, None) if signature.is_some() => Shown::Nothing,
            _ => {
                return Err(templates.source().complain(
                    spanned.referenced.into(),
                    "authentication takes one of bearer, basic, header and oauth2, beside a signature or alone",
                    Some("authentication: {bearer: \"{{ partner.vars.api_key }}\"}"),
                ));
            }
        };
        let signature =
            signature.as_ref().map(|signature| Signature::compile(signature, templates)).transpose()?;
        Ok(Self { shown, signature })
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bearer(value) | Shown::Header { value, .. } => templates.check(value, sample)?,
            Shown::Basic { username, password } => {
                templates.check(username, sample)?;
                templates.check(password, sample)?;
            }
            Shown::OAuth(oauth) => oauth.check(templates, sample)?,
        }
        self.signature.iter().try_for_each(|signature| signature.check(templates, sample))
    }
}

/// The request of one operation.
#[derive(Debug, Clone)]
pub(super) struct Request {
    method: Method,
    path: Template,
    query: Option<Tree>,
    headers: Vec<(HeaderName, Template)>,
    body: Option<Body>,
}

/// What is sent.
#[derive(Debug, Clone)]
enum Body {
    Json(Tree),
    Form(Tree),
}

impl Body {
    fn compile(file: &Spanned<BodyFile>, templates: &mut Templates) -> Result<Self, AdapterError> {
        match (&file.value.json, &file.value.form) {
            (Some(json), None) => Ok(Self::Json(Tree::compile(json, templates)?)),
            (None, Some(form)) => Ok(Self::Form(Tree::compile(form, templates)?)),
            _ => Err(templates.source().complain(
                file.referenced.into(),
                "a body is either json or form",
                Some("body: {json: {amount: \"{{ order.amount }}\"}}"),
            )),
        }
    }

    fn tree(&self) -> &Tree {
        match self {
            Self::Json(tree) | Self::Form(tree) => tree,
        }
    }

    /// The bytes of a rendered tree.
    fn bytes(&self, value: &Value) -> Vec<u8> {
        match self {
            Self::Json(_) => value.to_string().into_bytes(),
            Self::Form(_) => form::encode(value).into_bytes(),
        }
    }

    fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }
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
            .ok_or_else(|| templates.source().unknown(place, "method", &file.method.value, METHODS));
        let method = templates.source().sift(method).unwrap_or_default();
        let path = &file.path;
        if !path.value.starts_with('/') && !path.value.starts_with("{{") {
            let no_path = templates.source().complain(
                path.referenced.into(),
                "a path begins with /",
                Some("the acquirer's base URL is put in front of it"),
            );
            templates.source().sift::<()>(Err(no_path));
        }
        let path = templates.text(path);
        let headers = error::all(
            file.headers
                .iter()
                .map(|(name, value)| Ok((templates.source().header_name(name)?, templates.text(value)?))),
        );
        let query = file.query.as_ref().map(|query| Tree::compile(query, templates)).transpose();
        let body = file.body.as_ref().map(|body| Body::compile(body, templates)).transpose();
        let source = templates.source();
        let parts = (source.sift(path), source.sift(headers), source.sift(query), source.sift(body));
        let (Some(path), Some(headers), Some(query), Some(body)) = parts else {
            return Err(source
                .verdict()
                .err()
                .unwrap_or_else(|| source.whole("a request cannot be read", None)));
        };
        Ok(Self { method, path, query, headers, body })
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        let path = std::iter::once(templates.check(&self.path, sample));
        let headers = self.headers.iter().map(|(_, value)| templates.check(value, sample));
        let query = self.query.iter().map(|query| query.check(templates, sample));
        let body = self.body.iter().map(|body| body.tree().check(templates, sample));
        error::all(path.chain(headers).chain(query).chain(body)).map(drop)
    }

    /// The request as it goes over the wire.
    pub(super) fn render(
        &self,
        templates: &Templates,
        authentication: &Authentication,
        base_url: &str,
        variables: &Value,
    ) -> Result<Rendered, TemplateError> {
        let parts = self.parts(templates, authentication, base_url, variables, Use::Sent)?;
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
        let parts = self.parts(templates, authentication, base_url, variables, Use::Shown)?;
        let body = parts.body.unwrap_or_default();
        Ok(Likeness {
            method: self.method.to_string(),
            url: with_markers(&parts.url),
            headers: parts.headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
            user: parts.user,
            body: match (&self.body, String::from_utf8(body)) {
                (Some(Body::Form(_)), Ok(text)) => with_markers(&text).into_bytes(),
                (_, Ok(text)) => text.into_bytes(),
                (_, Err(bytes)) => bytes.into_bytes(),
            },
        })
    }

    fn parts(
        &self,
        templates: &Templates,
        authentication: &Authentication,
        base_url: &str,
        variables: &Value,
        r#use: Use,
    ) -> Result<Parts, TemplateError> {
        let variables = context(variables);
        let text = |template: &Template| templates.render_text(template, &variables);
        let path = self.target(templates, &variables)?;
        let (mut headers, user) = authentication.shown.headers(templates, &variables, r#use)?;
        for (name, value) in &self.headers {
            headers.extend(text(value)?.map(|value| (name.clone(), value)));
        }
        let body = match &self.body {
            None => None,
            Some(body) => body.tree().render(templates, &variables)?.map(|value| body.bytes(&value)),
        };
        let mut add = |name: HeaderName, value: &str| {
            if !headers.iter().any(|(present, _)| *present == name) {
                headers.push((name, value.to_owned()));
            }
        };
        add(http::header::ACCEPT, "application/json");
        if let (Some(kind), Some(_)) = (&self.body, &body) {
            add(http::header::CONTENT_TYPE, kind.content_type());
        }
        let url = format!("{}{path}", base_url.trim_end_matches('/'));
        if let Some(signature) = &authentication.signature {
            headers.extend(signature.signed_headers(templates, &variables)?);
            let sent: Vec<(String, String)> =
                headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            // As it goes over the wire: the client writes some characters of a URL in another way.
            let wire = url::Url::parse(&url).ok();
            let message = Message {
                method: self.method.as_str(),
                path: wire.as_ref().map_or(path.as_str(), url::Url::path),
                query: wire.as_ref().and_then(url::Url::query).unwrap_or_default(),
                headers: &sent,
                body: body.as_deref().unwrap_or_default(),
            };
            headers.push(signature.sign(templates, &variables, &message, r#use)?);
        }
        Ok(Parts { url, headers, user, body })
    }

    /// Path and query.
    fn target(&self, templates: &Templates, variables: &Context) -> Result<String, TemplateError> {
        let path = templates.render_text(&self.path, variables)?.unwrap_or_default();
        let Some(query) = &self.query else { return Ok(path) };
        let query = query.render(templates, variables)?.map(|query| form::encode(&query)).unwrap_or_default();
        let mark = if path.contains('?') { '&' } else { '?' };
        Ok(if query.is_empty() { path } else { format!("{path}{mark}{query}") })
    }
}

/// Headers, and what stands for one in a curl line: `username:password`.
type Credentials = (Vec<(HeaderName, String)>, Option<String>);

impl Shown {
    fn headers(
        &self,
        templates: &Templates,
        variables: &Context,
        r#use: Use,
    ) -> Result<Credentials, TemplateError> {
        let text = |template: &Template| templates.render_text(template, variables);
        let header = |name: HeaderName, value: Option<String>| {
            (value.map(|value| (name, value)).into_iter().collect::<Vec<_>>(), None)
        };
        let bearer = |token: Option<String>| token.map(|token| format!("Bearer {token}"));
        Ok(match self {
            Self::Nothing => (Vec::new(), None),
            Self::Bearer(token) => header(AUTHORIZATION, bearer(text(token)?)),
            Self::OAuth(_) => header(AUTHORIZATION, bearer(Some(OAuth::token(variables)))),
            Self::Header { name, value } => header(name.clone(), text(value)?),
            Self::Basic { username, password } => {
                let [username, password] = [text(username)?, text(password)?].map(Option::unwrap_or_default);
                let pair = format!("{username}:{password}");
                match r#use {
                    Use::Sent => header(AUTHORIZATION, Some(format!("Basic {}", STANDARD.encode(pair)))),
                    Use::Shown => (Vec::new(), Some(pair)),
                }
            }
        })
    }
}

/// A text of a URL or a form in which markers were escaped as any other character: a shell must know them.
fn with_markers(text: &str) -> String {
    let escaped =
        |marker: char| utf8_percent_encode(marker.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC).to_string();
    text.replace(&escaped(OPENS), &OPENS.to_string()).replace(&escaped(CLOSES), &CLOSES.to_string())
}

/// Methods that an operation may use.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

struct Parts {
    url: String,
    headers: Vec<(HeaderName, String)>,
    user: Option<String>,
    body: Option<Vec<u8>>,
}
