//! The one table of settings: names, defaults, meanings and bounds. The README's table and the variables of the Terraform
//! module are compared with it by tests.

use std::fmt;

/// One setting as people see it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Environment variable.
    pub name: &'static str,
    /// Default, or `required`.
    pub default: &'static str,
    /// What it decides.
    pub meaning: &'static str,
    /// What it may be.
    pub takes: Takes,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Names or ARNs, comma separated, or `*`.
    Clusters,
    /// `true` or `false`.
    Flag,
    /// The name of a lifecycle hook: letters, digits, `-`, `_` and `/`, 255 at most (API: `PutLifecycleHook`).
    HookName,
    /// One of these.
    Words(&'static [&'static str]),
    /// A whole number from the first to the second.
    Number(u32, u32),
    /// A duration from the first to the second.
    Duration(&'static str, &'static str),
}

/// The bounds, as they stand behind the meaning; nothing where the meaning says it all.
impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(least, most) => write!(f, "; {least} to {most}"),
            Self::Duration(least, most) => write!(f, "; {least} to {most}"),
            Self::Clusters | Self::Flag | Self::HookName | Self::Words(_) => Ok(()),
        }
    }
}

/// Every setting the functions read.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "EVENKEEL_CLUSTERS",
        default: "required",
        meaning: "names or ARNs, comma separated; `*` = every cluster of the Region",
        takes: Takes::Clusters,
    },
    Setting {
        name: "EVENKEEL_DRY_RUN",
        default: "false",
        meaning: "`true`: plan and report, write nothing; nobody answers a lifecycle hook then",
        takes: Takes::Flag,
    },
    Setting {
        name: "EVENKEEL_POLL_INTERVAL",
        default: "5s",
        meaning: "pause between the turns of one invocation",
        takes: Takes::Duration("100ms", "1m"),
    },
    Setting {
        name: "EVENKEEL_SKEW_THRESHOLD",
        default: "30",
        meaning: "percent of skew above which a service is rebalanced",
        takes: Takes::Number(1, 1000),
    },
    Setting {
        name: "EVENKEEL_MAX_MOVES",
        default: "20",
        meaning: "moves started per cluster and invocation, those found in flight included",
        takes: Takes::Number(1, 1000),
    },
    Setting {
        name: "EVENKEEL_MOVE_STRATEGY",
        default: "surge",
        meaning: "`surge`: start first, then stop; `stop`: stop first where the service allows it, else `surge`",
        takes: Takes::Words(&["surge", "stop"]),
    },
    Setting {
        name: "EVENKEEL_MOVE_TIMEOUT",
        default: "10m",
        meaning: "for the new task of a move to become healthy, then the move is undone",
        takes: Takes::Duration("1s", "12h"),
    },
    Setting {
        name: "EVENKEEL_WARM_UP",
        default: "5m",
        meaning: "age of a container instance before it counts as a target",
        takes: Takes::Duration("0s", "24h"),
    },
    Setting {
        name: "EVENKEEL_COOLDOWN",
        default: "10m",
        meaning: "least age of a service's youngest task before it is moved again",
        takes: Takes::Duration("0s", "24h"),
    },
    Setting {
        name: "EVENKEEL_CONFIRM_AFTER",
        default: "30s",
        meaning: "between the two snapshots that must agree before a rebalance starts",
        takes: Takes::Duration("0s", "10m"),
    },
    Setting {
        name: "EVENKEEL_REPLACEMENT",
        default: "auto",
        meaning: "how the substitute of a drained instance is asked for: `auto`, `terminate`, `detach`, `surge` or `none`",
        takes: Takes::Words(&["auto", "terminate", "detach", "surge", "none"]),
    },
    Setting {
        name: "EVENKEEL_LIFECYCLE_HOOK",
        default: "evenkeel-drain",
        meaning: "name of the terminate lifecycle hook that is ours to complete",
        takes: Takes::HookName,
    },
    Setting {
        name: "EVENKEEL_HOOK_TIMEOUT",
        default: "30m",
        meaning: "for an instance that a hook holds to be empty, then it is let go as `deadlineExpired`",
        takes: Takes::Duration("1m", "48h"),
    },
    Setting {
        name: "EVENKEEL_STANDALONE_TASKS",
        default: "auto",
        meaning: "tasks of no service on a drained instance: `stop`, `wait`, or `auto`: stop on an interruption, else wait",
        takes: Takes::Words(&["auto", "stop", "wait"]),
    },
    Setting {
        name: "EVENKEEL_ON_REBALANCE_RECOMMENDATION",
        default: "ignore",
        meaning: "`replace`: drain and replace an instance that EC2 sees at risk; or `ignore`",
        takes: Takes::Words(&["ignore", "replace"]),
    },
    Setting {
        name: "EVENKEEL_EMPTY_AFTER",
        default: "10s",
        meaning: "between the two looks that must agree that an instance is empty",
        takes: Takes::Duration("0s", "1m"),
    },
    Setting {
        name: "EVENKEEL_SPOT_NOTICE",
        default: "2m",
        meaning: "length of the interruption notice: the deadline is the event's time plus this",
        takes: Takes::Duration("5s", "10m"),
    },
    Setting {
        name: "EVENKEEL_SURGE_PERCENT",
        default: "100",
        meaning: "how much of a group a rollout replaces at once: 100 doubles it",
        takes: Takes::Number(1, 100),
    },
    Setting {
        name: "EVENKEEL_CANARY",
        default: "0",
        meaning: "instances in a first wave of their own",
        takes: Takes::Number(0, 100),
    },
    Setting {
        name: "EVENKEEL_LAUNCH_TIMEOUT",
        default: "10m",
        meaning: "for the new instances of a wave to be ready; then a smaller wave, or the way back",
        takes: Takes::Duration("10s", "4h"),
    },
    Setting {
        name: "EVENKEEL_DRAIN_TIMEOUT",
        default: "30m",
        meaning: "for the old instances of a wave to be empty, and for the services to be steady after it",
        takes: Takes::Duration("10s", "24h"),
    },
    Setting {
        name: "EVENKEEL_ON_DRAIN_TIMEOUT",
        default: "rollback",
        meaning: "`rollback`, `hold` (wait for a person) or `force` (terminate with what is left on them)",
        takes: Takes::Words(&["rollback", "hold", "force"]),
    },
    Setting {
        name: "EVENKEEL_BAKE_TIME",
        default: "0s",
        meaning: "how long the empty old instances are kept in reserve",
        takes: Takes::Duration("0s", "24h"),
    },
    Setting {
        name: "EVENKEEL_ROLLOUT_TIMEOUT",
        default: "4h",
        meaning: "for a whole rollout, then it is taken back, or ends with the wave it is in",
        takes: Takes::Duration("1m", "7d"),
    },
    Setting {
        name: "EVENKEEL_HEALTHY_AFTER",
        default: "40s",
        meaning: "RUNNING for so long counts as healthy where nothing reports health",
        takes: Takes::Duration("0s", "1h"),
    },
];
