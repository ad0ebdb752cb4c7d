//! The cluster query language, read twice: by Evenkeel, which may say that it cannot tell, and by the simulated account,
//! which has to decide. Both were written from the guide, neither from the other, and where both answer, they agree.

use evenkeel::plan::constraint::{Expression, Facts};
use evenkeel::snapshot::ContainerInstance;
use evenkeel::timestamp::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use simulator::constraint::{Subject, holds};
use simulator::time::SimTime;

use crate::query_words::{expression, instance};
use crate::text::{odd_text, slip};

/// As long as ECS takes an expression.
const LENGTH_MAX: usize = 2000;

fn of_simulator(text: &str, instance: &ContainerInstance, tasks_running: u32) -> Result<bool, String> {
    let subject = Subject {
        agent_connected: instance.agent_connected,
        agent_version: instance.agent_version.as_deref().unwrap_or_default(),
        attributes: &instance.attributes,
        ec2_instance_id: instance.instance_id.as_ref().map_or("", |id| id.as_str()),
        registered_at: SimTime(instance.registered_at.map_or(0, Timestamp::as_millis)),
        running_tasks_count: tasks_running,
        task_groups: vec!["service:web"],
    };
    holds(text, &subject)
}

/// What Evenkeel says, if it can read the expression and tell; what it cannot read it places.
fn of_evenkeel(text: &str, facts: Facts<'_>) -> Result<Option<bool>, TestCaseError> {
    match Expression::parse(text) {
        Ok(expression) => Ok(expression.holds(facts)),
        Err(error) => {
            let what = error.to_string();
            let position = what.rsplit(' ').next().and_then(|word| word.parse::<usize>().ok());
            let is_placed = position.is_some_and(|at| text.is_char_boundary(at));
            let is_long = what.ends_with("characters") && text.chars().count() > LENGTH_MAX;
            prop_assert!(is_placed || is_long || what.starts_with("what opens at position"), "{what}");
            Ok(None)
        }
    }
}

/// Whether Evenkeel told, and never the opposite of what the account does.
fn agree(text: &str, instance: &ContainerInstance, tasks: u32) -> Result<bool, TestCaseError> {
    let told = of_evenkeel(text, Facts { instance, tasks_running: Some(tasks) })?;
    let in_future = of_evenkeel(text, Facts { instance, tasks_running: None })?;
    let is_taken = text.chars().count() <= LENGTH_MAX;
    let decided = if is_taken { of_simulator(text, instance, tasks) } else { Err("too long".to_owned()) };
    for told in [told, in_future].into_iter().flatten() {
        prop_assert!(decided.is_err() || decided == Ok(told), "{text}: Evenkeel {told}, account {decided:?}");
    }
    Ok(told.is_some())
}

proptest! {
    #![proptest_config(crate::cases())]

    #[test]
    fn evenkeel_never_says_the_opposite(text in expression(), instance in instance(), tasks in 0..12_u32) {
        prop_assert!(Expression::parse(&text).is_ok(), "{text}: {:?}", Expression::parse(&text));
        agree(&text, &instance, tasks)?;
    }

    #[test]
    fn nearly_an_expression_is_told_alike_or_placed(
        text in expression(), slips in vec(slip(), 1..4), instance in instance(), tasks in 0..12_u32
    ) {
        let nearly = slips.iter().fold(text, |text, slip| slip.of(&text, &[' ', ',', ']']));
        agree(&nearly, &instance, tasks)?;
    }

    #[test]
    fn any_text_is_told_alike_or_placed(text in odd_text(), instance in instance()) {
        agree(&text, &instance, 3)?;
        agree(&format!("attribute:rack =~ {text}"), &instance, 3)?;
        agree(&format!("attribute:rack == {text}"), &instance, 3)?;
    }

    #[test]
    fn depth_is_no_danger(instance in instance(), times in prop_oneof![0..60_usize, 0..2500_usize]) {
        let plain = format!("agentConnected == {}", instance.agent_connected);
        let groups = [&"(".repeat(times), plain.as_str(), &")".repeat(times)].concat();
        let denials = ["!".repeat(times), plain].concat();
        for (text, holds) in [(groups, true), (denials, times % 2 == 0)] {
            let told = of_evenkeel(&text, Facts { instance: &instance, tasks_running: None })?;
            prop_assert!(told == Some(holds) || (told.is_none() && times > 60), "{told:?} at {times}");
        }
    }
}

/// Agreement by silence would be worth nothing: of what the guide allows, Evenkeel tells the greater part.
#[test]
fn evenkeel_mostly_can_tell() {
    let mut runner = TestRunner::deterministic();
    let mut told = 0;
    for _ in 0..2000 {
        let mut draw = || expression().new_tree(&mut runner).expect("it can be drawn").current();
        let text = draw();
        let instance = instance().new_tree(&mut runner).expect("it can be drawn").current();
        told += u32::from(agree(&text, &instance, 3).expect("they agree"));
    }
    assert!(told > 1000, "{told} of 2000");
}
