/** PostgreSQL 15's pg_proc: functions about the session. The form of a line is told in definitions.ts. */
export const sessionFacts = `
89 version - 25 sx pgsql_version
710 getpgusername - 19 sx current_user
745 current_user - 19 sx current_user
746 session_user - 19 sx session_user
861 current_database - 19 sx current_database
1079 regclass 25 2205 sx text_regclass
1081 format_type 26,23 25 s format_type
1402 current_schema - 19 sx current_schema
1403 current_schemas 16 1003 sx current_schemas
1574 nextval 2205 20 vx nextval_oid
1575 currval 2205 20 vx currval_oid
1576 setval 2205,20 20 vx setval_oid
1619 pg_typeof 2276 2206 s pg_typeof
1765 setval 2205,20,16 20 vx setval3_oid
2077 current_setting 25 25 sx show_config_by_name
2078 set_config 25,25,16 25 v set_config_by_name
2559 lastval - 20 vx lastval
3035 pg_listening_channels - 25 sxr pg_listening_channels
3036 pg_notify 25,25 2278 v pg_notify
3163 pg_trigger_depth - 23 sx pg_trigger_depth
3294 current_setting 25,16 25 sx show_config_by_name_missing_ok
3296 pg_notification_queue_usage - 701 vx pg_notification_queue_usage
3476 to_regoperator 25 2204 sx to_regoperator
3479 to_regprocedure 25 2202 sx to_regprocedure
3492 to_regoper 25 2203 sx to_regoper
3493 to_regtype 25 2206 sx to_regtype
3494 to_regproc 25 24 sx to_regproc
3495 to_regclass 25 2205 sx to_regclass
4086 to_regnamespace 25 4089 sx to_regnamespace
4093 to_regrole 25 4096 sx to_regrole
4195 to_regcollation 25 4191 sx to_regcollation
`;
