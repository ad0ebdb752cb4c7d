//! What the Terraform module and the code have to say alike: settings, permissions, metrics, tags.

mod settings;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use evenkeel::report::metrics::{METRICS, NAMESPACE};
use evenkeel_tests::permissions::allowed;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the workspace").to_owned()
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What lies between the first `from` and the next `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no '{from}'"));
    rest.split_once(to).unwrap_or_else(|| panic!("no '{to}' after '{from}'")).0
}

/// `UPDATE=1` in the environment writes the file anew.
#[test]
fn the_modules_variables_are_the_table_of_settings() {
    let written = settings::terraform();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(root().join("infra/settings.tf"), &written).expect("infra can be written");
    }
    let again = "UPDATE=1 cargo test -p evenkeel-tests --test infra";
    assert!(
        written == read("infra/settings.tf"),
        "infra/settings.tf is not what the settings say; write it anew: {again}"
    );
}

/// The dashboard and the alarms take their names from that table.
#[test]
fn the_modules_metrics_are_those_of_the_code() {
    let text = read("infra/metrics.tf");
    assert!(text.contains(&format!("metrics_namespace = \"{NAMESPACE}\"")));
    let (mut found, mut function) = (BTreeSet::new(), "");
    for line in between(&text, "  metrics = {\n", "\n  }\n").lines().map(str::trim) {
        match line.split_once(" = ") {
            Some((name, "{")) => function = name.trim(),
            Some((name, unit)) => drop(found.insert((function, name.trim(), unit.trim_matches('"')))),
            None => {}
        }
    }
    assert_eq!(found, METRICS.iter().copied().collect());
}

/// The README's paragraphs name each action once more, for people who do not use the module.
#[test]
fn the_readme_names_the_permissions_that_the_module_gives() {
    let readme = read("README.md");
    let section = between(&readme, "## Permissions\n", "\n## ");
    for function in ["rebalance", "drain", "rollout"] {
        let paragraph = section.split("\n\n").find(|it| it.starts_with(&format!("`{function}` needs")));
        let paragraph = paragraph.unwrap_or_else(|| panic!("no paragraph begins with {function}"));
        let named = paragraph.split('`').skip(1).step_by(2).filter(|it| it.contains(':'));
        let named: BTreeSet<String> = named.map(str::to_owned).collect();
        assert_eq!(named, allowed(function), "{function}");
    }
}

/// The module's README tells Terraform to leave these alone.
#[test]
fn the_modules_readme_names_every_tag_that_evenkeel_writes() {
    use evenkeel::plan::{record, rest, rollout::record as rollout};
    let readme = read("infra/README.md");
    let tags = [
        record::MOVE_TAG,
        record::SURGE_OFF_TAG,
        rest::REST_TAG,
        rollout::ROLLOUT_TAG,
        rollout::CLUSTER_TAG,
        rollout::UNSTEADY_TAG,
        rollout::REJECTED_TAG,
    ];
    for tag in tags {
        assert!(readme.contains(tag), "{tag}");
    }
}
