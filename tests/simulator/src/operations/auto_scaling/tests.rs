//! The operations as a caller sees them: a form in, XML out.

mod reads;

use crate::account::{Account, ActionResult};
use crate::builder::{AccountBuilder, GroupBuilder};
use crate::operations;
use crate::wire;

use std::time::Duration;

/// Status and body of a call; `form` is the part behind `Version`.
fn call(account: &mut Account, operation: &str, form: &str) -> (u16, String) {
    let body = format!("Action={operation}&Version=2011-01-01&{form}");
    let request = wire::decode(None, body.as_bytes()).expect("the form can be read");
    let answer = operations::answer(account, &request, "test");
    let response = wire::encode(request.service, operation, answer, "id-1");
    (response.status, String::from_utf8(response.body).expect("XML is text"))
}

/// The body of a call that succeeds.
fn done(account: &mut Account, operation: &str, form: &str) -> String {
    let (status, body) = call(account, operation, form);
    assert_eq!(status, 200, "{body}");
    body
}

/// The message of a call that is refused with `ValidationError`.
fn refused(account: &mut Account, operation: &str, form: &str) -> String {
    let (status, body) = call(account, operation, form);
    assert_eq!((status, texts(&body, "Code")), (400, vec!["ValidationError"]), "{body}");
    texts(&body, "Message")[0].to_owned()
}

/// The texts of all elements of this name, as far as they have no elements inside.
fn texts<'a>(body: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name}>");
    let found = body.split(open.as_str()).skip(1).map(|rest| &rest[..rest.find('<').unwrap_or(rest.len())]);
    found.collect()
}

/// A group `web` of three in three zones, between one and five, with a hook on the way out.
fn account() -> Account {
    account_with(|group| group)
}

fn account_with(with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
    AccountBuilder::new(1)
        .cluster("web")
        .launch_template("web", |template| template.version("ami-1").version("ami-2"))
        .auto_scaling_group("web", |group| {
            let group = group
                .zones(&["eu-west-1a", "eu-west-1b", "eu-west-1c"])
                .size(1, 3, 5)
                .instances(&[("i-a1", "eu-west-1a"), ("i-b1", "eu-west-1b"), ("i-c1", "eu-west-1c")])
                .terminate_hook("drain", Duration::from_mins(5), ActionResult::Continue)
                .tag("team", "shop", true);
            with(group)
        })
        .build()
}
