//! Behaviour that AWS leaves undocumented or documents twice, each as a named switch.
//!
//! A test that depends on one runs with it both ways. The defaults are the likelier reading.

/// How open questions are answered in one run. Source: the open points in AWS's documentation named at each
/// field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // Each is a question of its own; they do not form states.
pub struct Switches {
    /// Whether lowering `desiredCount` by `UpdateService` spares tasks under scale-in protection. The ECS
    /// developer guide ("Protect your Amazon ECS tasks from being terminated by scale-in events") names
    /// service auto scaling and deployments only.
    pub update_service_spares_protected: bool,
    /// Whether scale-in under spread takes the fullest instance inside the zone (scheduler concepts page) or
    /// any task inside it at random (strategies page).
    pub scale_in_takes_fullest_instance: bool,
    /// Whether `StopTask` deregisters the target before SIGTERM (task life cycle page) or after it (what
    /// users measured).
    pub stop_task_deregisters_first: bool,
    /// The same for a drain: users measured errors there too (containers-roadmap issue 2052).
    pub drain_deregisters_first: bool,
    /// Whether a drain stops protected tasks. Not documented.
    pub drain_stops_protected: bool,
    /// Whether setting a DRAINING instance to DRAINING again succeeds or is a failure. Not documented.
    pub draining_again_succeeds: bool,
    /// Whether `DeregisterContainerInstance` with force stops the tasks (events page) or orphans them (API
    /// reference).
    pub force_deregister_stops_tasks: bool,
    /// Whether the placement of a new task counts tasks of older deployments (amazon-ecs-agent issue 685).
    pub placement_counts_old_deployments: bool,
    /// Whether zones with equally few tasks are settled by lot before the next link of the strategy chain, or all of
    /// them are handed on to it. "Use strategies to define Amazon ECS task placement" gives the order of the links and
    /// says nothing of ties.
    pub zone_tie_is_settled_at_once: bool,
    /// Whether an Auto Scaling group launches a substitute only when the instance it replaces is gone, terminate hook
    /// included, or at once. "Health checks for instances" has it launched at the same time; operators report both.
    pub substitute_waits_for_hook: bool,
    /// Whether an activity under way refuses every change of size with `ScalingActivityInProgress`. The API Reference
    /// lists the error without saying which activities block which calls.
    pub activity_blocks_size_changes: bool,
    /// Whether scale-in may choose instances that are still on their way in. "Configure termination policies" does not
    /// say, and "Amazon EC2 Auto Scaling instance lifecycle" draws the arrow from `InService`.
    pub scale_in_takes_pending: bool,
    /// What `TerminateInstanceInAutoScalingGroup` does to an instance that is being terminated already. Not documented;
    /// cluster-autoscaler takes care not to ask twice.
    pub terminating_again: TerminatingAgain,
    /// Whether `TerminateInstanceInAutoScalingGroup` refuses an instance on standby. Not documented; the page of the
    /// operation names no states, and keikoproj/upgrade-manager makes the call.
    pub standby_refuses_termination: bool,
    /// Whether the move to standby takes five minutes, and a termination is refused with `ScalingActivityInProgress`
    /// meanwhile, as with a load balancer of the group's own that drains for 300 seconds ("Temporarily remove instances");
    /// or a moment. How long it takes is not documented; keikoproj/upgrade-manager issue 77 reports the error.
    pub standby_takes_minutes: bool,
    /// Whether `ListAttributes` goes on naming the attributes of an instance that was deregistered. Not documented;
    /// `ListContainerInstances` leaves such an instance out.
    pub attributes_outlive_registration: bool,
    /// Whether `DEPLOYMENT_BLOCKED` also meets whom protected tasks already keep the service from its steady state: those
    /// of an older deployment, or more of them than are desired ("Amazon ECS API failure reasons"); or only whom the call
    /// itself would make one too many ("Protect your Amazon ECS tasks from being terminated by scale-in events").
    pub held_deployment_refuses_protection: bool,
    /// Whether DRAINING instances count in `CapacityProviderReservation`. Not documented.
    pub reservation_counts_draining: bool,
}

/// The answers to that question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminatingAgain {
    /// The call succeeds with the activity under way and changes nothing.
    Answered,
    /// The same, but a decrement that is asked for happens again.
    Decremented,
    /// `ScalingActivityInProgress`.
    Refused,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            update_service_spares_protected: true,
            scale_in_takes_fullest_instance: false,
            stop_task_deregisters_first: true,
            drain_deregisters_first: true,
            drain_stops_protected: false,
            draining_again_succeeds: true,
            force_deregister_stops_tasks: false,
            placement_counts_old_deployments: true,
            zone_tie_is_settled_at_once: false,
            substitute_waits_for_hook: false,
            activity_blocks_size_changes: false,
            scale_in_takes_pending: false,
            terminating_again: TerminatingAgain::Answered,
            standby_refuses_termination: false,
            standby_takes_minutes: false,
            attributes_outlive_registration: false,
            held_deployment_refuses_protection: false,
            reservation_counts_draining: true,
        }
    }
}
