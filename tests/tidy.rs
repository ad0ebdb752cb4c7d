//! The house rules that a machine can check: arrows between modules run one way, files are rooms with a sign on the
//! door, tests carry no TLS, and nothing depends on the one SDK crate that costs more than all the rest.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules of the crate `evenkeel` in the order of data flow; each may use only names to its left.
const ORDER: [&str; 13] = [
    "ids",
    "timestamp",
    "percent",
    "snapshot",
    "error",
    "settings",
    "plan",
    "aws",
    "observe",
    "report",
    "execute",
    "turn",
    "lambda",
];

/// The same for the modules below `plan`.
const PLAN_ORDER: [&str; 29] = [
    "rest",
    "reason",
    "proposal",
    "record",
    "constraint",
    "placement",
    "spread",
    "case",
    "stoppable",
    "eligible",
    "candidate",
    "landing",
    "sequence",
    "verdict",
    "level",
    "shortlist",
    "flow",
    "load",
    "relief",
    "curve",
    "starts",
    "rebalance",
    "health",
    "surge",
    "stop",
    "trace",
    "drain",
    "rollout",
    "testing",
];

/// The longest a file may be. A room of 100 to 300 lines is the aim; tables and tests may need a little more.
const LINES_MAX: usize = 330;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<PathBuf> {
    ["shared", "functions", "tests"].iter().flat_map(|folder| sources(folder)).collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a source file can be read")
}

/// The top module of a file below `shared/src`.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("shared/src")).expect("it lies below shared/src");
    let first =
        inside.components().next().expect("a file has a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Modules of `order` that a file names through `prefix`.
fn named_in(source: &str, prefix: &str, order: &[&str]) -> BTreeSet<String> {
    let is_word = |c: &char| c.is_ascii_lowercase() || *c == '_';
    let word = |rest: &str| rest.chars().take_while(is_word).collect::<String>();
    source.split(prefix).skip(1).map(word).filter(|word| order.contains(&word.as_str())).collect()
}

#[test]
fn arrows_between_modules_run_one_way() {
    let place = |module: &str| ORDER.iter().position(|it| *it == module);
    for path in sources("shared/src") {
        let module = module_of(&path);
        if module == "lib" {
            continue;
        }
        let own = place(&module).unwrap_or_else(|| panic!("{} has no place in ORDER", path.display()));
        for named in named_in(&text(&path), "crate::", &ORDER) {
            assert!(place(&named) <= Some(own), "{} reaches back to {named}", path.display());
        }
    }
}

#[test]
fn arrows_between_plan_modules_run_one_way() {
    let place = |module: &str| PLAN_ORDER.iter().position(|it| *it == module);
    let is_test = |path: &PathBuf| path.ends_with("tests.rs") || path.ends_with("testing.rs");
    for path in sources("shared/src/plan").into_iter().filter(|path| !is_test(path)) {
        let inside = path.strip_prefix(root().join("shared/src/plan")).expect("it lies there").to_owned();
        let first =
            inside.components().next().expect("a file has a name").as_os_str().to_string_lossy().into_owned();
        let own = place(first.trim_end_matches(".rs"));
        assert!(own.is_some(), "{} has no place in PLAN_ORDER", path.display());
        for named in named_in(&text(&path), "crate::plan::", &PLAN_ORDER) {
            assert!(place(&named) <= own, "{} reaches back to {named}", path.display());
        }
    }
}

#[test]
fn plans_are_free_of_async_clocks_and_sdk_types() {
    for path in sources("shared/src/plan") {
        let source = text(&path);
        for banned in
            ["async ", ".await", "aws_sdk", "aws_smithy", "SystemTime", "Instant::now", "fastrand", "tokio"]
        {
            assert!(!source.contains(banned), "{} has {banned}", path.display());
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_for_and_is_a_room() {
    for path in all_sources() {
        let source = text(&path);
        assert!(source.starts_with("//! "), "{} has no header", path.display());
        let lines = source.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines, at most {LINES_MAX} are allowed", path.display());
    }
}

#[test]
fn no_file_is_named_for_nothing() {
    for path in all_sources() {
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let banned = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];
        assert!(!banned.contains(&name.as_str()), "{}", path.display());
    }
}

#[test]
fn the_top_level_is_what_it_is() {
    let listed = Command::new("git").args(["ls-files"]).current_dir(root()).output().expect("git is there");
    let listed = String::from_utf8(listed.stdout).expect("names are UTF-8");
    let top: BTreeSet<&str> = listed.lines().filter_map(|path| path.split('/').next()).collect();
    let allowed = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "functions",
        "infra",
        "shared",
        "tests",
    ];
    for name in top {
        assert!(name.starts_with('.') || allowed.contains(&name), "{name} has no place at the top level");
    }
}

/// Packages that `package` depends on, by `cargo tree`.
fn dependencies(package: &str) -> String {
    let arguments = ["tree", "--locked", "--offline", "-p", package, "-e", "normal", "--prefix", "none"];
    let output =
        Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("package names are UTF-8")
}

#[test]
fn scenarios_carry_no_tls_and_nothing_carries_the_ec2_sdk() {
    let tests = dependencies("evenkeel-tests");
    assert!(tests.contains("aws-sdk-ecs"), "the tree was read");
    for banned in ["rustls", "ring ", "openssl", "native-tls"] {
        assert!(!tests.contains(banned), "tests depend on {banned}");
    }
    for package in ["evenkeel-tests", "rebalance"] {
        assert!(!dependencies(package).contains("aws-sdk-ec2 "), "{package} depends on aws-sdk-ec2");
    }
}

#[test]
fn the_phases_of_a_rollout_in_the_readme_are_those_of_the_code() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let table = evenkeel::plan::rollout::phase::as_markdown();
    assert!(readme.contains(&table), "copy this table into README.md:\n{table}");
}

#[test]
fn the_settings_table_of_the_readme_is_that_of_the_code() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `EVENKEEL_")).collect();
    let expected: Vec<String> = evenkeel::settings::SETTINGS
        .iter()
        .map(|setting| {
            let default = if setting.default == "required" {
                "required".to_owned()
            } else {
                format!("`{}`", setting.default)
            };
            format!("| `{}` | {default} | {}{} |", setting.name, setting.meaning, setting.takes)
        })
        .collect();
    assert_eq!(rows, expected, "copy the rows from the right-hand side into README.md");
}
