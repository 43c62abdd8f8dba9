//! What a payment form says, in a customer's language.

use super::{Intent, PresentationQuery};

/// How often a subscription is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    /// Each day.
    Day,
    /// Each week.
    Week,
    /// Each month.
    Month,
    /// Each year.
    Year,
}

impl Interval {
    /// The one that a query names.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "DAY" => Some(Self::Day),
            "WEEK" => Some(Self::Week),
            "MONTH" => Some(Self::Month),
            "YEAR" => Some(Self::Year),
            _ => None,
        }
    }
}

/// What a form says, in one language.
pub(super) struct Texts {
    pub(super) header: &'static str,
    pub(super) subheader: &'static str,
    /// Instead of the header where nothing is paid yet.
    pub(super) saves: &'static str,
    /// Below it.
    pub(super) later: &'static str,
    /// Below the header of a subscription.
    pub(super) subscribes: &'static str,
    /// Below the header of an option that was chosen before.
    pub(super) saved: &'static str,
    pub(super) badge: &'static str,
    /// Before the amount.
    pays: &'static str,
    /// Between the amount and how often it is paid.
    every: &'static str,
    /// Day, week, month and year; one of them, and several.
    intervals: [(&'static str, &'static str); 4],
    pub(super) terms: &'static str,
    pub(super) button: &'static str,
}

impl Texts {
    /// The texts of a locale's language; English where there are none.
    pub(super) fn of(locale: &str) -> &'static Self {
        match locale.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "sv" => &SWEDISH,
            "de" => &GERMAN,
            _ => &ENGLISH,
        }
    }

    /// What is paid, and how often; nothing where no amount is known.
    pub(super) fn message(&self, query: &PresentationQuery) -> Option<String> {
        let paid = format!("{} {}", self.pays, query.currency.display(query.amount?));
        let Intent::Subscribe(Some((frequency, interval))) = query.intent else { return Some(paid) };
        let [day, week, month, year] = self.intervals;
        let (one, several) = match interval {
            Interval::Day => day,
            Interval::Week => week,
            Interval::Month => month,
            Interval::Year => year,
        };
        Some(match frequency {
            1 => format!("{paid} {} {one}", self.every),
            _ => format!("{paid} {} {frequency} {several}", self.every),
        })
    }
}

const ENGLISH: Texts = Texts {
    header: "Pay with Klarna",
    subheader: "Choose how to pay at the next step",
    saves: "Add Klarna",
    later: "To pay with Klarna later on",
    subscribes: "Subscribe with Klarna",
    saved: "As you paid last time",
    badge: "Test",
    pays: "You pay",
    every: "every",
    intervals: [("day", "days"), ("week", "weeks"), ("month", "months"), ("year", "years")],
    terms: "Terms",
    button: "Continue with Klarna",
};

const SWEDISH: Texts = Texts {
    header: "Betala med Klarna",
    subheader: "Välj hur du betalar i nästa steg",
    saves: "Lägg till Klarna",
    later: "För att betala med Klarna senare",
    subscribes: "Prenumerera med Klarna",
    saved: "Som du betalade sist",
    badge: "Test",
    pays: "Du betalar",
    every: "per",
    intervals: [("dag", "dagar"), ("vecka", "veckor"), ("månad", "månader"), ("år", "år")],
    terms: "Villkor",
    button: "Fortsätt med Klarna",
};

const GERMAN: Texts = Texts {
    header: "Mit Klarna bezahlen",
    subheader: "Wählen Sie die Zahlungsart im nächsten Schritt",
    saves: "Klarna hinzufügen",
    later: "Um später mit Klarna zu bezahlen",
    subscribes: "Mit Klarna abonnieren",
    saved: "Wie Sie zuletzt gezahlt haben",
    badge: "Test",
    pays: "Sie zahlen",
    every: "pro",
    intervals: [("Tag", "Tage"), ("Woche", "Wochen"), ("Monat", "Monate"), ("Jahr", "Jahre")],
    terms: "Bedingungen",
    button: "Weiter mit Klarna",
};
