//! The jobs that are measured, written down as specs.

/// One file and one commit per shard, and next to nothing in them: the nearest that a real job comes to no work.
pub(super) fn tiny(shards: u64) -> String {
    format!(
        "{{shardmill: 1, name: tiny, output: {{format: csv, compression: none, shard_rows: 1}}, tables: {{t: {{rows: {shards}, \
         columns: {{id: {{sequence: 1}}}}}}}}}}"
    )
}

/// Shards whose time goes into their rows.
pub(super) fn people(shards: u64, shard_rows: u64) -> String {
    let rows = shards * shard_rows;
    format!(
        "{{shardmill: 1, name: people, output: {{shard_rows: {shard_rows}}}, tables: {{people: {{rows: {rows}, columns: \
         {{id: {{sequence: 1}}, name: {{faker: name}}, email: {{faker: email}}, city: {{faker: city}}}}}}}}}}"
    )
}
