//! What kind of cluster it is: how large its machines are, how many tasks its services have, and how large those are.
//!
//! Three shapes after what is published of real clusters: the common ECS cluster (most services have two tasks), Alibaba's
//! traces of 2017 and 2018 (large equal machines, containers of few round sizes), and Google's Borg trace of 2019 (few
//! services use nearly everything).

/// The shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Population {
    Common,
    Alibaba,
    Borg,
}

/// The work of one service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// Tasks.
    pub(crate) desired: u32,
    /// CPU units of each.
    pub(crate) cpu: u64,
    /// MiB of each.
    pub(crate) memory: u64,
}

/// Log-normal with median 2; sigma 1.4 makes one in twenty ten times as large.
const SIGMA: f64 = 1.4;

/// Share of the cluster's CPU that is in use: the rest has to hold a doubled service, and what a lost instance ran.
const FULL_PERCENT: u64 = 45;

impl Population {
    pub(crate) fn draw(dice: &mut fastrand::Rng) -> Self {
        *dice.choice(&[Self::Common, Self::Common, Self::Alibaba, Self::Borg]).expect("there are four")
    }

    /// CPU units and MiB of a machine.
    pub(crate) fn machine(self) -> (u64, u64) {
        match self {
            Self::Alibaba => (65_536, 262_144),
            Self::Common | Self::Borg => (4096, 15_360),
        }
    }

    /// Services, until the cluster of this many machines is as full as it may be.
    pub(crate) fn services(self, dice: &mut fastrand::Rng, machines: u32) -> Vec<Work> {
        let (machine_cpu, machine_memory) = self.machine();
        let limits = [machine_cpu, machine_memory].map(|it| it * u64::from(machines) * FULL_PERCENT / 100);
        let (mut services, mut used) = (Vec::new(), [0, 0]);
        for number in 0..dice.usize(3..=8) {
            let work = self.work(dice, number, machines);
            let wants = [work.cpu, work.memory].map(|it| it * u64::from(work.desired));
            if used[0] + wants[0] <= limits[0] && used[1] + wants[1] <= limits[1] {
                used = [used[0] + wants[0], used[1] + wants[1]];
                services.push(work);
            }
        }
        if services.is_empty() {
            services.push(Work { desired: 1, cpu: 128, memory: 256 });
        }
        services
    }

    fn work(self, dice: &mut fastrand::Rng, number: usize, machines: u32) -> Work {
        match self {
            Self::Common => {
                let (cpu, memory) = *dice.choice(&[(128, 256), (256, 512), (512, 1024)]).expect("three");
                Work { desired: log_normal(dice).min(3 * machines / 2).max(1), cpu, memory }
            }
            Self::Alibaba => {
                let cpu = *dice.choice(&[4096, 4096, 8192]).expect("three");
                Work { desired: log_normal(dice).min(2 * machines).max(1), cpu, memory: 2 * cpu }
            }
            Self::Borg if number == 0 => Work { desired: 5 * machines, cpu: 256, memory: 768 },
            Self::Borg => Work { desired: dice.u32(1..=2), cpu: 64, memory: 128 },
        }
    }
}

fn log_normal(dice: &mut fastrand::Rng) -> u32 {
    let radius = (-2.0 * (1.0 - dice.f64()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * dice.f64()).cos();
    (2.0 * (SIGMA * normal).exp()).round() as u32
}
