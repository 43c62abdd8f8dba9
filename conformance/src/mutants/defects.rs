//! The defects that can be planted, and what must find each.

/// One defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// What `--defect` takes.
    pub name: &'static str,
    /// What the proxy does.
    pub plants: &'static str,
    /// The scenario that must turn red.
    pub killed_by: &'static str,
    /// The finding that must say so.
    pub finding: &'static str,
    pub(super) plan: Plan,
}

/// What a defect does to the calls that pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    DropNetworkData,
    ReserialiseNetworkData,
    SkipFinalCall,
}

/// Every defect that can be planted.
pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "network-data-dropped",
        plants: "Klarna Network Data is left out of every authorize",
        killed_by: "the-document/transaction-approved",
        finding: "network-data.byte-equal",
        plan: Plan::DropNetworkData,
    },
    Defect {
        name: "network-data-reserialised",
        plants: "Klarna Network Data is parsed as JSON and written again: keys sorted, spaces, escapes and duplicates gone",
        killed_by: "network-data/reaches-klarna-byte-for-byte#1",
        finding: "network-data.byte-equal",
        plan: Plan::ReserialiseNetworkData,
    },
    Defect {
        name: "final-call-skipped",
        plants: "the final authorize never reaches Klarna and is answered APPROVED",
        killed_by: "final-authorization/the-webhook-drives-it-although-the-customer-never-comes-back",
        finding: "final.missing",
        plan: Plan::SkipFinalCall,
    },
];
