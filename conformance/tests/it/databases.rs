//! `--acquirer-database`: the built-in acquirer on a store of the tester's choice.

use tempfile::TempDir;

use crate::foreign_kit::Changed;
use crate::suite::{Ran, run};

/// A step-up, webhooks and notifications: everything that a store is for.
const SOME: [&str; 3] = ["features/the-document.feature", "--seed", "7"];

/// Names a PostgreSQL in which tests may make schemas and drop them.
const POSTGRES: &str = "ACQUIRER_TEST_POSTGRES";

fn run_on(database: &str) -> Ran {
    run(&[&SOME[..], &["--acquirer-database", database]].concat())
}

#[track_caller]
fn all_passed(ran: &Ran) {
    ran.must_exit(0);
    assert!(!ran.statuses().is_empty() && ran.ended("passed").len() == ran.statuses().len(), "{}", ran.all());
}

#[test]
fn the_acquirer_runs_on_the_sqlite_file_that_is_named_and_on_no_other_s() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("mine.db");
    let path = file.display().to_string();
    let ran = run_on(&path);
    all_passed(&ran);
    let kept = std::fs::read(&file).unwrap();
    assert!(kept.starts_with(b"SQLite format 3"), "the file is no database");
    assert!(kept.windows(8).any(|bytes| bytes == b"payments"), "the acquirer was elsewhere");
    assert!(ran.events("run-started")[0]["arguments"].to_string().contains(&path), "{}", ran.all());
    // What an earlier run has left would not be this run's.
    run_on(&path).must_exit(2).must_say("is there already");
    run_on(&format!("sqlite://{path}")).must_exit(2).must_say("is there already");
}

/// The server that tests may use, if there is one.
#[track_caller]
fn postgres() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    let (server, ci) = (std::env::var(POSTGRES), std::env::var_os("CI"));
    assert!(server.is_ok() || ci.is_none(), "CI leaves nothing out: {POSTGRES} must name a server");
    server.ok()
}

#[test]
fn the_acquirer_runs_on_postgresql_twice_and_leaves_nothing() {
    let Some(server) = postgres() else { return };
    for _ in 0..2 {
        let ran = run_on(&server);
        all_passed(&ran);
    }
    // It is the acquirer that lives there: without a schema it cannot.
    run_on(&format!("{server}?options=-csearch_path%3Dnowhere"))
        .must_exit(5)
        .must_say("cannot open the database")
        .must_say("no schema has been selected");
    // Another server than the one that is named would not be missed.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    run_on(&format!("postgres://somebody:secret@127.0.0.1:{port}/x"))
        .must_exit(5)
        .must_say("--acquirer-database: ");
}

/// The unmodified suite, each call to another process than the one before.
#[test]
fn the_whole_suite_holds_on_three_replicas() {
    let Some(server) = postgres() else { return };
    let ran = run(&["--acquirer-database", &server, "--acquirer-replicas", "3", "--seed", "7"]);
    ran.must_exit(0).must_say("3 replicas behind http://127.0.0.1:");
    let statuses = ran.statuses();
    assert!(ran.ended("passed").len() > 190, "{}", ran.all());
    assert_eq!(
        ran.ended("passed").len() + ran.ended("not-applicable").len(),
        statuses.len(),
        "{}",
        ran.all()
    );
    // All of them worked: each called Klarna, acted on events and told Partners.
    let log = ran.report("acquirer.log");
    for replica in 1..=3 {
        for what in ["payment changed", "the Partner was told"] {
            let says = |line: &&str| line.starts_with(&format!("replica {replica}: ")) && line.contains(what);
            assert!(log.lines().filter(says).count() > 20, "replica {replica} has seldom said: {what}");
        }
    }
}

#[test]
fn replicas_need_a_database_that_they_can_share() {
    for args in
        [&["--acquirer-replicas", "3"][..], &["--acquirer-replicas", "3", "--acquirer-database", "x.db"]]
    {
        run(args).must_exit(2).must_say("replicas share one PostgreSQL");
    }
    run(&["--acquirer-replicas", "0"]).must_exit(2);
}

#[test]
fn an_acquirer_that_is_not_the_built_in_one_has_its_own_say() {
    let acquirer = Changed::new();
    run(&["--acquirer", &acquirer.path(), "--acquirer-database", "sqlite://x.db"])
        .must_exit(2)
        .must_say("does not launch the built-in acquirer");
    run_on("mysql://here/db").must_exit(2).must_say("a database is sqlite://FILE");
    run_on("no/such/folder/x.db").must_exit(2).must_say("there is no folder");
}
