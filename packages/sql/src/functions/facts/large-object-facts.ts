/** PostgreSQL 15's pg_proc: functions of large objects. The form of a line is told in definitions.ts. */
export const largeObjectFacts = `
715 lo_create 26 26 vx be_lo_create
764 lo_import 25 26 vx be_lo_import
765 lo_export 26,25 23 vx be_lo_export
767 lo_import 25,26 26 vx be_lo_import_with_oid
952 lo_open 26,23 23 vx be_lo_open
953 lo_close 23 23 vx be_lo_close
954 loread 23,23 17 vx be_loread
955 lowrite 23,17 23 vx be_lowrite
956 lo_lseek 23,23,23 23 vx be_lo_lseek
957 lo_creat 23 26 vx be_lo_creat
958 lo_tell 23 23 vx be_lo_tell
964 lo_unlink 26 23 vx be_lo_unlink
1004 lo_truncate 23,23 23 vx be_lo_truncate
3170 lo_lseek64 23,20,23 20 vx be_lo_lseek64
3171 lo_tell64 23 20 vx be_lo_tell64
3172 lo_truncate64 23,20 23 vx be_lo_truncate64
3457 lo_from_bytea 26,17 26 vx be_lo_from_bytea
3458 lo_get 26 17 vx be_lo_get
3459 lo_get 26,20,23 17 vx be_lo_get_fragment
3460 lo_put 26,20,17 2278 vx be_lo_put
`;
