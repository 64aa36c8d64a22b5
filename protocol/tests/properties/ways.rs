//! The way of media.

use std::time::Duration;

use proptest::prelude::*;
use visita_protocol::{
    time::Now,
    way::{Chooser, Order, Policy, Way},
};

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Answered(u64),
    Heard,
    Lost(u32),
    Up,
    Failed,
    Broke,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..2_000).prop_map(Step::Wait),
        4 => (0_u64..5_000).prop_map(Step::Answered),
        2 => Just(Step::Heard),
        1 => (0_u32..2_000).prop_map(Step::Lost),
        2 => Just(Step::Up),
        1 => Just(Step::Failed),
        1 => Just(Step::Broke),
    ]
}

proptest! {
    #[test]
    fn a_way_is_tried_once_at_a_time_and_left_only_when_there_is_one(
        policy in prop_oneof![Just(Policy::Ws), Just(Policy::Webrtc), Just(Policy::Auto)],
        steps in proptest::collection::vec(step(), 0..400),
    ) {
        let mut chooser = Chooser::new(policy);
        let mut ms = 1_000;
        // Whether a try or UDP is under way, and when the last one ended but for a broken connection.
        let mut begun = false;
        let mut ended: Option<u64> = None;
        for step in steps {
            let now = Now(ms * 1000);
            let was = chooser.way();
            match step {
                Step::Wait(wait) => ms += wait,
                Step::Answered(took) => chooser.answered(now, Duration::from_millis(took)),
                Step::Heard => chooser.heard(now),
                Step::Lost(permille) => chooser.lost(now, permille),
                Step::Up => {
                    let up = chooser.up(now);
                    prop_assert_eq!(up, begun && was == Way::Ws);
                }
                Step::Failed => {
                    chooser.failed(now);
                    if begun {
                        ended = Some(ms);
                    }
                    begun = false;
                }
                Step::Broke => {
                    chooser.broke();
                    if begun {
                        ended = None;
                    }
                    begun = false;
                }
            }
            match chooser.turn(Now(ms * 1000)) {
                Some(Order::Try) => {
                    prop_assert!(!begun && policy != Policy::Ws);
                    prop_assert_eq!(chooser.way(), Way::Ws, "until it is up");
                    prop_assert!(ended.is_none_or(|ended| ms >= ended + 5_000));
                    begun = true;
                }
                Some(Order::Leave(_)) => {
                    prop_assert!(begun);
                    prop_assert_eq!(chooser.way(), Way::Ws);
                    begun = false;
                    ended = Some(ms);
                }
                None => {}
            }
            prop_assert!(begun || chooser.way() == Way::Ws);
        }
    }
}
