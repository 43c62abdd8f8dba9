//! Faults: calls that Klarna does not serve as it should.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CallKind, once};

/// `POST /sandboxes/{a}/faults` and `POST /accounts/{acquirer}/faults`: what befalls calls to come.
///
/// A fault meets a call after its authentication. Armed faults are served first come first served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "ArmWish", try_from = "ArmWish")]
pub struct ArmFault {
    /// Which calls, by their journal operation; a `*` at the end matches any rest.
    pub operation: String,
    /// Which authorize calls it is for; other operations know no difference.
    pub on: CallKind,
    /// How many calls it meets.
    pub times: u32,
    /// What befalls them.
    pub fault: Fault,
}

impl ArmFault {
    /// A fault that meets every kind of call of this operation once.
    pub fn once(operation: impl Into<String>, fault: Fault) -> Self {
        Self { operation: operation.into(), on: CallKind::Any, times: 1, fault }
    }
}

/// Answer to `GET /sandboxes/{a}/faults` and `GET /accounts/{acquirer}/faults`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultsView {
    /// Those that are armed, in the order in which calls meet them; `times` is how many each still meets.
    pub faults: Vec<ArmFault>,
}

/// What befalls a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It is answered with this status, 400 to 599, whatever it asked. Nothing is decided.
    Status {
        /// HTTP status.
        status: u16,
        /// What stands in the answer.
        body: FaultBody,
    },
    /// It is never answered: the connection stays open until the caller goes, or the fault is lifted.
    /// Nothing is decided.
    Stall,
    /// The connection is reset without a byte of an answer. Nothing is decided.
    Reset,
    /// It is answered with bytes that are no HTTP. Nothing is decided.
    Garbage,
    /// It is served, and the connection is reset without a byte of the answer: what makes double charges.
    LoseAnswer,
    /// It is served, and the answer leaves so much later.
    Delay {
        /// Real milliseconds, 1 to 60 000.
        ms: u32,
    },
    /// It is served, and the answer comes in small pieces.
    Drip {
        /// How large the pieces are, in bytes.
        bytes: u32,
        /// How long each takes, in real milliseconds, 1 to 60 000.
        every_ms: u32,
    },
    /// It is served, and the connection is reset inside the answer.
    Cut {
        /// After how many bytes of its body; in the middle where there are not so many.
        after: Option<u32>,
    },
    /// It is served, and the connection is closed in the middle of the answer's body.
    Truncate,
    /// It is served, and `Content-Length` says half of what comes.
    WrongLength,
}

/// The longest that a fault lets an answer, or a piece of it, wait, in real milliseconds.
const LONGEST_MS: u32 = 60_000;
/// The largest piece of an answer, and the most of it before a cut, in bytes.
const MOST_BYTES: u32 = 1 << 20;

impl Fault {
    /// Whether the call is served all the same, and only its answer suffers.
    pub fn lets_serve(self) -> bool {
        match self {
            Self::Status { .. } | Self::Stall | Self::Reset | Self::Garbage => false,
            Self::LoseAnswer
            | Self::Delay { .. }
            | Self::Drip { .. }
            | Self::Cut { .. }
            | Self::Truncate
            | Self::WrongLength => true,
        }
    }
}

/// What stands in the answer of a faulty call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// Klarna's error body, as the status has it (contract `payments.md` 5.3).
    #[default]
    Klarna,
    /// Nothing, as behind Klarna's protection against floods.
    None,
    /// A page in HTML, as from a proxy in between.
    Html,
}

/// A fault as it comes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultWish {
    kind: FaultKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<FaultBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every_ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u32>,
}

/// A fault and which calls it is for, as they come.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArmWish {
    operation: String,
    #[serde(default)]
    on: CallKind,
    #[serde(default = "once")]
    times: u32,
    kind: FaultKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<FaultBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every_ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultKind {
    Status,
    Stall,
    Reset,
    Garbage,
    LoseAnswer,
    Delay,
    Drip,
    Cut,
    Truncate,
    WrongLength,
}

impl TryFrom<FaultWish> for Fault {
    type Error = &'static str;

    fn try_from(wish: FaultWish) -> Result<Self, Self::Error> {
        let FaultWish { kind, status, body, ms, bytes, every_ms, after } = wish;
        if kind != FaultKind::Status && (status.is_some() || body.is_some()) {
            return Err("status and body go with the kind status only");
        }
        if kind != FaultKind::Delay && ms.is_some() {
            return Err("ms goes with the kind delay only");
        }
        if kind != FaultKind::Drip && (bytes.is_some() || every_ms.is_some()) {
            return Err("bytes and every_ms go with the kind drip only");
        }
        if kind != FaultKind::Cut && after.is_some() {
            return Err("after goes with the kind cut only");
        }
        let waits = |ms: u32| (1..=LONGEST_MS).contains(&ms);
        Ok(match kind {
            FaultKind::Status => {
                let status = status.unwrap_or(500);
                if !(400..=599).contains(&status) {
                    return Err("status: a fault answers 400 to 599");
                }
                Self::Status { status, body: body.unwrap_or_default() }
            }
            FaultKind::Stall => Self::Stall,
            FaultKind::Reset => Self::Reset,
            FaultKind::Garbage => Self::Garbage,
            FaultKind::LoseAnswer => Self::LoseAnswer,
            FaultKind::Delay => {
                let ms = ms.unwrap_or(1_000);
                if !waits(ms) {
                    return Err("ms: 1 to 60000");
                }
                Self::Delay { ms }
            }
            FaultKind::Drip => {
                let (bytes, every_ms) = (bytes.unwrap_or(1), every_ms.unwrap_or(10));
                if bytes == 0 || bytes > MOST_BYTES || !waits(every_ms) {
                    return Err("bytes: 1 to 1048576; every_ms: 1 to 60000");
                }
                Self::Drip { bytes, every_ms }
            }
            FaultKind::Cut => {
                if after.is_some_and(|after| after > MOST_BYTES) {
                    return Err("after: at most 1048576");
                }
                Self::Cut { after }
            }
            FaultKind::Truncate => Self::Truncate,
            FaultKind::WrongLength => Self::WrongLength,
        })
    }
}

impl From<Fault> for FaultWish {
    fn from(fault: Fault) -> Self {
        let bare = |kind| Self {
            kind,
            status: None,
            body: None,
            ms: None,
            bytes: None,
            every_ms: None,
            after: None,
        };
        match fault {
            Fault::Status { status, body } => {
                Self { status: Some(status), body: Some(body), ..bare(FaultKind::Status) }
            }
            Fault::Stall => bare(FaultKind::Stall),
            Fault::Reset => bare(FaultKind::Reset),
            Fault::Garbage => bare(FaultKind::Garbage),
            Fault::LoseAnswer => bare(FaultKind::LoseAnswer),
            Fault::Delay { ms } => Self { ms: Some(ms), ..bare(FaultKind::Delay) },
            Fault::Drip { bytes, every_ms } => {
                Self { bytes: Some(bytes), every_ms: Some(every_ms), ..bare(FaultKind::Drip) }
            }
            Fault::Cut { after } => Self { after, ..bare(FaultKind::Cut) },
            Fault::Truncate => bare(FaultKind::Truncate),
            Fault::WrongLength => bare(FaultKind::WrongLength),
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FaultWish::from(*self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FaultWish::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<ArmWish> for ArmFault {
    type Error = &'static str;

    fn try_from(wish: ArmWish) -> Result<Self, Self::Error> {
        let ArmWish { operation, on, times, kind, status, body, ms, bytes, every_ms, after } = wish;
        let fault = FaultWish { kind, status, body, ms, bytes, every_ms, after }.try_into()?;
        if times == 0 {
            return Err("times: must be at least 1");
        }
        if operation.is_empty() {
            return Err("operation: name one, such as authorize, or * for all");
        }
        Ok(Self { operation, on, times, fault })
    }
}

impl From<ArmFault> for ArmWish {
    fn from(ArmFault { operation, on, times, fault }: ArmFault) -> Self {
        let FaultWish { kind, status, body, ms, bytes, every_ms, after } = fault.into();
        Self { operation, on, times, kind, status, body, ms, bytes, every_ms, after }
    }
}

impl std::fmt::Display for Fault {
    /// As the journal names it: `status 500`, `stall`, `lose_answer`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self {
            Self::Status { status, .. } => return write!(f, "status {status}"),
            Self::Stall => "stall",
            Self::Reset => "reset",
            Self::Garbage => "garbage",
            Self::LoseAnswer => "lose_answer",
            Self::Delay { ms } => return write!(f, "delay {ms} ms"),
            Self::Drip { bytes, every_ms } => return write!(f, "drip {bytes} bytes every {every_ms} ms"),
            Self::Cut { .. } => "cut",
            Self::Truncate => "truncate",
            Self::WrongLength => "wrong_length",
        };
        f.write_str(word)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(body: serde_json::Value) -> String {
        serde_json::from_value::<ArmFault>(body).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_with_what_does_not_belong_to_it_is_refused() {
        let wish = |rest: serde_json::Value| {
            let mut body = json!({"operation": "authorize"});
            body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            refused(body)
        };
        for (rest, says) in [
            (json!({"kind": "stall", "status": 500}), "status"),
            (json!({"kind": "status", "status": 200}), "400"),
            (json!({"kind": "reset", "times": 0}), "times"),
            (json!({"kind": "delay", "ms": 60_001}), "60000"),
            (json!({"kind": "reset", "ms": 5}), "delay only"),
            (json!({"kind": "drip", "bytes": 0}), "bytes"),
            (json!({"kind": "cut", "bytes": 1}), "drip only"),
            (json!({"kind": "truncate", "after": 1}), "cut only"),
        ] {
            assert!(wish(rest.clone()).contains(says), "{rest}");
        }
        assert!(refused(json!({"operation": "", "kind": "reset"})).contains("operation"));
    }

    #[test]
    fn a_status_is_500_with_klarnas_body_unless_it_says_otherwise() {
        let armed: ArmFault =
            serde_json::from_value(json!({"operation": "authorize", "kind": "status"})).unwrap();
        let fault = Fault::Status { status: 500, body: FaultBody::Klarna };
        assert_eq!(armed, ArmFault::once("authorize", fault));
    }

    #[test]
    fn a_fault_alone_is_written_without_its_calls() {
        let fault = Fault::Drip { bytes: 3, every_ms: 20 };
        let written = serde_json::to_value(fault).unwrap();
        assert_eq!(written, json!({"kind": "drip", "bytes": 3, "every_ms": 20}));
        assert_eq!(serde_json::from_value::<Fault>(written).unwrap(), fault);
    }
}
