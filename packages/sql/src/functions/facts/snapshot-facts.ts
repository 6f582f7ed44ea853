/** PostgreSQL 15's pg_proc: functions of xid8 and of snapshots. The form of a line is told in definitions.ts. */
export const snapshotFacts = `
2945 txid_snapshot_xmin 2970 20 ix txid_snapshot_xmin
2946 txid_snapshot_xmax 2970 20 ix txid_snapshot_xmax
2947 txid_snapshot_xip 2970 20 ixr txid_snapshot_xip
2948 txid_visible_in_snapshot 20,2970 16 ix txid_visible_in_snapshot
5062 pg_snapshot_xmin 5038 5069 ix pg_snapshot_xmin
5063 pg_snapshot_xmax 5038 5069 ix pg_snapshot_xmax
5064 pg_snapshot_xip 5038 5069 ixr pg_snapshot_xip
5065 pg_visible_in_snapshot 5069,5038 16 ix pg_visible_in_snapshot
5071 xid 5069 28 ix xid8_xid
5096 xid8cmp 5069,5069 23 ix xid8cmp
5097 xid8_larger 5069,5069 5069 ix xid8_larger
5098 xid8_smaller 5069,5069 5069 ix xid8_smaller
`;
