//! What every plan promises, for any number of rows and any size of shard.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Name {
    Name::new(text).expect("allowed")
}

fn id(text: &str) -> StageId {
    StageId::new(text).expect("allowed")
}

fn table(text: &str, rows: Rows, needs: &[&str]) -> Stage {
    Stage {
        id: id(text),
        needs: needs.iter().map(|need| id(need)).collect(),
        pool: Pool::Generate,
        work: Work::Table { table: name(text), extension: name("parquet") },
        rows,
        shard_rows: NonZeroU64::new(10).expect("not zero"),
        row_bytes: 8,
    }
}

fn count(text: &str, of: &str) -> Stage {
    Stage {
        work: Work::Count { table: name(of), parents: name("users"), parents_per_row: NonZeroU64::MIN },
        row_bytes: 0,
        ..table(text, Rows::Exact(100), &[])
    }
}

fn plan(stages: Vec<Stage>) -> Plan {
    let spec_digest = Digest::of(b"spec");
    Plan { spec_digest, name: name("shop"), seed: 7, engine: 1, writer: "w1".to_owned(), stages, budget: None }
}

proptest! {
    #[test]
    fn shards_cover_every_row_once(rows in 0_u64..5_000, shard_rows in 1_u64..700) {
        let shard_rows = NonZeroU64::new(shard_rows).expect("not zero");
        let stage = Stage { shard_rows, ..table("t", Rows::Exact(rows), &[]) };
        let of = stage.shards().exact().expect("exact");
        let mut next = 0;
        for index in 0..of {
            let shard = stage.shard(index).expect("in range");
            prop_assert_eq!(shard.rows.start, next);
            prop_assert_eq!(shard.of, of);
            next = shard.rows.end;
        }
        prop_assert_eq!(next, rows);
        prop_assert!(stage.shard(of).is_none());
    }
}

#[test]
fn the_largest_stage_has_a_last_shard() {
    for shard_rows in [1, 3, u64::MAX - 1, u64::MAX] {
        let shard_rows = NonZeroU64::new(shard_rows).expect("not zero");
        let stage = Stage { shard_rows, ..table("t", Rows::Exact(u64::MAX), &[]) };
        let last = stage.shards().exact().expect("exact") - 1;
        assert_eq!(stage.shard(last).expect("in range").rows.end, u64::MAX);
        assert!(stage.shard(last + 1).is_none());
    }
}

#[test]
fn a_table_without_rows_has_one_empty_shard() {
    let stage = table("t", Rows::Exact(0), &[]);
    assert_eq!(stage.shards(), Rows::Exact(1));
    assert_eq!(stage.shard(0).expect("in range").rows, 0..0);
}

#[test]
fn an_interval_has_no_shards_until_it_is_counted() {
    let stage = table("t", Rows::Between { least: 5, most: 95 }, &[]);
    assert_eq!(stage.shards(), Rows::Between { least: 1, most: 10 });
    assert!(stage.shard(0).is_none());
    assert_eq!(stage.with_rows(42).expect("allowed").shards(), Rows::Exact(5));
    let refused = stage.with_rows(96).expect_err("too many").to_string();
    assert_eq!(refused, "stage `t` was planned with 5 to 95 rows and 96 were counted");
}

#[test]
fn plans_that_cannot_run_are_refused() {
    let between = Rows::Between { least: 1, most: 9 };
    let refused = |stages: Vec<Stage>| plan(stages).check().expect_err("refused").to_string();
    assert_eq!(
        refused(vec![table("a", Rows::Exact(1), &[]), table("a", Rows::Exact(1), &[])]),
        "the plan has two of `a`"
    );
    assert_eq!(
        refused(vec![table("a", Rows::Exact(1), &[]), table("A", Rows::Exact(1), &[])]),
        "the plan has two of `A`"
    );
    assert!(refused(vec![table("a", Rows::Exact(1), &["b"])]).contains("does not come before"));
    assert!(refused(vec![table("a", Rows::Exact(1), &["a"])]).contains("does not come before"));
    assert!(refused(vec![table("a", between, &[])]).contains("needs no stage that counts"));
    assert!(refused(vec![count("c", "b"), table("a", between, &["c"])]).contains("needs no stage that counts"));
    let half = Rows::Exact(u64::MAX / 2 + 1);
    assert!(refused(vec![table("a", half, &[]), table("b", half, &[])]).contains("more than"));
    plan(vec![count("c", "a"), table("a", between, &["c"])]).check().expect("can run");
}

#[test]
fn a_plan_reads_what_it_writes_and_prints_for_people() {
    let plan = plan(vec![count("c", "a"), table("a", Rows::Between { least: 1, most: 90 }, &["c"])]);
    let bytes = super::super::encode(&plan);
    assert_eq!(serde_json::from_slice::<Plan>(&bytes).expect("reads"), plan);
    let printed = plan.to_string();
    assert!(printed.contains("  c: count 100 rows in 10 shards\n"), "{printed}");
    assert!(printed.contains("  a: write 1 to 90 rows in 1 to 9 shards, about 720 bytes, after c\n"), "{printed}");
}
