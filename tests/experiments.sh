#!/usr/bin/env bash
# Asks a real AWS account what AWS's documentation leaves open, and says which row of FIDELITY.md each answer settles.
#
# It reads, and it changes only what it has created itself: one ECS cluster, one Auto Scaling group of two or three of the
# smallest instances in the default VPC, and one service of four containers that sleep (and what these need). Everything is tagged and is deleted
# at the end, also after an error or an interrupt.
#
#   ./experiments.sh --plan        says what every step does, costs and tells; calls nothing
#   ./experiments.sh               asks before it creates anything
#   ./experiments.sh --help        all options
#
# Needs bash 3.2 or newer, the AWS CLI version 2, and credentials that may do what the plan says.
# Costs are estimates from list prices of us-east-1; AWS's price pages decide.
set -euo pipefail

export AWS_PAGER=""
# Times that AWS gives are compared with each other, never with the clock of this machine.
export TZ=UTC LC_ALL=C

readonly PREFIX="evenkeel-fid-"
readonly TAG_KEY="evenkeel-fidelity"
readonly DEFAULT_STEPS="limits texts again stop lower blocked protected halfway standby exit standbyend substitute pending host reservation launch scheduler"
readonly ALL_STEPS="$DEFAULT_STEPS balancer"
# Answers to SIGTERM after fifteen seconds, so that a task can be seen on its way out.
readonly SLEEPER="trap 'sleep 15; exit 0' TERM; while :; do sleep 1; done"
# Answers to SIGTERM at once, so that the end of the container tells when the signal came.
readonly SERVER="mkdir -p /www; echo ok > /www/index.html; httpd -p 80 -h /www; trap 'exit 0' TERM; while :; do sleep 1; done"

mode=run
agreed=no
region=""
arch=arm64
instance_type=""
market=on-demand
profile=""
selected=""
with_balancer=no
name=""
created=no
work=""

# What is asked, for --plan and before each step.

plan_of() {
    case "$1" in
    setup) cat <<'TEXT'
does   Creates a cluster, a security group without ingress, a launch template, an Auto Scaling group (0 to 2, two wanted),
       a capacity provider for it (managed scaling with its alarms suspended, no managed draining), a role with an instance
       profile unless --instance-profile names one, a task definition and a service of four tasks.
costs  about 1.3 cents for each instance and hour (instance, 30 GB of disk, public address): 4 cents for all
takes  4 minutes
tells  nothing yet
TEXT
        ;;
    limits) cat <<'TEXT'
does   Names eleven container instances in one UpdateContainerInstancesState (status ACTIVE, which they have).
costs  nothing
takes  some seconds
tells  C10: InvalidParameterException is what the simulator answers; anything else is written into it.
TEXT
        ;;
    texts) cat <<'TEXT'
does   Provokes three refusals of Auto Scaling: a size above the maximum, a lifecycle action that is not open, an instance
       that nobody knows.
costs  nothing
takes  some seconds
tells  G15: the second text holds "No active Lifecycle Action", or the report of a drain calls it failed instead of refused.
       A10, G22: the code of all three is ValidationError.
TEXT
        ;;
    again) cat <<'TEXT'
does   Sets one instance DRAINING twice, then ACTIVE.
costs  nothing
takes  1 or 2 minutes
tells  C9: answered under containerInstances: draining_again_succeeds = true. Under failures, or an error: false.
TEXT
        ;;
    stop) cat <<'TEXT'
does   Protects one task of the service and stops it by StopTask. Compares the task's stoppingAt with the createdAt of its
       replacement.
costs  nothing
takes  1 or 2 minutes
tells  S6: accepted: as simulated. Refused: a task that others protect holds StopTask up, which no test plays.
       S7: two to six seconds are simulated.
TEXT
        ;;
    lower) cat <<'TEXT'
does   Three times: protects all tasks of the service but one, lowers the desired count by one, sees which task goes.
costs  nothing
takes  5 minutes
tells  S2: the unprotected one in all three rounds: update_service_spares_protected = true (by chance one time in 64).
       Another one in any round: false.
TEXT
        ;;
    blocked) cat <<'TEXT'
does   Protects as many tasks as are desired; lowers the desired count below that; protects one of them anew.
costs  nothing
takes  2 minutes
tells  S3: DEPLOYMENT_BLOCKED at the first call: fewer may be protected than the simulator allows. Only at the last: AWS
       refuses also what is protected already, which the simulator does not. Never: as simulated.
TEXT
        ;;
    protected) cat <<'TEXT'
does   Protects one task of an instance and sets that DRAINING; looks for two minutes whether the task stays. Prints the
       counts of the instance while other tasks stop. Then takes the protection away and lets the instance get empty.
costs  nothing
takes  4 minutes
tells  C16: stays: drain_stops_protected = false. Stopped: true.
       C11: the counts leave out tasks that are stopping, or they do not. The stopCode of drained tasks.
TEXT
        ;;
    halfway) cat <<'TEXT'
does   Sets an instance DRAINING, waits for the first substitute to run, sets it ACTIVE again.
costs  nothing
takes  3 minutes
tells  C8: the count returns to the desired one, and old tasks stay or go by the rules of scale-in: as simulated. Tasks that
       are stopped although nothing drains any more, below the desired count: P1 is at risk on the way back of a rollout.
TEXT
        ;;
    standby) cat <<'TEXT'
does   Puts an instance on standby without decrement in a group at its maximum; waits for a substitute; then terminates the
       instance on standby by name without decrement.
costs  under a cent (one more instance)
takes  4 minutes
tells  G1, G2: accepted and one more launched: as simulated. G9: the seconds in EnteringStandby; more than a few are
       not played. G5: nothing more launched after the termination: as simulated. One more: drains and rollouts launch in
       vain, and the simulator has to learn it.
TEXT
        ;;
    exit) cat <<'TEXT'
does   Puts an instance that is protected from scale-in on standby with decrement; suspends Launch and Terminate, as
       Evenkeel's way back does; calls ExitStandby; resumes both and calls it again.
costs  nothing
takes  2 minutes
tells  G4: refused while suspended: the way back of a rollout fails as it is now. Accepted: AWS's page is wrong, the simulator
       right. G3: the desired capacity rises by one. G8: the protection is there afterwards.
TEXT
        ;;
    standbyend) cat <<'TEXT'
does   With a terminate hook: terminates an instance that is on standby by name without decrement; terminates it again, and
       again with decrement; sets the desired capacity meanwhile; completes the action twice.
costs  under a cent
takes  5 minutes
tells  G6: Terminating:Wait: hooks hold it. G12: the second call answered: terminating_again = Answered; the third lowers the
       desired capacity: Decremented; ScalingActivityInProgress: Refused. G23: the size is refused meanwhile:
       activity_blocks_size_changes = true. G15: the text of the second completion.
TEXT
        ;;
    substitute) cat <<'TEXT'
does   With a terminate hook: terminates an instance in service by name without decrement and looks for ninety seconds
       whether another is launched; then completes the action.
costs  under a cent
takes  4 minutes
tells  G11: launched while the hook holds: substitute_waits_for_hook = false. Only afterwards: true.
TEXT
        ;;
    pending) cat <<'TEXT'
does   With a launch hook that holds the newcomer: asks for a third instance, and for two again while that is on its way in.
costs  under a cent
takes  4 minutes
tells  G21: the newcomer goes: scale_in_takes_pending = true. An older one goes: false. G23: ScalingActivityInProgress:
       activity_blocks_size_changes = true.
TEXT
        ;;
    host) cat <<'TEXT'
does   Terminates an instance by EC2's TerminateInstances with its agent connected, and waits until ECS has deregistered it.
costs  under a cent
takes  4 minutes
tells  C13: the seconds until then. The stopCode and stoppedReason of tasks whose host is gone.
TEXT
        ;;
    reservation) cat <<'TEXT'
does   Reads the metric CapacityProviderReservation with one of two instances DRAINING and empty, then with that one on
       standby; the alarms of managed scaling stay suspended. Turns managed draining on and reads the hook that ECS puts on the
       group; turns it off again.
costs  nothing
takes  11 minutes
tells  K2: 50 while one drains: reservation_counts_draining = true; 100: false. K3: whether an instance on standby counts.
       K5: name, heartbeat and default result of the hook.
TEXT
        ;;
    launch) cat <<'TEXT'
does   Calls LaunchInstances for one instance more. Left out if this AWS CLI does not know it.
costs  under a cent
takes  2 minutes
tells  G28: whether the desired capacity rises. Nothing rests on it today.
TEXT
        ;;
    scheduler) cat <<'TEXT'
does   Lets EventBridge Scheduler hand one message without an input to an SQS queue, and prints it.
costs  nothing
takes  2 or 3 minutes
tells  E9: the default payload. Nothing rests on it as long as the schedules are EventBridge rules.
TEXT
        ;;
    balancer) cat <<'TEXT'
does   Only with --load-balancer: puts a service behind an internal Application Load Balancer with a deregistration delay of
       thirty seconds. Stops one task, then drains one instance, and compares stoppingAt with executionStoppedAt of tasks that
       end as soon as they are told to.
costs  3 to 6 cents (a load balancer is billed by the hour)
takes  10 minutes
tells  S8: thirty seconds or more after StopTask: stop_task_deregisters_first = true. Some seconds: false. C19: the same for
       the drain, for which there is no switch.
TEXT
        ;;
    esac
}

usage() {
    cat <<TEXT
usage: $0 [options]

  --plan                   print the steps and call nothing
  --yes                    do not ask before creating
  --region REGION          AWS Region; else that of the AWS CLI's configuration
  --only STEP[,STEP...]    only these steps: $ALL_STEPS
  --load-balancer          also the step balancer
  --arch arm64|x86_64      t4g.nano (default) or t3.nano
  --type TYPE              another instance type of that architecture, should the smallest not suffice
  --spot                   Spot instances instead of On-Demand ones
  --instance-profile NAME  an instance profile for ECS that is there already; else one is created
  --clean NAME             delete what a run of that name has left behind, and nothing else
  --help                   this text
TEXT
}

wrong() {
    printf '%s: %s\n' "$0" "$1" >&2
    printf 'Try %s --help\n' "$0" >&2
    exit 2
}

value_of() {
    if [ "$#" -lt 2 ] || [ -z "$2" ]; then wrong "$1 needs a value"; fi
    case "$2" in
    --*) wrong "$1 needs a value, and $2 is an option" ;;
    esac
    printf '%s' "$2"
}

is_step() {
    case " $ALL_STEPS " in
    *" $1 "*) return 0 ;;
    *) return 1 ;;
    esac
}

parse() {
    while [ "$#" -gt 0 ]; do
        case "$1" in
        --plan) mode=plan ;;
        --yes) agreed=yes ;;
        --spot) market=spot ;;
        --load-balancer) with_balancer=yes ;;
        --region) region=$(value_of "$@"); shift ;;
        --arch) arch=$(value_of "$@"); shift ;;
        --type) instance_type=$(value_of "$@"); shift ;;
        --instance-profile) profile=$(value_of "$@"); shift ;;
        --only) selected=$(value_of "$@"); shift ;;
        --clean) mode=clean; name=$(value_of "$@"); shift ;;
        --help | -h) usage; exit 0 ;;
        *) wrong "unknown argument: $1" ;;
        esac
        shift
    done
    case "$arch" in
    arm64) : "${instance_type:=t4g.nano}" ;;
    x86_64) : "${instance_type:=t3.nano}" ;;
    *) wrong "--arch is arm64 or x86_64, not $arch" ;;
    esac
    if ! [[ "$instance_type" =~ ^[a-z][a-z0-9-]*\.[a-z0-9-]+$ ]]; then wrong "--type is no instance type: $instance_type"; fi
    if [ -n "$region" ] && ! [[ "$region" =~ ^[a-z]{2}(-[a-z]+)+-[0-9]+$ ]]; then wrong "--region is no Region: $region"; fi
    if [ "$mode" = clean ] && ! [[ "$name" =~ ^evenkeel-fid-[0-9]+$ ]]; then
        wrong "--clean takes a name that this script gave, such as ${PREFIX}1760000000, not $name"
    fi
    local step
    if [ -z "$selected" ]; then
        selected=$DEFAULT_STEPS
        if [ "$with_balancer" = yes ]; then selected=$ALL_STEPS; fi
    else
        if ! [[ "$selected" =~ ^[a-z]+(,[a-z]+)*$ ]]; then wrong "--only takes steps with commas between them, not $selected"; fi
        selected=${selected//,/ }
        for step in $selected; do
            if ! is_step "$step"; then wrong "no such step: $step (there are: $ALL_STEPS)"; fi
            if [ "$step" = balancer ] && [ "$with_balancer" = no ]; then wrong "the step balancer needs --load-balancer"; fi
        done
        if [ "$with_balancer" = yes ]; then
            case " $selected " in
            *" balancer "*) ;;
            *) selected="$selected balancer" ;;
            esac
        fi
    fi
}

print_plan() {
    local step number=0
    printf 'Instances: %s, %s. Steps:\n' "$instance_type" "$market"
    for step in setup $selected; do
        printf '\n%2d. %s\n' "$number" "$step"
        plan_of "$step" | sed 's/^/    /'
        number=$((number + 1))
    done
    printf '\nAt the end, and after any error, all that was created is deleted, and the answers are printed as a table.\n'
    printf 'All steps together take about an hour, longer where AWS is slow, and cost well under one US dollar.\n'
}

# Small helpers.

say() { printf '    %s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# One line of the table: step, row, what was seen, what it means.
answer() {
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$work/answers"
    say "$2: $3 => $4"
}

# Runs a command, and leaves what it says in $said.
said=""
try() {
    local status=0
    said=$("$@" 2>&1) || status=$?
    said=$(printf '%s' "$said" | tr -s '\n\t ' ' ')
    said=${said# }
    return "$status"
}

# Seconds of a time that AWS gives, such as 2026-01-02T03:04:05.678000+00:00.
seconds() {
    local plain=${1%%.*}
    plain=${plain%%+*}
    plain=${plain%Z}
    date -u -d "$plain" +%s 2>/dev/null || date -u -j -f '%Y-%m-%dT%H:%M:%S' "$plain" +%s
}

# await SECONDS WORDS COMMAND...: asks every three seconds; false if the time is up.
await() {
    local deadline=$((SECONDS + $1)) words=$2
    shift 2
    say "waits for $words"
    until "$@"; do
        if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
        sleep 3
    done
}

count() { printf '%s' "$#"; }

# Reading. AWS CLI prints None for what is not there.

group() { aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names "$name" --query "AutoScalingGroups[0].$1" --output text; }

members() { group "Instances[?LifecycleState=='$1'].InstanceId"; }

everybody() { group "Instances[].[InstanceId,LifecycleState]"; }

state_of() {
    local state
    state=$(group "Instances[?InstanceId=='$1'].LifecycleState | [0]")
    printf '%s' "$state"
}

is_in_state() { [ "$(state_of "$1")" = "$2" ]; }

is_gone() { [ "$(state_of "$1")" = None ]; }

# shellcheck disable=SC2046 # ids are words
members_are() { [ "$(count $(members InService))" -eq "$1" ] && [ "$(count $(group 'Instances[].InstanceId'))" -eq "$2" ]; }

registrations() {
    local arns
    arns=$(aws ecs list-container-instances --cluster "$name" --query 'containerInstanceArns[]' --output text)
    if [ -z "$arns" ] || [ "$arns" = None ]; then return 0; fi
    # shellcheck disable=SC2086 # ARNs are words
    aws ecs describe-container-instances --cluster "$name" --container-instances $arns --query "$1" --output text
}

# Two in service and nobody on the way; what is left on standby is for a person to look at.
# shellcheck disable=SC2046 # ids are words
is_settled() {
    [ "$(count $(members InService))" -eq 2 ] && [ "$(count $(group "Instances[?LifecycleState!='InService' && LifecycleState!='Standby'].InstanceId"))" -eq 0 ]
}

# shellcheck disable=SC2046 # ids are words
serving_are() { [ "$(count $(registrations "containerInstances[?status=='ACTIVE' && agentConnected].containerInstanceArn"))" -ge "$1" ]; }

# The instance with most tasks: its ARN and its id.
fullest() { registrations 'sort_by(containerInstances,&runningTasksCount)[-1].[containerInstanceArn,ec2InstanceId]'; }

tasks() {
    local found
    found=$(aws ecs list-tasks --cluster "$name" --service-name "${2:-app}" --desired-status "${1:-RUNNING}" --query 'taskArns[]' --output text)
    if [ "$found" != None ]; then printf '%s' "$found"; fi
}

tasks_on() {
    local found
    found=$(aws ecs list-tasks --cluster "$name" --container-instance "$1" --desired-status "${2:-RUNNING}" --query 'taskArns[]' --output text)
    if [ "$found" != None ]; then printf '%s' "$found"; fi
}

# task ARN MEMBERS: some members of one task.
task() { aws ecs describe-tasks --cluster "$name" --tasks "$1" --query "tasks[0].$2" --output text; }

# How many tasks are RUNNING and meant to be.
running() {
    local arns
    arns=$(tasks)
    if [ -z "$arns" ]; then
        printf 0
        return 0
    fi
    # shellcheck disable=SC2086 # ARNs are words
    aws ecs describe-tasks --cluster "$name" --tasks $arns --query "length(tasks[?lastStatus=='RUNNING'])" --output text
}

runs_exactly() { [ "$(running)" = "$1" ]; }

service() { aws ecs describe-services --cluster "$name" --services "${2:-app}" --query "services[0].$1" --output text; }

is_steady() {
    [ "$(service '[desiredCount,runningCount,pendingCount,length(deployments)]' | tr -s '\t ' ' ')" = "$1 $1 0 1" ]
}

has_stopped() { [ "$(task "$1" lastStatus)" = STOPPED ]; }

is_empty() { [ -z "$(tasks_on "$1" RUNNING)" ] && all_stopped "$1"; }

all_stopped() {
    local arns
    arns=$(tasks_on "$1" STOPPED)
    if [ -z "$arns" ]; then return 0; fi
    # shellcheck disable=SC2086 # ARNs are words
    [ "$(aws ecs describe-tasks --cluster "$name" --tasks $arns --query "length(tasks[?lastStatus!='STOPPED'])" --output text)" = 0 ]
}

# Writing.

set_status() { aws ecs update-container-instances-state --cluster "$name" --status "$1" --container-instances "$2" --query 'failures[].reason' --output text; }

desire() { aws ecs update-service --cluster "$name" --service app --desired-count "$1" --query service.desiredCount --output text; }

# protect TASK...: two hours; prints the reasons of failures.
protect() { aws ecs update-task-protection --cluster "$name" --protection-enabled --tasks "$@" --query 'failures[].[reason,detail]' --output text; }

unprotect_all() {
    local arns
    arns=$(tasks)
    if [ -n "$arns" ]; then
        # shellcheck disable=SC2086 # ARNs are words
        aws ecs update-task-protection --cluster "$name" --no-protection-enabled --tasks $arns --query 'failures[].reason' --output text >"$work/ignored"
    fi
}

terminate() { aws autoscaling terminate-instance-in-auto-scaling-group --instance-id "$1" "$2" --query Activity.StatusCode --output text; }

hook() {
    aws autoscaling put-lifecycle-hook --auto-scaling-group-name "$name" --lifecycle-hook-name "$1" \
        --lifecycle-transition "autoscaling:EC2_INSTANCE_$2" --heartbeat-timeout 300 --default-result CONTINUE
}

unhook() { aws autoscaling delete-lifecycle-hook --auto-scaling-group-name "$name" --lifecycle-hook-name "$1" >"$work/ignored" 2>&1 || true; }

complete() {
    aws autoscaling complete-lifecycle-action --auto-scaling-group-name "$name" --lifecycle-hook-name "$1" \
        --instance-id "$2" --lifecycle-action-result CONTINUE
}

resize() { aws autoscaling update-auto-scaling-group --auto-scaling-group-name "$name" --min-size 0 --max-size "$1" --desired-capacity "$2"; }

processes() { aws autoscaling "$1-processes" --auto-scaling-group-name "$name" --scaling-processes Launch Terminate; }

# Every step begins with two instances in service, all of them ACTIVE, and four running tasks without protection.
calm() {
    local id arn
    processes resume
    unhook hold
    unhook arrive
    for id in $(members Standby); do
        # What a step that failed has left there; the group has made good for it.
        terminate "$id" --no-should-decrement-desired-capacity >"$work/ignored" 2>&1 || true
    done
    resize 2 2
    for arn in $(registrations "containerInstances[?status=='DRAINING'].containerInstanceArn"); do
        if [ "$arn" != None ]; then set_status ACTIVE "$arn" >"$work/ignored"; fi
    done
    unprotect_all
    desire 4 >"$work/ignored"
    await 480 "two instances in service" is_settled || die "The group does not come to rest: $(everybody | tr -s '\n\t' ' ')"
    await 480 "two connected container instances" serving_are 2 || die "Two instances do not register with the cluster."
    await 360 "four running tasks" is_steady 4 || die "The service does not come to rest."
    await 120 "four running tasks" runs_exactly 4 || die "The service does not run four tasks."
}

# The steps.

step_limits() {
    local real invented
    real=$(registrations 'containerInstances[0].containerInstanceArn')
    invented=$(for number in 1 2 3 4 5 6 7 8 9 a; do printf '%s ' "${number}0000000000000000000000000000000"; done)
    # shellcheck disable=SC2086 # ids are words
    if try aws ecs update-container-instances-state --cluster "$name" --status ACTIVE --container-instances "$real" $invented; then
        answer limits C10 "eleven ids are accepted" "the simulator refuses them: mend it"
    else
        case "$said" in
        *InvalidParameterException*) answer limits C10 "$said" "as simulated" ;;
        *) answer limits C10 "$said" "another error than simulated" ;;
        esac
    fi
}

step_texts() {
    local id
    id=$(members InService | cut -f1)
    if try aws autoscaling set-desired-capacity --auto-scaling-group-name "$name" --desired-capacity 3; then
        answer texts G22 "a size above the maximum is accepted" "the simulator refuses it: mend it"
        resize 2 2
    else
        answer texts G22 "$said" "the code should be ValidationError"
    fi
    hook hold TERMINATING
    if try complete hold "$id"; then
        answer texts G15 "completing what is not open is accepted" "the simulator refuses it: mend it"
    else
        case "$said" in
        *"No active Lifecycle Action"*) answer texts G15 "$said" "as Evenkeel expects" ;;
        *) answer texts G15 "$said" "Evenkeel looks for other words: it reports failed instead of refused" ;;
        esac
    fi
    unhook hold
    if try terminate i-0123456789abcdef0 --no-should-decrement-desired-capacity; then
        answer texts A10 "terminating an unknown instance is accepted" "the simulator refuses it: mend it"
    else
        answer texts A10 "$said" "the code should be ValidationError"
    fi
}

step_again() {
    local arn
    calm
    arn=$(fullest | cut -f1)
    set_status DRAINING "$arn" >"$work/ignored"
    if ! try set_status DRAINING "$arn"; then
        answer again C9 "$said" "an error: draining_again_succeeds = false, and the simulator answers a failure instead"
    elif [ -z "$said" ] || [ "$said" = None ]; then
        answer again C9 "answered without failures" "draining_again_succeeds = true"
    else
        answer again C9 "a failure: $said" "draining_again_succeeds = false"
    fi
    set_status ACTIVE "$arn" >"$work/ignored"
}

# The task of the service that was created last, and when.
youngest() {
    local arns
    arns=$(tasks)
    if [ -z "$arns" ]; then return 0; fi
    # shellcheck disable=SC2086 # ARNs are words
    aws ecs describe-tasks --cluster "$name" --tasks $arns --query 'sort_by(tasks,&createdAt)[-1].[taskArn,createdAt]' --output text
}

is_younger_than() {
    local found
    found=$(youngest | cut -f1)
    [ -n "$found" ] && [ "$found" != "$1" ]
}

step_stop() {
    local victim before asked created_at
    calm
    before=$(youngest | cut -f1)
    victim=$(tasks | cut -f1)
    protect "$victim" >"$work/ignored"
    if ! try aws ecs stop-task --cluster "$name" --task "$victim" --reason "Evenkeel fidelity" --query task.desiredStatus --output text; then
        answer stop S6 "$said" "protection holds StopTask up, which is not simulated"
        return 0
    fi
    answer stop S6 "a protected task is stopped" "as simulated"
    if ! await 120 "the replacement" is_younger_than "$before"; then
        answer stop S7 "none within two minutes" "far slower than simulated"
        return 0
    fi
    await 120 "the end of the task" has_stopped "$victim" || true
    asked=$(seconds "$(task "$victim" stoppingAt)")
    created_at=$(seconds "$(youngest | cut -f2)")
    answer stop S7 "$((created_at - asked)) seconds" "two to six are simulated"
    answer stop - "$(task "$victim" '[stopCode,stoppedReason]' | tr '\t' ' ')" "the words for a stopped task"
}

step_lower() {
    local round victim others kept=0
    for round in 1 2 3; do
        calm
        # Another place in the list each time.
        victim=$(tasks | tr '\t' '\n' | sort | sed -n "$((round + 1))p")
        others=$(tasks | tr '\t' '\n' | grep -vF "$victim")
        # shellcheck disable=SC2086 # ARNs are words
        protect $others >"$work/ignored"
        desire 3 >"$work/ignored"
        await 180 "three running tasks" runs_exactly 3 || die "The service does not shrink."
        if [ "$(task "$victim" desiredStatus)" = STOPPED ]; then kept=$((kept + 1)); fi
    done
    if [ "$kept" -eq 3 ]; then
        answer lower S2 "the unprotected task went in 3 of 3 rounds" "update_service_spares_protected = true"
    else
        answer lower S2 "the unprotected task went in $kept of 3 rounds" "update_service_spares_protected = false"
    fi
}

step_blocked() {
    local all one
    calm
    all=$(tasks)
    one=$(printf '%s' "$all" | cut -f1)
    # shellcheck disable=SC2086 # ARNs are words
    try protect $all || true
    case "$said" in
    *DEPLOYMENT_BLOCKED*) answer blocked S3 "4 of 4 protected: $said" "fewer may be protected than simulated" ;;
    "" | None) answer blocked S3 "4 of 4 protected" "as simulated" ;;
    *) answer blocked S3 "4 of 4: $said" "not foreseen" ;;
    esac
    desire 3 >"$work/ignored"
    sleep 30
    answer blocked S2 "$(running) run after the desired count fell to 3" "4: protection holds; 3: it does not"
    try protect "$one" || true
    case "$said" in
    *DEPLOYMENT_BLOCKED*) answer blocked S3 "renewing with 4 protected and 3 desired: $said" "the simulator allows it" ;;
    *) answer blocked S3 "renewing with 4 protected and 3 desired: ${said:-done}" "as simulated if done" ;;
    esac
}

# Counts of an instance beside the tasks on it that are on their way out.
counts_while_leaving() {
    local arns leaving
    arns=$(tasks_on "$1" STOPPED)
    if [ -z "$arns" ]; then return 1; fi
    # shellcheck disable=SC2086 # ARNs are words
    leaving=$(aws ecs describe-tasks --cluster "$name" --tasks $arns --query "length(tasks[?lastStatus!='STOPPED'])" --output text)
    if [ "$leaving" = 0 ]; then return 1; fi
    local rest
    rest=$(aws ecs describe-container-instances --cluster "$name" --container-instances "$1" --query 'containerInstances[0].[runningTasksCount,pendingTasksCount]' --output text)
    printf '%s on their way out; running and pending counts: %s; wanted: %s\n' "$leaving" "$(printf '%s' "$rest" | tr '\t' ' ')" "$(tasks_on "$1" | wc -w | tr -d ' ')" >"$work/counts"
}

step_protected() {
    local arn one gone
    calm
    arn=$(fullest | cut -f1)
    one=$(tasks_on "$arn" | cut -f1)
    protect "$one" >"$work/ignored"
    set_status DRAINING "$arn" >"$work/ignored"
    if await 240 "a task on its way out" counts_while_leaving "$arn"; then
        answer protected C11 "$(cat "$work/counts")" "the simulator's count is that of tasks still wanted"
    fi
    say "looks for two minutes"
    sleep 120
    case "$(task "$one" desiredStatus)" in
    RUNNING) answer protected C16 "the protected task stays" "drain_stops_protected = false" ;;
    *) answer protected C16 "the protected task is stopped: $(task "$one" '[stopCode,stoppedReason]' | tr '\t' ' ')" "drain_stops_protected = true" ;;
    esac
    unprotect_all
    await 300 "the instance to be empty" is_empty "$arn" || say "it is not empty after five minutes"
    gone=$(tasks_on "$arn" STOPPED | cut -f1)
    if [ -n "$gone" ]; then
        answer protected - "$(task "$gone" '[stopCode,stoppedReason]' | tr '\t' ' ')" "the words for a drained task"
    fi
    set_status ACTIVE "$arn" >"$work/ignored"
}

has_more_than() { [ "$(running)" -gt "$1" ]; }

step_halfway() {
    local arn before after kept lowest now turn
    calm
    arn=$(fullest | cut -f1)
    before=$(tasks_on "$arn" | tr '\t' '\n' | sort)
    set_status DRAINING "$arn" >"$work/ignored"
    await 180 "a substitute that runs" has_more_than 4 || die "No substitute runs within three minutes."
    set_status ACTIVE "$arn" >"$work/ignored"
    lowest=99
    for turn in $(seq 1 40); do
        now=$(running)
        if [ "$now" -lt "$lowest" ]; then lowest=$now; fi
        if [ "$turn" -gt 10 ] && is_steady 4; then break; fi
        sleep 3
    done
    after=$(tasks_on "$arn" | tr '\t' '\n' | sort)
    kept=$(printf '%s\n%s\n' "$before" "$after" | sed '/^$/d' | sort | uniq -d | wc -l | tr -d ' ')
    answer halfway C8 "$kept of $(printf '%s' "$before" | wc -w | tr -d ' ') old tasks stay; never fewer than $lowest of 4 ran; $(running) run at the end" \
        "as simulated if 4 run at the end and never fewer did"
}

# enter INSTANCE OPTION: puts it on standby and says how long that took.
enter() {
    local from=$SECONDS
    aws autoscaling enter-standby --auto-scaling-group-name "$name" --instance-ids "$1" "$2" >"$work/ignored" || return 1
    await 180 "standby" is_in_state "$1" Standby || die "It does not reach Standby: $(state_of "$1")"
    printf '%s' "$((SECONDS - from))" >"$work/entered"
}

# Instances that count or come, but for one.
# shellcheck disable=SC2046 # ids are words
counted() { count $(group "Instances[?InstanceId!='$1' && !starts_with(LifecycleState,'Terminat') && LifecycleState!='Standby'].InstanceId"); }

counts_at_least() { [ "$(counted "$1")" -ge "$2" ]; }

step_standby() {
    local id most turn
    calm
    id=$(fullest | cut -f2)
    if ! try enter "$id" --no-should-decrement-desired-capacity; then
        answer standby G2 "$said" "at the maximum it is refused, which is not simulated"
        return 0
    fi
    answer standby G9 "$(cat "$work/entered") seconds to Standby, to within three" "one second is simulated"
    if await 180 "a substitute" counts_at_least "$id" 2; then
        answer standby G1,G2 "one more is launched; the desired capacity is $(group DesiredCapacity)" "as simulated if that is 2"
    else
        answer standby G1,G2 "no substitute within three minutes" "drains and rollouts would wait in vain"
    fi
    await 240 "the substitute in service" members_are 2 3 || true
    if ! try terminate "$id" --no-should-decrement-desired-capacity; then
        answer standby G5 "$said" "an instance on standby is not terminated by name, which is not simulated"
        return 0
    fi
    most=0
    for turn in $(seq 1 30); do
        if [ "$(counted "$id")" -gt "$most" ]; then most=$(counted "$id"); fi
        if [ "$turn" -gt 20 ] && is_gone "$id"; then break; fi
        sleep 3
    done
    if [ "$most" -gt 2 ]; then
        answer standby G5 "$most count at the most afterwards" "one more is launched: the simulator is wrong"
    else
        answer standby G5 "$most count at the most afterwards" "nothing more is launched, as simulated"
    fi
    answer standby - "listed after it: $(everybody | tr -s '\n\t' ' ')" "whether what ended on standby leaves the list"
}

step_exit() {
    local id first
    calm
    id=$(fullest | cut -f2)
    aws autoscaling set-instance-protection --auto-scaling-group-name "$name" --instance-ids "$id" --protected-from-scale-in >"$work/ignored"
    enter "$id" --should-decrement-desired-capacity
    first=$(group DesiredCapacity)
    processes suspend
    sleep 5
    if try aws autoscaling exit-standby --auto-scaling-group-name "$name" --instance-ids "$id" --query 'Activities[0].StatusCode' --output text; then
        sleep 20
        answer exit G4 "accepted while Launch and Terminate are suspended; state after 20 seconds: $(state_of "$id")" \
            "InService: the simulator is right; else look at the activity"
    else
        answer exit G4 "$said" "refused: the way back of a rollout must resume Launch first"
    fi
    processes resume
    if is_in_state "$id" Standby; then
        if try aws autoscaling exit-standby --auto-scaling-group-name "$name" --instance-ids "$id" --query 'Activities[0].StatusCode' --output text; then
            say "accepted with both resumed"
        else
            answer exit G3 "$said" "refused with both resumed, which is not simulated"
        fi
    fi
    await 180 "service" is_in_state "$id" InService || true
    answer exit G3 "the desired capacity goes from $first to $(group DesiredCapacity)" "as simulated if it rises by one"
    answer exit G8 "protected from scale-in afterwards: $(group "Instances[?InstanceId=='$id'].ProtectedFromScaleIn | [0]")" "True is simulated"
    aws autoscaling set-instance-protection --auto-scaling-group-name "$name" --instance-ids "$id" --no-protected-from-scale-in >"$work/ignored" || true
}

step_standbyend() {
    local id before
    calm
    id=$(fullest | cut -f2)
    hook hold TERMINATING
    enter "$id" --no-should-decrement-desired-capacity
    await 240 "the substitute in service" members_are 2 3 || die "No substitute comes into service."
    terminate "$id" --no-should-decrement-desired-capacity >"$work/ignored"
    if await 90 "the hook to hold it" is_in_state "$id" Terminating:Wait; then
        answer standbyend G6 "Terminating:Wait" "hooks hold what leaves from standby, as simulated"
    else
        answer standbyend G6 "$(state_of "$id")" "the hook does not hold it: P3 is at risk"
    fi
    before=$(group DesiredCapacity)
    if try terminate "$id" --no-should-decrement-desired-capacity; then
        answer standbyend G12 "again without decrement: answered $said" "terminating_again is not Refused"
    else
        answer standbyend G12 "again without decrement: $said" "terminating_again = Refused, if this is ScalingActivityInProgress"
    fi
    if try terminate "$id" --should-decrement-desired-capacity; then
        sleep 5
        if [ "$(group DesiredCapacity)" -lt "$before" ]; then
            answer standbyend G12 "again with decrement: the desired capacity falls from $before to $(group DesiredCapacity)" "terminating_again = Decremented"
        else
            answer standbyend G12 "again with decrement: the desired capacity stays $before" "terminating_again = Answered"
        fi
    else
        answer standbyend G12 "again with decrement: $said" "terminating_again = Refused, if this is ScalingActivityInProgress"
    fi
    if try aws autoscaling set-desired-capacity --auto-scaling-group-name "$name" --desired-capacity "$before"; then
        answer standbyend G23 "the size may be set while an instance terminates" "this activity does not block it"
    else
        answer standbyend G23 "$said" "activity_blocks_size_changes = true, if this is ScalingActivityInProgress"
    fi
    complete hold "$id" >"$work/ignored" || true
    if try complete hold "$id"; then
        answer standbyend G15 "completing twice is accepted" "the simulator refuses the second"
    else
        answer standbyend G15 "$said" "compare with the text of the step texts"
    fi
    await 180 "its end" is_gone "$id" || say "it is still listed: $(state_of "$id")"
    unhook hold
}

step_substitute() {
    local id
    calm
    id=$(fullest | cut -f2)
    hook hold TERMINATING
    terminate "$id" --no-should-decrement-desired-capacity >"$work/ignored"
    if await 90 "a substitute, for ninety seconds" counts_at_least "$id" 2; then
        answer substitute G11 "launched while the old one is $(state_of "$id")" "substitute_waits_for_hook = false"
        complete hold "$id" >"$work/ignored" || true
    else
        complete hold "$id" >"$work/ignored" || true
        if await 180 "a substitute after the hook" counts_at_least "$id" 2; then
            answer substitute G11 "launched only after the hook was completed" "substitute_waits_for_hook = true"
        else
            answer substitute G11 "none within four minutes" "not foreseen"
        fi
    fi
    unhook hold
}

has_newcomer() { [ -n "$(newcomer)" ]; }

newcomer() {
    local found
    found=$(group "Instances[?starts_with(LifecycleState,'Pending')].InstanceId | [0]")
    if [ "$found" != None ]; then printf '%s' "$found"; fi
}

leaves_someone() {
    local found
    found=$(group "Instances[?starts_with(LifecycleState,'Terminat')].InstanceId | [0]")
    if [ "$found" = None ] || [ -z "$found" ]; then return 1; fi
    printf '%s' "$found" >"$work/leaving"
}

step_pending() {
    local young
    calm
    hook arrive LAUNCHING
    resize 3 3
    await 120 "a newcomer" has_newcomer || die "Nobody is launched."
    young=$(newcomer)
    await 120 "the hook to hold it" is_in_state "$young" Pending:Wait || true
    if try aws autoscaling set-desired-capacity --auto-scaling-group-name "$name" --desired-capacity 2; then
        answer pending G23 "the size may be set while an instance is launched" "this activity does not block it"
    else
        answer pending G23 "$said" "activity_blocks_size_changes = true, if this is ScalingActivityInProgress"
        complete arrive "$young" >"$work/ignored" || true
        unhook arrive
        return 0
    fi
    if await 120 "somebody to leave" leaves_someone; then
        if [ "$(cat "$work/leaving")" = "$young" ]; then
            answer pending G21 "the newcomer goes" "scale_in_takes_pending = true"
        else
            answer pending G21 "an older one goes" "scale_in_takes_pending = false"
        fi
    else
        answer pending G21 "nobody goes while the newcomer is held" "scale_in_takes_pending = false, and scale-in waits"
    fi
    complete arrive "$young" >"$work/ignored" 2>&1 || true
    unhook arrive
}

is_inactive() {
    local status
    status=$(aws ecs describe-container-instances --cluster "$name" --container-instances "$1" --query 'containerInstances[0].status' --output text)
    [ "$status" = INACTIVE ] || [ "$status" = None ]
}

step_host() {
    local pair arn id one from
    calm
    pair=$(fullest)
    arn=$(printf '%s' "$pair" | cut -f1)
    id=$(printf '%s' "$pair" | cut -f2)
    one=$(tasks_on "$arn" | cut -f1)
    from=$SECONDS
    aws ec2 terminate-instances --instance-ids "$id" >"$work/ignored"
    if await 420 "ECS to deregister it" is_inactive "$arn"; then
        answer host C13 "deregistered $((SECONDS - from)) seconds after the call, to within three" "the agent was connected, as simulated"
    else
        answer host C13 "still registered after seven minutes" "a ghost although the agent was connected: the simulator is wrong"
    fi
    if await 120 "the end of its task" has_stopped "$one"; then
        answer host - "$(task "$one" '[stopCode,stoppedReason]' | tr '\t' ' ')" "the words for a task whose host is gone"
    else
        answer host - "the task is $(task "$one" lastStatus) after two minutes more" "not simulated"
    fi
}

# The last value of CapacityProviderReservation.
reservation() {
    local end start
    end=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    start=$(date -u -d '-6 minutes' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v-6M +%Y-%m-%dT%H:%M:%SZ)
    aws cloudwatch get-metric-statistics --namespace AWS/ECS/ManagedScaling --metric-name CapacityProviderReservation \
        --dimensions "Name=CapacityProviderName,Value=$name-cp" "Name=ClusterName,Value=$name" \
        --start-time "$start" --end-time "$end" --period 60 --statistics Average \
        --query 'sort_by(Datapoints,&Timestamp)[-1].Average' --output text
}

has_reservation() { [ "$(reservation)" != None ]; }

step_reservation() {
    local arn id
    calm
    answer reservation - "capacityProviderName of an instance: $(registrations 'containerInstances[0].capacityProviderName')" "should be $name-cp"
    arn=$(fullest | cut -f1)
    id=$(fullest | cut -f2)
    set_status DRAINING "$arn" >"$work/ignored"
    await 300 "the instance to be empty" is_empty "$arn" || say "it is not empty after five minutes"
    say "waits four minutes for the metric"
    sleep 240
    await 120 "the metric" has_reservation || true
    answer reservation K2 "one of two DRAINING and empty: $(reservation)" "50: reservation_counts_draining = true; 100: false"
    set_status ACTIVE "$arn" >"$work/ignored"
    enter "$id" --should-decrement-desired-capacity
    say "waits four minutes for the metric"
    sleep 240
    answer reservation K3 "one of two on standby and empty: $(reservation)" "50: it counts; 100: it does not, as in the simulator's size"
    aws autoscaling exit-standby --auto-scaling-group-name "$name" --instance-ids "$id" >"$work/ignored"
    aws ecs update-capacity-provider --name "$name-cp" --auto-scaling-group-provider managedDraining=ENABLED >"$work/ignored"
    if await 120 "the hook of ECS" has_ecs_hook; then
        answer reservation K5 "$(cat "$work/hook")" "ecs-managed-draining-termination-hook, 3600 and CONTINUE are simulated"
    else
        answer reservation K5 "no hook within two minutes" "not simulated"
    fi
    aws ecs update-capacity-provider --name "$name-cp" --auto-scaling-group-provider managedDraining=DISABLED >"$work/ignored"
}

has_ecs_hook() {
    local found
    found=$(aws autoscaling describe-lifecycle-hooks --auto-scaling-group-name "$name" --query 'LifecycleHooks[].[LifecycleHookName,HeartbeatTimeout,DefaultResult]' --output text)
    if [ -z "$found" ] || [ "$found" = None ]; then return 1; fi
    printf '%s' "$found" | tr '\t' ' ' >"$work/hook"
}

# The cluster keeps a provider as long as tasks of it stop.
remove_provider() {
    local turn
    for turn in $(seq 1 12); do
        if try aws ecs put-cluster-capacity-providers --cluster "$name" --capacity-providers '[]' --default-capacity-provider-strategy '[]'; then break; fi
        case "$said" in
        *ClusterNotFound*) break ;;
        esac
        say "try $turn: $said"
        sleep 10
    done
    await 120 "the cluster to let go of the provider" provider_is_free || true
    gone aws ecs delete-capacity-provider --capacity-provider "$name-cp"
}

provider_is_free() {
    [ "$(aws ecs describe-clusters --clusters "$name" --include ATTACHMENTS --query 'clusters[0].attachmentsStatus' --output text)" != UPDATE_IN_PROGRESS ]
}

step_launch() {
    local zone before
    if ! aws autoscaling launch-instances help >"$work/ignored" 2>&1; then
        answer launch G28 "this AWS CLI does not know LaunchInstances" "not asked"
        return 0
    fi
    calm
    resize 3 2
    before=$(group DesiredCapacity)
    zone=$(group 'AvailabilityZones[0]')
    if try aws autoscaling launch-instances --auto-scaling-group-name "$name" --requested-capacity 1 --availability-zones "$zone" \
        --client-token "$name-launch" --retry-strategy none --query 'Instances[0].InstanceIds[0]' --output text; then
        sleep 20
        answer launch G28 "the desired capacity goes from $before to $(group DesiredCapacity)" "to be written into the row"
    else
        answer launch G28 "$said" "refused"
    fi
}

step_scheduler() {
    local url queue role at
    url=$(aws sqs create-queue --queue-name "$name" --tags "$TAG_KEY=$name" --query QueueUrl --output text)
    queue=$(aws sqs get-queue-attributes --queue-url "$url" --attribute-names QueueArn --query Attributes.QueueArn --output text)
    role=$(aws iam create-role --role-name "$name-scheduler" --tags "Key=$TAG_KEY,Value=$name" --query Role.Arn --output text \
        --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole"}]}')
    aws iam put-role-policy --role-name "$name-scheduler" --policy-name send \
        --policy-document "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"$queue\"}]}"
    say "waits a quarter of a minute for the role"
    sleep 15
    at=$(date -u -d '+75 seconds' +%Y-%m-%dT%H:%M:%S 2>/dev/null || date -u -v+75S +%Y-%m-%dT%H:%M:%S)
    aws scheduler create-schedule --name "$name" --schedule-expression "at($at)" --flexible-time-window Mode=OFF \
        --target "Arn=$queue,RoleArn=$role" --action-after-completion DELETE >"$work/ignored"
    local deadline=$((SECONDS + 240)) body=""
    say "waits for the message"
    while [ "$SECONDS" -lt "$deadline" ]; do
        body=$(aws sqs receive-message --queue-url "$url" --wait-time-seconds 20 --query 'Messages[0].Body' --output text)
        if [ -n "$body" ] && [ "$body" != None ]; then break; fi
    done
    if [ -z "$body" ] || [ "$body" = None ]; then
        answer scheduler E9 "no message within four minutes" "look at the role"
    else
        answer scheduler E9 "$(printf '%s' "$body" | tr -s '\n\t ' ' ')" "the default payload"
    fi
}

healthy_are() {
    [ "$(aws elbv2 describe-target-health --target-group-arn "$1" --query "length(TargetHealthDescriptions[?TargetHealth.State=='healthy'])" --output text)" = "$2" ]
}

# Seconds between the order to stop and the end of a container that ends at once.
signal_delay() {
    local from to
    from=$(task "$1" stoppingAt)
    to=$(task "$1" executionStoppedAt)
    printf '%s' "$(($(seconds "$to") - $(seconds "$from")))"
}

step_balancer() {
    local zones group_arn balancer definition victim arn delay
    calm
    zones=$(cat "$work/subnets")
    # shellcheck disable=SC2086 # ids are words
    balancer=$(aws elbv2 create-load-balancer --name "$name" --scheme internal --type application --subnets ${zones//,/ } \
        --security-groups "$(cat "$work/security-group")" --tags "Key=$TAG_KEY,Value=$name" --query 'LoadBalancers[0].LoadBalancerArn' --output text)
    group_arn=$(aws elbv2 create-target-group --name "$name" --protocol HTTP --port 80 --target-type instance --vpc-id "$(cat "$work/vpc")" \
        --health-check-interval-seconds 5 --health-check-timeout-seconds 2 --healthy-threshold-count 2 --tags "Key=$TAG_KEY,Value=$name" \
        --query 'TargetGroups[0].TargetGroupArn' --output text)
    aws elbv2 modify-target-group-attributes --target-group-arn "$group_arn" --attributes Key=deregistration_delay.timeout_seconds,Value=30 >"$work/ignored"
    aws elbv2 create-listener --load-balancer-arn "$balancer" --protocol HTTP --port 80 --default-actions "Type=forward,TargetGroupArn=$group_arn" >"$work/ignored"
    aws ec2 authorize-security-group-ingress --group-id "$(cat "$work/security-group")" --protocol tcp --port 0-65535 \
        --source-group "$(cat "$work/security-group")" >"$work/ignored"
    definition=$(aws ecs register-task-definition --family "$name-web" --requires-compatibilities EC2 --network-mode bridge \
        --tags "key=$TAG_KEY,value=$name" --query taskDefinition.taskDefinitionArn --output text \
        --container-definitions "[{\"name\":\"web\",\"image\":\"public.ecr.aws/docker/library/busybox:stable\",\"cpu\":16,\"memory\":16,\"essential\":true,\"entryPoint\":[\"sh\",\"-c\"],\"command\":[\"$SERVER\"],\"stopTimeout\":30,\"portMappings\":[{\"containerPort\":80,\"hostPort\":0}]}]")
    aws ecs create-service --cluster "$name" --service-name web --task-definition "$definition" --desired-count 2 --launch-type EC2 \
        --deployment-configuration minimumHealthyPercent=100,maximumPercent=200 --availability-zone-rebalancing DISABLED \
        --placement-strategy type=spread,field=instanceId --load-balancers "targetGroupArn=$group_arn,containerName=web,containerPort=80" \
        --tags "key=$TAG_KEY,value=$name" >"$work/ignored"
    await 420 "two healthy targets" healthy_are "$group_arn" 2 || die "The targets do not get healthy."
    victim=$(tasks RUNNING web | cut -f1)
    aws ecs stop-task --cluster "$name" --task "$victim" >"$work/ignored"
    await 180 "the end of the task" has_stopped "$victim" || die "It does not stop."
    delay=$(signal_delay "$victim")
    if [ "$delay" -ge 25 ]; then
        answer balancer S8 "the container ends $delay seconds after StopTask" "stop_task_deregisters_first = true"
    else
        answer balancer S8 "the container ends $delay seconds after StopTask" "stop_task_deregisters_first = false"
    fi
    await 300 "two healthy targets" healthy_are "$group_arn" 2 || true
    victim=$(tasks RUNNING web | cut -f1)
    arn=$(task "$victim" containerInstanceArn)
    set_status DRAINING "$arn" >"$work/ignored"
    await 420 "the end of the task" has_stopped "$victim" || die "It is not drained."
    delay=$(signal_delay "$victim")
    answer balancer C19 "the container ends $delay seconds after the drain has told its task to stop" "thirty or more: as simulated; less: not simulated"
    set_status ACTIVE "$arn" >"$work/ignored"
}

# Creating and deleting.

setup() {
    local partition ami parameter subnets offered template role_ready turn
    partition=$(cut -d: -f2 <"$work/caller")
    aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId' --output text >"$work/vpc"
    if [ "$(cat "$work/vpc")" = None ]; then die "This Region has no default VPC."; fi
    offered=$(aws ec2 describe-instance-type-offerings --location-type availability-zone --filters "Name=instance-type,Values=$instance_type" --query 'InstanceTypeOfferings[].Location' --output text | tr -s '\t ' ',')
    if [ -z "$offered" ] || [ "$offered" = None ]; then die "There is no $instance_type in this Region."; fi
    subnets=$(aws ec2 describe-subnets --filters "Name=vpc-id,Values=$(cat "$work/vpc")" Name=default-for-az,Values=true "Name=availability-zone,Values=$offered" --query 'sort_by(Subnets,&AvailabilityZone)[:2].SubnetId' --output text | tr -s '\t ' ',')
    if [ -z "$subnets" ] || [ "$subnets" = None ]; then die "There is no default subnet in a zone with $instance_type."; fi
    printf '%s' "$subnets" >"$work/subnets"
    parameter=/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id
    if [ "$arch" = arm64 ]; then parameter=/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id; fi
    ami=$(aws ssm get-parameter --name "$parameter" --query Parameter.Value --output text)

    created=yes
    say "creates the cluster $name"
    aws ecs create-cluster --cluster-name "$name" --tags "key=$TAG_KEY,value=$name" >"$work/ignored"
    aws ec2 create-security-group --group-name "$name" --description "Evenkeel fidelity, throw-away" --vpc-id "$(cat "$work/vpc")" \
        --tag-specifications "ResourceType=security-group,Tags=[{Key=$TAG_KEY,Value=$name}]" --query GroupId --output text >"$work/security-group"
    if [ -z "$profile" ]; then
        profile=$name
        say "creates the role and the instance profile $name"
        aws iam create-role --role-name "$name" --tags "Key=$TAG_KEY,Value=$name" \
            --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}' >"$work/ignored"
        aws iam attach-role-policy --role-name "$name" --policy-arn "arn:$partition:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
        aws iam create-instance-profile --instance-profile-name "$name" --tags "Key=$TAG_KEY,Value=$name" >"$work/ignored"
        aws iam add-role-to-instance-profile --instance-profile-name "$name" --role-name "$name"
    fi
    local options="" data
    data=$(printf '#!/bin/bash\necho ECS_CLUSTER=%s >> /etc/ecs/ecs.config\n' "$name" | base64 | tr -d '\n')
    if [ "$market" = spot ]; then options=',"InstanceMarketOptions":{"MarketType":"spot"}'; fi
    template="{\"ImageId\":\"$ami\",\"InstanceType\":\"$instance_type\",\"IamInstanceProfile\":{\"Name\":\"$profile\"},\"UserData\":\"$data\",\"NetworkInterfaces\":[{\"DeviceIndex\":0,\"AssociatePublicIpAddress\":true,\"DeleteOnTermination\":true,\"Groups\":[\"$(cat "$work/security-group")\"]}],\"MetadataOptions\":{\"HttpTokens\":\"required\"}$options}"
    aws ec2 create-launch-template --launch-template-name "$name" --launch-template-data "$template" \
        --tag-specifications "ResourceType=launch-template,Tags=[{Key=$TAG_KEY,Value=$name}]" >"$work/ignored"
    say "creates the group $name"
    role_ready=no
    for turn in 1 2 3 4 5 6 7 8; do
        if try aws autoscaling create-auto-scaling-group --auto-scaling-group-name "$name" --min-size 0 --max-size 2 --desired-capacity 0 \
            --launch-template "LaunchTemplateName=$name" --vpc-zone-identifier "$subnets" \
            --tags "Key=$TAG_KEY,Value=$name,PropagateAtLaunch=true" "Key=Name,Value=$name,PropagateAtLaunch=true"; then
            role_ready=yes
            break
        fi
        say "try $turn: $said"
        sleep 10
    done
    if [ "$role_ready" = no ]; then die "The group is not created: $said"; fi
    # Zones are not the question, and nobody but this script is to change the size.
    aws autoscaling suspend-processes --auto-scaling-group-name "$name" --scaling-processes AZRebalance AlarmNotification
    say "creates the capacity provider $name-cp"
    aws ecs create-capacity-provider --name "$name-cp" --tags "key=$TAG_KEY,value=$name" --auto-scaling-group-provider \
        "autoScalingGroupArn=$(group AutoScalingGroupARN),managedScaling={status=ENABLED,targetCapacity=100},managedTerminationProtection=DISABLED,managedDraining=DISABLED" >"$work/ignored"
    aws ecs put-cluster-capacity-providers --cluster "$name" --capacity-providers "$name-cp" --default-capacity-provider-strategy '[]' >"$work/ignored"
    await 120 "the cluster to know the provider" provider_is_free || true
    resize 2 2
    aws ecs register-task-definition --family "$name-app" --requires-compatibilities EC2 --network-mode bridge --tags "key=$TAG_KEY,value=$name" \
        --container-definitions "[{\"name\":\"app\",\"image\":\"public.ecr.aws/docker/library/busybox:stable\",\"cpu\":16,\"memory\":16,\"essential\":true,\"entryPoint\":[\"sh\",\"-c\"],\"command\":[\"$SLEEPER\"],\"stopTimeout\":30}]" >"$work/ignored"
    await 480 "two connected container instances" serving_are 2 || die "Two instances do not register with the cluster. Perhaps $instance_type is too small: try --type t4g.micro"
    aws ecs create-service --cluster "$name" --service-name app --task-definition "$name-app" --desired-count 4 --capacity-provider-strategy "capacityProvider=$name-cp,weight=1" \
        --deployment-configuration minimumHealthyPercent=100,maximumPercent=200 --availability-zone-rebalancing DISABLED \
        --placement-strategy type=spread,field=instanceId --tags "key=$TAG_KEY,value=$name" >"$work/ignored"
    await 360 "four running tasks" is_steady 4 || die "The service does not come to rest."
}

is_absent() {
    case "$said" in
    *NotFound* | *"not found"* | *NoSuchEntity* | *"not exist"* | *NonExistentQueue* | *ServiceNotActive*) return 0 ;;
    *) return 1 ;;
    esac
}

# Deletes by name whatever of a run is there; says what it cannot delete.
gone() {
    if try "$@" || is_absent; then return 0; fi
    printf '    not deleted: %s\n' "$said"
    left=yes
}

# The same for what others may hold for a while.
gone_later() {
    local turn
    for turn in $(seq 1 8); do
        if try "$@" || is_absent; then return 0; fi
        say "try $turn: $said"
        sleep 15
    done
    gone "$@"
}

has_no_group() { [ "$(group AutoScalingGroupName)" = None ]; }

delete_all() {
    local found arn
    left=no
    printf '\nDeletes what belongs to %s\n' "$name"
    gone aws scheduler delete-schedule --name "$name"
    if try aws sqs get-queue-url --queue-name "$name" --query QueueUrl --output text; then gone aws sqs delete-queue --queue-url "$said"; fi
    gone aws iam delete-role-policy --role-name "$name-scheduler" --policy-name send
    gone aws iam delete-role --role-name "$name-scheduler"
    gone aws ecs delete-service --cluster "$name" --service web --force
    gone aws ecs delete-service --cluster "$name" --service app --force
    if try aws elbv2 describe-load-balancers --names "$name" --query 'LoadBalancers[0].LoadBalancerArn' --output text; then
        gone aws elbv2 delete-load-balancer --load-balancer-arn "$said"
    fi
    if try aws elbv2 describe-target-groups --names "$name" --query 'TargetGroups[0].TargetGroupArn' --output text; then
        gone_later aws elbv2 delete-target-group --target-group-arn "$said"
    fi
    if try aws ecs describe-capacity-providers --capacity-providers "$name-cp" --query "capacityProviders[?status=='ACTIVE'].name | [0]" --output text && [ "$said" = "$name-cp" ]; then
        remove_provider
    fi
    gone aws autoscaling delete-auto-scaling-group --auto-scaling-group-name "$name" --force-delete
    await 600 "the end of all instances" has_no_group || printf '    the group is still there\n'
    # Machines that have left the group, and registrations that they have left behind.
    found=$(aws ec2 describe-instances --filters "Name=tag:$TAG_KEY,Values=$name" Name=instance-state-name,Values=pending,running,stopping,stopped --query 'Reservations[].Instances[].InstanceId' --output text || true)
    # shellcheck disable=SC2086 # ids are words
    if [ -n "$found" ] && [ "$found" != None ]; then gone aws ec2 terminate-instances --instance-ids $found; fi
    for arn in $(registrations 'containerInstances[].containerInstanceArn' 2>/dev/null || true); do
        gone aws ecs deregister-container-instance --cluster "$name" --container-instance "$arn" --force
    done
    for arn in "$name-app" "$name-web"; do
        if try aws ecs describe-task-definition --task-definition "$arn" --query taskDefinition.taskDefinitionArn --output text; then
            found=$said
            gone aws ecs deregister-task-definition --task-definition "$found"
            gone aws ecs delete-task-definitions --task-definitions "$found"
        fi
    done
    gone aws ec2 delete-launch-template --launch-template-name "$name"
    gone_later aws ecs delete-cluster --cluster "$name"
    gone aws iam remove-role-from-instance-profile --instance-profile-name "$name" --role-name "$name"
    gone aws iam delete-instance-profile --instance-profile-name "$name"
    gone aws iam detach-role-policy --role-name "$name" --policy-arn "arn:$(cut -d: -f2 <"$work/caller"):iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
    gone aws iam delete-role --role-name "$name"
    if try aws ec2 describe-security-groups --filters "Name=group-name,Values=$name" --query 'SecurityGroups[0].GroupId' --output text && [ "$said" != None ]; then
        gone_later aws ec2 delete-security-group --group-id "$said"
    fi
    if [ "$left" = yes ]; then
        printf '\nSomething is left. Later: %s --clean %s\n' "$0" "$name"
        return 1
    fi
    printf '    all of it is gone\n'
}

print_answers() {
    if [ ! -s "$work/answers" ]; then
        printf '\nThere are no answers.\n'
        return 0
    fi
    printf '\nAnswers of %s in %s\n\n' "$(date -u +%Y-%m-%d)" "$region"
    printf '%-12s %-6s %s\n' step row 'what was seen => what it means'
    printf '%-12s %-6s %s\n' ------------ ------ ------------------------------
    while IFS=$'\t' read -r step row seen means; do
        printf '%-12s %-6s %s\n' "$step" "$row" "$seen"
        printf '%-12s %-6s   => %s\n' "" "" "$means"
    done <"$work/answers"
}

# Runs whatever happens, once.
finish() {
    local status=$?
    trap - EXIT
    trap '' INT TERM
    set +e
    if [ "$created" = yes ]; then delete_all || status=1; fi
    if [ "$mode" = run ] && [ "$created" = yes ]; then print_answers; fi
    if [ -n "$work" ]; then rm -rf "$work"; fi
    exit "$status"
}

confirm() {
    local reply
    if [ "$agreed" = yes ]; then return 0; fi
    printf '%s Type yes to go on: ' "$1"
    read -r reply || reply=no
    if [ "$reply" != yes ]; then
        printf 'Nothing was changed.\n'
        exit 0
    fi
}

require_cli() {
    command -v aws >/dev/null || die "The AWS CLI is not installed."
    case "$(aws --version 2>&1)" in
    aws-cli/2*) ;;
    *) die "The AWS CLI version 2 is needed; this is $(aws --version 2>&1)" ;;
    esac
    if [ -z "$region" ]; then region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}; fi
    if [ -z "$region" ]; then die "No Region is configured; give one by --region."; fi
    export AWS_REGION=$region AWS_DEFAULT_REGION=$region
    aws sts get-caller-identity --query Arn --output text >"$work/caller" || die "There are no credentials that work."
}

main() {
    local step status
    parse "$@"
    if [ "$mode" = plan ]; then
        print_plan
        return 0
    fi
    work=$(mktemp -d)
    trap finish EXIT
    trap 'exit 130' INT TERM
    require_cli
    if [ "$mode" = clean ]; then
        confirm "Deletes everything named $name in $region as $(cat "$work/caller")."
        created=yes
        return 0
    fi
    name="$PREFIX$(date -u +%s)"
    print_plan
    printf '\nAs %s, in %s, everything is named or begins with %s and has the tag %s.\n' "$(cat "$work/caller")" "$region" "$name" "$TAG_KEY"
    confirm "Creates what step 0 says and goes through the steps."
    printf '\nsetup\n'
    setup
    for step in $selected; do
        printf '\n%s\n' "$step"
        plan_of "$step" | sed 's/^/    /'
        # In a shell of its own, and not as a condition, so that an error ends the step and not the run.
        set +e
        (
            set -e
            "step_$step"
        )
        status=$?
        set -e
        if [ "$status" -ne 0 ]; then answer "$step" - "ended with an error, see above" "not answered"; fi
    done
}

main "$@"
