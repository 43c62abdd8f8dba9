//! The name in a path.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use super::problem::Problem;

/// The one part of a path that is a name. What cannot be a name names nothing: no database is asked
/// for it, as PostgreSQL could not even take a NUL.
#[derive(Debug)]
pub struct Segment(Option<String>);

impl Segment {
    /// The payment id in the path, if it can be one.
    pub fn name(&self) -> Result<&str, Problem> {
        self.0.as_deref().ok_or_else(Problem::no_such_payment)
    }

    /// The return key in the path, if it can be one.
    pub fn return_key(&self) -> Result<&str, Problem> {
        self.0.as_deref().ok_or_else(Problem::no_such_path)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let path: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        let is_name = |name: &String| !name.contains(char::is_control);
        Ok(Self(path.ok().map(|Path(name)| name).filter(is_name)))
    }
}
