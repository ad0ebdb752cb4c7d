//! `make bench`, second half: every family of clusters under every policy, interruptions and rollouts beside what people
//! have without Evenkeel, and what the planner needs for large clusters.

mod families;
mod interruptions;
mod large;
mod planner;
mod policies;
mod rollouts;
mod shares;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measure the figures that the README states")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Evenkeel beside what people do without it, over all families of clusters.
    Families,
    /// Spot interruptions beside what people have without Evenkeel.
    Interruptions,
    /// Replacing every instance of a group beside what people do without Evenkeel.
    Rollouts,
    /// Wall time and peak memory of planning, over sizes of cluster.
    Planner,
    /// One row of `planner`, measured in this process and printed as JSON.
    PlannerRow {
        /// Which row, counted from zero.
        number: usize,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().part {
        Some(Part::PlannerRow { number }) => planner::print_row(number),
        Some(Part::Planner) => planner::print_table(),
        Some(Part::Families) => {
            families::print_table();
            Ok(())
        }
        Some(Part::Interruptions) => {
            interruptions::print_table();
            Ok(())
        }
        Some(Part::Rollouts) => {
            rollouts::print_table();
            Ok(())
        }
        None => {
            families::print_table();
            interruptions::print_table();
            rollouts::print_table();
            planner::print_table()
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
