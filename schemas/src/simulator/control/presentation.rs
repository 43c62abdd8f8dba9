//! What payment forms shall show of Klarna.

use serde::{Deserialize, Serialize};

use crate::klarna::presentation::PresentationInstruction;

/// `PUT /sandboxes/{a}/presentation`: in force until the next one, or until the sandbox is reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Wish")]
pub struct PresentationWish {
    /// The instruction of every presentation to come; one that this release knows.
    pub instruction: PresentationInstruction,
}

/// The body as it comes: an instruction that nobody knows is a slip here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    instruction: PresentationInstruction,
}

impl TryFrom<Wish> for PresentationWish {
    type Error = String;

    fn try_from(Wish { instruction }: Wish) -> Result<Self, Self::Error> {
        match instruction {
            PresentationInstruction::Unknown(_) => {
                Err(format!("instruction: one of {}", PresentationInstruction::KNOWN.join(", ")))
            }
            instruction => Ok(Self { instruction }),
        }
    }
}
