//! The fuzzer's entry over random scripts.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

use crate::postgres::exercise;

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_script_gets_around_a_verdict(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(exercise(&bytes), Ok(()));
    }
}
