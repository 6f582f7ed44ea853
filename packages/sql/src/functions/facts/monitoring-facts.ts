/** PostgreSQL 15's pg_proc: functions of what goes on in the server, and of what its indexes can do. The form of a line is told in definitions.ts. */
export const monitoringFacts = `
315 pg_jit_available - 16 vx pg_jit_available
636 pg_indexam_has_property 26,25 16 sx pg_indexam_has_property
637 pg_index_has_property 2205,25 16 sx pg_index_has_property
638 pg_index_column_has_property 2205,23,25 16 sx pg_index_column_has_property
817 current_query - 25 v current_query
1137 pg_get_wal_replay_pause_state - 25 vx not_in_recovery
1181 age 28 23 sx xid_age
1371 pg_lock_status - 2249 vxr pg_lock_status c=locktype:25,database:26,relation:26,page:23,tuple:21,virtualxid:25,transactionid:28,classid:26,objid:26,objsubid:21,virtualtransaction:25,pid:23,mode:25,granted:16,fastpath:16,waitstart:1184
2034 pg_conf_load_time - 1184 sx pg_conf_load_time
2084 pg_show_all_settings - 2249 sxr pg_show_all_settings c=name:25,setting:25,unit:25,category:25,short_desc:25,extra_desc:25,context:25,vartype:25,source:25,min_val:25,max_val:25,enumvals:1009,boot_val:25,reset_val:25,sourcefile:25,sourceline:23,pending_restart:16
2322 pg_tablespace_size 26 20 vx pg_tablespace_size_oid
2323 pg_tablespace_size 19 20 vx pg_tablespace_size_name
2510 pg_prepared_statement - 2249 sxr pg_prepared_statement c=name:25,statement:25,prepare_time:1184,parameter_types:2211,from_sql:16,generic_plans:20,custom_plans:20
2511 pg_cursor - 2249 sxr pg_cursor c=name:25,statement:25,is_holdable:16,is_binary:16,is_scrollable:16,creation_time:1184
2556 pg_tablespace_databases 26 26 sxr pg_tablespace_databases
2561 pg_blocking_pids 23 1007 vx pg_blocking_pids
2999 pg_relation_filenode 2205 26 sx pg_relation_filenode
2621 pg_reload_conf - 16 vx pg_reload_conf
3073 pg_is_wal_replay_paused - 16 vx not_in_recovery
3082 pg_available_extensions - 2249 sxr pg_available_extensions c=name:19,default_version:25,comment:25
3083 pg_available_extension_versions - 2249 sxr pg_available_extension_versions c=name:19,version:25,superuser:16,trusted:16,relocatable:16,schema:19,requires:1003,comment:25
3348 txid_current_if_assigned - 20 sx pg_current_xact_id
3820 pg_last_wal_receive_lsn - 3220 vx nothing_replayed
3821 pg_last_wal_replay_lsn - 3220 vx nothing_replayed
3830 pg_last_xact_replay_timestamp - 1184 vx nothing_replayed
3842 pg_relation_is_updatable 2205,16 23 sx pg_relation_is_updatable
3843 pg_column_is_updatable 2205,21,16 16 sx pg_column_is_updatable
3935 pg_sleep_for 1186 2278 vx pg_sleep_for
3936 pg_sleep_until 1184 2278 vx pg_sleep_until
4032 pg_sequence_last_value 2205 20 vx pg_sequence_last_value
`;
