//! The cluster query language of `memberOf` constraints and of `ListContainerInstances` filters.
//!
//! From "Create expressions to define container instances for Amazon ECS tasks": `subject operator
//! [argument]`, joined by and/&&, or/||, not/! and parentheses. Where that page is silent: `and` binds
//! tighter than `or`; a negated operator is the exact opposite of the plain one, so `!=` holds for an
//! instance that lacks the attribute; `>` and `<` on attributes compare numbers if both sides are numbers,
//! else text.

mod parser;
mod pattern;
mod value;

use std::collections::BTreeMap;

use crate::account::{AGENT_VERSION, Account, ContainerInstance};
use crate::placement;
use crate::time::SimTime;

/// What an expression is asked about: one container instance.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// `agentConnected`.
    pub agent_connected: bool,
    /// `agentVersion`.
    pub agent_version: &'a str,
    /// `attribute:NAME`.
    pub attributes: &'a BTreeMap<String, Option<String>>,
    /// `ec2InstanceId`.
    pub ec2_instance_id: &'a str,
    /// `registeredAt`.
    pub registered_at: SimTime,
    /// `runningTasksCount`.
    pub running_tasks_count: u32,
    /// `task:group`, of every task that is wanted there.
    pub task_groups: Vec<&'a str>,
}

impl<'a> Subject<'a> {
    /// The subject that a container instance of the cluster is.
    pub fn of(account: &'a Account, cluster: &str, instance: &'a ContainerInstance) -> Self {
        let tasks = account.clusters.get(cluster).into_iter().flat_map(|cluster| cluster.tasks.values());
        let here =
            tasks.filter(|task| task.is_wanted() && task.container_instance.as_ref() == Some(&instance.arn));
        Self {
            agent_connected: instance.agent_connected,
            agent_version: AGENT_VERSION,
            attributes: &instance.attributes,
            ec2_instance_id: &instance.ec2_instance_id,
            registered_at: instance.registered_at,
            running_tasks_count: placement::counts(account, cluster, &instance.arn).0,
            task_groups: here.map(|task| task.group.as_str()).collect(),
        }
    }
}

/// An expression that is known to be readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression(String);

impl Expression {
    /// Takes an expression; the error says what could not be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let nothing = Subject {
            agent_connected: false,
            agent_version: "",
            attributes: &BTreeMap::new(),
            ec2_instance_id: "",
            registered_at: SimTime::default(),
            running_tasks_count: 0,
            task_groups: Vec::new(),
        };
        // What can be read does not depend on what it is asked about.
        holds(text, &nothing).map(|_| Self(text.to_owned()))
    }

    /// Whether it holds for a container instance of the cluster; not for one that does not exist.
    pub fn holds(&self, account: &Account, cluster: &str, instance_arn: &str) -> bool {
        let cluster_data = account.clusters.get(cluster);
        let instance = cluster_data.and_then(|cluster| cluster.container_instances.get(instance_arn));
        instance.is_some_and(|instance| holds(&self.0, &Subject::of(account, cluster, instance)) == Ok(true))
    }
}

/// Whether the expression holds for the subject; the error says what could not be read.
pub fn holds(expression: &str, subject: &Subject<'_>) -> Result<bool, String> {
    parser::Parser::new(expression, subject).whole()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(expression: &str) -> Result<bool, String> {
        let attributes = BTreeMap::from([
            ("ecs.instance-type".to_owned(), Some("m5.large".to_owned())),
            ("ecs.availability-zone".to_owned(), Some("eu-west-1a".to_owned())),
            ("size".to_owned(), Some("9".to_owned())),
            ("bare".to_owned(), None),
        ]);
        let subject = Subject {
            agent_connected: true,
            agent_version: "1.9.10",
            attributes: &attributes,
            ec2_instance_id: "i-0abc",
            registered_at: SimTime(1_518_480_000_000), // 2018-02-13T00:00:00Z
            running_tasks_count: 10,
            task_groups: vec!["service:web", "family:batch"],
        };
        holds(expression, &subject)
    }

    #[test]
    fn single_expressions() {
        let table = [
            ("agentConnected == true", true),
            ("agentConnected not_equals true", false),
            ("agentVersion < 1.14.5", true),
            ("agentVersion >= 1.9.9", true),
            ("attribute:ecs.instance-type == m5.large", true),
            ("attribute:ecs.instance-type equals 'm5.large'", true),
            ("attribute:ecs.instance-type != t2.small", true),
            ("attribute:ecs.instance-type =~ m5.*", true),
            ("attribute:ecs.instance-type =~ m5", false),
            ("attribute:ecs.instance-type matches (t2|m[45])\\.\\w+", true),
            ("attribute:ecs.instance-type !~ c5.*", true),
            ("attribute:ecs.availability-zone in [eu-west-1a, eu-west-1b]", true),
            ("attribute:ecs.availability-zone !in [eu-west-1b]", true),
            ("attribute:ecs.availability-zone not_in ['eu-west-1a']", false),
            ("attribute:size < 10", true),
            ("attribute:bare exists", true),
            ("attribute:missing exists", false),
            ("attribute:missing !exists", true),
            ("attribute:missing not_exists", true),
            ("attribute:missing == x", false),
            ("attribute:missing != x", true),
            ("ec2InstanceId in ['i-0abc', 'i-1']", true),
            ("registeredAt < 2018-02-13", false),
            ("registeredAt <= 2018-02-13T00:00:00+00:00", true),
            ("registeredAt > 2018-02-12T23:59:59Z", true),
            ("runningTasksCount == 10", true),
            ("runningTasksCount greater_than 9", true),
            ("task:group == service:web", true),
            ("task:group == service:api", false),
        ];
        for (expression, expected) in table {
            assert_eq!(ask(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn compound_expressions() {
        let table = [
            ("not(task:group == database)", true),
            ("!(task:group == service:web)", false),
            ("not task:group == service:web", false),
            ("agentConnected == false or runningTasksCount > 1", true),
            ("agentConnected == false || runningTasksCount > 1", true),
            ("agentConnected == true && runningTasksCount > 99", false),
            ("agentConnected == true or agentConnected == false and runningTasksCount > 99", true),
            ("(agentConnected == true or agentConnected == false) and runningTasksCount > 99", false),
            ("attribute:ecs.instance-type =~ m5.* and attribute:ecs.availability-zone != us-east-1d", true),
            ("((agentConnected==true))", true),
        ];
        for (expression, expected) in table {
            assert_eq!(ask(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let wrong = [
            "",
            "agentConnected",
            "color == red",
            "attribute:a == ",
            "attribute:a in b",
            "(agentConnected == true",
            "agentConnected == true extra",
            "runningTasksCount =~ 1.*",
            "registeredAt < yesterday",
            "attribute:a =~ [x",
        ];
        for expression in wrong {
            assert!(ask(expression).is_err(), "{expression}");
        }
    }
}
