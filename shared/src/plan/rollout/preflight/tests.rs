//! Starts for what has drifted, where that cannot be told or would not end.

use super::*;
use crate::ids::LaunchTemplateId;
use crate::plan::rollout::testing::Scene;
use crate::snapshot::{
    LaunchSource, LaunchTemplateOverride, LaunchTemplateSpecification, MixedInstancesPolicy,
};

fn template() -> LaunchTemplateSpecification {
    LaunchTemplateSpecification { id: Some("lt-1".into()), name: None, version: "$Latest".to_owned() }
}

fn mixed(own: Option<LaunchTemplateSpecification>) -> LaunchSource {
    LaunchSource::MixedInstancesPolicy(MixedInstancesPolicy {
        launch_template: template(),
        overrides: vec![LaunchTemplateOverride {
            instance_type: Some("m5.large".to_owned()),
            has_requirements: false,
            weighted_capacity: None,
            launch_template: own,
            image: None,
        }],
        on_demand_base: 0,
        on_demand_percentage: 0,
    })
}

/// The blockers of a start for this selection, of a group that launches from this.
fn blockers(source: LaunchSource, selection: Selection, rejected: Option<&str>) -> Vec<RolloutReason> {
    let mut scene = Scene::new(Phase::Mark);
    scene.seen.group.launch_source = source;
    let rejected = rejected.map(|text| ("evenkeel:rollout-rejected".to_owned(), text.to_owned()));
    scene.seen.group.tags.extend(rejected);
    for id in ["i-a", "i-b", "i-c"] {
        scene.registered(id).attributes.clear();
    }
    let target = LaunchTemplateVersion {
        id: LaunchTemplateId::new("lt-1"),
        name: "web".to_owned(),
        version: 2,
        image: None,
        instance_type: None,
    };
    let snapshot = PreflightSnapshot {
        seen: scene.seen,
        target: Known::Known(Some(target)),
        hooks: Known::Known(Vec::new()),
        refreshes: Known::Known(Vec::new()),
        scheduled: Known::Known(Vec::new()),
        providers: Known::Known(Vec::new()),
        protected: Known::Known(0),
    };
    let terms = Terms { selection, ..scene.record.terms };
    preflight(&snapshot, terms, "evenkeel-drain", Duration::from_hours(4)).blockers
}

#[test]
fn what_has_drifted_cannot_be_told_without_one_template_for_all() {
    let of_template = || LaunchSource::LaunchTemplate(template());
    for (source, is_told) in [
        (of_template(), true),
        (mixed(None), true),
        (mixed(Some(template())), false),
        (LaunchSource::LaunchConfiguration("old".to_owned()), false),
    ] {
        let blockers = blockers(source.clone(), Selection::Drifted, None);
        let is_refused = blockers.iter().any(|it| matches!(it, RolloutReason::CannotTell { .. }));
        assert_eq!(is_refused, !is_told, "{source:?} {blockers:?}");
    }
    assert!(blockers(mixed(Some(template())), Selection::All, None).is_empty());
}

/// Else a schedule that asks for it would double and take back the fleet for ever.
#[test]
fn what_was_rolled_back_is_not_begun_again_for_drift_alone() {
    let of =
        |selection, rejected| blockers(LaunchSource::LaunchTemplate(template()), selection, Some(rejected));
    assert!(matches!(of(Selection::Drifted, "2:launchTimeout").as_slice(), [RolloutReason::Rejected { .. }]));
    assert!(of(Selection::Drifted, "1:launchTimeout").is_empty());
    assert!(of(Selection::All, "2:launchTimeout").is_empty(), "who says start means it");
}
