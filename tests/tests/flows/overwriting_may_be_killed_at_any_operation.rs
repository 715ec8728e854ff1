//! Overwrite another version, killed before or after any operation, then again: only the new version is there. Between the
//! two, a folder without `_SUCCESS` never looks finished.

use shardmill_tests::sandbox::{Fault, tree};

use crate::killed_at_any_operation_the_next_run_ends_the_same::run_and_kill;

const NEVER: Fault = Fault::DieBefore(u64::MAX);

#[test]
fn overwriting_may_be_killed_at_any_operation() {
    let clean = tempfile::tempdir().expect("makes");
    run_and_kill(clean.path(), NEVER, 2);
    let expected = tree(clean.path());
    for fault in [Fault::DieBefore as fn(u64) -> Fault, Fault::DieAfter] {
        let mut at = 0;
        loop {
            let root = tempfile::tempdir().expect("makes");
            run_and_kill(root.path(), NEVER, 1);
            let old_mark = tree(root.path()).remove("_SUCCESS");
            let is_killed = run_and_kill(root.path(), fault(at), 2);
            let mark = tree(root.path()).remove("_SUCCESS");
            assert!(mark.is_none() || mark == old_mark || mark.as_ref() == expected.get("_SUCCESS"));
            if is_killed {
                run_and_kill(root.path(), NEVER, 2);
            }
            assert_eq!(tree(root.path()), expected, "after {:?}", fault(at));
            if !is_killed {
                break;
            }
            at += 1;
        }
        assert!(at > 90, "only {at} operations were disturbed");
    }
}
