//! The flow against every choice there is, on problems small enough to try them all.

use proptest::prelude::*;

use super::*;

/// Fewest slots given up over every choice that keeps to all bounds, by trying them all.
fn oracle(rows: &[Row], base: &[u32], bounds: &[(u32, u32)]) -> Option<u32> {
    let Some((row, rest)) = rows.split_first() else {
        let is_kept = base.iter().zip(bounds).all(|(load, (least, most))| (least..=most).contains(&load));
        return is_kept.then_some(0);
    };
    let slots: Vec<(usize, Slot)> = row
        .zones
        .iter()
        .enumerate()
        .flat_map(|(at, zone)| zone.slots.iter().map(move |slot| (at, *slot)))
        .collect();
    let total = slots.iter().filter(|(_, slot)| slot.is_used).count();
    let choices = (0..1_u32 << slots.len()).filter(|choice| {
        let used = |zone: usize| {
            let of_zone = slots.iter().enumerate().filter(|(_, (at, _))| *at == zone);
            of_zone.filter(|(bit, _)| choice >> bit & 1 == 1).count() as u32
        };
        let is_bounded = |(at, zone): (usize, &Zone)| (zone.least..=zone.most).contains(&used(at));
        choice.count_ones() as usize == total && row.zones.iter().enumerate().all(is_bounded)
    });
    let cost = |choice: u32| {
        let mut base = base.to_vec();
        let mut lost = 0;
        for (bit, (_, slot)) in slots.iter().enumerate() {
            let is_used = choice >> bit & 1 == 1;
            base[slot.place] += u32::from(is_used);
            lost += u32::from(slot.is_taken && !is_used);
        }
        oracle(rest, &base, bounds).map(|more| more + lost)
    };
    choices.filter_map(cost).min()
}

/// A row over all places, cut into zones of `width`, whose tasks stand on the places of `taken`.
fn row(places: usize, width: usize, taken: u32, weight: u32) -> Row {
    let total = taken.count_ones();
    let slot = |place: usize| {
        let is_taken = taken >> place & 1 == 1;
        Slot { place, is_taken, is_used: is_taken }
    };
    let zones: Vec<Vec<Slot>> = (0..places)
        .collect::<Vec<_>>()
        .chunks(width)
        .map(|places| places.iter().map(|place| slot(*place)).collect())
        .collect();
    let zone = |slots: Vec<Slot>| {
        let used = slots.iter().filter(|slot| slot.is_used).count() as u32;
        Zone { least: used.saturating_sub(1).min(total), most: (used + 1).min(slots.len() as u32), slots }
    };
    Row { zones: zones.into_iter().map(zone).collect(), weight }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_flow_is_as_good_as_the_best_of_all_choices(
        width in 1_usize..=4,
        taken in prop::collection::vec(0_u32..16, 1..4),
        weights in prop::collection::vec(0_u32..9, 4),
        base in prop::collection::vec(0_u32..3, 4),
        least in 0_u32..3,
        more in 0_u32..3,
    ) {
        let rows: Vec<Row> = taken.iter().zip(weights).map(|(taken, weight)| row(4, width, *taken, weight)).collect();
        let bounds = vec![(least, least + more); 4];
        let mut solved = rows.clone();
        let found = solve(&mut solved, &base, &bounds);
        prop_assert_eq!(found, oracle(&rows, &base, &bounds));
        if found.is_some() {
            for (place, (least, most)) in bounds.iter().enumerate() {
                let slots = solved.iter().flat_map(|row| &row.zones).flat_map(|zone| &zone.slots);
                let load = base[place] + slots.filter(|slot| slot.place == place && slot.is_used).count() as u32;
                prop_assert!((*least..=*most).contains(&load));
            }
        }
    }
}

#[test]
fn a_chain_over_a_third_place_is_found_where_no_single_move_helps() {
    let first = row(3, 3, 0b001, 0);
    let mut second = row(3, 3, 0b010, 0);
    second.zones[0].slots.remove(0);
    let mut first_stays = first.clone();
    first_stays.zones[0].slots.remove(2);
    let mut rows = [first_stays, second];
    assert_eq!(solve(&mut rows, &[1, 0, 0], &[(1, 1); 3]), Some(2));
}

#[test]
fn the_lighter_of_two_services_moves() {
    let mut rows = [row(2, 2, 0b01, 5), row(2, 2, 0b01, 1)];
    assert_eq!(solve(&mut rows, &[0, 0], &[(1, 1); 2]), Some(1));
    assert!(rows[0].zones[0].slots[0].is_used && !rows[1].zones[0].slots[0].is_used);
}
