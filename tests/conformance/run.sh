#!/usr/bin/env bash
# `make conformance`: other people's software against the simulated account, and Evenkeel's functions under it. What is missing
# on this machine is named and skipped in plain sight; whatever can run and fails makes it fail. The programs of the
# development build are copied first, so that a build meanwhile does no harm.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=${CONFORMANCE_ROOT:-$(cd "$here/../.." && pwd)}
work=${CONFORMANCE_WORK:-$root/target/conformance}
built=${CONFORMANCE_BINARIES:-$root/target/debug}
passed=()
failed=()
skipped=()

skip() { # skip WHAT WHY
    printf '\n!! SKIPPED: %s\n!! %s\n' "$1" "$2"
    skipped+=("$1")
}

install_from_pypi() { # each line by itself: what is missing costs its own arm and no other
    [[ -x $work/venv/bin/python3 ]] || python3 -m venv "$work/venv" || return 1
    local line
    while read -r line; do
        "$work/venv/bin/python3" -m pip install --quiet --disable-pip-version-check "$line" >"$work/pip.txt" 2>&1 ||
            skip "$line" "$(tail -n 3 "$work/pip.txt")"
    done < <(grep -v '^#' "$here/requirements.txt")
    "$work/venv/bin/python3" -c 'import boto3' || return 1
}

arm() { # arm NAME: runs NAME.py; status 3 means that it could not run
    printf '\n== %s\n' "$1"
    "$work/venv/bin/python3" "$here/$1.py" 2>&1 | tee "$work/$1.txt"
    local status=${PIPESTATUS[0]} line
    while read -r line; do skipped+=("$1: $line"); done < <(sed -n 's/^!! SKIPPED: //p' "$work/$1.txt")
    case $status in
    0) passed+=("$1") ;;
    3) ;;
    *) failed+=("$1") ;;
    esac
}

mkdir -p "$work/programs"
for program in simulator rebalance drain rollout; do
    cp "$built/$program" "$work/programs/" || {
        printf '%s is not built: run `make build`\n' "$built/$program"
        exit 1
    }
done
export CONFORMANCE_ROOT=$root CONFORMANCE_BINARIES=$work/programs PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

if install_from_pypi; then
    for name in doctored surface arms weather lambda_tooling; do arm "$name"; done
else
    skip 'doctored, surface, arms, weather, lambda_tooling' 'boto3 could not be installed from PyPI'
fi

printf '\nconformance: %s passed' "${#passed[@]}"
((${#passed[@]})) && printf ' (%s)' "${passed[*]}"
printf ', %s failed' "${#failed[@]}"
((${#failed[@]})) && printf ' (%s)' "${failed[*]}"
if ((${#skipped[@]})); then
    printf '; SKIPPED:'
    printf ' [%s]' "${skipped[@]}"
fi
printf '\n'
exit $((${#failed[@]} > 0))
