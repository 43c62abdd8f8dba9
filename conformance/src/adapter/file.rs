//! The adapter file as it is written. Its JSON Schema is `schemas/conformance/adapter.schema.json`;
//! a test keeps the two in step.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::node::Node;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdapterFile {
    /// For editors.
    #[serde(default, rename = "$schema")]
    pub(super) _schema: Option<String>,
    pub(super) version: Spanned<u64>,
    pub(super) name: Spanned<String>,
    /// For readers.
    #[serde(default, rename = "description")]
    pub(super) _description: Option<String>,
    #[serde(default)]
    pub(super) launch: Option<Spanned<LaunchFile>>,
    #[serde(default)]
    pub(super) attach: Option<Spanned<AttachFile>>,
    #[serde(default)]
    pub(super) listen: ListenFile,
    pub(super) partners: Spanned<Vec<PartnerFile>>,
    #[serde(default)]
    pub(super) capabilities: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) timing: TimingFile,
    #[serde(default)]
    pub(super) authentication: Option<Spanned<AuthenticationFile>>,
    pub(super) operations: Spanned<OperationsFile>,
    #[serde(default)]
    pub(super) notifications: Option<Spanned<NotificationsFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LaunchFile {
    #[serde(default)]
    pub(super) builtin: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) args: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) command: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) cwd: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) env: IndexMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) files: IndexMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) ready: Option<Spanned<ReadyFile>>,
    #[serde(default)]
    pub(super) stop: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadyFile {
    #[serde(default)]
    pub(super) stdout_json: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) http: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) within_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttachFile {
    pub(super) base_url: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenFile {
    #[serde(default)]
    pub(super) simulator: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) partner: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnerFile {
    pub(super) name: Spanned<String>,
    pub(super) klarna_account: Spanned<String>,
    /// Plain text, or [`EnvFile`].
    #[serde(default)]
    pub(super) vars: IndexMap<Spanned<String>, Node>,
}

/// A value that is read from the environment: `{env: NAME, default: text}`.
#[derive(Debug)]
pub(super) struct EnvFile {
    pub(super) env: String,
    pub(super) default: Option<String>,
}

impl EnvFile {
    pub(super) const KEYS: &[&str] = &["env", "default"];
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimingFile {
    #[serde(default)]
    pub(super) answer_ms: Option<u64>,
    #[serde(default)]
    pub(super) klarna_timeout_ms: Option<u64>,
    #[serde(default)]
    pub(super) retry_within_ms: Option<u64>,
    #[serde(default)]
    pub(super) quiet_ms: Option<u64>,
    #[serde(default)]
    pub(super) operation_timeout_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthenticationFile {
    #[serde(default)]
    pub(super) bearer: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) basic: Option<BasicFile>,
    #[serde(default)]
    pub(super) header: Option<HeaderFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BasicFile {
    pub(super) username: Spanned<String>,
    pub(super) password: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderFile {
    pub(super) name: Spanned<String>,
    pub(super) value: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationsFile {
    pub(super) create_payment: Spanned<OperationFile>,
    #[serde(default)]
    pub(super) read_payment: Option<Spanned<OperationFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationFile {
    pub(super) request: RequestFile,
    pub(super) answer: AnswerFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestFile {
    pub(super) method: Spanned<String>,
    pub(super) path: Spanned<String>,
    #[serde(default)]
    pub(super) headers: IndexMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) body: Option<BodyFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyFile {
    pub(super) json: Node,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerFile {
    pub(super) outcome: Spanned<Vec<RuleFile>>,
    #[serde(default)]
    pub(super) read: IndexMap<Spanned<String>, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    /// A number, a class like `2xx`, or a list of them.
    #[serde(default)]
    pub(super) status: Option<Node>,
    /// JSONPath → value, list of values, or `{present: bool}`.
    #[serde(default)]
    pub(super) r#where: IndexMap<Spanned<String>, Node>,
    pub(super) is: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationsFile {
    pub(super) body: Spanned<String>,
    #[serde(default)]
    pub(super) verify: Option<Spanned<VerifyFile>>,
    pub(super) read: IndexMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) outcome: Vec<NotificationRuleFile>,
    #[serde(default)]
    pub(super) answer: NotificationAnswerFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyFile {
    pub(super) scheme: Spanned<String>,
    pub(super) secret: Spanned<String>,
    #[serde(default)]
    pub(super) secret_encoding: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) header: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) encoding: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) prefix: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationRuleFile {
    pub(super) r#where: IndexMap<Spanned<String>, Node>,
    pub(super) is: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationAnswerFile {
    #[serde(default)]
    pub(super) status: Option<Spanned<u16>>,
    #[serde(default)]
    pub(super) body: Option<String>,
}
