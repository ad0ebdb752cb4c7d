//! What each function asks of AWS, held against the permissions that the Terraform module gives it.
//!
//! Every invocation of every scenario is checked on its way: an action that is not in `infra/permissions.json` fails it. What
//! is asked is also kept, so that a test can say that nothing is permitted in vain.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// By function: actions as IAM names them, and how far each reaches.
type Permissions = BTreeMap<String, BTreeMap<String, String>>;

thread_local! {
    static ASKED: RefCell<BTreeMap<&'static str, BTreeSet<String>>> = RefCell::default();
}

/// The actions that a function's role allows.
pub fn allowed(function: &str) -> BTreeSet<String> {
    let all: Permissions =
        serde_json::from_str(include_str!("../infra/permissions.json")).expect("it is JSON");
    all[function].keys().cloned().collect()
}

/// Those that were asked for on this thread.
pub fn asked(function: &str) -> BTreeSet<String> {
    ASKED.with_borrow(|asked| asked.get(function).cloned().unwrap_or_default())
}

/// Keeps what an invocation has called; fails on anything that the function's role does not allow.
pub fn note(function: &'static str, calls: &BTreeMap<String, u64>) {
    let allowed = allowed(function);
    for operation in calls.keys() {
        let action = allowed.iter().find(|it| it.split_once(':').is_some_and(|(_, name)| name == operation));
        let action = action.unwrap_or_else(|| {
            panic!("{function} calls {operation}, which infra/permissions.json does not allow it")
        });
        ASKED.with_borrow_mut(|asked| asked.entry(function).or_default().insert(action.clone()));
    }
}
