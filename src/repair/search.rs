//! The search: whole plans, then one argument after the other; what is not needed is left out again.

use super::{Plans, Setting};

/// How a launch with some settings fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trial {
    /// Whether it loads.
    pub loads: bool,
    /// How far it is from that: entries that differ.
    pub distance: usize,
}

/// Arguments that are changed one after the other.
const MOST_STEPS: usize = 4;

/// The settings under which the checkpoint loads, none of which can be left out. `judge` tells how a launch with some
/// settings fares, `None` where it is refused; it is asked at most `budget` times. `now` is the launch as it is.
pub fn search(
    plans: &Plans,
    now: Trial,
    budget: usize,
    judge: &mut dyn FnMut(&[Setting]) -> Option<Trial>,
) -> Option<Vec<Setting>> {
    let mut left = budget;
    let mut ask = |settings: &[Setting]| -> Option<Trial> {
        left = left.checked_sub(1)?;
        judge(settings)
    };
    let mut near: Vec<(usize, &[Setting])> = vec![(now.distance, &[])];
    for plan in &plans.whole {
        match ask(plan) {
            Some(trial) if trial.loads => return Some(smallest(plan.clone(), &mut ask)),
            Some(trial) => near.push((trial.distance, plan)),
            None => {}
        }
    }
    near.sort_by_key(|(distance, _)| *distance);
    // From the nearest plan on, and from the launch as it is.
    let mut starts: Vec<&[Setting]> = near.iter().take(1).map(|(_, plan)| *plan).collect();
    if !starts.contains(&&[][..]) {
        starts.push(&[]);
    }
    for start in starts {
        let distance = near.iter().find(|(_, plan)| *plan == start).map_or(now.distance, |(distance, _)| *distance);
        if let Some(found) = climb(start, distance, &plans.single, &mut ask) {
            return Some(smallest(found, &mut ask));
        }
    }
    None
}

/// Adds the setting that brings the launch nearest, until it loads or none does.
fn climb(
    start: &[Setting],
    mut distance: usize,
    single: &[Setting],
    ask: &mut dyn FnMut(&[Setting]) -> Option<Trial>,
) -> Option<Vec<Setting>> {
    let mut settings = start.to_vec();
    for _ in 0..MOST_STEPS {
        let mut best: Option<(usize, &Setting)> = None;
        for one in single {
            if settings.iter().any(|taken| taken.name == one.name) {
                continue;
            }
            settings.push(one.clone());
            let trial = ask(&settings);
            if trial.is_some_and(|trial| trial.loads) {
                return Some(settings);
            }
            settings.pop();
            if let Some(trial) = trial.filter(|trial| trial.distance < best.map_or(distance, |(least, _)| least)) {
                best = Some((trial.distance, one));
            }
        }
        let (least, one) = best?;
        distance = least;
        settings.push(one.clone());
    }
    None
}

/// Leaves out every setting without which the checkpoint loads too: half of them at once where that works, then one by one.
fn smallest(mut settings: Vec<Setting>, ask: &mut dyn FnMut(&[Setting]) -> Option<Trial>) -> Vec<Setting> {
    let mut size = settings.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < settings.len() && settings.len() > 1 {
            let mut fewer = settings.clone();
            fewer.drain(at..(at + size).min(settings.len()));
            if !fewer.is_empty() && ask(&fewer).is_some_and(|trial| trial.loads) {
                settings = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    settings
}
