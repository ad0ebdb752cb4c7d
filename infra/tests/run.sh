#!/usr/bin/env bash
# `make infra-test`: everything that shows the module and its examples to work. What is missing on this machine is named and
# skipped in plain sight; whatever can run and fails makes it fail. It works on a copy below target/, so that nothing of
# Terraform's is left in the clone.
set -euo pipefail

cd "$(dirname "$0")/../.."
root=$PWD
work=$root/target/infra-test
passed=0
skipped=()

step() { # step NAME COMMAND...
    printf '\n== %s\n' "$1"
    "${@:2}"
    passed=$((passed + 1))
}

skip() { # skip WHAT WHY
    printf '\n!! SKIPPED: %s\n!! %s\n' "$1" "$2"
    skipped+=("$1")
}

fresh_copy() {
    rm -rf "$work/infra"
    mkdir -p "$work"
    (cd "$root" && tar cf - --exclude=.terraform --exclude='*.tfstate*' infra) | tar xf - -C "$work"
}

install_from_pypi() { # install_from_pypi NAME REQUIREMENTS: an environment below target/
    [[ -x $work/$1/bin/python3 ]] || python3 -m venv "$work/$1" || return 1
    "$work/$1/bin/python3" -m pip install --quiet --disable-pip-version-check --requirement "$root/infra/tests/$2"
}

# Asked of the versions alone: a module with a mistake in it is to fail, not to be skipped.
terraform_starts() {
    command -v terraform >"$work/init.txt" || return 1
    rm -rf "$work/provider"
    mkdir "$work/provider"
    cp "$root/infra/versions.tf" "$work/provider"
    (cd "$work/provider" && terraform init -backend=false -input=false -no-color >"$work/init.txt" 2>&1)
}

in_dir() { (cd "$work/infra/$1" && "${@:2}"); }

check_shell() { (cd "$root/infra" && find . -name '*.sh' -print0 | xargs -0 "$work/shell/bin/shellcheck" && "$work/shell/bin/shellcheck" examples/spot-cluster/boot/stand-ins/*); }

check_terraform() {
    in_dir . terraform fmt -check -recursive -diff
    for module in . modules/lifecycle-hook examples/install examples/spot-cluster; do
        in_dir "$module" terraform init -backend=false -input=false -no-color >/dev/null
        in_dir "$module" terraform validate -no-color
    done
}

check_statically() { in_dir . "$work/analysis/bin/checkov" -d . --framework terraform --skip-path tests/emulator --skip-download --compact --quiet; }

fresh_copy
step 'boot script, with stand-ins for AWS and the metadata service' infra/examples/spot-cluster/boot/test.sh
step 'tables of the README' sh infra/tests/tables.sh --check

if install_from_pypi shell shell.txt; then
    step 'shellcheck' check_shell
else
    skip 'shellcheck' 'it could not be installed from PyPI, see above'
fi

export CHECKPOINT_DISABLE=1
if terraform_starts; then
    step 'terraform fmt and validate' check_terraform
    step 'terraform test of the module' in_dir . terraform test -no-color
    step 'terraform test of the Spot cluster' in_dir examples/spot-cluster terraform test -no-color
    if install_from_pypi analysis analysis.txt && install_from_pypi emulator emulator/requirements.txt; then
        step 'checkov' check_statically
        step 'scopes of the permissions, against what AWS lists' in_dir . "$work/analysis/bin/python3" tests/scopes.py
        step 'apply, parliament, invoke and destroy in an emulator' \
            "$work/emulator/bin/python3" infra/tests/emulator/run.py "$work"
    else
        skip 'checkov, parliament, emulator' 'they could not be installed from PyPI, see above'
    fi
else
    skip 'terraform validate and test, checkov, parliament, emulator' \
        "Terraform 1.9 or later with the AWS provider is needed, and \`terraform init\` said: $(tail -n 20 "$work/init.txt" 2>/dev/null || echo 'there is no terraform')"
fi

printf '\ninfra-test: %s steps passed' "$passed"
if ((${#skipped[@]})); then printf '; SKIPPED:'; printf ' [%s]' "${skipped[@]}"; fi
printf '\n'
