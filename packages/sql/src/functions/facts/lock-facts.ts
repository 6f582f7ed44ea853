/** PostgreSQL 15's pg_proc: functions of sessions and of their advisory locks. The form of a line is told in definitions.ts. */
export const lockFacts = `
2026 pg_backend_pid - 23 sx pg_backend_pid
2096 pg_terminate_backend 23,20 16 vx pg_terminate_backend
2171 pg_cancel_backend 23 16 vx pg_cancel_backend
2626 pg_sleep 701 2278 vx pg_sleep
3809 pg_export_snapshot - 25 vx pg_export_snapshot
3098 pg_create_restore_point 25 3220 vx pg_create_restore_point
2880 pg_advisory_lock 20 2278 vx pg_advisory_lock_int8
2881 pg_advisory_lock_shared 20 2278 vx pg_advisory_lock_shared_int8
2882 pg_try_advisory_lock 20 16 vx pg_try_advisory_lock_int8
2883 pg_try_advisory_lock_shared 20 16 vx pg_try_advisory_lock_shared_int8
2884 pg_advisory_unlock 20 16 vx pg_advisory_unlock_int8
2885 pg_advisory_unlock_shared 20 16 vx pg_advisory_unlock_shared_int8
2886 pg_advisory_lock 23,23 2278 vx pg_advisory_lock_int4
2887 pg_advisory_lock_shared 23,23 2278 vx pg_advisory_lock_shared_int4
2888 pg_try_advisory_lock 23,23 16 vx pg_try_advisory_lock_int4
2889 pg_try_advisory_lock_shared 23,23 16 vx pg_try_advisory_lock_shared_int4
2890 pg_advisory_unlock 23,23 16 vx pg_advisory_unlock_int4
2891 pg_advisory_unlock_shared 23,23 16 vx pg_advisory_unlock_shared_int4
2892 pg_advisory_unlock_all - 2278 vx pg_advisory_unlock_all
2943 txid_current - 20 sx txid_current
5059 pg_current_xact_id - 5069 sx pg_current_xact_id
3089 pg_advisory_xact_lock 20 2278 vx pg_advisory_xact_lock_int8
3090 pg_advisory_xact_lock_shared 20 2278 vx pg_advisory_xact_lock_shared_int8
3091 pg_try_advisory_xact_lock 20 16 vx pg_try_advisory_xact_lock_int8
3092 pg_try_advisory_xact_lock_shared 20 16 vx pg_try_advisory_xact_lock_shared_int8
3093 pg_advisory_xact_lock 23,23 2278 vx pg_advisory_xact_lock_int4
3094 pg_advisory_xact_lock_shared 23,23 2278 vx pg_advisory_xact_lock_shared_int4
3095 pg_try_advisory_xact_lock 23,23 16 vx pg_try_advisory_xact_lock_int4
15897 pg_stat_statements_reset 26,26,20 2278 vx pg_stat_statements_reset
3096 pg_try_advisory_xact_lock_shared 23,23 16 vx pg_try_advisory_xact_lock_shared_int4
`;
