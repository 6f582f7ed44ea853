/** PostgreSQL 15's pg_proc: functions of pg_lsn. The form of a line is told in definitions.ts. */
export const lsnFacts = `
3165 pg_wal_lsn_diff 3220,3220 1700 ix pg_wal_lsn_diff
3237 pg_lsn_mi 3220,3220 1700 ix pg_lsn_mi
3251 pg_lsn_cmp 3220,3220 23 ix pg_lsn_cmp
4187 pg_lsn_larger 3220,3220 3220 ix pg_lsn_larger
4188 pg_lsn_smaller 3220,3220 3220 ix pg_lsn_smaller
5022 pg_lsn_pli 3220,1700 3220 ix pg_lsn_pli
5023 numeric_pl_pg_lsn 1700,3220 3220 ix numeric_pl_pg_lsn
5024 pg_lsn_mii 3220,1700 3220 ix pg_lsn_mii
6103 pg_lsn 1700 3220 ix numeric_pg_lsn
`;
