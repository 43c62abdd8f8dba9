//! The numbered points of the flow of a payment, at each of which the process may die.
//!
//! Before and after each commit, each call and each answer there is one. Whatever happens between two
//! of them either is in the database or never was, so dying at these is dying anywhere. The code says
//! [`reach`] where it is at one; `tests/it/killed_at.rs` kills the program at each, starts it again,
//! and shows that everything comes to its one right end.
//!
//! To be killed by is for tests only: it takes the feature `kill-points`, which no build but that of
//! this crate's own tests turns on, and debug assertions, which no release build has. Everywhere else
//! [`reach`] does nothing.

use crate::store::{Step, Task};

/// Whether this build can be told to die.
pub const ARMED: bool = cfg!(all(feature = "kill-points", debug_assertions));

/// In a build that is [`ARMED`], names the point at which to die, by [`Point::name`].
pub const VARIABLE: &str = "KILL_ACQUIRER_AT";

/// Makes the enum, the list and what is said of each of one table, in the order of the flow.
macro_rules! points {
    ($($variant:ident $name:literal $meaning:literal;)*) => {
        /// A point of the flow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $(#[doc = $meaning] $variant,)*
        }

        impl Point {
            /// Every point, in the order of the flow.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name of the point in [`VARIABLE`] and in docs.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What has happened there and what has not.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

points! {
    PaymentAsked "payment-asked" "A Partner's order was found sound; nothing is stored.";
    PaymentStored "payment-stored" "The payment, its calls and its open work are committed; Klarna knows nothing.";
    InitialCall "initial-call" "The initial call is about to be made, for the first time or again.";
    InitialAnswered "initial-answered" "Klarna has answered the initial call; the answer is not stored.";
    InitialKept "initial-kept" "The answer is committed; the Partner knows nothing.";
    CreateAnswer "create-answer" "The Partner is about to be answered.";
    EventVerified "event-verified" "A webhook's signature holds; nothing is stored.";
    EventStored "event-stored" "The event and its open work are committed; Klarna is not answered.";
    EventTaken "event-taken" "A worker has claimed the event; nothing came of it yet.";
    EventKept "event-kept" "What the event means is committed, with the token and the final call as open work.";
    FinalCall "final-call" "The final call is about to be made, for the first time or again.";
    FinalAnswered "final-answered" "Klarna has answered the final call; the answer is not stored.";
    FinalKept "final-kept" "The outcome is committed, with the notification; the Partner is not told.";
    NotifyCall "notify-call" "The Partner is about to be told, for the first time or again.";
    NotifyAnswered "notify-answered" "The Partner has answered; that is not stored.";
    NotifyKept "notify-kept" "That the Partner was told is committed.";
    OperationAsked "operation-asked" "A cancel, capture, refund or void was found sound; nothing is stored.";
    OperationStored "operation-stored" "The operation, its call and its open work are committed; Klarna knows nothing.";
    OperationCall "operation-call" "The operation's call is about to be made, for the first time or again.";
    OperationAnswered "operation-answered" "Klarna has answered it; the answer is not stored.";
    OperationKept "operation-kept" "The operation's end is committed, with its notification; nobody is told.";
    ReadCall "read-call" "No webhook came: Klarna is about to be asked how a step-up stands.";
    ReadAnswered "read-answered" "Klarna has said how it stands; that is not stored.";
    ReadKept "read-kept" "What that means is committed, as an event's meaning would be.";
    WithdrawCall "withdraw-call" "The final call was given up: its request is about to be canceled.";
    WithdrawAnswered "withdraw-answered" "Klarna has canceled the request, or not; that is not stored.";
}

impl Point {
    /// Its number: 1 is the first.
    pub fn number(self) -> usize {
        Self::ALL.iter().take_while(|point| **point != self).count() + 1
    }

    /// Where one of a payment's two calls is about to be made.
    pub(crate) fn call(step: Step) -> Self {
        match step {
            Step::Initial => Self::InitialCall,
            Step::Final => Self::FinalCall,
        }
    }

    /// Where it was answered.
    pub(crate) fn answered(step: Step) -> Self {
        match step {
            Step::Initial => Self::InitialAnswered,
            Step::Final => Self::FinalAnswered,
        }
    }

    /// Where a payment's change is committed that came of a task.
    pub(crate) fn kept(task: Task) -> Option<Self> {
        match task {
            Task::Authorize => Some(Self::InitialKept),
            Task::Event => Some(Self::EventKept),
            Task::Finalize => Some(Self::FinalKept),
            Task::Reconcile => Some(Self::ReadKept),
            Task::Notify | Task::Operate | Task::Withdraw => None,
        }
    }
}

/// The flow is at a point. Returns at once, unless a test wants the process dead by now.
#[cfg(not(all(feature = "kill-points", debug_assertions)))]
#[inline]
pub fn reach(_point: Point) {}

/// The flow is at a point. Returns at once, unless a test wants the process dead by now.
#[cfg(all(feature = "kill-points", debug_assertions))]
pub fn reach(point: Point) {
    use rustix::process::{Signal, getpid, kill_process};

    static DEADLY: std::sync::OnceLock<Option<std::ffi::OsString>> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a switch of tests, which no settings file may hold")]
    let deadly = DEADLY.get_or_init(|| std::env::var_os(VARIABLE));
    if deadly.as_ref().is_some_and(|name| name == point.name())
        && kill_process(getpid(), Signal::KILL).is_ok()
    {
        // The signal is on its way; not a step further.
        loop {
            std::thread::park();
        }
    }
}
