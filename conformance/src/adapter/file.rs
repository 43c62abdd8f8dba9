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
    /// Capability → why it is not claimed.
    #[serde(default)]
    pub(super) unclaimed: IndexMap<Spanned<String>, Spanned<String>>,
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

#[expect(clippy::struct_field_names, reason = "a setting has its unit in its name")]
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
    pub(super) registers_within_ms: Option<u64>,
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
    #[serde(default)]
    pub(super) oauth2: Option<Spanned<OAuthFile>>,
    #[serde(default)]
    pub(super) signature: Option<Spanned<SignatureFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OAuthFile {
    pub(super) token_url: Spanned<String>,
    pub(super) client_id: Spanned<String>,
    pub(super) client_secret: Spanned<String>,
    #[serde(default)]
    pub(super) scope: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureFile {
    #[serde(default)]
    pub(super) algorithm: Option<Spanned<String>>,
    pub(super) secret: Spanned<String>,
    #[serde(default)]
    pub(super) secret_encoding: Option<Spanned<String>>,
    /// Sent, and signed where the message names them.
    #[serde(default)]
    pub(super) headers: IndexMap<Spanned<String>, Spanned<String>>,
    /// Parts: words, or mappings with one of their names.
    pub(super) message: Vec<Node>,
    #[serde(default)]
    pub(super) separator: Option<String>,
    #[serde(default)]
    pub(super) encoding: Option<Spanned<String>>,
    pub(super) header: Spanned<String>,
    #[serde(default)]
    pub(super) value: Option<Spanned<String>>,
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
    #[serde(default)]
    pub(super) list_payment_methods: Option<Spanned<MethodsFile>>,
    #[serde(default)]
    pub(super) capture: Option<Spanned<OperationFile>>,
    #[serde(default)]
    pub(super) refund: Option<Spanned<OperationFile>>,
    #[serde(default)]
    pub(super) cancel: Option<Spanned<OperationFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MethodsFile {
    pub(super) request: RequestFile,
    pub(super) answer: MethodsAnswerFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MethodsAnswerFile {
    /// A number, a class like `2xx`, or a list of them.
    #[serde(default)]
    pub(super) status: Option<Node>,
    /// JSONPath of the names, in order.
    pub(super) methods: Spanned<String>,
    /// Which of the names is Klarna.
    pub(super) klarna: Spanned<String>,
    /// JSONPath in the answer → JSON pointer in Klarna's presentation.
    pub(super) given: IndexMap<Spanned<String>, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationFile {
    /// Calls that are made before, in order.
    #[serde(default)]
    pub(super) before: Vec<Spanned<CallFile>>,
    pub(super) request: RequestFile,
    pub(super) answer: AnswerFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallFile {
    pub(super) request: RequestFile,
    #[serde(default)]
    pub(super) answer: CallAnswerFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallAnswerFile {
    /// What ends the operation here; none where it goes on.
    #[serde(default)]
    pub(super) outcome: Vec<RuleFile>,
    #[serde(default)]
    pub(super) read: IndexMap<Spanned<String>, Node>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestFile {
    pub(super) method: Spanned<String>,
    pub(super) path: Spanned<String>,
    /// A tree, as the body's.
    #[serde(default)]
    pub(super) query: Option<Node>,
    #[serde(default)]
    pub(super) headers: IndexMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) body: Option<Spanned<BodyFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyFile {
    #[serde(default)]
    pub(super) json: Option<Node>,
    #[serde(default)]
    pub(super) form: Option<Node>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerFile {
    pub(super) outcome: Spanned<Vec<RuleFile>>,
    /// Name → JSONPath, `{header: name}`, or `{inside: JSONPath, path: JSONPath}`.
    #[serde(default)]
    pub(super) read: IndexMap<Spanned<String>, Node>,
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
    /// Header → value, list of values, or `{present: bool}`.
    #[serde(default)]
    pub(super) headers: IndexMap<Spanned<String>, Node>,
    pub(super) is: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationsFile {
    pub(super) body: Spanned<String>,
    #[serde(default)]
    pub(super) verify: Option<Spanned<VerifyFile>>,
    pub(super) read: IndexMap<Spanned<String>, Node>,
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
    /// Where the signature stands, where it is not a whole header.
    #[serde(default)]
    pub(super) signature: Option<Node>,
    /// What is signed; the body where absent.
    #[serde(default)]
    pub(super) message: Option<Vec<Node>>,
    #[serde(default)]
    pub(super) separator: Option<String>,
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

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::*;

    /// The keys that a type knows, by what it says about one that it does not.
    fn keys<T: DeserializeOwned>() -> Vec<String> {
        match serde_saphyr::from_str::<T>("{no such key: 1}")
            .err()
            .map(|error| error.without_snippet().to_string())
        {
            Some(text) => {
                let list = text.split("expected one of ").nth(1).or_else(|| text.split("expected ").nth(1));
                let list = list.unwrap_or_else(|| panic!("{text}"));
                let list = list.split(" at line").next().unwrap_or_default();
                list.split(", ").map(|key| key.trim_matches('`').to_owned()).collect()
            }
            None => panic!("an unknown key was taken"),
        }
    }

    #[test]
    fn the_schema_and_the_types_know_the_same_keys() {
        let schema = klarna_schemas::catalogue::Catalogue::global().schema("conformance/adapter").unwrap();
        let env: Vec<String> = EnvFile::KEYS.iter().map(|key| (*key).to_owned()).collect();
        for (pointer, mut known) in [
            ("", keys::<AdapterFile>()),
            ("/$defs/launch", keys::<LaunchFile>()),
            ("/$defs/ready", keys::<ReadyFile>()),
            ("/$defs/attach", keys::<AttachFile>()),
            ("/$defs/listen", keys::<ListenFile>()),
            ("/$defs/partner", keys::<PartnerFile>()),
            ("/$defs/variable/oneOf/2", env),
            ("/$defs/timing", keys::<TimingFile>()),
            ("/$defs/authentication", keys::<AuthenticationFile>()),
            ("/$defs/authentication/properties/basic", keys::<BasicFile>()),
            ("/$defs/authentication/properties/header", keys::<HeaderFile>()),
            ("/$defs/authentication/properties/oauth2", keys::<OAuthFile>()),
            ("/$defs/authentication/properties/signature", keys::<SignatureFile>()),
            ("/$defs/call", keys::<CallFile>()),
            ("/$defs/call/properties/answer", keys::<CallAnswerFile>()),
            ("/properties/operations", keys::<OperationsFile>()),
            ("/$defs/operation", keys::<OperationFile>()),
            ("/$defs/follow_up", keys::<OperationFile>()),
            ("/$defs/follow_up/properties/answer", keys::<AnswerFile>()),
            ("/$defs/follow_up_rule", keys::<RuleFile>()),
            ("/$defs/follow_up_call", keys::<CallFile>()),
            ("/$defs/follow_up_call/properties/answer", keys::<CallAnswerFile>()),
            ("/$defs/list_payment_methods", keys::<MethodsFile>()),
            ("/$defs/list_payment_methods/properties/answer", keys::<MethodsAnswerFile>()),
            ("/$defs/request", keys::<RequestFile>()),
            ("/$defs/request/properties/body", keys::<BodyFile>()),
            ("/$defs/answer", keys::<AnswerFile>()),
            ("/$defs/rule", keys::<RuleFile>()),
            ("/$defs/notifications", keys::<NotificationsFile>()),
            ("/$defs/notifications/properties/answer", keys::<NotificationAnswerFile>()),
            ("/$defs/notification_rule", keys::<NotificationRuleFile>()),
            ("/$defs/verify", keys::<VerifyFile>()),
        ] {
            let properties = schema.pointer(&format!("{pointer}/properties")).and_then(Value::as_object);
            let mut said: Vec<String> =
                properties.unwrap_or_else(|| panic!("{pointer} has no properties")).keys().cloned().collect();
            known.sort();
            said.sort();
            assert_eq!(said, known, "{pointer}");
        }
    }
}
