"""`make mutations`: takes Evenkeel's safety checks out, one at a time, and sees that a test fails for each.

    python3 tests/mutations/run.py                the whole list
    python3 tests/mutations/run.py ID...          these only
    python3 tests/mutations/run.py --check        only whether the list fits the sources
    python3 tests/mutations/run.py --find ID...   every test that fails without these checks

`list.json` beside this says for each mutation which promise it breaks, what it takes out, and which tests are to notice:

    id             its name
    promise        P1 to P8, as in the README
    disables       what Evenkeel does without the check
    edits          each: `file`; `original`, a whole expression that occurs there once, or is the first `after` another
                   text that does; `mutant`, what stands in its place; `statement`, if both are statements
    redundant_with mutations that have to be on as well for anything to be noticed: two checks see to the same
    hangs          without it a test never ends, and running out of time counts as noticing
    caught_by      tests, at least one of which has to fail: `unit:`, `rebalance:`, `drain:` or `rollout:` and the path of
                   a unit test, `scenario:` and that of a scenario

All mutations are built at once, into a copy of the sources below target/mutations: there the environment variable
`EVENKEEL_MUTATION` turns each on. The product contains nothing of it. First every test named has to pass with none on.
A run that takes longer than MUTATION_TIME_OUT seconds (180) is taken for one that never ends.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).resolve().with_name("list.json")
WORK = ROOT / "target/mutations"
SOURCE = WORK / "source"
# A scenario takes a few seconds; a mutant that never ends is given this many.
TIME_OUT = int(os.environ.get("MUTATION_TIME_OUT", "180"))
FIND_TIME_OUT = 1800

# Where the tests of a suite lie, what Cargo calls their program, and which kind of target that is.
SUITES = {
    "unit": ("shared/src", "evenkeel", "lib"),
    "rebalance": ("functions/rebalance/src", "rebalance", "lib"),
    "drain": ("functions/drain/src", "drain", "lib"),
    "rollout": ("functions/rollout/src", "rollout", "lib"),
    "scenario": ("tests/scenarios", "scenarios", "test"),
}

SWITCH = '''
/// Whether this run goes without the check of this name.
#[doc(hidden)]
pub fn mutated(name: &str) -> bool {
    static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    let all = || std::env::var("EVENKEEL_MUTATION").unwrap_or_default();
    NAMES.get_or_init(|| all().split(',').map(str::to_owned).collect()).iter().any(|it| it == name)
}
'''


def faults_of_the_list(mutations):
    """What is wrong with the list, and for each file where it is edited: (from, to, name, edit)."""
    faults, places = [], {}
    names = [it["id"] for it in mutations]
    faults += [f"{name}: there are two of that name" for name in sorted({it for it in names if names.count(it) > 1})]
    for mutation in mutations:
        name = mutation["id"]
        for edit in mutation["edits"]:
            at = place_of(edit)
            if isinstance(at, str):
                faults.append(f"{name}: {at}")
            else:
                places.setdefault(edit["file"], []).append((at, at + len(edit["original"]), name, edit))
        faults += [f"{name}: there is no mutation {it}" for it in mutation.get("redundant_with", []) if it not in names]
        faults += [f"{name}: there is no test {it}" for it in mutation["caught_by"] if not is_a_test(it)]
        if not mutation["caught_by"]:
            faults.append(f"{name}: no test is named")
    for found in places.values():
        found.sort(key=lambda it: it[:2])
        for (_, end, one, _), (start, _, other, _) in zip(found, found[1:]):
            if start < end:
                faults.append(f"{other}: its text overlaps that of {one}")
    return faults, places


def place_of(edit):
    """Where the text of an edit begins, or what is wrong with it."""
    path = ROOT / edit["file"]
    if not path.is_file():
        return f"there is no {edit['file']}"
    text, start = path.read_text(), 0
    if "after" in edit:
        if text.count(edit["after"]) != 1:
            return f"{edit['file']} has {text.count(edit['after'])} times: {edit['after']}"
        start = text.index(edit["after"]) + len(edit["after"])
        at = text.find(edit["original"], start)
        return at if at >= 0 else f"{edit['file']} has not behind its anchor: {edit['original']}"
    if text.count(edit["original"]) != 1:
        return f"{edit['file']} has {text.count(edit['original'])} times: {edit['original']}"
    return text.index(edit["original"])


def is_a_test(test):
    """Whether the sources have a test of this name: in the file of its module, or of the module around that."""
    suite, _, path = test.partition(":")
    if suite not in SUITES:
        return False
    *modules, name = path.split("::")
    folder = ROOT / SUITES[suite][0]
    for depth in range(len(modules), -1, -1):
        inside = "/".join(modules[:depth])
        for file in ([f"{inside}.rs", f"{inside}/mod.rs"] if inside else ["lib.rs", "main.rs"]):
            if (folder / file).is_file():
                return re.search(rf"#\[test\]\s*(#\[.*\]\s*)*(pub(\(crate\))? )?fn {name}\(", (folder / file).read_text()) is not None
    return False


def copy(places):
    """Copies the sources, with a switch at each place; what is as it was keeps its time, and is not built again."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True)
    wanted = {it for it in listed.stdout.decode().split("\0") if it and (ROOT / it).is_file()}
    for name in wanted:
        content = (ROOT / name).read_bytes()
        if name in places:
            content = switched(content.decode(), name, places[name]).encode()
        if name == "shared/src/lib.rs":
            content += SWITCH.encode()
        if name.endswith("src/lib.rs"):
            content = b"#![allow(warnings)]\n" + content
        target = SOURCE / name
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    for path in SOURCE.rglob("*"):
        if path.is_file() and path.relative_to(SOURCE).as_posix() not in wanted:
            path.unlink()


def switched(text, file, places):
    function = "crate::mutated" if file.startswith("shared/") else "evenkeel::mutated"
    for start, end, name, edit in reversed(places):
        choice = f'if {function}("{name}") {{ {edit["mutant"]} }} else {{ {text[start:end]} }}'
        text = text[:start] + (choice if edit.get("statement") else f"({choice})") + text[end:]
    return text


def build():
    """Builds the tests of the copy; their programs by suite."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(WORK / "target"), CARGO_PROFILE_DEV_DEBUG="0")
    # The large generated crates: built plain they save minutes.
    sdk = ("aws-sdk-autoscaling", "aws-sdk-ecs", "aws-sdk-elasticloadbalancingv2")
    plain = [part for it in sdk for part in ("--config", f"profile.dev.package.{it}.opt-level=0")]
    packages = [part for it in ("evenkeel", "rebalance", "drain", "rollout", "evenkeel-tests") for part in ("-p", it)]
    command = shlex.split(os.environ.get("CARGO", "cargo")) + ["test", "--locked", "--no-run", "--no-default-features"]
    command += ["--message-format", "json-render-diagnostics", *plain, *packages, "--lib", "--test", "scenarios"]
    answer = subprocess.run(command, cwd=SOURCE, env=environment, stdout=subprocess.PIPE, text=True)
    if answer.returncode:
        sys.exit("mutations: the copy with all mutations in it cannot be built")
    programs = {}
    for line in answer.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and message.get("executable"):
            for suite, (_, name, kind) in SUITES.items():
                if message["target"]["name"] == name and kind in message["target"]["kind"]:
                    folder = pathlib.Path(message["manifest_path"]).parent
                    programs[suite] = (message["executable"], folder)
    return programs


class Run:
    """What came of some tests with some mutations on."""

    def __init__(self, programs, tests, names=(), time_out=TIME_OUT):
        self.passed, self.failed, self.is_hung = set(), set(), False
        for suite in SUITES:
            of_suite = [it.partition(":")[2] for it in tests if it.startswith(f"{suite}:")]
            if tests is ALL or of_suite:
                self.add(suite, programs[suite], of_suite, names, time_out)

    def add(self, suite, program, tests, names, time_out):
        (executable, folder), switch = program, ",".join(names)
        environment = dict(os.environ, EVENKEEL_MUTATION=switch, RUST_BACKTRACE="0")
        command = [executable, *(["--exact", *tests] if tests else [])]
        try:
            answer = subprocess.run(command, cwd=folder, env=environment, timeout=time_out, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            self.is_hung = True
            return
        found = re.findall(r"^test (\S+)(?: - .*)? \.\.\. (ok|FAILED)", answer.stdout, re.MULTILINE)
        self.passed |= {f"{suite}:{name}" for name, verdict in found if verdict == "ok"}
        self.failed |= {f"{suite}:{name}" for name, verdict in found if verdict == "FAILED"}
        if answer.returncode not in (0, 101):
            self.failed.add(f"{suite}: ended by {answer.returncode}")


ALL = ()


def judge(mutation, programs):
    """By what a mutation is caught, or why it is not: (caught, words)."""
    name, tests, partners = mutation["id"], mutation["caught_by"], mutation.get("redundant_with", [])
    if partners and Run(programs, tests, [name]).failed:
        return False, "it is caught alone, and called redundant"
    run = Run(programs, tests, [name, *partners])
    if run.is_hung:
        return mutation.get("hangs", False), "a test never ends"
    if run.failed:
        beside = f" beside {', '.join(partners)}" if partners else ""
        return True, ", ".join(sorted(run.failed)) + beside
    return False, "every test named passes"


def find(mutations, programs):
    """Says for each mutation which tests of all fail."""
    normal = Run(programs, ALL, time_out=FIND_TIME_OUT)
    for mutation in mutations:
        names = [mutation["id"], *mutation.get("redundant_with", [])]
        run = Run(programs, ALL, names, FIND_TIME_OUT)
        failed = sorted(run.failed - normal.failed)
        print(f"\n{'+'.join(names)}: {len(failed)} tests fail{', and one never ends' if run.is_hung else ''}")
        print("".join(f"    {it}\n" for it in failed), end="", flush=True)


def main(arguments):
    mutations = json.loads(LIST.read_text())
    faults, places = faults_of_the_list(mutations)
    options = {it for it in arguments if it.startswith("--")}
    named = [it for it in arguments if it not in options]
    faults += [f"there is no option {it}" for it in sorted(options - {"--check", "--find"})]
    faults += [f"there is no mutation {it}" for it in named if it not in [it["id"] for it in mutations]]
    if faults:
        sys.exit("mutations: the list does not fit the sources\n" + "\n".join(faults))
    if "--check" in options:
        print(f"mutations: {len(mutations)} in the list, which fits the sources")
        return 0
    chosen = [it for it in mutations if not named or it["id"] in named]
    copy(places)
    programs = build()
    if "--find" in options:
        find(chosen, programs)
        return 0
    tests = sorted({test for mutation in chosen for test in mutation["caught_by"]})
    normal = Run(programs, tests, time_out=FIND_TIME_OUT)
    if normal.passed != set(tests):
        sys.exit("mutations: these do not pass as it is\n" + "\n".join(sorted(set(tests) - normal.passed)))
    uncaught = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutation, (is_caught, words) in zip(chosen, pool.map(lambda it: judge(it, programs), chosen)):
            uncaught += not is_caught
            verdict = "caught by" if is_caught else "UNCAUGHT:"
            print(f"{mutation['promise']}  {mutation['id']}: {mutation['disables']}\n    {verdict} {words}", flush=True)
    print(f"\nmutations: {len(chosen) - uncaught} caught, {uncaught} uncaught")
    return int(uncaught > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
