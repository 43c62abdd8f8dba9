//! Writes a draft down as an adapter file.

use serde_json::Value;

use super::{
    Authentication, Body, Content, Draft, Field, Listing, Notifications, Operation, Read, Rule, Start, Sure,
    Variable,
};

/// The file, and what is left to do in it.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The text of the file.
    pub text: String,
    /// What nobody knew, in the order of the file.
    pub todos: Vec<Todo>,
    /// What is likely and not sure, in the order of the file.
    pub likely: Vec<Todo>,
}

/// A line that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// From 1.
    pub line: usize,
    /// What is to be found out there, or why it is likely.
    pub what: String,
}

/// What stands where nobody knows: no template, path or name is called so, and the check points there.
const UNKNOWN: &str = "TODO";

/// The Partner's variable with the secret of notifications.
pub(super) const NOTIFICATION_SECRET: &str = "notification_secret";

/// An account that only a simulator knows.
const EXAMPLE_ACCOUNT: &str = "krn:partner:global:account:test:SHOP0001";

/// The file of a draft.
pub fn write(draft: &Draft) -> Written {
    let mut written = Written::default();
    written.line(
        0,
        "# Made by `klarna-conformance adapter new`. docs/bind-your-acquirer.md tells what can stand here.",
    );
    written.line(0, "version: 1");
    written.line(0, &format!("name: {}", quoted(&draft.name)));
    written.line(0, "");
    written.start(&draft.start);
    written.partner(draft);
    let claimed = draft.capabilities();
    written.line(0, &format!("capabilities: [{}]", claimed.join(", ")));
    written.line(0, "");
    written.authentication(draft.authentication.as_ref());
    written.line(0, "operations:");
    written.operation("create_payment", &draft.create);
    if let Some(read) = &draft.read {
        written.line(0, "");
        written.operation("read_payment", read);
    }
    if let Some(list) = &draft.list {
        written.line(0, "");
        written.listing(list);
    }
    if let Some(notifications) = &draft.notifications {
        written.line(0, "");
        written.notifications(notifications);
    }
    for what in &draft.left_out {
        written.line(0, "");
        written.line(0, &format!("# Left out: {what}"));
    }
    written
}

impl Written {
    fn line(&mut self, depth: usize, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&"  ".repeat(depth));
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    fn number(&self) -> usize {
        self.text.lines().count() + 1
    }

    fn todo(&mut self, depth: usize, text: &str, what: &str) {
        self.todos.push(Todo { line: self.number(), what: what.to_owned() });
        self.line(depth, &format!("{text}  # TODO: {what}"));
    }

    fn said(&mut self, depth: usize, text: &str, sure: &Sure) {
        match sure {
            Sure::Sure => self.line(depth, text),
            Sure::Likely(why) => {
                self.likely.push(Todo { line: self.number(), what: why.clone() });
                self.line(depth, &format!("{text}  # likely: {why}"));
            }
        }
    }

    fn start(&mut self, start: &Start) {
        match start {
            Start::Attach(url) => {
                self.line(0, &format!("attach: {{base_url: {}}}", quoted(url)));
                self.line(0, "# Where it finds Klarna and the Partner: tell it these by hand.");
                self.line(0, "listen: {simulator: \"127.0.0.1:8080\", partner: \"127.0.0.1:8090\"}");
            }
            Start::Launch(words) => {
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                self.line(0, "launch:");
                self.line(1, &format!("command: [{}]", words.join(", ")));
                self.line(1, "# Where it listens, it is told in ACQUIRER_LISTEN.");
                self.line(1, "ready: {http: \"{{ acquirer.base_url }}/\", within_ms: 20000}");
            }
            Start::Unknown => self.todo(
                0,
                &format!("attach: {{base_url: {UNKNOWN}}}"),
                "where the acquirer runs, as http://127.0.0.1:8081, or a part `launch` that starts it",
            ),
        }
        self.line(0, "");
    }

    fn partner(&mut self, draft: &Draft) {
        self.line(0, "partners:");
        self.line(1, "- name: shop");
        let account = draft.klarna_account.as_deref().unwrap_or(EXAMPLE_ACCOUNT);
        let sure = match &draft.klarna_account {
            Some(_) => Sure::Sure,
            None => Sure::Likely(
                "an example; it must be the account that the acquirer uses for this Partner".to_owned(),
            ),
        };
        self.said(2, &format!("klarna_account: {}", quoted(account)), &sure);
        let variables = draft.secrets();
        if !variables.is_empty() {
            self.line(2, "vars:");
        }
        for Variable { name, env } in variables {
            self.line(
                3,
                &format!("{}: {{env: {env}}}  # the environment variable {env} must be set", key(name)),
            );
        }
        self.line(0, "");
    }

    fn authentication(&mut self, authentication: Option<&Authentication>) {
        let of = |variable: &Variable| quoted(&format!("{{{{ partner.vars.{} }}}}", variable.name));
        match authentication {
            Some(Authentication::Nothing) => return,
            None => self.todo(
                0,
                &format!("authentication: {{bearer: \"{{{{ {UNKNOWN} }}}}\"}}"),
                "how a Partner shows who it is: bearer, basic, header, oauth2 or signature",
            ),
            Some(Authentication::Bearer(token)) => {
                self.line(0, &format!("authentication: {{bearer: {}}}", of(token)));
            }
            Some(Authentication::Basic(user, password)) => self.line(
                0,
                &format!("authentication: {{basic: {{username: {}, password: {}}}}}", of(user), of(password)),
            ),
            Some(Authentication::Header(name, value)) => self.line(
                0,
                &format!("authentication: {{header: {{name: {}, value: {}}}}}", key(name), of(value)),
            ),
            Some(Authentication::OAuth(url, id, secret)) => {
                self.line(0, "authentication:");
                self.line(1, "oauth2:");
                self.line(2, &format!("token_url: {}", quoted(url)));
                self.line(2, &format!("client_id: {}", of(id)));
                self.line(2, &format!("client_secret: {}", of(secret)));
            }
        }
        self.line(0, "");
    }

    fn request(&mut self, call: &Operation) {
        self.line(2, "request:");
        if call.method.is_empty() {
            self.todo(3, &format!("method: {UNKNOWN}"), "the method of this call, as POST");
        } else {
            self.said(3, &format!("method: {}", call.method), call.choice.as_ref().unwrap_or(&Sure::Sure));
        }
        if call.path.is_empty() {
            self.todo(3, &format!("path: {UNKNOWN}"), "the path of this call, as /v1/payments");
        } else {
            self.line(3, &format!("path: {}", quoted(&call.path)));
        }
        for (title, fields) in [("headers", &call.headers), ("query", &call.query)] {
            if !fields.is_empty() {
                self.line(3, &format!("{title}:"));
                self.fields(4, fields, &[]);
            }
        }
        if let Some(Body { kind, fields, left_out }) = &call.body {
            self.line(3, "body:");
            self.line(4, &format!("{kind}:"));
            self.fields(5, fields, left_out);
        }
    }

    fn operation(&mut self, name: &str, operation: &Operation) {
        self.line(1, &format!("{name}:"));
        self.request(operation);
        self.line(2, "answer:");
        self.line(3, "# The first rule that fits decides.");
        self.rules(3, &operation.outcome);
        if !operation.reads.is_empty() {
            self.line(3, "read:");
            operation.reads.iter().for_each(|read| self.read(4, read));
        }
    }

    fn rules(&mut self, depth: usize, rules: &[Rule]) {
        self.line(depth, "outcome:");
        for Rule { status, word, is, sure } in rules {
            let mut parts = Vec::new();
            parts.extend(status.map(|status| format!("status: {}", quoted(status))));
            parts.extend(word.as_ref().map(|(path, word)| format!("where: {{{}: {word}}}", quoted(path))));
            parts.push(format!("is: {}", is.as_ref().map_or(UNKNOWN, |is| is.as_str())));
            let text = format!("- {{{}}}", parts.join(", "));
            match is {
                Ok(_) => self.said(depth + 1, &text, sure),
                Err(what) => self.todo(depth + 1, &text, what),
            }
        }
    }

    fn read(&mut self, depth: usize, read: &Read) {
        match &read.path {
            Ok(path) => self.said(depth, &format!("{}: {}", read.name, quoted(path)), &read.sure),
            Err(what) => self.todo(depth, &format!("{}: {UNKNOWN}", read.name), what),
        }
    }

    fn fields(&mut self, depth: usize, fields: &[Field], left_out: &[String]) {
        for Field { name, content } in fields {
            let name = key(name);
            match content {
                Content::Template(template, sure) => {
                    self.said(depth, &format!("{name}: {}", quoted(template)), sure);
                }
                Content::Constant(value, sure) => self.said(depth, &format!("{name}: {value}"), sure),
                Content::Object(members, left_out) => {
                    self.line(depth, &format!("{name}:"));
                    self.fields(depth + 1, members, left_out);
                }
                Content::Lines(members, left_out) => {
                    self.line(depth, &format!("{name}:"));
                    self.line(depth + 1, "$each: \"{{ order.lines }}\"");
                    self.line(depth + 1, "as: line");
                    self.line(depth + 1, "item:");
                    self.fields(depth + 2, members, left_out);
                }
                Content::Todo(what) => {
                    self.todo(depth, &format!("{name}: \"{{{{ {UNKNOWN} }}}}\""), what);
                }
            }
        }
        if !left_out.is_empty() {
            self.line(depth, &format!("# optional, and nothing of an order: {}", left_out.join(", ")));
        }
    }

    fn listing(&mut self, list: &Listing) {
        self.line(1, "list_payment_methods:");
        self.request(&list.call);
        self.line(2, "answer:");
        self.line(3, &format!("methods: {}", quoted(&list.methods)));
        self.line(3, &format!("klarna: {}", quoted(&list.klarna)));
        self.line(3, "given:");
        for (path, pointer) in &list.given {
            let unknown = quoted(&format!("{UNKNOWN} {pointer}"));
            let pointer = quoted(pointer);
            match path {
                Ok(path) => self.said(
                    4,
                    &format!("{}: {pointer}", quoted(path)),
                    &Sure::Likely("by its name".to_owned()),
                ),
                Err(what) => {
                    self.todo(4, &format!("{unknown}: {pointer}"), what);
                }
            }
        }
    }

    fn notifications(&mut self, notifications: &Notifications) {
        self.line(0, &format!("# Found as {}.", notifications.found));
        self.line(0, "notifications:");
        self.line(1, "body: json");
        self.todo(
            1,
            &format!(
                "verify: {{scheme: {UNKNOWN}, secret: \"{{{{ partner.vars.{NOTIFICATION_SECRET} }}}}\"}}"
            ),
            "how notifications are signed; remove the line where they are not",
        );
        self.line(1, "read:");
        let read = Read {
            name: "payment_id",
            path: notifications.payment_id.clone(),
            sure: Sure::Likely("by its name".to_owned()),
        };
        self.read(2, &read);
        if !notifications.outcome.is_empty() {
            self.rules(1, &notifications.outcome);
        }
    }
}

/// Text between double quotes.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A key, bare where YAML takes it so.
fn key(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&name.to_lowercase().as_str());
    if plain { name.to_owned() } else { quoted(name) }
}
