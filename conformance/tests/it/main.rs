//! The conformance suite's tests over real sockets and processes.

mod adapter;
mod defects;
mod docs;
mod exit_codes;
mod foreign;
mod launch;
mod lint;
mod mutants;
mod partner;
mod suite;
mod whole_run;
