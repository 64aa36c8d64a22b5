//! When this device has too much to do. Pure: figures and the time go in, words' keys come out.

use std::time::Duration;

use serde::Serialize;
use visita_protocol::time::Now;

use super::{
    machine::{Batteries, Battery, Sample},
    steady::{Patience, Steady},
};

/// What there is too much of, or too little. The page has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strain {
    /// The processor is busy.
    Processor,
    /// The memory is full.
    Memory,
    /// The battery runs out.
    Battery,
}

/// From where on it is too much, and from where on no more, in percent.
#[derive(Clone, Copy, Debug)]
struct Limit {
    over: u8,
    under: u8,
}

/// All cores together. Above this a short task makes frames wait; encoders and the page take
/// their share of it unevenly, so it is left only well below.
const PROCESSOR: Limit = Limit {
    over: 85,
    under: 70,
};
/// Above this systems begin to move memory to the disk, or to end programs.
const MEMORY: Limit = Limit {
    over: 92,
    under: 85,
};
/// What the battery lacks. With 30 % left a tablet lasts about one visit.
const EMPTY: Limit = Limit {
    over: 70,
    under: 65,
};

/// A call's beginning or a picture's opening is over sooner than this.
const LASTING: Patience = Patience {
    worse: Duration::from_secs(10),
    better: Duration::from_secs(20),
};
/// A battery doesn't swing: its limits suffice.
const AT_ONCE: Patience = Patience {
    worse: Duration::ZERO,
    better: Duration::ZERO,
};

/// Whether each of them is too much, told steadily.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rule {
    processor: Steady<bool>,
    memory: Steady<bool>,
    battery: Steady<bool>,
}

impl Rule {
    /// Takes what is measured now.
    pub(crate) fn take(&mut self, now: Now, sample: Sample) {
        let empty = match sample.battery {
            Batteries::Some(Battery {
                percent,
                plugged: Some(false),
            }) => 100_u8.saturating_sub(percent),
            _ => 0,
        };
        let (processor, memory) = (
            sample.processor.unwrap_or_default(),
            sample.memory.unwrap_or_default(),
        );
        step(&mut self.processor, now, processor, PROCESSOR, LASTING);
        step(&mut self.memory, now, memory, MEMORY, LASTING);
        step(&mut self.battery, now, empty, EMPTY, AT_ONCE);
    }

    /// What is too much now.
    pub(crate) fn told(&self) -> Vec<Strain> {
        [
            (self.processor, Strain::Processor),
            (self.memory, Strain::Memory),
            (self.battery, Strain::Battery),
        ]
        .into_iter()
        .filter_map(|(steady, strain)| steady.told().then_some(strain))
        .collect()
    }
}

fn step(steady: &mut Steady<bool>, now: Now, percent: u8, limit: Limit, patience: Patience) {
    let limit = if steady.told() {
        limit.under
    } else {
        limit.over
    };
    steady.take(now, percent >= limit, patience);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(processor: u8, memory: u8) -> Sample {
        Sample {
            processor: Some(processor),
            memory: Some(memory),
            battery: Batteries::None,
        }
    }

    /// What is told at the end of `seconds` with these figures.
    fn pass(rule: &mut Rule, from: &mut u64, seconds: u64, sample: Sample) -> Vec<Strain> {
        for _ in 0..seconds {
            *from += 1;
            rule.take(Now(*from * 1_000_000), sample);
        }
        rule.told()
    }

    #[test]
    fn a_busy_processor_is_told_after_a_while_and_taken_back_well_below() {
        let (mut rule, mut at) = (Rule::default(), 0);
        assert_eq!(pass(&mut rule, &mut at, 60, busy(84, 91)), []);
        assert_eq!(pass(&mut rule, &mut at, 9, busy(100, 50)), []);
        assert_eq!(pass(&mut rule, &mut at, 1, busy(20, 50)), []);
        assert_eq!(
            pass(&mut rule, &mut at, 11, busy(90, 50)),
            [Strain::Processor]
        );
        // Between the limits nothing changes, however long.
        assert_eq!(
            pass(&mut rule, &mut at, 300, busy(75, 50)),
            [Strain::Processor]
        );
        assert_eq!(
            pass(&mut rule, &mut at, 20, busy(60, 50)),
            [Strain::Processor]
        );
        assert_eq!(pass(&mut rule, &mut at, 1, busy(60, 50)), []);
    }

    #[test]
    fn a_swinging_figure_doesnt_flicker() {
        let (mut rule, mut at) = (Rule::default(), 0);
        let mut changes = 0;
        let mut before = rule.told();
        for second in 0..600 {
            let swing = if second % 14 < 12 { 95 } else { 65 };
            let told = pass(&mut rule, &mut at, 1, busy(swing, 50));
            changes += usize::from(told != before);
            before = told;
        }
        assert_eq!(changes, 1);
    }

    #[test]
    fn memory_and_battery_are_told_too() {
        let (mut rule, mut at) = (Rule::default(), 0);
        assert_eq!(pass(&mut rule, &mut at, 11, busy(10, 95)), [Strain::Memory]);
        let mut sample = busy(10, 50);
        let battery = |percent, plugged| Batteries::Some(Battery { percent, plugged });
        sample.battery = battery(30, Some(false));
        assert_eq!(
            pass(&mut rule, &mut at, 1, sample),
            [Strain::Memory, Strain::Battery]
        );
        // Charging at 30 % is nobody's worry; nor is a battery that doesn't say.
        sample.battery = battery(30, Some(true));
        assert_eq!(pass(&mut rule, &mut at, 30, sample), []);
        sample.battery = battery(5, None);
        assert_eq!(pass(&mut rule, &mut at, 30, sample), []);
    }
}
