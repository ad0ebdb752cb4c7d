//! Calls of Auto Scaling for tests: a form in, XML out.

use std::time::Duration;

use crate::account::{Account, ActionResult};
use crate::builder::{AccountBuilder, GroupBuilder};
use crate::operations;
use crate::scheduler::Engine;
use crate::wire;

/// Status and body of a call; `form` is the part behind `Version`.
pub(crate) fn call(account: &mut Account, operation: &str, form: &str) -> (u16, String) {
    let body = format!("Action={operation}&Version=2011-01-01&{form}");
    let request = wire::decode(None, body.as_bytes()).expect("the form can be read");
    let answer = operations::answer(account, &request, "test");
    let response = wire::encode(request.service, operation, answer, "id-1");
    (response.status, String::from_utf8(response.body).expect("XML is text"))
}

/// The body of a call that succeeds.
pub(crate) fn done(account: &mut Account, operation: &str, form: &str) -> String {
    let (status, body) = call(account, operation, form);
    assert_eq!(status, 200, "{body}");
    body
}

/// The message of a call that is refused with `ValidationError`.
pub(crate) fn refused(account: &mut Account, operation: &str, form: &str) -> String {
    let (status, body) = call(account, operation, form);
    assert_eq!((status, texts(&body, "Code")), (400, vec!["ValidationError"]), "{body}");
    texts(&body, "Message")[0].to_owned()
}

/// The texts of all elements of this name, as far as they have no elements inside.
pub(crate) fn texts<'a>(body: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name}>");
    let found = body.split(open.as_str()).skip(1).map(|rest| &rest[..rest.find('<').unwrap_or(rest.len())]);
    found.collect()
}

/// A group `web` of three in three zones, between one and five, with a hook on the way out.
pub(crate) fn account() -> Account {
    account_with(|group| group)
}

pub(crate) fn account_with(with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Account {
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

/// Lets some seconds pass.
pub(crate) fn wait(account: &mut Account, seconds: u64) {
    let until = account.now + Duration::from_secs(seconds);
    Engine::new(1).advance(account, until, &mut |_| ());
}

/// Ids and life cycle states of the group `web`, in the order of the ids.
pub(crate) fn states(account: &Account) -> Vec<(&str, &'static str)> {
    let instances = account.auto_scaling_groups["web"].instances.values();
    instances.map(|instance| (instance.id.as_str(), instance.state.name())).collect()
}

/// Ids of the instances in service.
pub(crate) fn serving(account: &Account) -> Vec<&str> {
    states(account).into_iter().filter(|(_, state)| *state == "InService").map(|(id, _)| id).collect()
}

/// How many instances are in service in each of the zones `eu-west-1a`, `b` and `c`.
pub(crate) fn by_zone(account: &Account) -> [usize; 3] {
    ["eu-west-1a", "eu-west-1b", "eu-west-1c"].map(|zone| {
        let instances = account.auto_scaling_groups["web"].instances.values();
        instances.filter(|it| it.zone == zone && it.state.name() == "InService").count()
    })
}
