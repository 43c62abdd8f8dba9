//! `adapter new`, `adapter check` and `adapter explain`, as real processes.

mod check;
mod explain;
mod guide;
mod mistakes;
mod new;

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::suite::command;

/// A run of the program in a folder.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    fn must_exit(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    #[track_caller]
    fn must_print(&self, what: &str) -> &Self {
        assert!(self.out.contains(what), "\"{what}\" was not printed: {self}");
        self
    }

    #[track_caller]
    fn must_complain(&self, what: &str) -> &Self {
        assert!(self.err.contains(what), "nobody complained of \"{what}\": {self}");
        self
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.out, self.err)
    }
}

/// Runs `adapter …` in a folder, with these variables in its environment.
fn adapter(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Said {
    let args: Vec<&str> = std::iter::once("adapter").chain(args.iter().copied()).collect();
    Said::of(command(folder, &args).envs(environment.iter().copied()).output().unwrap())
}

/// The same, with something on its standard input.
fn adapter_told(folder: &Path, args: &[&str], input: &str) -> Said {
    let args: Vec<&str> = std::iter::once("adapter").chain(args.iter().copied()).collect();
    let mut child = command(folder, &args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Said::of(child.wait_with_output().unwrap())
}

/// Writes a file.
fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// A sound adapter that attaches to a port where nobody listens.
const SOUND: &str = r#"version: 1
name: acme
attach: {base_url: "http://127.0.0.1:9"}
partners:
  - name: shop
    klarna_account: "krn:shop"
    vars: {key: {env: ACME_KEY, default: "a-secret-of-acme"}}
authentication: {bearer: "{{ partner.vars.key }}"}
operations:
  create_payment:
    before:
      - request: {method: POST, path: /sessions}
        answer: {read: {session: $.id}}
    request:
      method: POST
      path: "/payments/{{ call.session }}"
      headers: {X-Reference: "{{ order.reference }}"}
      body:
        json:
          amount: "{{ order.amount | decimal }}"
          currency: "{{ order.currency }}"
          data: "{{ order.network_data | omit }}"
    answer:
      outcome:
        - {status: 201, where: {$.state: [paid, done]}, is: approved}
        - {status: 2xx, where: {$.action: {present: true}}, headers: {X-Kind: web}, is: step_up}
        - {status: "4xx", is: invalid}
      read: {payment_id: $.id, redirect_url: {header: location}}
  read_payment:
    request: {method: GET, path: "/payments/{{ payment.payment_id | urlencode }}"}
    answer:
      outcome: [{where: {$.state: paid}, is: approved}]
      read: {payment_id: $.id}
"#;
