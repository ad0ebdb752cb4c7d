//! What an invocation is asked to do.
//!
//! An EventBridge envelope is told by its `detail-type`; a `Scheduled Event` means every configured cluster. Anything
//! else is a command: `{}`, which EventBridge Scheduler sends as its bare input, means the same, and
//! `{"cluster":"web","dryRun":true,"skewThreshold":30,"maxMoves":10}` is about one cluster, every other field optional.
//! `{"action":"release","cluster":"web","dryRun":true}` undoes everything of Evenkeel's there; `dryRun` is optional.

use evenkeel::error::{Error, Fault};
use evenkeel::ids::ClusterName;
use evenkeel::percent::Percent;
use evenkeel::settings::{max_moves, skew_threshold};
use evenkeel::turn::Job;
use serde::Deserialize;
use serde_json::Value;

/// A parsed event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// What to do.
    pub job: Job,
    /// The one cluster it is about; none = all that are configured.
    pub cluster: Option<ClusterName>,
    /// Asks for a dry run.
    pub dry_run: bool,
    /// Threshold instead of the configured one.
    pub skew_threshold: Option<Percent>,
    /// Move budget instead of the configured one.
    pub max_moves: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    action: Option<String>,
    cluster: Option<String>,
    dry_run: Option<bool>,
    skew_threshold: Option<i64>,
    max_moves: Option<i64>,
}

/// Parses an event; every fault is named, and nothing was done.
pub fn parse(event: Value, region: &str) -> Result<Command, Error> {
    let kind =
        event.get("detail-type").map(|kind| kind.as_str().map_or_else(|| kind.to_string(), str::to_owned));
    match kind.as_deref() {
        Some("Scheduled Event") => Ok(Command::default()),
        Some(other) => Err(Error::event("detail-type", format!("is '{other}', expected 'Scheduled Event'"))),
        // The members of an array would be taken for those of an object in their order.
        None if !event.is_object() => Err(Error::event("command", "is no JSON object")),
        None => {
            let fields = serde_path_to_error::deserialize(event).map_err(misread)?;
            checked(fields, region)
        }
    }
}

/// Names the field that could not be read, or the command as a whole.
fn misread(error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = error.path().to_string();
    let place = if path == "." || path.is_empty() { "command".to_owned() } else { path };
    Error::event(&place, format!("cannot be read: {}", error.into_inner()))
}

fn checked(fields: Fields, region: &str) -> Result<Command, Error> {
    let (job, mut faults) = job(&fields);
    let is_bare = fields.cluster.is_none();
    let narrows = fields.dry_run.is_some() || fields.skew_threshold.is_some() || fields.max_moves.is_some();
    if is_bare && (narrows || job == Job::Release) {
        faults.push(Fault { at: "cluster".to_owned(), what: "is missing".to_owned() });
    }
    let mut keep = |fault: Fault| faults.push(fault);
    let cluster = fields.cluster.and_then(|text| {
        ClusterName::parse(&text, region).map_err(|what| keep(Fault { at: "cluster".to_owned(), what })).ok()
    });
    let skew_threshold = fields.skew_threshold.and_then(|it| skew_threshold(it).map_err(&mut keep).ok());
    let max_moves = fields.max_moves.and_then(|it| max_moves(it).map_err(&mut keep).ok());
    let command =
        Command { job, cluster, dry_run: fields.dry_run.unwrap_or(false), skew_threshold, max_moves };
    if faults.is_empty() { Ok(command) } else { Err(Error::Event(faults)) }
}

/// What is to be done, and the faults of an action that is unknown or whose fields are another's.
fn job(fields: &Fields) -> (Job, Vec<Fault>) {
    let fault = |at: &str, what: String| Fault { at: at.to_owned(), what };
    match fields.action.as_deref() {
        None => (Job::Rebalance, Vec::new()),
        Some("release") => {
            let given = [("skewThreshold", fields.skew_threshold), ("maxMoves", fields.max_moves)];
            let alien = given.into_iter().filter(|(_, value)| value.is_some());
            let what = "means nothing to the action 'release', which begins no move";
            (Job::Release, alien.map(|(at, _)| fault(at, what.to_owned())).collect())
        }
        Some(other) => {
            (Job::Rebalance, vec![fault("action", format!("is '{other}', the only one is 'release'"))])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As documented: Amazon EventBridge User Guide, "Create a rule that runs on a schedule".
    fn scheduled_event() -> Value {
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-01-02T03:04:06Z",
            "region": "us-east-1", "resources": ["arn:aws:events:us-east-1:123456789012:rule/my-scheduled-rule"],
            "detail": {}
        })
    }

    #[test]
    fn schedules_and_the_empty_command_mean_every_cluster() {
        assert_eq!(parse(scheduled_event(), "us-east-1").unwrap(), Command::default());
        assert_eq!(parse(json!({}), "us-east-1").unwrap(), Command::default());
    }

    #[test]
    fn a_command_names_its_cluster() {
        let event = json!({"cluster": "web", "dryRun": true, "skewThreshold": 40, "maxMoves": 3});
        let command = parse(event, "us-east-1").unwrap();
        assert_eq!(command.cluster, Some(ClusterName::new("web")));
        assert!(command.dry_run);
        assert_eq!((command.skew_threshold, command.max_moves), (Some(Percent::new(40)), Some(3)));
    }

    #[test]
    fn a_release_names_its_cluster_too() {
        let event = json!({"action": "release", "cluster": "web", "dryRun": true});
        let command = parse(event, "us-east-1").unwrap();
        let cluster = Some(ClusterName::new("web"));
        assert_eq!(command, Command { job: Job::Release, cluster, dry_run: true, ..Command::default() });
    }

    #[test]
    fn bad_input_is_refused_with_what_and_where() {
        let cases = [
            (json!({"cluster": "web", "skewTreshold": 30}), "skewTreshold"),
            (json!({"cluster": "web", "skewThreshold": -1}), "skewThreshold is -1"),
            (json!({"cluster": "web", "skewThreshold": 3000}), "skewThreshold is 3000"),
            (json!({"cluster": "web", "maxMoves": 0}), "maxMoves is 0"),
            (json!({"cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/web"}), "Region eu-west-1"),
            (json!({"cluster": "web", "maxMoves": "ten"}), "maxMoves cannot be read"),
            (json!({"dryRun": true}), "cluster is missing"),
            (json!({"action": "release"}), "cluster is missing"),
            (json!({"action": "releese", "cluster": "web"}), "action is 'releese'"),
            (json!({"action": "", "cluster": "web"}), "action is ''"),
            (json!({"action": 1, "cluster": "web"}), "action cannot be read"),
            (
                json!({"action": "release", "cluster": "web", "skewThreshold": 9}),
                "skewThreshold means nothing",
            ),
            (json!({"action": "release", "cluster": "web", "maxMoves": 9}), "maxMoves means nothing"),
            (json!(["web"]), "command"),
            (json!("web"), "command"),
            (json!({"detail-type": "EC2 Spot Instance Interruption Warning"}), "EC2 Spot"),
        ];
        for (event, expected) in cases {
            let text = parse(event.clone(), "us-east-1").unwrap_err().to_string();
            assert!(text.contains(expected), "{event}: {text}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        let event = json!({"cluster": "a b", "skewThreshold": -1, "maxMoves": -1});
        let text = parse(event, "us-east-1").unwrap_err().to_string();
        assert!(
            text.contains("cluster") && text.contains("skewThreshold") && text.contains("maxMoves"),
            "{text}"
        );
    }
}
