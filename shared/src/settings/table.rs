//! The one table of settings: names, defaults and meanings. The README's table is compared with it by a test.

/// One setting as people see it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Environment variable.
    pub name: &'static str,
    /// Default, or `required`.
    pub default: &'static str,
    /// What it decides, and its bounds.
    pub meaning: &'static str,
}

/// Every setting the functions read.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "EVENKEEL_CLUSTERS",
        default: "required",
        meaning: "names or ARNs, comma separated; `*` = every cluster of the Region",
    },
    Setting { name: "EVENKEEL_DRY_RUN", default: "false", meaning: "`true`: plan and report, write nothing" },
    Setting {
        name: "EVENKEEL_POLL_INTERVAL",
        default: "5s",
        meaning: "pause between the turns of one invocation; 100ms to 5m",
    },
    Setting {
        name: "EVENKEEL_SKEW_THRESHOLD",
        default: "30",
        meaning: "percent of skew above which a service is rebalanced; 1 to 1000",
    },
    Setting {
        name: "EVENKEEL_MAX_MOVES",
        default: "20",
        meaning: "moves started per cluster and invocation, those found in flight included; 1 to 1000",
    },
    Setting {
        name: "EVENKEEL_MOVE_STRATEGY",
        default: "surge",
        meaning: "`surge`: start first, then stop; `stop`: stop first where the service allows it, else `surge`",
    },
    Setting {
        name: "EVENKEEL_MOVE_TIMEOUT",
        default: "10m",
        meaning: "for the new task of a move to become healthy, then the move is undone; 1s to 12h",
    },
    Setting {
        name: "EVENKEEL_WARM_UP",
        default: "5m",
        meaning: "age of a container instance before it counts as a target; 0s to 24h",
    },
    Setting {
        name: "EVENKEEL_COOLDOWN",
        default: "10m",
        meaning: "least age of a service's youngest task before it is moved again; 0s to 24h",
    },
    Setting {
        name: "EVENKEEL_CONFIRM_AFTER",
        default: "30s",
        meaning: "between the two snapshots that must agree before a rebalance starts; 0s to 10m",
    },
    Setting {
        name: "EVENKEEL_REPLACEMENT",
        default: "auto",
        meaning: "how the substitute of a drained instance is asked for: `auto`, `terminate`, `detach`, `surge` or `none`",
    },
    Setting {
        name: "EVENKEEL_LIFECYCLE_HOOK",
        default: "evenkeel-drain",
        meaning: "name of the terminate lifecycle hook that is ours to complete",
    },
    Setting {
        name: "EVENKEEL_HOOK_TIMEOUT",
        default: "30m",
        meaning: "for an instance that a hook holds to be empty, then it is let go as `deadlineExpired`; 1m to 48h",
    },
    Setting {
        name: "EVENKEEL_STANDALONE_TASKS",
        default: "auto",
        meaning: "tasks of no service on a drained instance: `stop`, `wait`, or `auto`: stop on an interruption, else wait",
    },
    Setting {
        name: "EVENKEEL_ON_REBALANCE_RECOMMENDATION",
        default: "ignore",
        meaning: "`replace`: drain and replace an instance that EC2 sees at risk; or `ignore`",
    },
    Setting {
        name: "EVENKEEL_EMPTY_AFTER",
        default: "10s",
        meaning: "between the two looks that must agree that an instance is empty; 0s to 10m",
    },
    Setting {
        name: "EVENKEEL_SPOT_NOTICE",
        default: "2m",
        meaning: "length of the interruption notice: the deadline is the event's time plus this; 5s to 10m",
    },
    Setting {
        name: "EVENKEEL_SURGE_PERCENT",
        default: "100",
        meaning: "how much of a group a rollout replaces at once: 100 doubles it; 1 to 100",
    },
    Setting {
        name: "EVENKEEL_CANARY",
        default: "0",
        meaning: "instances in a first wave of their own; 0 to 100",
    },
    Setting {
        name: "EVENKEEL_LAUNCH_TIMEOUT",
        default: "10m",
        meaning: "for the new instances of a wave to be ready; then a smaller wave, or the way back; 10s to 4h",
    },
    Setting {
        name: "EVENKEEL_DRAIN_TIMEOUT",
        default: "30m",
        meaning: "for the old instances of a wave to be empty, and for the services to be steady after it; 10s to 24h",
    },
    Setting {
        name: "EVENKEEL_ON_DRAIN_TIMEOUT",
        default: "rollback",
        meaning: "`rollback`, `hold` (wait for a person) or `force` (terminate with what is left on them)",
    },
    Setting {
        name: "EVENKEEL_BAKE_TIME",
        default: "0s",
        meaning: "how long the empty old instances are kept in reserve; 0s to 24h",
    },
    Setting {
        name: "EVENKEEL_ROLLOUT_TIMEOUT",
        default: "4h",
        meaning: "for a whole rollout, then it is taken back, or ends with the wave it is in; 1m to 7d",
    },
    Setting {
        name: "EVENKEEL_HEALTHY_AFTER",
        default: "40s",
        meaning: "RUNNING for so long counts as healthy where nothing reports health; 0s to 1h",
    },
];
