//! From the text of an adapter to one that is compiled and checked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::claims::Claims;
use super::error::{self, AdapterError};
use super::facts::RequestFacts;
use super::file::{AdapterFile, ListenFile, OperationFile};
use super::follow_up::{About, FollowUps, Wish, with_wish};
use super::methods::ListMethods;
use super::notification::Notifications;
use super::operation::Operation;
use super::order::Order;
use super::request::Authentication;
use super::shape;
use super::source::Source;
use super::start::Start;
use super::template::Templates;
use super::variables::{RunVariables, Secrets, sample_order, with_order, with_payment};
use super::vars::{self, Environment, PartnerBinding};
use super::{Listen, Timing};

/// The version of the format that this release reads.
const VERSION: u64 = 1;

/// Deadline of a call to the acquirer when the adapter does not say.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);

/// A compiled and checked adapter.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) name: String,
    /// The folder that relative paths of the launch begin in; none for an embedded adapter.
    pub(super) folder: Option<PathBuf>,
    pub(super) partners: Vec<PartnerBinding>,
    pub(super) claims: Claims,
    pub(super) timing: Timing,
    pub(super) listen: Listen,
    pub(super) start: Start,
    pub(super) authentication: Authentication,
    pub(super) create_payment: Operation,
    pub(super) read_payment: Option<Operation>,
    pub(super) list_payment_methods: Option<ListMethods>,
    pub(super) follow_ups: FollowUps,
    pub(super) notifications: Option<Notifications>,
    pub(super) templates: Templates,
}

/// Compiles and checks.
pub(super) fn load(
    mut source: Source,
    folder: Option<PathBuf>,
    environment: Environment<'_>,
) -> Result<Checked, AdapterError> {
    let file: AdapterFile =
        serde_saphyr::from_str(source.text()).map_err(|error| shape::mistakes(&source, &error))?;
    if file.version.value != VERSION {
        let message = format!("version {} of the format is not known", file.version.value);
        return Err(source.complain(
            file.version.referenced.into(),
            &message,
            Some("this release reads version: 1"),
        ));
    }
    if file.name.value.trim().is_empty() {
        return Err(source.complain(file.name.referenced.into(), "the name is empty", None));
    }
    // A mistake that leaves the rest readable is noted, so that all of them are told at once.
    let partners = vars::partners(&mut source, &file.partners, environment)?;
    let listen = listen(&source, &file.listen)?;
    let mut templates = Templates::new(source);
    let start = Start::compile(file.launch.as_ref(), file.attach.as_ref(), &mut templates);
    let authentication = Authentication::compile(file.authentication.as_ref(), &mut templates);
    let operations = &file.operations.value;
    let create_payment = Operation::compile(&operations.create_payment, &mut templates);
    let read_payment = operations
        .read_payment
        .as_ref()
        .map(|operation| Operation::compile(operation, &mut templates))
        .transpose();
    let list_payment_methods = operations
        .list_payment_methods
        .as_ref()
        .map(|operation| ListMethods::compile(&operation.value, &mut templates))
        .transpose();
    let mut follow_up = |operation: &Option<Spanned<OperationFile>>| {
        let compiled =
            operation.as_ref().map(|operation| Operation::compile(operation, &mut templates)).transpose();
        templates.source().sift(compiled).flatten()
    };
    let follow_ups = FollowUps {
        capture: follow_up(&operations.capture),
        refund: follow_up(&operations.refund),
        cancel: follow_up(&operations.cancel),
    };
    let notifications = file
        .notifications
        .as_ref()
        .map(|notifications| Notifications::compile(notifications, &mut templates))
        .transpose();
    let source = templates.source();
    let claims = source.sift(Claims::compile(source, &file)).unwrap_or_default();
    let authentication = source.sift(authentication).unwrap_or_default();
    let read_payment = source.sift(read_payment).flatten();
    let list_payment_methods = source.sift(list_payment_methods).flatten();
    let notifications = source.sift(notifications).flatten();
    let (Some(start), Some(create_payment)) = (source.sift(start), source.sift(create_payment)) else {
        return Err(source.verdict().err().unwrap_or_else(|| source.whole("the file cannot be read", None)));
    };
    let checked = Checked {
        name: file.name.value.clone(),
        folder,
        claims,
        timing: Timing {
            answer_ms: file.timing.answer_ms,
            klarna_timeout_ms: file.timing.klarna_timeout_ms,
            retry_within_ms: file.timing.retry_within_ms,
            registers_within_ms: file.timing.registers_within_ms,
            quiet_ms: file.timing.quiet_ms,
            operation_timeout: file
                .timing
                .operation_timeout_ms
                .map_or(OPERATION_TIMEOUT, Duration::from_millis),
        },
        partners,
        listen,
        start,
        authentication,
        create_payment,
        read_payment,
        list_payment_methods,
        follow_ups,
        notifications,
        templates,
    };
    checked.check(&file);
    checked.templates.source().verdict()?;
    Ok(checked)
}

impl Checked {
    /// Checks all templates against everything that will be there, for every Partner; mistakes are noted.
    fn check(&self, file: &AdapterFile) {
        let templates = &self.templates;
        let source = templates.source();
        source.sift(self.start.check(templates, &self.partners));
        if !self.create_payment.names_read().any(|name| name == "payment_id") {
            source.sift::<()>(Err(source.complain(
                file.operations.value.create_payment.referenced.into(),
                "create_payment.answer.read does not say where the payment_id is",
                Some("read: {payment_id: $.id}"),
            )));
        }
        let ids_alone = self.notifications.as_ref().is_some_and(Notifications::say_ids_alone);
        if ids_alone && self.read_payment.is_none() && source.verdict().is_ok() {
            source.sift::<()>(Err(source.complain(
                file.notifications.as_ref().map(|part| part.referenced.into()).unwrap_or_default(),
                "notifications without outcome say which payment only, and no operation says how to read it",
                Some("add operations.read_payment, or notifications.outcome"),
            )));
        }
        for partner in &self.partners {
            source.sift(self.check_for(partner, file));
        }
    }

    fn check_for(&self, partner: &PartnerBinding, file: &AdapterFile) -> Result<(), AdapterError> {
        let templates = &self.templates;
        let variables = || {
            let mut variables = RunVariables::sample(true).of_partner(partner, Secrets::Revealed);
            RequestFacts::sample().add_to(&mut variables);
            variables
        };
        let bare = Value::Object(variables());
        let order = with_order(variables(), &sample_order());
        let payment = self.create_payment.names_read().map(|name| (name.to_owned(), "sample".to_owned()));
        let told: BTreeMap<String, String> = payment.collect();
        let payment = with_payment(variables(), &told);
        let verify = self.notifications.as_ref().and_then(|part| part.verify.as_ref());
        let checks = [
            Some(self.authentication.check(templates, &bare)),
            Some(self.create_payment.check(templates, &order)),
            self.list_payment_methods.as_ref().map(|methods| methods.request.check(templates, &order)),
            self.read_payment.as_ref().map(|read| read.check(templates, &payment)),
            Some(self.check_follow_ups(&told, variables)),
            Some(self.check_places(file, variables)),
            verify.map(|verify| verify.check(templates, &bare)),
        ];
        error::all(checks.into_iter().flatten()).map(drop)
    }

    /// What the file claims by name for the create call has a place in it. What is claimed by silence
    /// may lack it: its scenarios then say so.
    fn check_places(
        &self,
        file: &AdapterFile,
        variables: impl Fn() -> Map<String, Value>,
    ) -> Result<(), AdapterError> {
        let whole = sample_order();
        let said = |order: &Order| {
            let said = self.create_payment.said(
                &self.templates,
                &self.authentication,
                "",
                with_order(variables(), order),
            );
            // What cannot be rendered has been complained about.
            said.unwrap_or_default()
        };
        for claimed in &file.capabilities {
            let without = match claimed.value.as_str() {
                "network_data" => Order { network_data: None, ..whole.clone() },
                "session_token" => Order { session_token: None, ..whole.clone() },
                _ => continue,
            };
            if said(&whole) == said(&without) {
                let name = &claimed.value;
                return Err(self.templates.source().complain(
                    claimed.referenced.into(),
                    &format!("{name} is claimed, and create_payment has no place for order.{name}"),
                    Some(&format!(
                        "send \"{{{{ order.{name} | omit }}}}\", or say under unclaimed why there is no place"
                    )),
                ));
            }
        }
        Ok(())
    }

    /// A refund sees what the answer to a capture gives; without one there is nothing to see.
    fn check_follow_ups(
        &self,
        payment: &BTreeMap<String, String>,
        variables: impl Fn() -> Map<String, Value>,
    ) -> Result<(), AdapterError> {
        let read = self.follow_ups.capture.iter().flat_map(Operation::names_read);
        let capture = read.map(|name| (name.to_owned(), "sample".to_owned())).collect();
        let order = sample_order();
        let about = About { order: &order, payment, capture: &capture };
        let checks = self.follow_ups.bound().map(|(kind, operation)| {
            operation.check(&self.templates, &with_wish(variables(), about, &Wish::sample(kind)))
        });
        error::all(checks).map(drop)
    }
}

fn listen(source: &Source, file: &ListenFile) -> Result<Listen, AdapterError> {
    let address = |text: &Option<Spanned<String>>| match text {
        None => Ok(SocketAddr::from(([127, 0, 0, 1], 0))),
        Some(text) => text.value.parse().map_err(|_| {
            source.complain(
                text.referenced.into(),
                &format!("\"{}\" is no address to listen on", text.value),
                Some("an IP address and a port, as in 127.0.0.1:8080; port 0 takes a free one"),
            )
        }),
    };
    Ok(Listen { simulator: address(&file.simulator)?, partner: address(&file.partner)? })
}
