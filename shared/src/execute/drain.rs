//! Carrying out one step of a drain. Every call names its instance and may be made twice.

use futures::future::{BoxFuture, FutureExt, TryFutureExt, join};

use crate::aws::Aws;
use crate::error::Error;
use crate::ids::{GroupName, InstanceId, TaskArn};
use crate::observe::drain::Registration;
use crate::plan::drain::record::{Asked, DRAIN_ATTRIBUTE, DrainRecord, SUBSTITUTE_ATTRIBUTE};
use crate::plan::drain::step::{Completion, Step};
use crate::report::{Action, ActionOutcome};

use super::outcome;

/// How Auto Scaling says that a lifecycle action is over already; the code alone, `ValidationError`, says anything.
const NOT_ACTIVE: &str = "No active Lifecycle Action";

/// One call; what AWS refused, if it did. Boxed, as the SDK's futures take twenty kilobytes each.
type Call<'c> = BoxFuture<'c, Result<Option<String>, Error>>;

/// What one step works on.
#[derive(Clone, Copy, Debug)]
pub struct ExecuteDrain<'a> {
    /// AWS.
    pub aws: &'a Aws,
    /// Where the instance is registered.
    pub registration: &'a Registration,
    /// Which instance.
    pub instance: &'a InstanceId,
    /// Its group, if it is in one.
    pub group: Option<&'a GroupName>,
    /// The lifecycle hook that is ours.
    pub hook: &'a str,
    /// Writes nothing, says what would be called.
    pub dry_run: bool,
    /// Whether every second counts, so that a record goes out beside the change that it announces, not before it.
    pub is_urgent: bool,
}

impl ExecuteDrain<'_> {
    /// Carries out `step` and returns what was done, one entry a call.
    pub async fn execute_drain(&self, step: &Step) -> Vec<Action> {
        match step {
            Step::Drain => vec![self.drain().await],
            Step::Record(record) => vec![self.record(record).await],
            Step::RecordAsked(asked) => vec![self.put(SUBSTITUTE_ATTRIBUTE, asked.word()).await],
            Step::Replace { asked, is_recorded: true } => vec![self.ask(*asked).await],
            Step::Replace { asked, is_recorded: false } => self.replace(*asked).await,
            Step::Unprotect(tasks) => self.unprotect(tasks).await,
            Step::StopTask(task) => vec![self.stop_task(task).await],
            Step::Heartbeat => vec![self.heartbeat().await],
            Step::Complete(completion) => vec![self.complete(*completion).await],
            Step::Retire(completion) => vec![self.retire(*completion).await],
            Step::GiveBack => self.give_back().await,
            Step::Deregister => vec![self.deregister().await],
        }
    }

    async fn drain(&self) -> Action {
        let why = "nothing new is placed on it, and ECS moves its service tasks".to_owned();
        let call = self.aws.set_draining(&self.registration.cluster, &self.registration.arn, true);
        let answer = self.call(answered(call)).await;
        self.action("UpdateContainerInstancesState", why, answer)
    }

    async fn record(&self, record: &DrainRecord) -> Action {
        self.put(DRAIN_ATTRIBUTE, &record.to_string()).await
    }

    async fn put(&self, name: &'static str, value: &str) -> Action {
        let Registration { cluster, arn } = self.registration;
        let answer = self.call(done(self.aws.put_attribute(cluster, arn, name, value))).await;
        self.action("PutAttributes", format!("{name}={value}"), answer)
    }

    async fn delete(&self, name: &'static str) -> Action {
        let Registration { cluster, arn } = self.registration;
        let answer = self.call(done(self.aws.delete_attribute(cluster, arn, name))).await;
        self.action("DeleteAttributes", name.to_owned(), answer)
    }

    async fn replace(&self, asked: Asked) -> Vec<Action> {
        if self.is_urgent {
            let (recorded, replaced) =
                join(self.put(SUBSTITUTE_ATTRIBUTE, asked.word()), self.ask(asked)).await;
            return vec![recorded, replaced];
        }
        let recorded = self.put(SUBSTITUTE_ATTRIBUTE, asked.word()).await;
        if !recorded.outcome.is_accepted() {
            return vec![recorded];
        }
        vec![recorded, self.ask(asked).await]
    }

    async fn ask(&self, asked: Asked) -> Action {
        let Some(group) = self.group else {
            return self.action(operation(asked), "a substitute".to_owned(), no_group());
        };
        let why = format!("group {group} launches a substitute at once; its size stays");
        let answer = match asked {
            Asked::Terminate => self.call(done(self.aws.terminate_in_group(self.instance))).await,
            Asked::Detach => self.call(done(self.aws.detach(group, self.instance))).await,
            Asked::Surge => {
                self.call(done(self.aws.enter_standby(group, std::slice::from_ref(self.instance)))).await
            }
        };
        self.action(operation(asked), why, answer)
    }

    async fn unprotect(&self, tasks: &[TaskArn]) -> Vec<Action> {
        let mut actions = Vec::new();
        for batch in tasks.chunks(crate::aws::PROTECTION_BATCH) {
            let call = self.aws.unprotect(&self.registration.cluster, batch);
            let answer = self.call(answered(call)).await;
            let why = format!("{} tasks whose move gives way to the drain", batch.len());
            actions.push(self.action("UpdateTaskProtection", why, answer));
        }
        actions
    }

    async fn stop_task(&self, task: &TaskArn) -> Action {
        let why = format!("standalone task {}: no drain stops it, and its host is going away", task.short());
        self.aws.wait_for_stop().await;
        let reason = "Evenkeel drains its container instance";
        let answer = self.call(done(self.aws.stop_task(&self.registration.cluster, task, reason))).await;
        self.action("StopTask", why, answer)
    }

    async fn heartbeat(&self) -> Action {
        let operation = "RecordLifecycleActionHeartbeat";
        let why = format!("lifecycle hook {} holds it until it is empty", self.hook);
        let Some(group) = self.group else { return self.action(operation, why, no_group()) };
        let answer = self.call(done(self.aws.heartbeat(group, self.hook, self.instance))).await;
        self.action(operation, why, answer)
    }

    async fn complete(&self, completion: Completion) -> Action {
        let operation = "CompleteLifecycleAction";
        let why = words(completion);
        let Some(group) = self.group else { return self.action(operation, why, no_group()) };
        let answer = self.aws.complete_lifecycle_action(group, self.hook, self.instance);
        let answer = self.call(done(answer)).await;
        self.action(operation, why, answer)
    }

    async fn retire(&self, completion: Completion) -> Action {
        let why = format!("on standby, its substitute is asked for; {}", words(completion));
        let answer = self.call(done(self.aws.terminate_in_group(self.instance))).await;
        self.action("TerminateInstanceInAutoScalingGroup", why, answer)
    }

    async fn deregister(&self) -> Action {
        let why = "its host is terminated, and its agent was not connected to say so".to_owned();
        let answer = self.aws.deregister(&self.registration.cluster, &self.registration.arn);
        let answer = self.call(done(answer)).await;
        self.action("DeregisterContainerInstance", why, answer)
    }

    /// ACTIVE first: a record without DRAINING is taken up again, DRAINING without a record would be somebody else's.
    async fn give_back(&self) -> Vec<Action> {
        let registration = self.registration;
        let why = "what was announced never came: it takes tasks again".to_owned();
        let call = self.aws.set_draining(&registration.cluster, &registration.arn, false);
        let answer = self.call(answered(call)).await;
        let is_done = answer.is_accepted();
        let mut actions = vec![self.action("UpdateContainerInstancesState", why, answer)];
        if is_done {
            // The record last: as long as it is there, this is taken up again.
            actions.push(self.delete(SUBSTITUTE_ATTRIBUTE).await);
            actions.push(self.delete(DRAIN_ATTRIBUTE).await);
        }
        actions
    }

    /// Makes a call unless this is a dry run. It answers with AWS's refusal, if there is one.
    async fn call(&self, call: Call<'_>) -> ActionOutcome {
        if self.dry_run {
            return ActionOutcome::Planned;
        }
        match call.await {
            Ok(None) => ActionOutcome::Done,
            Ok(Some(refusal)) => ActionOutcome::Refused(refusal),
            Err(error) if error.chain().contains(NOT_ACTIVE) => {
                ActionOutcome::Refused("its lifecycle action is over already".to_owned())
            }
            Err(error) => outcome(Err(error)),
        }
    }

    fn action(&self, operation: &'static str, why: String, outcome: ActionOutcome) -> Action {
        let resource = self.instance.to_string();
        let (at, cluster) = (self.aws.now(), self.registration.cluster.clone());
        Action { at, cluster, operation, resource, why, outcome }
    }
}

fn operation(asked: Asked) -> &'static str {
    match asked {
        Asked::Terminate => "TerminateInstanceInAutoScalingGroup",
        Asked::Detach => "DetachInstances",
        Asked::Surge => "EnterStandby",
    }
}

fn words(completion: Completion) -> String {
    match completion {
        Completion::Empty => "empty: every task on it was seen STOPPED, twice".to_owned(),
        Completion::Gone => "its deadline is up, and it is registered no longer".to_owned(),
        Completion::DeadlineExpired(Some(tasks)) => {
            format!("deadlineExpired: {tasks} tasks on it were not seen STOPPED")
        }
        Completion::DeadlineExpired(None) => {
            "deadlineExpired: which tasks are on it could not be told".to_owned()
        }
    }
}

fn no_group() -> ActionOutcome {
    ActionOutcome::Refused("it is in no group any more".to_owned())
}

/// A call that is done or fails.
fn done<'c>(call: impl Future<Output = Result<(), Error>> + Send + 'c) -> Call<'c> {
    call.map_ok(|()| None).boxed()
}

/// A call whose answer names what was refused, in `failures[]`.
fn answered<'c>(call: impl Future<Output = Result<Vec<String>, Error>> + Send + 'c) -> Call<'c> {
    call.map_ok(|failures| (!failures.is_empty()).then(|| failures.join(", "))).boxed()
}
