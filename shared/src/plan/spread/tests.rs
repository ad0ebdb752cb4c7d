//! The arithmetic of even splits against brute force.

use proptest::prelude::*;

use super::*;

fn free(tasks: u32) -> Place {
    Place { tasks, least: 0, most: 1000 }
}

fn flat(counts: &[u32]) -> Layout {
    Layout::flat(counts.iter().copied().map(free).collect())
}

fn zoned(zones: &[&[u32]]) -> Layout {
    let zones = zones.iter().map(|zone| zone.iter().copied().map(free).collect()).collect();
    Layout { zones, is_level_inside: true }
}

/// Every vector within the bounds with this sum.
fn vectors(bounds: &[(u32, u32)], sum: u32) -> Vec<Vec<u32>> {
    let Some(((least, most), rest)) = bounds.split_first() else {
        return if sum == 0 { vec![Vec::new()] } else { Vec::new() };
    };
    let heads = *least..=(*most).min(sum);
    heads
        .flat_map(|head| vectors(rest, sum - head).into_iter().map(move |tail| [vec![head], tail].concat()))
        .collect()
}

fn squares(vector: &[u32]) -> u32 {
    vector.iter().map(|x| x * x).sum()
}

fn most_even(all: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    let least = all.iter().map(|vector| squares(vector)).min();
    all.into_iter().filter(|vector| Some(squares(vector)) == least).collect()
}

fn moves(places: &[Place], target: &[u32]) -> u32 {
    places.iter().zip(target).map(|(place, target)| place.tasks.saturating_sub(*target)).sum()
}

/// The definition itself: of all zone totals the most even, in each zone of all vectors the most even, fewest moves.
fn oracle(layout: &Layout) -> u32 {
    let inside = |zone: &Vec<Place>, total: u32| {
        let bounds: Vec<(u32, u32)> = zone.iter().map(|place| (place.least, place.most)).collect();
        most_even(vectors(&bounds, total)).iter().map(|target| moves(zone, target)).min().unwrap()
    };
    let bounds: Vec<(u32, u32)> = layout.zones.iter().map(|zone| bounds_of(zone)).collect();
    let all: u32 = layout.zones.iter().map(|zone| total(zone)).sum();
    let cost =
        |totals: &Vec<u32>| layout.zones.iter().zip(totals).map(|(zone, total)| inside(zone, *total)).sum();
    most_even(vectors(&bounds, all)).iter().map(cost).min().unwrap()
}

/// The split that `nearest` returns is one of the best, and exactly `excess` moves away.
fn assert_nearest_is_a_proof(layout: &Layout) {
    let nearest = layout.nearest();
    let moved: u32 = layout.zones.iter().zip(&nearest).map(|(zone, target)| moves(zone, target)).sum();
    assert_eq!(moved, layout.excess(), "{layout:?}");
    let reached = Layout {
        zones: layout
            .zones
            .iter()
            .zip(&nearest)
            .map(|(zone, target)| {
                zone.iter().zip(target).map(|(place, tasks)| Place { tasks: *tasks, ..*place }).collect()
            })
            .collect(),
        ..layout.clone()
    };
    let sum = |layout: &Layout| layout.zones.iter().map(|zone| total(zone)).sum::<u32>();
    assert_eq!(sum(&reached), sum(layout));
    assert!(reached.zones.iter().flatten().all(|place| (place.least..=place.most).contains(&place.tasks)));
    assert_eq!(reached.excess(), 0, "{layout:?} -> {reached:?}");
}

#[test]
fn the_table_of_edge_cases() {
    let cases: [(&[u32], u32, u32); 11] = [
        (&[2, 1], 67, 0),
        (&[3, 0], 200, 1),
        (&[1, 1, 1, 0, 0], 167, 0),
        (&[2, 1, 0, 0, 0], 334, 1),
        (&[2, 2, 0], 150, 1),
        (&[10, 10, 10, 10, 0], 125, 8),
        (&[11, 10, 9, 10], 20, 1),
        (&[6, 5, 5, 4], 40, 1),
        (&[5], 0, 0),
        (&[1, 0, 0], 300, 0),
        (&[0, 0], 0, 0),
    ];
    for (counts, skew, excess) in cases {
        let layout = flat(counts);
        assert_eq!((layout.skew().get(), layout.excess()), (skew, excess), "{counts:?}");
    }
}

#[test]
fn uneven_zones_make_instances_uneven_and_nothing_moves() {
    let layout = zoned(&[&[1, 2], &[3]]);
    assert_eq!(layout.excess(), 0);
    assert_eq!(layout.skew(), Percent::new(67), "inside zone a");
    assert_eq!(layout.article_skew(), Percent::new(67));
}

#[test]
fn skew_is_rounded_up_so_that_it_agrees_with_a_whole_threshold() {
    assert_eq!(over_mean(&[101, 100, 100]), Percent::new(1));
    assert_eq!(over_mean(&[130, 100, 70]), Percent::new(60));
}

#[test]
fn a_zone_that_is_packed_on_purpose_counts_by_its_total_only() {
    let mut layout = zoned(&[&[4, 0], &[1, 1]]);
    assert_eq!(layout.excess(), 2);
    layout.is_level_inside = false;
    assert_eq!(layout.excess(), 1);
    assert_eq!(layout.skew(), Percent::new(67));
    assert_eq!(layout.nearest(), vec![vec![3, 0], vec![2, 1]]);
}

#[test]
fn fixed_tasks_and_full_instances_bound_the_best_split() {
    let fixed = Place { tasks: 5, least: 5, most: 5 };
    let layout = Layout::flat(vec![fixed, free(3), free(0)]);
    assert_eq!((layout.excess(), layout.nearest()), (1, vec![vec![5, 2, 1]]));
    let full = Place { tasks: 1, least: 0, most: 1 };
    let layout = Layout::flat(vec![free(6), full, free(0)]);
    assert_eq!((layout.excess(), layout.nearest()), (3, vec![vec![3, 1, 3]]));
}

#[test]
fn every_flat_state_of_few_tasks_agrees_with_the_definition() {
    for m in 1..=5 {
        for n in 0..=7 {
            for counts in vectors(&vec![(0, n); m], n) {
                let layout =
                    Layout::flat(counts.iter().map(|x| Place { tasks: *x, least: 0, most: n }).collect());
                assert_eq!(layout.excess(), oracle(&layout), "{counts:?}");
                assert_nearest_is_a_proof(&layout);
            }
        }
    }
}

#[test]
fn every_zoned_state_of_few_tasks_agrees_with_the_definition() {
    for sizes in [&[1, 1][..], &[2, 1], &[2, 2], &[3, 1], &[1, 1, 1], &[2, 1, 1], &[2, 2, 1]] {
        for n in 0..=6 {
            for counts in vectors(&vec![(0, n); sizes.iter().sum()], n) {
                let mut rest = counts.iter();
                let zones = sizes.iter().map(|size| {
                    rest.by_ref().take(*size).map(|x| Place { tasks: *x, least: 0, most: n }).collect()
                });
                let layout = Layout { zones: zones.collect(), is_level_inside: true };
                assert_eq!(layout.excess(), oracle(&layout), "{layout:?}");
                assert_nearest_is_a_proof(&layout);
            }
        }
    }
}

#[test]
fn optimal_states_have_no_excess() {
    for m in 1..=10_u32 {
        for n in 0..=50_u32 {
            let counts: Vec<u32> = (0..m).map(|i| n / m + u32::from(i < n % m)).collect();
            assert_eq!(flat(&counts).excess(), 0, "{n} over {m}");
        }
    }
}

fn place() -> impl Strategy<Value = Place> {
    (0..5_u32, 0..3_u32, 0..5_u32).prop_map(|(tasks, movable, more)| Place {
        tasks,
        least: tasks.saturating_sub(movable * 2),
        most: tasks + more,
    })
}

fn layouts() -> impl Strategy<Value = Layout> {
    let zone = prop::collection::vec(place(), 1..4);
    prop::collection::vec(zone, 1..4).prop_map(|zones| Layout { zones, is_level_inside: true })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bounds_and_zones_agree_with_the_definition(layout in layouts()) {
        prop_assert_eq!(layout.excess(), oracle(&layout));
        assert_nearest_is_a_proof(&layout);
    }

    #[test]
    fn a_packed_zone_needs_no_more_moves_than_a_level_one(layout in layouts()) {
        let packed = Layout { is_level_inside: false, ..layout.clone() };
        prop_assert!(packed.excess() <= layout.excess());
        assert_nearest_is_a_proof(&packed);
    }
}
