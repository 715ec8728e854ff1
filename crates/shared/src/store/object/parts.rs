//! How large the parts of an upload are. Pure.

const MIB: u64 = 1024 * 1024;

/// The size of the first parts, and the largest object that is put at once.
pub(super) const FIRST_PART_BYTES: u64 = 8 * MIB;

/// So many parts of the first size: 8 GB, more than a file of ours. What is larger pays with larger buffers.
const EQUAL_PARTS: u64 = 1_000;
/// After so many more parts, parts are larger by the first size. With it 10 000 parts hold 5 TiB, the largest object.
const GROW_EVERY: u64 = 62;

/// The size in bytes of a part, counted from 0. Between 8 MiB and 1.2 GiB, where S3 takes 5 MiB to 5 GiB.
pub(super) fn part_bytes(number: u64) -> u64 {
    FIRST_PART_BYTES * (1 + number.saturating_sub(EQUAL_PARTS) / GROW_EVERY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_hold_the_largest_object() {
        let sizes: Vec<u64> = (0..10_000).map(part_bytes).collect();
        assert!(sizes.iter().sum::<u64>() >= 5 * 1024 * 1024 * MIB);
        assert!(sizes.is_sorted());
        assert!(sizes.iter().all(|size| (5 * MIB..=5 * 1024 * MIB).contains(size)));
    }

    #[test]
    fn files_of_ours_need_small_buffers() {
        assert_eq!(part_bytes(0), FIRST_PART_BYTES);
        assert_eq!(part_bytes(1_000), FIRST_PART_BYTES);
        assert_eq!(part_bytes(1_062), 2 * FIRST_PART_BYTES);
    }
}
