//! What a step is.

use std::fmt;

use futures::future::LocalBoxFuture;

use super::doc_string::Unreadable;
use crate::adapter::Mode;
use crate::world::{Failure, World};

/// Whether a step sets up, acts or judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keyword {
    /// Sets up.
    Given,
    /// Acts.
    When,
    /// Judges.
    Then,
}

impl Keyword {
    /// As written in a feature.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "Given",
            Self::When => "When",
            Self::Then => "Then",
        }
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Voice {
    /// The shop, played by the suite.
    Partner,
    /// The Customer, played by the suite.
    Customer,
    /// Klarna, played by the simulator.
    Klarna,
    /// The Acquiring Partner: the one that is judged.
    Acquirer,
}

impl Voice {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Partner, Self::Customer, Self::Klarna, Self::Acquirer];

    /// As a heading.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "Partner",
            Self::Customer => "Customer",
            Self::Klarna => "Klarna",
            Self::Acquirer => "Acquiring Partner",
        }
    }
}

/// What stands below a step.
#[derive(Debug, Clone, Copy)]
pub enum Argument {
    /// Nothing.
    None,
    /// Text between two lines of `"""`.
    DocString {
        /// An example.
        example: &'static str,
        /// Reads it, and gives nothing but its mistake.
        reads: fn(&str) -> Result<(), Unreadable>,
        /// Where to read what may stand there.
        page: &'static str,
    },
}

/// What a step function is given beside the world.
#[derive(Debug, Clone, Default)]
pub struct StepInput {
    /// What the parameters of the expression took, in order; an amount gives two, number and currency.
    pub captures: Vec<String>,
    /// The doc string, if there is one.
    pub doc_string: Option<String>,
}

impl StepInput {
    /// The parameter at `index`, or nothing.
    pub fn text(&self, index: usize) -> &str {
        self.captures.get(index).map_or("", String::as_str)
    }
}

/// A mode, from the words of a feature.
pub(super) fn mode(words: &str) -> Mode {
    if words == "SDK" { Mode::Sdk } else { Mode::Redirect }
}

/// What a step function comes to.
pub type StepResult = Result<(), Failure>;

/// A running step.
pub type StepFuture<'a> = LocalBoxFuture<'a, StepResult>;

/// One step.
#[derive(Clone, Copy)]
pub struct Definition {
    /// Who it is about.
    pub voice: Voice,
    /// Whether it sets up, acts or judges.
    pub keyword: Keyword,
    /// How it reads, as a Cucumber Expression.
    pub expression: &'static str,
    /// One way of writing it, without the keyword.
    pub example: &'static str,
    /// What stands below it.
    pub argument: Argument,
    /// What it means, in one line.
    pub doc: &'static str,
    /// What it does.
    pub run: for<'a> fn(&'a mut World, &'a StepInput) -> StepFuture<'a>,
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.keyword, self.expression)
    }
}
