#!/usr/bin/env bash
# Tests of attach.sh. `aws`, `curl` and everything that would touch a disk are stand-ins, first on PATH; they keep their
# state in files of a temporary directory and write down each call there. No root, no network, no AWS account.
#
#   boot/test.sh            every test
#   boot/test.sh race       those with "race" in their name

set -uo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SCRIPT=${SCRIPT:-$HERE/attach.sh}
ROOT=$(mktemp -d)
trap 'rm -rf "$ROOT"' EXIT

# Assertions -----------------------------------------------------------------------------------------------------------

fail() { echo "    $*" >>"$STATE/faults"; }
calls() { grep -c -- "^$1" "$STATE/calls"; }
expect_status() { [[ $STATUS == "$1" ]] || fail "ended with $STATUS instead of $1: $(<"$STATE/log")"; }
expect_calls() { [[ $(calls "$2") == "$1" ]] || fail "expected $1 calls of '$2', saw $(calls "$2")"; }
expect_log() { grep -q -- "$1" "$STATE/log" || fail "nothing was said of '$1': $(<"$STATE/log")"; }
expect_mounted() { grep -qx "mount /dev/nvme2n1 $STATE/data" "$STATE/calls" || fail "our device was not mounted"; }
expect_holder() { grep -q "^$2 .* $1$" "$STATE/volumes" "$STATE/addresses" || fail "$2 is not with $1"; }

fresh_state() {
    local name
    STATE=$ROOT/$1
    mkdir "$STATE"
    export STATE
    for name in calls volumes addresses stolen released api_failures token_refusals late_devices partitions mounted faults; do
        : >"$STATE/$name"
    done
    echo 0 >"$STATE/blkid"
}
volume() { echo "$*" >>"$STATE/volumes"; }
address() { echo "$*" >>"$STATE/addresses"; }
after() { echo "$*" >>"$STATE/released"; }
lines() { yes | head -n "$2" >"$STATE/$1"; }

attach() {
    STATUS=0
    env PATH="$HERE/stand-ins:$PATH" TAG_VALUE=web MOUNT_POINT="$STATE/data" TRIES=5 PAUSE=5 \
        "$SCRIPT" "$@" >"$STATE/log" 2>&1 || STATUS=$?
}

# Tests: volumes -------------------------------------------------------------------------------------------------------

test_free_volume_is_attached_and_mounted() {
    volume vol-0a eu-west-1a web -
    attach volume
    expect_status 0; expect_holder i-me vol-0a; expect_mounted; expect_calls 0 mkfs; expect_calls 0 sleep
}

test_second_run_changes_nothing() {
    volume vol-0a eu-west-1a web -
    attach volume
    : >"$STATE/calls"
    attach volume
    expect_status 0; expect_calls 0 'aws ec2 attach-volume'; expect_calls 0 'mount '; expect_calls 0 mkfs
}

test_already_attached_is_only_mounted() {
    volume vol-0a eu-west-1a web -
    volume vol-0b eu-west-1a web i-me
    attach volume
    expect_status 0; expect_calls 0 'aws ec2 attach-volume'; expect_mounted; expect_holder - vol-0a
}

test_dying_instance_is_waited_for() {
    volume vol-0a eu-west-1a web i-dying
    after 3 vol-0a
    attach volume
    expect_status 0; expect_calls 3 sleep; expect_holder i-me vol-0a; expect_mounted
}

test_held_for_ever_gives_up() {
    volume vol-0a eu-west-1a web i-living
    attach volume
    expect_status 1; expect_calls 4 sleep; expect_calls 0 'mount '; expect_log 'gave up'; expect_log FAILED
}

test_race_lost_takes_another() {
    volume vol-0a eu-west-1a web -
    volume vol-0b eu-west-1a web -
    echo vol-0a >>"$STATE/stolen"
    attach volume
    expect_status 0; expect_holder i-other vol-0a; expect_holder i-me vol-0b; expect_mounted
}

test_race_lost_for_the_last_waits_on() {
    volume vol-0a eu-west-1a web -
    volume vol-0b eu-west-1a web i-dying
    echo vol-0a >>"$STATE/stolen"
    after 1 vol-0b
    attach volume
    expect_status 0; expect_holder i-me vol-0b; expect_calls 1 sleep
}

test_other_zone_is_not_touched() {
    volume vol-0a eu-west-1b web -
    attach volume
    expect_status 1; expect_calls 0 'aws ec2 attach-volume'; expect_calls 0 sleep; expect_log 'no volume in eu-west-1a'
}

test_no_volume_fails_at_once() {
    attach volume
    expect_status 1; expect_calls 0 sleep; expect_calls 0 'mount '; expect_log FAILED
}

test_other_tag_is_not_touched() {
    volume vol-0a eu-west-1a somebody -
    attach volume
    expect_status 1; expect_holder - vol-0a; expect_calls 0 'aws ec2 attach-volume'
}

test_throttled_call_is_not_no_volume() {
    volume vol-0a eu-west-1a web -
    lines api_failures 2
    attach volume
    expect_status 0; expect_calls 2 sleep; expect_holder i-me vol-0a
}

# Tests: the disk ------------------------------------------------------------------------------------------------------

test_empty_volume_gets_a_filesystem_once() {
    volume vol-0a eu-west-1a web -
    echo 2 >"$STATE/blkid"
    attach volume
    expect_status 0; expect_calls 1 'mkfs.xfs -q /dev/nvme2n1$'; expect_calls 1 mkfs; expect_mounted
}

test_ambiguous_volume_is_left_alone() {
    volume vol-0a eu-west-1a web -
    echo 8 >"$STATE/blkid"
    attach volume
    expect_status 1; expect_calls 0 mkfs; expect_calls 0 'mount '; expect_log 'left alone'
}

test_unreadable_volume_is_left_alone() {
    volume vol-0a eu-west-1a web -
    echo 4 >"$STATE/blkid"
    attach volume
    expect_status 1; expect_calls 0 mkfs; expect_calls 0 'mount '
}

test_partitioned_volume_is_left_alone() {
    volume vol-0a eu-west-1a web -
    echo 2 >"$STATE/blkid"
    echo nvme2n1p1 >"$STATE/partitions"
    attach volume
    expect_status 1; expect_calls 0 mkfs; expect_calls 0 'mount '; expect_log partitions
}

test_device_that_comes_late_is_waited_for() {
    volume vol-0a eu-west-1a web -
    lines late_devices 2
    attach volume
    expect_status 0; expect_calls 2 sleep; expect_mounted
}

test_something_else_mounted_stays() {
    volume vol-0a eu-west-1a web -
    echo /dev/nvme1n1 >"$STATE/mounted"
    attach volume
    expect_status 1; expect_calls 0 'mount '; expect_log 'something else'
}

# Tests: the metadata service ------------------------------------------------------------------------------------------

test_refused_tokens_are_asked_for_again() {
    volume vol-0a eu-west-1a web -
    lines token_refusals 3
    attach volume
    expect_status 0; expect_calls 4 'curl .*-X PUT'; expect_mounted
}

test_no_metadata_means_no_call() {
    volume vol-0a eu-west-1a web -
    lines token_refusals 99
    attach volume
    expect_status 1; expect_calls 0 aws; expect_log 'metadata service'
}

# Tests: addresses -----------------------------------------------------------------------------------------------------

test_free_address_is_associated() {
    address eipalloc-1 web i-living
    address eipalloc-2 web -
    attach address
    expect_status 0; expect_holder i-living eipalloc-1; expect_holder i-me eipalloc-2; expect_calls 0 sleep
}

test_address_that_is_ours_stays() {
    address eipalloc-1 web i-me
    address eipalloc-2 web -
    attach address
    expect_status 0; expect_calls 0 'aws ec2 associate-address'
}

test_address_of_a_dying_instance_is_waited_for() {
    address eipalloc-1 web i-dying
    after 2 eipalloc-1
    attach address
    expect_status 0; expect_calls 2 sleep; expect_holder i-me eipalloc-1
}

test_address_race_lost_takes_another() {
    address eipalloc-1 web -
    address eipalloc-2 web -
    echo eipalloc-1 >>"$STATE/stolen"
    attach address
    expect_status 0; expect_holder i-other eipalloc-1; expect_holder i-me eipalloc-2
}

test_no_address_fails_at_once() {
    address eipalloc-1 somebody -
    attach address
    expect_status 1; expect_holder - eipalloc-1; expect_calls 0 sleep; expect_log 'no address'
}

# Tests: both, and the command line ------------------------------------------------------------------------------------

test_failed_volume_does_not_cost_the_address() {
    address eipalloc-1 web -
    attach volume address
    expect_status 1; expect_holder i-me eipalloc-1; expect_log 'FAILED: no volume'
}

test_both_are_attached() {
    volume vol-0a eu-west-1a web -
    address eipalloc-1 web -
    attach volume address
    expect_status 0; expect_holder i-me vol-0a; expect_holder i-me eipalloc-1; expect_mounted
}

test_unknown_word_is_refused() {
    attach everything
    expect_status 64; expect_calls 0 aws
}

test_nothing_asked_for_is_refused() {
    attach
    expect_status 64; expect_calls 0 curl
}

# Run ------------------------------------------------------------------------------------------------------------------

main() {
    local name passed=0 failed=0
    while read -r name; do
        fresh_state "$name"
        "$name"
        if [[ -s $STATE/faults ]]; then
            failed=$((failed + 1))
            echo "FAILED  $name"
            cat "$STATE/faults"
        else
            passed=$((passed + 1))
        fi
    done < <(compgen -A function | grep -- "^test_.*${1:-}")
    echo "attach.sh: $passed passed, $failed failed"
    ((failed == 0 && passed > 0))
}

main "$@"
