/**
 * Columns of PostgreSQL 15's system catalogs and their views, one relation a line, in the order of their names:
 *
 *   oid name row-type array-type column:type ...      a type by its oid, `!` where the column is never null
 *
 * Where a column has a pseudo-type (anyarray) or one that does not exist here, text[] stands in its place.
 */
export const relationFacts = `
2600 pg_aggregate 10027 10026 aggfnoid:24! aggkind:18! aggnumdirectargs:21! aggtransfn:24! aggfinalfn:24! aggcombinefn:24! aggserialfn:24! aggdeserialfn:24! aggmtransfn:24! aggminvtransfn:24! aggmfinalfn:24! aggfinalextra:16! aggmfinalextra:16! aggfinalmodify:18! aggmfinalmodify:18! aggsortop:26! aggtranstype:26! aggtransspace:23! aggmtranstype:26! aggmtransspace:23! agginitval:25 aggminitval:25
2601 pg_am 10015 10014 oid:26! amname:19! amhandler:24! amtype:18!
2602 pg_amop 10017 10016 oid:26! amopfamily:26! amoplefttype:26! amoprighttype:26! amopstrategy:21! amoppurpose:18! amopopr:26! amopmethod:26! amopsortfamily:26!
2603 pg_amproc 10019 10018 oid:26! amprocfamily:26! amproclefttype:26! amprocrighttype:26! amprocnum:21! amproc:24!
2604 pg_attrdef 10001 10000 oid:26! adrelid:26! adnum:21! adbin:194!
1249 pg_attribute 75 270 attrelid:26! attname:19! atttypid:26! attstattarget:23! attlen:21! attnum:21! attndims:23! attcacheoff:23! atttypmod:23! attbyval:16! attalign:18! attstorage:18! attcompression:18! attnotnull:16! atthasdef:16! atthasmissing:16! attidentity:18! attgenerated:18! attisdropped:16! attislocal:16! attinhcount:23! attcollation:26! attacl:1034 attoptions:1009 attfdwoptions:1009 attmissingval:1009
1261 pg_auth_members 2843 10058 roleid:26! member:26! grantor:26! admin_option:16!
1260 pg_authid 2842 10057 oid:26! rolname:19! rolsuper:16! rolinherit:16! rolcreaterole:16! rolcreatedb:16! rolcanlogin:16! rolreplication:16! rolbypassrls:16! rolconnlimit:23! rolpassword:25 rolvaliduntil:1184
12085 pg_available_extension_versions 12087 12086 name:19 version:25 installed:16 superuser:16 trusted:16 relocatable:16 schema:19 requires:1003 comment:25
12081 pg_available_extensions 12083 12082 name:19 default_version:25 installed_version:25 comment:25
12138 pg_backend_memory_contexts 12140 12139 name:25 ident:25 parent:25 level:23 total_bytes:20 total_nblocks:20 free_bytes:20 free_chunks:20 used_bytes:20
2605 pg_cast 10043 10042 oid:26! castsource:26! casttarget:26! castfunc:26! castcontext:18! castmethod:18!
1259 pg_class 83 273 oid:26! relname:19! relnamespace:26! reltype:26! reloftype:26! relowner:26! relam:26! relfilenode:26! reltablespace:26! relpages:23! reltuples:700! relallvisible:23! reltoastrelid:26! relhasindex:16! relisshared:16! relpersistence:18! relkind:18! relnatts:21! relchecks:21! relhasrules:16! relhastriggers:16! relhassubclass:16! relrowsecurity:16! relforcerowsecurity:16! relispopulated:16! relreplident:18! relispartition:16! relrewrite:26! relfrozenxid:28! relminmxid:28! relacl:1034 reloptions:1009 relpartbound:194
3456 pg_collation 10095 10094 oid:26! collname:19! collnamespace:26! collowner:26! collprovider:18! collisdeterministic:16! collencoding:23! collcollate:25 collctype:25 colliculocale:25 collversion:25
12130 pg_config 12132 12131 name:25 setting:25
2606 pg_constraint 10003 10002 oid:26! conname:19! connamespace:26! contype:18! condeferrable:16! condeferred:16! convalidated:16! conrelid:26! contypid:26! conindid:26! conparentid:26! confrelid:26! confupdtype:18! confdeltype:18! confmatchtype:18! conislocal:16! coninhcount:23! connoinherit:16! conkey:1005 confkey:1005 conpfeqop:1028 conppeqop:1028 conffeqop:1028 confdelsetcols:1005 conexclop:1028 conbin:194
2607 pg_conversion 10049 10048 oid:26! conname:19! connamespace:26! conowner:26! conforencoding:23! contoencoding:23! conproc:24! condefault:16!
12077 pg_cursors 12079 12078 name:25 statement:25 is_holdable:16 is_binary:16 is_scrollable:16 creation_time:1184
1262 pg_database 1248 10052 oid:26! datname:19! datdba:26! encoding:23! datlocprovider:18! datistemplate:16! datallowconn:16! datconnlimit:23! datfrozenxid:28! datminmxid:28! dattablespace:26! datcollate:25! datctype:25! daticulocale:25 datcollversion:25 datacl:1034
2964 pg_db_role_setting 10054 10053 setdatabase:26! setrole:26! setconfig:1009
826 pg_default_acl 10088 10087 oid:26! defaclrole:26! defaclnamespace:26! defaclobjtype:18! defaclacl:1034!
2608 pg_depend 10051 10050 classid:26! objid:26! objsubid:23! refclassid:26! refobjid:26! refobjsubid:23! deptype:18!
2609 pg_description 10041 10040 objoid:26! classoid:26! objsubid:23! description:25!
3501 pg_enum 10045 10044 oid:26! enumtypid:26! enumsortorder:700! enumlabel:19!
3466 pg_event_trigger 10039 10038 oid:26! evtname:19! evtevent:19! evtowner:26! evtfoid:26! evtenabled:18! evttags:1009
3079 pg_extension 10074 10073 oid:26! extname:19! extowner:26! extnamespace:26! extrelocatable:16! extversion:25! extconfig:1028 extcondition:1009
12110 pg_file_settings 12112 12111 sourcefile:25 sourceline:23 seqno:23 name:25 setting:25 applied:16 error:25
2328 pg_foreign_data_wrapper 10076 10075 oid:26! fdwname:19! fdwowner:26! fdwhandler:26! fdwvalidator:26! fdwacl:1034 fdwoptions:1009
1417 pg_foreign_server 10078 10077 oid:26! srvname:19! srvowner:26! srvfdw:26! srvtype:25 srvversion:25 srvacl:1034 srvoptions:1009
3118 pg_foreign_table 10082 10081 ftrelid:26! ftserver:26! ftoptions:1009
12010 pg_group 12012 12011 groname:19 grosysid:26 grolist:1028
12114 pg_hba_file_rules 12116 12115 line_number:23 type:25 database:1009 user_name:1009 address:25 netmask:25 auth_method:25 options:1009 error:25
12118 pg_ident_file_mappings 12120 12119 line_number:23 map_name:25 sys_name:25 pg_username:25 error:25
2610 pg_index 10007 10006 indexrelid:26! indrelid:26! indnatts:21! indnkeyatts:21! indisunique:16! indnullsnotdistinct:16! indisprimary:16! indisexclusion:16! indimmediate:16! indisclustered:16! indisvalid:16! indcheckxmin:16! indisready:16! indislive:16! indisreplident:16! indkey:22! indcollation:30! indclass:30! indoption:22! indexprs:194 indpred:194
12043 pg_indexes 12045 12044 schemaname:19 tablename:19 indexname:19 tablespace:19 indexdef:25
2611 pg_inherits 10005 10004 inhrelid:26! inhparent:26! inhseqno:23! inhdetachpending:16!
3394 pg_init_privs 10090 10089 objoid:26! classoid:26! objsubid:23! privtype:18! initprivs:1034!
2612 pg_language 10021 10020 oid:26! lanname:19! lanowner:26! lanispl:16! lanpltrusted:16! lanplcallfoid:26! laninline:26! lanvalidator:26! lanacl:1034
2613 pg_largeobject 10025 10024 loid:26! pageno:23! data:17!
2995 pg_largeobject_metadata 10023 10022 oid:26! lomowner:26! lomacl:1034
12073 pg_locks 12075 12074 locktype:25 database:26 relation:26 page:23 tuple:21 virtualxid:25 transactionid:28 classid:26 objid:26 objsubid:21 virtualtransaction:25 pid:23 mode:25 granted:16 fastpath:16 waitstart:1184
12038 pg_matviews 12040 12039 schemaname:19 matviewname:19 matviewowner:19 tablespace:19 hasindexes:16 ispopulated:16 definition:25
2615 pg_namespace 10047 10046 oid:26! nspname:19! nspowner:26! nspacl:1034
2616 pg_opclass 10013 10012 oid:26! opcmethod:26! opcname:19! opcnamespace:26! opcowner:26! opcfamily:26! opcintype:26! opcdefault:16! opckeytype:26!
2617 pg_operator 10009 10008 oid:26! oprname:19! oprnamespace:26! oprowner:26! oprkind:18! oprcanmerge:16! oprcanhash:16! oprleft:26! oprright:26! oprresult:26! oprcom:26! oprnegate:26! oprcode:24! oprrest:24! oprjoin:24!
2753 pg_opfamily 10011 10010 oid:26! opfmethod:26! opfname:19! opfnamespace:26! opfowner:26!
6243 pg_parameter_acl 10097 10096 oid:26! parname:25! paracl:1034
3350 pg_partitioned_table 10099 10098 partrelid:26! partstrat:18! partnatts:21! partdefid:26! partattrs:22! partclass:30! partcollation:30! partexprs:194
12018 pg_policies 12020 12019 schemaname:19 tablename:19 policyname:19 permissive:25 roles:1003 cmd:25 qual:25 with_check:25
3256 pg_policy 10084 10083 oid:26! polname:19! polrelid:26! polcmd:18! polpermissive:16! polroles:1028! polqual:194 polwithcheck:194
12095 pg_prepared_statements 12097 12096 name:25 statement:25 prepare_time:1184 parameter_types:2211 from_sql:16 generic_plans:20 custom_plans:20
12090 pg_prepared_xacts 12092 12091 transaction:28 gid:25 prepared:1184 owner:19 database:19
1255 pg_proc 81 272 oid:26! proname:19! pronamespace:26! proowner:26! prolang:26! procost:700! prorows:700! provariadic:26! prosupport:24! prokind:18! prosecdef:16! proleakproof:16! proisstrict:16! proretset:16! provolatile:18! proparallel:18! pronargs:21! pronargdefaults:21! prorettype:26! proargtypes:30! proallargtypes:1028 proargmodes:1002 proargnames:1009 proargdefaults:194 protrftypes:1028 prosrc:25! probin:25 prosqlbody:194 proconfig:1009 proacl:1034
6104 pg_publication 10107 10106 oid:26! pubname:19! pubowner:26! puballtables:16! pubinsert:16! pubupdate:16! pubdelete:16! pubtruncate:16! pubviaroot:16!
6237 pg_publication_namespace 10109 10108 oid:26! pnpubid:26! pnnspid:26!
6106 pg_publication_rel 10111 10110 oid:26! prpubid:26! prrelid:26! prqual:194 prattrs:22
12068 pg_publication_tables 12070 12069 pubname:19 schemaname:19 tablename:19 attnames:1003 rowfilter:25
3541 pg_range 10101 10100 rngtypid:26! rngsubtype:26! rngmultitypid:26! rngcollation:26! rngsubopc:26! rngcanonical:24! rngsubdiff:24!
6000 pg_replication_origin 10086 10085 roident:26! roname:25!
12332 pg_replication_origin_status 12334 12333 local_id:26 external_id:25 remote_lsn:3220 local_lsn:3220
12257 pg_replication_slots 12259 12258 slot_name:19 plugin:19 slot_type:25 datoid:26 database:19 temporary:16 active:16 active_pid:23 xmin:28 catalog_xmin:28 restart_lsn:3220 confirmed_flush_lsn:3220 wal_status:25 safe_wal_size:20 two_phase:16
2618 pg_rewrite 10035 10034 oid:26! rulename:19! ev_class:26! ev_type:18! ev_enabled:18! is_instead:16! ev_qual:194! ev_action:194!
12000 pg_roles 12002 12001 rolname:19 rolsuper:16 rolinherit:16 rolcreaterole:16 rolcreatedb:16 rolcanlogin:16 rolreplication:16 rolconnlimit:23 rolpassword:25 rolvaliduntil:1184 rolbypassrls:16 rolconfig:1009 oid:26
12023 pg_rules 12025 12024 schemaname:19 tablename:19 rulename:19 definition:25
3596 pg_seclabel 10092 10091 objoid:26! classoid:26! objsubid:23! provider:25! label:25!
12099 pg_seclabels 12101 12100 objoid:26 classoid:26 objsubid:23 objtype:25 objnamespace:26 objname:25 provider:25 label:25
2224 pg_sequence 10105 10104 seqrelid:26! seqtypid:26! seqstart:20! seqincrement:20! seqmax:20! seqmin:20! seqcache:20! seqcycle:16!
12048 pg_sequences 12050 12049 schemaname:19 sequencename:19 sequenceowner:19 data_type:2206 start_value:20 min_value:20 max_value:20 increment_by:20 cycle:16 cache_size:20 last_value:20
12104 pg_settings 12106 12105 name:25 setting:25 unit:25 category:25 short_desc:25 extra_desc:25 context:25 vartype:25 source:25 min_val:25 max_val:25 enumvals:1009 boot_val:25 reset_val:25 sourcefile:25 sourceline:23 pending_restart:16
12005 pg_shadow 12007 12006 usename:19 usesysid:26 usecreatedb:16 usesuper:16 userepl:16 usebypassrls:16 passwd:25 valuntil:1184 useconfig:1009
1214 pg_shdepend 10060 10059 dbid:26! classid:26! objid:26! objsubid:23! refclassid:26! refobjid:26! deptype:18!
2396 pg_shdescription 10062 10061 objoid:26! classoid:26! description:25!
12134 pg_shmem_allocations 12136 12135 name:25 off:20 size:20 allocated_size:20
3592 pg_shseclabel 4066 10093 objoid:26! classoid:26! provider:25! label:25!
12222 pg_stat_activity 12224 12223 datid:26 datname:19 pid:23 leader_pid:23 usesysid:26 usename:19 application_name:25 client_addr:869 client_hostname:25 client_port:23 backend_start:1184 xact_start:1184 query_start:1184 state_change:1184 wait_event_type:25 wait_event:25 state:25 backend_xid:28 backend_xmin:28 query_id:20 query:25 backend_type:25
12183 pg_stat_all_indexes 12185 12184 relid:26 indexrelid:26 schemaname:19 relname:19 indexrelname:19 idx_scan:20 idx_tup_read:20 idx_tup_fetch:20
12142 pg_stat_all_tables 12144 12143 relid:26 schemaname:19 relname:19 seq_scan:20 seq_tup_read:20 idx_scan:20 idx_tup_fetch:20 n_tup_ins:20 n_tup_upd:20 n_tup_del:20 n_tup_hot_upd:20 n_live_tup:20 n_dead_tup:20 n_mod_since_analyze:20 n_ins_since_vacuum:20 last_vacuum:1184 last_autovacuum:1184 last_analyze:1184 last_autoanalyze:1184 vacuum_count:20 autovacuum_count:20 analyze_count:20 autoanalyze_count:20
12285 pg_stat_archiver 12287 12286 archived_count:20 last_archived_wal:25 last_archived_time:1184 failed_count:20 last_failed_wal:25 last_failed_time:1184 stats_reset:1184
12289 pg_stat_bgwriter 12291 12290 checkpoints_timed:20 checkpoints_req:20 checkpoint_write_time:701 checkpoint_sync_time:701 buffers_checkpoint:20 buffers_clean:20 maxwritten_clean:20 buffers_backend:20 buffers_backend_fsync:20 buffers_alloc:20 stats_reset:1184
12266 pg_stat_database 12268 12267 datid:26 datname:19 numbackends:23 xact_commit:20 xact_rollback:20 blks_read:20 blks_hit:20 tup_returned:20 tup_fetched:20 tup_inserted:20 tup_updated:20 tup_deleted:20 conflicts:20 temp_files:20 temp_bytes:20 deadlocks:20 checksum_failures:20 checksum_last_failure:1184 blk_read_time:701 blk_write_time:701 session_time:701 active_time:701 idle_in_transaction_time:701 sessions:20 sessions_abandoned:20 sessions_fatal:20 sessions_killed:20 stats_reset:1184
12271 pg_stat_database_conflicts 12273 12272 datid:26 datname:19 confl_tablespace:20 confl_lock:20 confl_snapshot:20 confl_bufferpin:20 confl_deadlock:20
12253 pg_stat_gssapi 12255 12254 pid:23 gss_authenticated:16 principal:25 encrypted:16
12297 pg_stat_progress_analyze 12299 12298 pid:23 datid:26 datname:19 relid:26 phase:25 sample_blks_total:20 sample_blks_scanned:20 ext_stats_total:20 ext_stats_computed:20 child_tables_total:20 child_tables_done:20 current_child_table_relid:26
12317 pg_stat_progress_basebackup 12319 12318 pid:23 phase:25 backup_total:20 backup_streamed:20 tablespaces_total:20 tablespaces_streamed:20
12307 pg_stat_progress_cluster 12309 12308 pid:23 datid:26 datname:19 relid:26 command:25 phase:25 cluster_index_relid:26 heap_tuples_scanned:20 heap_tuples_written:20 heap_blks_total:20 heap_blks_scanned:20 index_rebuild_count:20
12322 pg_stat_progress_copy 12324 12323 pid:23 datid:26 datname:19 relid:26 command:25 type:25 bytes_processed:20 bytes_total:20 tuples_processed:20 tuples_excluded:20
12312 pg_stat_progress_create_index 12314 12313 pid:23 datid:26 datname:19 relid:26 index_relid:26 command:25 phase:25 lockers_total:20 lockers_done:20 current_locker_pid:20 blocks_total:20 blocks_done:20 tuples_total:20 tuples_done:20 partitions_total:20 partitions_done:20
12302 pg_stat_progress_vacuum 12304 12303 pid:23 datid:26 datname:19 relid:26 phase:25 heap_blks_total:20 heap_blks_scanned:20 heap_blks_vacuumed:20 index_vacuum_count:20 max_dead_tuples:20 num_dead_tuples:20
12240 pg_stat_recovery_prefetch 12242 12241 stats_reset:1184 prefetch:20 hit:20 skip_init:20 skip_new:20 skip_fpw:20 skip_rep:20 wal_distance:23 block_distance:23 io_depth:23
12227 pg_stat_replication 12229 12228 pid:23 usesysid:26 usename:19 application_name:25 client_addr:869 client_hostname:25 client_port:23 backend_start:1184 backend_xmin:28 state:25 sent_lsn:3220 write_lsn:3220 flush_lsn:3220 replay_lsn:3220 write_lag:1186 flush_lag:1186 replay_lag:1186 sync_priority:23 sync_state:25 reply_time:1184
12262 pg_stat_replication_slots 12264 12263 slot_name:25 spill_txns:20 spill_count:20 spill_bytes:20 stream_txns:20 stream_count:20 stream_bytes:20 total_txns:20 total_bytes:20 stats_reset:1184
12232 pg_stat_slru 12234 12233 name:25 blks_zeroed:20 blks_hit:20 blks_read:20 blks_written:20 blks_exists:20 flushes:20 truncates:20 stats_reset:1184
12249 pg_stat_ssl 12251 12250 pid:23 ssl:16 version:25 cipher:25 bits:23 client_dn:25 client_serial:1700 issuer_dn:25
12244 pg_stat_subscription 12246 12245 subid:26 subname:19 pid:23 relid:26 received_lsn:3220 last_msg_send_time:1184 last_msg_receipt_time:1184 latest_end_lsn:3220 latest_end_time:1184
12336 pg_stat_subscription_stats 12338 12337 subid:26 subname:19 apply_error_count:20 sync_error_count:20 stats_reset:1184
12188 pg_stat_sys_indexes 12190 12189 relid:26 indexrelid:26 schemaname:19 relname:19 indexrelname:19 idx_scan:20 idx_tup_read:20 idx_tup_fetch:20
12152 pg_stat_sys_tables 12154 12153 relid:26 schemaname:19 relname:19 seq_scan:20 seq_tup_read:20 idx_scan:20 idx_tup_fetch:20 n_tup_ins:20 n_tup_upd:20 n_tup_del:20 n_tup_hot_upd:20 n_live_tup:20 n_dead_tup:20 n_mod_since_analyze:20 n_ins_since_vacuum:20 last_vacuum:1184 last_autovacuum:1184 last_analyze:1184 last_autoanalyze:1184 vacuum_count:20 autovacuum_count:20 analyze_count:20 autoanalyze_count:20
12275 pg_stat_user_functions 12277 12276 funcid:26 schemaname:19 funcname:19 calls:20 total_time:701 self_time:701
12192 pg_stat_user_indexes 12194 12193 relid:26 indexrelid:26 schemaname:19 relname:19 indexrelname:19 idx_scan:20 idx_tup_read:20 idx_tup_fetch:20
12161 pg_stat_user_tables 12163 12162 relid:26 schemaname:19 relname:19 seq_scan:20 seq_tup_read:20 idx_scan:20 idx_tup_fetch:20 n_tup_ins:20 n_tup_upd:20 n_tup_del:20 n_tup_hot_upd:20 n_live_tup:20 n_dead_tup:20 n_mod_since_analyze:20 n_ins_since_vacuum:20 last_vacuum:1184 last_autovacuum:1184 last_analyze:1184 last_autoanalyze:1184 vacuum_count:20 autovacuum_count:20 analyze_count:20 autoanalyze_count:20
12293 pg_stat_wal 12295 12294 wal_records:20 wal_fpi:20 wal_bytes:1700 wal_buffers_full:20 wal_write:20 wal_sync:20 wal_write_time:701 wal_sync_time:701 stats_reset:1184
12236 pg_stat_wal_receiver 12238 12237 pid:23 status:25 receive_start_lsn:3220 receive_start_tli:23 written_lsn:3220 flushed_lsn:3220 received_tli:23 last_msg_send_time:1184 last_msg_receipt_time:1184 latest_end_lsn:3220 latest_end_time:1184 slot_name:25 sender_host:25 sender_port:23 conninfo:25
12147 pg_stat_xact_all_tables 12149 12148 relid:26 schemaname:19 relname:19 seq_scan:20 seq_tup_read:20 idx_scan:20 idx_tup_fetch:20 n_tup_ins:20 n_tup_upd:20 n_tup_del:20 n_tup_hot_upd:20
12157 pg_stat_xact_sys_tables 12159 12158 relid:26 schemaname:19 relname:19 seq_scan:20 seq_tup_read:20 idx_scan:20 idx_tup_fetch:20 n_tup_ins:20 n_tup_upd:20 n_tup_del:20 n_tup_hot_upd:20
12280 pg_stat_xact_user_functions 12282 12281 funcid:26 schemaname:19 funcname:19 calls:20 total_time:701 self_time:701
12166 pg_stat_xact_user_tables 12168 12167 relid:26 schemaname:19 relname:19 seq_scan:20 seq_tup_read:20 idx_scan:20 idx_tup_fetch:20 n_tup_ins:20 n_tup_upd:20 n_tup_del:20 n_tup_hot_upd:20
12196 pg_statio_all_indexes 12198 12197 relid:26 indexrelid:26 schemaname:19 relname:19 indexrelname:19 idx_blks_read:20 idx_blks_hit:20
12209 pg_statio_all_sequences 12211 12210 relid:26 schemaname:19 relname:19 blks_read:20 blks_hit:20
12170 pg_statio_all_tables 12172 12171 relid:26 schemaname:19 relname:19 heap_blks_read:20 heap_blks_hit:20 idx_blks_read:20 idx_blks_hit:20 toast_blks_read:20 toast_blks_hit:20 tidx_blks_read:20 tidx_blks_hit:20
12201 pg_statio_sys_indexes 12203 12202 relid:26 indexrelid:26 schemaname:19 relname:19 indexrelname:19 idx_blks_read:20 idx_blks_hit:20
12214 pg_statio_sys_sequences 12216 12215 relid:26 schemaname:19 relname:19 blks_read:20 blks_hit:20
12175 pg_statio_sys_tables 12177 12176 relid:26 schemaname:19 relname:19 heap_blks_read:20 heap_blks_hit:20 idx_blks_read:20 idx_blks_hit:20 toast_blks_read:20 toast_blks_hit:20 tidx_blks_read:20 tidx_blks_hit:20
12205 pg_statio_user_indexes 12207 12206 relid:26 indexrelid:26 schemaname:19 relname:19 indexrelname:19 idx_blks_read:20 idx_blks_hit:20
12218 pg_statio_user_sequences 12220 12219 relid:26 schemaname:19 relname:19 blks_read:20 blks_hit:20
12179 pg_statio_user_tables 12181 12180 relid:26 schemaname:19 relname:19 heap_blks_read:20 heap_blks_hit:20 idx_blks_read:20 idx_blks_hit:20 toast_blks_read:20 toast_blks_hit:20 tidx_blks_read:20 tidx_blks_hit:20
2619 pg_statistic 10029 10028 starelid:26! staattnum:21! stainherit:16! stanullfrac:700! stawidth:23! stadistinct:700! stakind1:21! stakind2:21! stakind3:21! stakind4:21! stakind5:21! staop1:26! staop2:26! staop3:26! staop4:26! staop5:26! stacoll1:26! stacoll2:26! stacoll3:26! stacoll4:26! stacoll5:26! stanumbers1:1021 stanumbers2:1021 stanumbers3:1021 stanumbers4:1021 stanumbers5:1021 stavalues1:1009 stavalues2:1009 stavalues3:1009 stavalues4:1009 stavalues5:1009
3381 pg_statistic_ext 10031 10030 oid:26! stxrelid:26! stxname:19! stxnamespace:26! stxowner:26! stxstattarget:23! stxkeys:22! stxkind:1002! stxexprs:194
3429 pg_statistic_ext_data 10033 10032 stxoid:26! stxdinherit:16! stxdndistinct:3361 stxddependencies:3402 stxdmcv:5017 stxdexpr:25
12053 pg_stats 12055 12054 schemaname:19 tablename:19 attname:19 inherited:16 null_frac:700 avg_width:23 n_distinct:700 most_common_vals:1009 most_common_freqs:1021 histogram_bounds:1009 correlation:700 most_common_elems:1009 most_common_elem_freqs:1021 elem_count_histogram:1021
12058 pg_stats_ext 12060 12059 schemaname:19 tablename:19 statistics_schemaname:19 statistics_name:19 statistics_owner:19 attnames:1003 exprs:1009 kinds:1002 inherited:16 n_distinct:3361 dependencies:3402 most_common_vals:1009 most_common_val_nulls:1000 most_common_freqs:1022 most_common_base_freqs:1022
12063 pg_stats_ext_exprs 12065 12064 schemaname:19 tablename:19 statistics_schemaname:19 statistics_name:19 statistics_owner:19 expr:25 inherited:16 null_frac:700 avg_width:23 n_distinct:700 most_common_vals:1009 most_common_freqs:1021 histogram_bounds:1009 correlation:700 most_common_elems:1009 most_common_elem_freqs:1021 elem_count_histogram:1021
6100 pg_subscription 6101 10112 oid:26! subdbid:26! subskiplsn:3220! subname:19! subowner:26! subenabled:16! subbinary:16! substream:16! subtwophasestate:18! subdisableonerr:16! subconninfo:25! subslotname:19 subsynccommit:25! subpublications:1009!
6102 pg_subscription_rel 10114 10113 srsubid:26! srrelid:26! srsubstate:18! srsublsn:3220
12033 pg_tables 12035 12034 schemaname:19 tablename:19 tableowner:19 tablespace:19 hasindexes:16 hasrules:16 hastriggers:16 rowsecurity:16
1213 pg_tablespace 10056 10055 oid:26! spcname:19! spcowner:26! spcacl:1034 spcoptions:1009
12122 pg_timezone_abbrevs 12124 12123 abbrev:25 utc_offset:1186 is_dst:16
12126 pg_timezone_names 12128 12127 name:25 abbrev:25 utc_offset:1186 is_dst:16
3576 pg_transform 10103 10102 oid:26! trftype:26! trflang:26! trffromsql:24! trftosql:24!
2620 pg_trigger 10037 10036 oid:26! tgrelid:26! tgparentid:26! tgname:19! tgfoid:26! tgtype:21! tgenabled:18! tgisinternal:16! tgconstrrelid:26! tgconstrindid:26! tgconstraint:26! tgdeferrable:16! tginitdeferred:16! tgnargs:21! tgattr:22! tgargs:17! tgqual:194 tgoldtable:19 tgnewtable:19
3602 pg_ts_config 10064 10063 oid:26! cfgname:19! cfgnamespace:26! cfgowner:26! cfgparser:26!
3603 pg_ts_config_map 10066 10065 mapcfg:26! maptokentype:23! mapseqno:23! mapdict:26!
3600 pg_ts_dict 10068 10067 oid:26! dictname:19! dictnamespace:26! dictowner:26! dicttemplate:26! dictinitoption:25
3601 pg_ts_parser 10070 10069 oid:26! prsname:19! prsnamespace:26! prsstart:24! prstoken:24! prsend:24! prsheadline:24! prslextype:24!
3764 pg_ts_template 10072 10071 oid:26! tmplname:19! tmplnamespace:26! tmplinit:24! tmpllexize:24!
1247 pg_type 71 210 oid:26! typname:19! typnamespace:26! typowner:26! typlen:21! typbyval:16! typtype:18! typcategory:18! typispreferred:16! typisdefined:16! typdelim:18! typrelid:26! typsubscript:24! typelem:26! typarray:26! typinput:24! typoutput:24! typreceive:24! typsend:24! typmodin:24! typmodout:24! typanalyze:24! typalign:18! typstorage:18! typnotnull:16! typbasetype:26! typtypmod:23! typndims:23! typcollation:26! typdefaultbin:194 typdefault:25 typacl:1034
12014 pg_user 12016 12015 usename:19 usesysid:26 usecreatedb:16 usesuper:16 userepl:16 usebypassrls:16 passwd:25 valuntil:1184 useconfig:1009
1418 pg_user_mapping 10080 10079 oid:26! umuser:26! umserver:26! umoptions:1009
12327 pg_user_mappings 12329 12328 umid:26 srvid:26 srvname:19 umuser:26 usename:19 umoptions:1009
12028 pg_views 12030 12029 schemaname:19 viewname:19 viewowner:19 definition:25
`;

/** The same for information_schema. */
export const informationFacts = `
13507 _pg_foreign_data_wrappers 13509 13508 oid:26 fdwowner:26 fdwoptions:1009 foreign_data_wrapper_catalog:13226 foreign_data_wrapper_name:13226 authorization_identifier:13226 foreign_data_wrapper_language:13224
13519 _pg_foreign_servers 13521 13520 oid:26 srvoptions:1009 foreign_server_catalog:13226 foreign_server_name:13226 foreign_data_wrapper_catalog:13226 foreign_data_wrapper_name:13226 foreign_server_type:13224 foreign_server_version:13224 authorization_identifier:13226
13498 _pg_foreign_table_columns 13500 13499 nspname:19 relname:19 attname:19 attfdwoptions:1009
13532 _pg_foreign_tables 13534 13533 foreign_table_catalog:13226 foreign_table_schema:13226 foreign_table_name:13226 ftoptions:1009 foreign_server_catalog:13226 foreign_server_name:13226 authorization_identifier:13226
13545 _pg_user_mappings 13547 13546 oid:26 umoptions:1009 umuser:26 authorization_identifier:13226 foreign_server_catalog:13226 foreign_server_name:13226 srvowner:13226
13241 administrable_role_authorizations 13243 13242 grantee:13226 role_name:13226 is_grantable:13234
13236 applicable_roles 13238 13237 grantee:13226 role_name:13226 is_grantable:13234
13245 attributes 13247 13246 udt_catalog:13226 udt_schema:13226 udt_name:13226 attribute_name:13226 ordinal_position:13221 attribute_default:13224 is_nullable:13234 data_type:13224 character_maximum_length:13221 character_octet_length:13221 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226 collation_catalog:13226 collation_schema:13226 collation_name:13226 numeric_precision:13221 numeric_precision_radix:13221 numeric_scale:13221 datetime_precision:13221 interval_type:13224 interval_precision:13221 attribute_udt_catalog:13226 attribute_udt_schema:13226 attribute_udt_name:13226 scope_catalog:13226 scope_schema:13226 scope_name:13226 maximum_cardinality:13221 dtd_identifier:13226 is_derived_reference_attribute:13234
13250 character_sets 13252 13251 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226 character_repertoire:13226 form_of_use:13226 default_collate_catalog:13226 default_collate_schema:13226 default_collate_name:13226
13255 check_constraint_routine_usage 13257 13256 constraint_catalog:13226 constraint_schema:13226 constraint_name:13226 specific_catalog:13226 specific_schema:13226 specific_name:13226
13260 check_constraints 13262 13261 constraint_catalog:13226 constraint_schema:13226 constraint_name:13226 check_clause:13224
13270 collation_character_set_applicability 13272 13271 collation_catalog:13226 collation_schema:13226 collation_name:13226 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226
13265 collations 13267 13266 collation_catalog:13226 collation_schema:13226 collation_name:13226 pad_attribute:13224
13275 column_column_usage 13277 13276 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226 dependent_column:13226
13280 column_domain_usage 13282 13281 domain_catalog:13226 domain_schema:13226 domain_name:13226 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226
13503 column_options 13505 13504 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226 option_name:13226 option_value:13224
13285 column_privileges 13287 13286 grantor:13226 grantee:13226 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226 privilege_type:13224 is_grantable:13234
13290 column_udt_usage 13292 13291 udt_catalog:13226 udt_schema:13226 udt_name:13226 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226
13295 columns 13297 13296 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226 ordinal_position:13221 column_default:13224 is_nullable:13234 data_type:13224 character_maximum_length:13221 character_octet_length:13221 numeric_precision:13221 numeric_precision_radix:13221 numeric_scale:13221 datetime_precision:13221 interval_type:13224 interval_precision:13221 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226 collation_catalog:13226 collation_schema:13226 collation_name:13226 domain_catalog:13226 domain_schema:13226 domain_name:13226 udt_catalog:13226 udt_schema:13226 udt_name:13226 scope_catalog:13226 scope_schema:13226 scope_name:13226 maximum_cardinality:13221 dtd_identifier:13226 is_self_referencing:13234 is_identity:13234 identity_generation:13224 identity_start:13224 identity_increment:13224 identity_maximum:13224 identity_minimum:13224 identity_cycle:13234 is_generated:13224 generation_expression:13224 is_updatable:13234
13300 constraint_column_usage 13302 13301 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226 constraint_catalog:13226 constraint_schema:13226 constraint_name:13226
13305 constraint_table_usage 13307 13306 table_catalog:13226 table_schema:13226 table_name:13226 constraint_catalog:13226 constraint_schema:13226 constraint_name:13226
13488 data_type_privileges 13490 13489 object_catalog:13226 object_schema:13226 object_name:13226 object_type:13224 dtd_identifier:13226
13310 domain_constraints 13312 13311 constraint_catalog:13226 constraint_schema:13226 constraint_name:13226 domain_catalog:13226 domain_schema:13226 domain_name:13226 is_deferrable:13234 initially_deferred:13234
13315 domain_udt_usage 13317 13316 udt_catalog:13226 udt_schema:13226 udt_name:13226 domain_catalog:13226 domain_schema:13226 domain_name:13226
13320 domains 13322 13321 domain_catalog:13226 domain_schema:13226 domain_name:13226 data_type:13224 character_maximum_length:13221 character_octet_length:13221 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226 collation_catalog:13226 collation_schema:13226 collation_name:13226 numeric_precision:13221 numeric_precision_radix:13221 numeric_scale:13221 datetime_precision:13221 interval_type:13224 interval_precision:13221 domain_default:13224 udt_catalog:13226 udt_schema:13226 udt_name:13226 scope_catalog:13226 scope_schema:13226 scope_name:13226 maximum_cardinality:13221 dtd_identifier:13226
13493 element_types 13495 13494 object_catalog:13226 object_schema:13226 object_name:13226 object_type:13224 collection_type_identifier:13226 data_type:13224 character_maximum_length:13221 character_octet_length:13221 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226 collation_catalog:13226 collation_schema:13226 collation_name:13226 numeric_precision:13221 numeric_precision_radix:13221 numeric_scale:13221 datetime_precision:13221 interval_type:13224 interval_precision:13221 domain_default:13224 udt_catalog:13226 udt_schema:13226 udt_name:13226 scope_catalog:13226 scope_schema:13226 scope_name:13226 maximum_cardinality:13221 dtd_identifier:13226
13325 enabled_roles 13327 13326 role_name:13226
13511 foreign_data_wrapper_options 13513 13512 foreign_data_wrapper_catalog:13226 foreign_data_wrapper_name:13226 option_name:13226 option_value:13224
13515 foreign_data_wrappers 13517 13516 foreign_data_wrapper_catalog:13226 foreign_data_wrapper_name:13226 authorization_identifier:13226 library_name:13224 foreign_data_wrapper_language:13224
13524 foreign_server_options 13526 13525 foreign_server_catalog:13226 foreign_server_name:13226 option_name:13226 option_value:13224
13528 foreign_servers 13530 13529 foreign_server_catalog:13226 foreign_server_name:13226 foreign_data_wrapper_catalog:13226 foreign_data_wrapper_name:13226 foreign_server_type:13224 foreign_server_version:13224 authorization_identifier:13226
13537 foreign_table_options 13539 13538 foreign_table_catalog:13226 foreign_table_schema:13226 foreign_table_name:13226 option_name:13226 option_value:13224
13541 foreign_tables 13543 13542 foreign_table_catalog:13226 foreign_table_schema:13226 foreign_table_name:13226 foreign_server_catalog:13226 foreign_server_name:13226
13227 information_schema_catalog_name 13229 13228 catalog_name:13226
13329 key_column_usage 13331 13330 constraint_catalog:13226 constraint_schema:13226 constraint_name:13226 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226 ordinal_position:13221 position_in_unique_constraint:13221
13334 parameters 13336 13335 specific_catalog:13226 specific_schema:13226 specific_name:13226 ordinal_position:13221 parameter_mode:13224 is_result:13234 as_locator:13234 parameter_name:13226 data_type:13224 character_maximum_length:13221 character_octet_length:13221 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226 collation_catalog:13226 collation_schema:13226 collation_name:13226 numeric_precision:13221 numeric_precision_radix:13221 numeric_scale:13221 datetime_precision:13221 interval_type:13224 interval_precision:13221 udt_catalog:13226 udt_schema:13226 udt_name:13226 scope_catalog:13226 scope_schema:13226 scope_name:13226 maximum_cardinality:13221 dtd_identifier:13226 parameter_default:13224
13339 referential_constraints 13341 13340 constraint_catalog:13226 constraint_schema:13226 constraint_name:13226 unique_constraint_catalog:13226 unique_constraint_schema:13226 unique_constraint_name:13226 match_option:13224 update_rule:13224 delete_rule:13224
13344 role_column_grants 13346 13345 grantor:13226 grantee:13226 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226 privilege_type:13224 is_grantable:13234
13358 role_routine_grants 13360 13359 grantor:13226 grantee:13226 specific_catalog:13226 specific_schema:13226 specific_name:13226 routine_catalog:13226 routine_schema:13226 routine_name:13226 privilege_type:13224 is_grantable:13234
13421 role_table_grants 13423 13422 grantor:13226 grantee:13226 table_catalog:13226 table_schema:13226 table_name:13226 privilege_type:13224 is_grantable:13234 with_hierarchy:13234
13450 role_udt_grants 13452 13451 grantor:13226 grantee:13226 udt_catalog:13226 udt_schema:13226 udt_name:13226 privilege_type:13224 is_grantable:13234
13459 role_usage_grants 13461 13460 grantor:13226 grantee:13226 object_catalog:13226 object_schema:13226 object_name:13226 object_type:13224 privilege_type:13224 is_grantable:13234
13348 routine_column_usage 13350 13349 specific_catalog:13226 specific_schema:13226 specific_name:13226 routine_catalog:13226 routine_schema:13226 routine_name:13226 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226
13353 routine_privileges 13355 13354 grantor:13226 grantee:13226 specific_catalog:13226 specific_schema:13226 specific_name:13226 routine_catalog:13226 routine_schema:13226 routine_name:13226 privilege_type:13224 is_grantable:13234
13362 routine_routine_usage 13364 13363 specific_catalog:13226 specific_schema:13226 specific_name:13226 routine_catalog:13226 routine_schema:13226 routine_name:13226
13367 routine_sequence_usage 13369 13368 specific_catalog:13226 specific_schema:13226 specific_name:13226 routine_catalog:13226 routine_schema:13226 routine_name:13226 sequence_catalog:13226 sequence_schema:13226 sequence_name:13226
13372 routine_table_usage 13374 13373 specific_catalog:13226 specific_schema:13226 specific_name:13226 routine_catalog:13226 routine_schema:13226 routine_name:13226 table_catalog:13226 table_schema:13226 table_name:13226
13377 routines 13379 13378 specific_catalog:13226 specific_schema:13226 specific_name:13226 routine_catalog:13226 routine_schema:13226 routine_name:13226 routine_type:13224 module_catalog:13226 module_schema:13226 module_name:13226 udt_catalog:13226 udt_schema:13226 udt_name:13226 data_type:13224 character_maximum_length:13221 character_octet_length:13221 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226 collation_catalog:13226 collation_schema:13226 collation_name:13226 numeric_precision:13221 numeric_precision_radix:13221 numeric_scale:13221 datetime_precision:13221 interval_type:13224 interval_precision:13221 type_udt_catalog:13226 type_udt_schema:13226 type_udt_name:13226 scope_catalog:13226 scope_schema:13226 scope_name:13226 maximum_cardinality:13221 dtd_identifier:13226 routine_body:13224 routine_definition:13224 external_name:13224 external_language:13224 parameter_style:13224 is_deterministic:13234 sql_data_access:13224 is_null_call:13234 sql_path:13224 schema_level_routine:13234 max_dynamic_result_sets:13221 is_user_defined_cast:13234 is_implicitly_invocable:13234 security_type:13224 to_sql_specific_catalog:13226 to_sql_specific_schema:13226 to_sql_specific_name:13226 as_locator:13234 created:13232 last_altered:13232 new_savepoint_level:13234 is_udt_dependent:13234 result_cast_from_data_type:13224 result_cast_as_locator:13234 result_cast_char_max_length:13221 result_cast_char_octet_length:13221 result_cast_char_set_catalog:13226 result_cast_char_set_schema:13226 result_cast_char_set_name:13226 result_cast_collation_catalog:13226 result_cast_collation_schema:13226 result_cast_collation_name:13226 result_cast_numeric_precision:13221 result_cast_numeric_precision_radix:13221 result_cast_numeric_scale:13221 result_cast_datetime_precision:13221 result_cast_interval_type:13224 result_cast_interval_precision:13221 result_cast_type_udt_catalog:13226 result_cast_type_udt_schema:13226 result_cast_type_udt_name:13226 result_cast_scope_catalog:13226 result_cast_scope_schema:13226 result_cast_scope_name:13226 result_cast_maximum_cardinality:13221 result_cast_dtd_identifier:13226
13382 schemata 13384 13383 catalog_name:13226 schema_name:13226 schema_owner:13226 default_character_set_catalog:13226 default_character_set_schema:13226 default_character_set_name:13226 sql_path:13224
13386 sequences 13388 13387 sequence_catalog:13226 sequence_schema:13226 sequence_name:13226 data_type:13224 numeric_precision:13221 numeric_precision_radix:13221 numeric_scale:13221 start_value:13224 minimum_value:13224 maximum_value:13224 increment:13224 cycle_option:13234
13391 sql_features 13393 13392 feature_id:13224 feature_name:13224 sub_feature_id:13224 sub_feature_name:13224 is_supported:13234 is_verified_by:13224 comments:13224
13396 sql_implementation_info 13398 13397 implementation_info_id:13224 implementation_info_name:13224 integer_value:13221 character_value:13224 comments:13224
13401 sql_parts 13403 13402 feature_id:13224 feature_name:13224 is_supported:13234 is_verified_by:13224 comments:13224
13406 sql_sizing 13408 13407 sizing_id:13221 sizing_name:13224 supported_value:13221 comments:13224
13411 table_constraints 13413 13412 constraint_catalog:13226 constraint_schema:13226 constraint_name:13226 table_catalog:13226 table_schema:13226 table_name:13226 constraint_type:13224 is_deferrable:13234 initially_deferred:13234 enforced:13234 nulls_distinct:13234
13416 table_privileges 13418 13417 grantor:13226 grantee:13226 table_catalog:13226 table_schema:13226 table_name:13226 privilege_type:13224 is_grantable:13234 with_hierarchy:13234
13425 tables 13427 13426 table_catalog:13226 table_schema:13226 table_name:13226 table_type:13224 self_referencing_column_name:13226 reference_generation:13224 user_defined_type_catalog:13226 user_defined_type_schema:13226 user_defined_type_name:13226 is_insertable_into:13234 is_typed:13234 commit_action:13224
13430 transforms 13432 13431 udt_catalog:13226 udt_schema:13226 udt_name:13226 specific_catalog:13226 specific_schema:13226 specific_name:13226 group_name:13226 transform_type:13224
13435 triggered_update_columns 13437 13436 trigger_catalog:13226 trigger_schema:13226 trigger_name:13226 event_object_catalog:13226 event_object_schema:13226 event_object_table:13226 event_object_column:13226
13440 triggers 13442 13441 trigger_catalog:13226 trigger_schema:13226 trigger_name:13226 event_manipulation:13224 event_object_catalog:13226 event_object_schema:13226 event_object_table:13226 action_order:13221 action_condition:13224 action_statement:13224 action_orientation:13224 action_timing:13224 action_reference_old_table:13226 action_reference_new_table:13226 action_reference_old_row:13226 action_reference_new_row:13226 created:13232
13445 udt_privileges 13447 13446 grantor:13226 grantee:13226 udt_catalog:13226 udt_schema:13226 udt_name:13226 privilege_type:13224 is_grantable:13234
13454 usage_privileges 13456 13455 grantor:13226 grantee:13226 object_catalog:13226 object_schema:13226 object_name:13226 object_type:13224 privilege_type:13224 is_grantable:13234
13463 user_defined_types 13465 13464 user_defined_type_catalog:13226 user_defined_type_schema:13226 user_defined_type_name:13226 user_defined_type_category:13224 is_instantiable:13234 is_final:13234 ordering_form:13224 ordering_category:13224 ordering_routine_catalog:13226 ordering_routine_schema:13226 ordering_routine_name:13226 reference_type:13224 data_type:13224 character_maximum_length:13221 character_octet_length:13221 character_set_catalog:13226 character_set_schema:13226 character_set_name:13226 collation_catalog:13226 collation_schema:13226 collation_name:13226 numeric_precision:13221 numeric_precision_radix:13221 numeric_scale:13221 datetime_precision:13221 interval_type:13224 interval_precision:13221 source_dtd_identifier:13226 ref_dtd_identifier:13226
13550 user_mapping_options 13552 13551 authorization_identifier:13226 foreign_server_catalog:13226 foreign_server_name:13226 option_name:13226 option_value:13224
13555 user_mappings 13557 13556 authorization_identifier:13226 foreign_server_catalog:13226 foreign_server_name:13226
13468 view_column_usage 13470 13469 view_catalog:13226 view_schema:13226 view_name:13226 table_catalog:13226 table_schema:13226 table_name:13226 column_name:13226
13473 view_routine_usage 13475 13474 table_catalog:13226 table_schema:13226 table_name:13226 specific_catalog:13226 specific_schema:13226 specific_name:13226
13478 view_table_usage 13480 13479 view_catalog:13226 view_schema:13226 view_name:13226 table_catalog:13226 table_schema:13226 table_name:13226
13483 views 13485 13484 table_catalog:13226 table_schema:13226 table_name:13226 view_definition:13224 check_option:13224 is_updatable:13234 is_insertable_into:13234 is_trigger_updatable:13234 is_trigger_deletable:13234 is_trigger_insertable_into:13234
`;
