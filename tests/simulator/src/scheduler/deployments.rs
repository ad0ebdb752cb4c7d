//! Deployments of a service: how one begins, what it may stop and start, when it is complete.
//!
//! From "Deploy Amazon ECS services by replacing tasks" and `DeploymentConfiguration` in the API Reference:
//! the lower bound is rounded up, the upper one down, and the upper bound covers tasks that are RUNNING or
//! PENDING.

use super::events;
use super::replica::Census;
use crate::account::{
    Account, Deployment, DeploymentController, DeploymentStatus, RolloutState, SchedulingStrategy, Service,
};

/// How few healthy and how many live tasks a service may have while tasks are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `minimumHealthyPercent` of the desired count, rounded up.
    pub floor: u32,
    /// `maximumPercent` of the desired count, rounded down.
    pub ceiling: u32,
}

impl Bounds {
    /// The bounds of a service. With a `CODE_DEPLOY` or `EXTERNAL` controller on EC2 they are fixed at 100
    /// and 200.
    pub fn of(service: &Service) -> Self {
        let percents = match service.deployment_controller {
            DeploymentController::Ecs => (service.minimum_healthy_percent, service.maximum_percent),
            DeploymentController::CodeDeploy | DeploymentController::External => (100, 200),
        };
        Self::new(service.desired_count, percents.0, percents.1)
    }

    /// The bounds of `desired` tasks under the two percentages.
    pub fn new(desired: u32, minimum_healthy_percent: u32, maximum_percent: u32) -> Self {
        let percent = |percent| u64::from(desired) * u64::from(percent);
        Self {
            floor: percent(minimum_healthy_percent).div_ceil(100) as u32,
            ceiling: (percent(maximum_percent) / 100) as u32,
        }
    }
}

/// Makes a new PRIMARY deployment, which from now on replaces the tasks of all older ones.
pub fn start_deployment(account: &mut Account, cluster: &str, service_name: &str, task_definition_arn: &str) {
    let now = account.now;
    account.next_id += 1;
    let id = format!("ecs-svc/{:019}", account.next_id);
    let Some(service) = service_mut(account, cluster, service_name) else { return };
    for older in &mut service.deployments {
        older.status = DeploymentStatus::Active;
        older.updated_at = now;
    }
    service.deployments.insert(0, new_deployment(id.clone(), service, task_definition_arn, now));
    task_definition_arn.clone_into(&mut service.task_definition);
    service.failed_starts = 0;
    service.start_not_before = now;
    events::note(account, "api", service_name, &format!("deployment {id} began"));
}

pub(crate) fn new_deployment(
    id: String,
    service: &Service,
    task_definition_arn: &str,
    now: crate::time::SimTime,
) -> Deployment {
    Deployment {
        id,
        status: DeploymentStatus::Primary,
        rollout_state: RolloutState::InProgress,
        task_definition: task_definition_arn.to_owned(),
        desired_count: service.desired_count,
        failed_tasks: 0,
        created_at: now,
        updated_at: now,
    }
}

/// Brings the deployments up to date with what the census found; true if nothing is left to replace or start.
pub(crate) fn follow(account: &mut Account, cluster: &str, service_name: &str, census: &Census) -> bool {
    let now = account.now;
    let complete = census.is_complete();
    let Some(service) = service_mut(account, cluster, service_name) else { return false };
    let (desired, replica) =
        (service.desired_count, service.scheduling_strategy == SchedulingStrategy::Replica);
    service.deployments.retain(|deployment| {
        deployment.status == DeploymentStatus::Primary || census.has_tasks_of(&deployment.id)
    });
    for deployment in &mut service.deployments {
        let primary = deployment.status == DeploymentStatus::Primary;
        deployment.desired_count = if primary { desired } else { census.tasks_of(&deployment.id) };
    }
    let single = service.deployments.len() == 1;
    let Some(primary) = service.deployments.first_mut() else { return false };
    if !(complete && single && primary.rollout_state == RolloutState::InProgress) {
        return complete && single;
    }
    primary.rollout_state = RolloutState::Completed;
    primary.updated_at = now;
    let what = format!("(deployment {}) deployment completed.", primary.id);
    if replica {
        events::say(account, cluster, service_name, &what);
    }
    true
}

/// Says that the percentages leave a deployment no way forward.
pub(crate) fn say_stuck(account: &mut Account, cluster: &str, service: &str) {
    let what = "was unable to stop or start tasks during a deployment because of the service deployment \
                configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
    events::say(account, cluster, service, what);
}

fn service_mut<'a>(account: &'a mut Account, cluster: &str, service: &str) -> Option<&'a mut Service> {
    account.clusters.get_mut(cluster)?.services.get_mut(service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::AccountBuilder;
    use crate::scheduler::Engine;
    use std::time::Duration;

    #[test]
    fn the_lower_bound_rounds_up_and_the_upper_one_down() {
        let table = [
            ((4, 100, 200), (4, 8)),
            ((4, 50, 200), (2, 8)),
            ((2, 75, 150), (2, 3)),
            ((3, 100, 125), (3, 3)),
            ((1, 100, 199), (1, 1)),
            ((1, 0, 100), (0, 1)),
            ((0, 100, 200), (0, 0)),
        ];
        for ((desired, minimum, maximum), (floor, ceiling)) in table {
            assert_eq!(Bounds::new(desired, minimum, maximum), Bounds { floor, ceiling }, "{desired}");
        }
    }

    fn deploying(minimum: u32, maximum: u32) -> (Account, Engine) {
        let mut account = AccountBuilder::new(5)
            .cluster("web")
            .instance("i-a1", "a", |i| i.cpu(4096).memory(16_384))
            .task_definition("web", |t| t)
            .service("web", |s| s.on(&["i-a1"; 4]).min_max(minimum, maximum))
            .build();
        let definition = account.clusters["web"].services["web"].task_definition.clone();
        start_deployment(&mut account, "web", "web", &definition);
        (account, Engine::new(5))
    }

    /// Lowest and highest number of wanted tasks during ten minutes, and the number of deployments after
    /// them.
    fn extremes((mut account, mut engine): (Account, Engine)) -> (usize, usize, usize) {
        let (mut low, mut high) = (usize::MAX, 0);
        let until = account.now + Duration::from_mins(10);
        engine.advance(&mut account, until, &mut |account| {
            let wanted = account.clusters["web"].tasks.values().filter(|task| task.is_wanted()).count();
            (low, high) = (low.min(wanted), high.max(wanted));
        });
        (low, high, account.clusters["web"].services["web"].deployments.len())
    }

    #[test]
    fn a_deployment_stays_within_its_bounds() {
        assert_eq!(extremes(deploying(100, 200)), (4, 8, 1));
        assert_eq!(extremes(deploying(50, 100)), (2, 4, 1));
        assert_eq!(extremes(deploying(100, 150)), (4, 6, 1));
    }

    #[test]
    fn a_deployment_at_exactly_a_hundred_percent_is_stuck_and_says_so() {
        let (mut account, mut engine) = deploying(100, 100);
        let until = account.now + Duration::from_mins(10);
        engine.advance(&mut account, until, &mut |_| ());
        let service = &account.clusters["web"].services["web"];
        assert_eq!(service.deployments.len(), 2);
        let told = service.events.iter().filter(|event| event.message.contains("unable to stop or start"));
        assert_eq!(told.count(), 1, "and says so once in six hours");
    }

    #[test]
    fn protected_tasks_outlive_a_deployment_until_their_protection_ends() {
        let (mut account, mut engine) = deploying(100, 200);
        let until = account.now + Duration::from_mins(30);
        let old = account.clusters["web"].tasks.keys().next().expect("built").clone();
        let tasks = &mut account.clusters.get_mut("web").expect("built").tasks;
        tasks.get_mut(&old).expect("built").protected_until = Some(until);
        engine.advance(&mut account, until - Duration::from_secs(1), &mut |_| ());
        assert!(account.clusters["web"].tasks[&old].is_wanted());
        engine.advance(&mut account, until + Duration::from_mins(5), &mut |_| ());
        assert!(!account.clusters["web"].tasks[&old].is_wanted());
        assert_eq!(account.clusters["web"].services["web"].deployments.len(), 1);
    }
}
