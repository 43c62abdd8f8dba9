//! The simulator over real sockets.

#[cfg(test)]
mod adversary;
#[cfg(test)]
mod any_call;
#[cfg(test)]
mod archived_facts;
#[cfg(test)]
mod authorize;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_sinks;
#[cfg(test)]
mod broken_calls;
#[cfg(test)]
mod client_certificates;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod control;
#[cfg(test)]
mod control_api;
#[cfg(test)]
mod control_calls;
#[cfg(test)]
mod control_client;
#[cfg(test)]
mod control_guard;
#[cfg(test)]
mod ctl;
#[cfg(test)]
mod customer;
#[cfg(test)]
mod direct_requests;
#[cfg(test)]
mod documented;
#[cfg(test)]
mod ending;
#[cfg(test)]
mod every_operation;
#[cfg(test)]
mod evolution;
#[cfg(test)]
mod exported_script;
#[cfg(test)]
mod express_shipping;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod faults_page;
#[cfg(test)]
mod faulty_answers;
#[cfg(test)]
mod faulty_statuses;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod journal_exports;
#[cfg(test)]
mod journal_streams;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod klarna;
#[cfg(test)]
mod laid_down;
#[cfg(test)]
mod misbehaviour;
#[cfg(test)]
mod moved_clock;
#[cfg(test)]
mod notification;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod payment_tokens;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod presentation;
#[cfg(test)]
mod rate_limits;
#[cfg(test)]
mod retry;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod rulebook;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod rules_page;
#[cfg(test)]
mod sandboxes;
#[cfg(test)]
mod schemathesis;
#[cfg(test)]
mod sink;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod too_large;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod twins;
#[cfg(test)]
mod ways_in;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod webhooks_page;
#[cfg(test)]
mod wishes;
