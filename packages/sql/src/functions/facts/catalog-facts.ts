/** PostgreSQL 15's pg_proc: functions over the catalog. The form of a line is told in definitions.ts. */
export const catalogFacts = `
3537 pg_describe_object 26,26,23 25 sx pg_describe_object
1215 obj_description 26,19 25 sx obj_description
1216 col_description 26,23 25 sx col_description
1348 obj_description 26 25 sx obj_description
1387 pg_get_constraintdef 26 25 sx pg_get_constraintdef
1573 pg_get_ruledef 26 25 sx pg_get_ruledef
1640 pg_get_viewdef 25 25 sx pg_get_viewdef_name
1641 pg_get_viewdef 26 25 sx pg_get_viewdef
1642 pg_get_userbyid 26 19 sx pg_get_userbyid
1643 pg_get_indexdef 26 25 sx pg_get_indexdef
1662 pg_get_triggerdef 26 25 sx pg_get_triggerdef
1665 pg_get_serial_sequence 25,25 25 sx pg_get_serial_sequence
1716 pg_get_expr 194,26 25 sx pg_get_expr
1993 shobj_description 26,19 25 sx obj_description
2079 pg_table_is_visible 26 16 sx pg_table_is_visible
2080 pg_type_is_visible 26 16 sx pg_type_is_visible
2081 pg_function_is_visible 26 16 sx pg_function_is_visible
2082 pg_operator_is_visible 26 16 sx always_visible
2083 pg_opclass_is_visible 26 16 sx always_visible
2093 pg_conversion_is_visible 26 16 sx always_visible
2098 pg_get_functiondef 26 25 sx pg_get_functiondef
2162 pg_get_function_arguments 26 25 sx pg_get_function_arguments
2165 pg_get_function_result 26 25 sx pg_get_function_result
2168 pg_database_size 19 20 vx pg_database_size_name
2232 pg_get_function_identity_arguments 26 25 sx pg_get_function_identity_arguments
2286 pg_total_relation_size 2205 20 vx pg_total_relation_size
1686 pg_get_keywords - 2249 sxr pg_get_keywords c=word:25,catcode:18,barelabel:16,catdesc:25,baredesc:25
1689 aclexplode 1034 2249 sxr aclexplode n=acl c=grantor:26,grantee:26,privilege_type:25,is_grantable:16
2289 pg_options_to_table 1009 2249 sxr pg_options_to_table c=option_name:25,option_value:25
2324 pg_database_size 26 20 vx pg_database_size_oid
2325 pg_relation_size 2205 20 vx pg_relation_size
2332 pg_relation_size 2205,25 20 vx pg_relation_size
2504 pg_get_ruledef 26,16 25 sx pg_get_ruledef
2505 pg_get_viewdef 25,16 25 sx pg_get_viewdef_name
2506 pg_get_viewdef 26,16 25 sx pg_get_viewdef
2507 pg_get_indexdef 26,23,16 25 sx pg_get_indexdef
2508 pg_get_constraintdef 26,16 25 sx pg_get_constraintdef
2509 pg_get_expr 194,26,16 25 sx pg_get_expr
2560 pg_postmaster_start_time - 1184 sx pg_postmaster_start_time
2730 pg_get_triggerdef 26,16 25 sx pg_get_triggerdef
2854 pg_my_temp_schema - 26 sx pg_my_temp_schema
2855 pg_is_other_temp_schema 26 16 sx pg_is_other_temp_schema
2997 pg_table_size 2205 20 vx pg_table_size
2998 pg_indexes_size 2205 20 vx pg_indexes_size
3078 pg_sequence_parameters 26 2249 sxr pg_sequence_parameters c=start_value:20,minimum_value:20,maximum_value:20,increment:20,cycle_option:16,cache_size:20,data_type:26
3159 pg_get_viewdef 26,23 25 sx pg_get_viewdef
3298 row_security_active 26 16 sx row_security_active
3299 row_security_active 25 16 sx row_security_active_name
3352 pg_get_partkeydef 26 25 sx pg_get_partkeydef
3403 pg_statistics_obj_is_visible 26 16 sx always_visible
3408 pg_get_partition_constraintdef 26 25 sx pg_get_partition_constraintdef
3423 pg_partition_tree 2205 2249 vxr pg_partition_tree c=relid:2205,parentrelid:2205,isleaf:16,level:23
3424 pg_partition_root 2205 2205 sx pg_partition_root
3425 pg_partition_ancestors 2205 2205 vxr pg_partition_ancestors c=relid:2205
5028 satisfies_hash_partition 26,23,23,2276 16 i satisfies_hash_partition v=2276
3756 pg_ts_parser_is_visible 26 16 sx always_visible
3757 pg_ts_dict_is_visible 26 16 sx always_visible
3758 pg_ts_config_is_visible 26 16 sx always_visible
3768 pg_ts_template_is_visible 26 16 sx always_visible
3778 pg_tablespace_location 26 25 sx pg_tablespace_location
3810 pg_is_in_recovery - 16 vx pg_is_in_recovery
3815 pg_collation_is_visible 26 16 sx always_visible
3829 pg_opfamily_is_visible 26 16 sx always_visible
3943 acldefault 18,26 1034 ix acldefault_sql
6121 pg_relation_is_publishable 2205 16 sx pg_relation_is_publishable
3415 pg_get_statisticsobjdef 26 25 sx pg_get_statisticsobjdef
6174 pg_get_statisticsobjdef_columns 26 25 sx pg_get_statisticsobjdef_columns
3808 pg_get_function_arg_default 26,23 25 sx pg_get_function_arg_default
6197 pg_get_function_sqlbody 26 25 sx pg_get_function_sqlbody
`;
