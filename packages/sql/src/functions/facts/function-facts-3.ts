/** Functions of PostgreSQL 15's pg_proc that are implemented here, part 3. The form of a line is told in definitions.ts. */
export const functionFacts3 = `
2026 pg_backend_pid - 23 sx pg_backend_pid
2626 pg_sleep 701 2278 vx pg_sleep
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
2943 txid_current - 20 sx pg_current_xact_id
3089 pg_advisory_xact_lock 20 2278 vx pg_advisory_xact_lock_int8
3090 pg_advisory_xact_lock_shared 20 2278 vx pg_advisory_xact_lock_shared_int8
3091 pg_try_advisory_xact_lock 20 16 vx pg_try_advisory_xact_lock_int8
3092 pg_try_advisory_xact_lock_shared 20 16 vx pg_try_advisory_xact_lock_shared_int8
3093 pg_advisory_xact_lock 23,23 2278 vx pg_advisory_xact_lock_int4
3094 pg_advisory_xact_lock_shared 23,23 2278 vx pg_advisory_xact_lock_shared_int4
3095 pg_try_advisory_xact_lock 23,23 16 vx pg_try_advisory_xact_lock_int4
3096 pg_try_advisory_xact_lock_shared 23,23 16 vx pg_try_advisory_xact_lock_shared_int4
3464 make_interval 23,23,23,23,23,23,701 1186 ix make_interval n=years,months,weeks,days,hours,mins,secs
3465 jsonb_array_elements_text 3802 25 ixr jsonb_array_elements_text n=from_json c=value:25
3478 jsonb_object_field 3802,25 3802 ix jsonb_object_field n=from_json,field_name
3495 to_regclass 25 2205 sx to_regclass
3508 enum_eq 3500,3500 16 ix enum_eq
3509 enum_ne 3500,3500 16 ix enum_ne
3510 enum_lt 3500,3500 16 ix enum_lt
3511 enum_gt 3500,3500 16 ix enum_gt
3512 enum_le 3500,3500 16 ix enum_le
3513 enum_ge 3500,3500 16 ix enum_ge
3514 enum_cmp 3500,3500 23 ix enum_cmp
3524 enum_smaller 3500,3500 3500 ix enum_smaller
3525 enum_larger 3500,3500 3500 ix enum_larger
3526 max 3500 3500 ia max:anyenum
3527 min 3500 3500 ia min:anyenum
3528 enum_first 3500 3500 s enum_first
3529 enum_last 3500 3500 s enum_last
3530 enum_range 3500,3500 2277 s enum_range_bounds
3531 enum_range 3500 2277 s enum_range_all
3538 string_agg 25,25 25 ia string_agg:text,text
3539 format 25,2276 25 s text_format v=2276
3540 format 25 25 s text_format_nv
3545 string_agg 17,17 17 ia string_agg:bytea,bytea
3546 int8dec 20 20 ix int8dec
3556 bool 3802 16 ix jsonb_bool
3579 jsonb_insert 3802,1009,3802,16 3802 ix jsonb_insert n=jsonb_in,path,replacement,insert_after
3696 starts_with 25,25 16 ix text_starts_with
3787 to_jsonb 2283 3802 sx to_jsonb
3803 jsonb_send 3802 17 ix jsonb_send
3846 make_date 23,23,23 1082 ix make_date n=year,month,day
3847 make_time 23,23,701 1083 ix make_time n=hour,min,sec
3931 jsonb_object_keys 3802 25 ixr jsonb_object_keys
3932 jsonb_each_text 3802 2249 ixr jsonb_each_text n=from_json c=key:25,value:25
3940 jsonb_extract_path_text 3802,1009 25 ix jsonb_extract_path_text v=25 n=from_json,path_elems
3947 json_object_field 114,25 114 ix json_object_field n=from_json,field_name
3948 json_object_field_text 114,25 25 ix json_object_field_text n=from_json,field_name
3949 json_array_element 114,23 114 ix json_array_element n=from_json,element_index
3950 json_array_element_text 114,23 25 ix json_array_element_text n=from_json,element_index
3951 json_extract_path 114,1009 114 ix json_extract_path v=25 n=from_json,path_elems
3953 json_extract_path_text 114,1009 25 ix json_extract_path_text v=25 n=from_json,path_elems
3955 json_array_elements 114 114 ixr json_array_elements n=from_json c=value:114
3956 json_array_length 114 23 ix json_array_length
3957 json_object_keys 114 25 ixr json_object_keys
3958 json_each 114 2249 ixr json_each n=from_json c=key:25,value:114
3959 json_each_text 114 2249 ixr json_each_text n=from_json c=key:25,value:25
3968 json_typeof 114 25 ix json_typeof
3969 json_array_elements_text 114 25 ixr json_array_elements_text n=from_json c=value:25
3972 percentile_disc 701,2283 2283 ia percentile_disc:float8,anyelement d=1
3974 percentile_cont 701,701 701 ia percentile_cont:float8,float8 d=1
3976 percentile_cont 701,1186 1186 ia percentile_cont:float8,interval d=1
3978 percentile_disc 1022,2283 2277 ia percentile_disc:_float8,anyelement d=1
3980 percentile_cont 1022,701 1022 ia percentile_cont:_float8,float8 d=1
3982 percentile_cont 1022,1186 1187 ia percentile_cont:_float8,interval d=1
3984 mode 2283 2283 ia mode:anyelement d=0
3986 rank 2276 20 ia rank:any v=2276 d=1
3988 percent_rank 2276 701 ia percent_rank:any v=2276 d=1
3990 cume_dist 2276 701 ia cume_dist:any v=2276 d=1
3992 dense_rank 2276 20 ia dense_rank:any v=2276 d=1
4005 jsonb_path_exists 3802,4072,3802,16 16 ix jsonb_path_exists n=target,path,vars,silent
4006 jsonb_path_query 3802,4072,3802,16 3802 ixr jsonb_path_query n=target,path,vars,silent
4007 jsonb_path_query_array 3802,4072,3802,16 3802 ix jsonb_path_query_array n=target,path,vars,silent
4008 jsonb_path_query_first 3802,4072,3802,16 3802 ix jsonb_path_query_first n=target,path,vars,silent
4009 jsonb_path_match 3802,4072,3802,16 16 ix jsonb_path_match n=target,path,vars,silent
4010 jsonb_path_exists_opr 3802,4072 16 ix jsonb_path_exists_opr
4011 jsonb_path_match_opr 3802,4072 16 ix jsonb_path_match_opr
4038 jsonb_ne 3802,3802 16 ix jsonb_ne
4039 jsonb_lt 3802,3802 16 ix jsonb_lt
4040 jsonb_gt 3802,3802 16 ix jsonb_gt
4041 jsonb_le 3802,3802 16 ix jsonb_le
4042 jsonb_ge 3802,3802 16 ix jsonb_ge
4043 jsonb_eq 3802,3802 16 ix jsonb_eq
4044 jsonb_cmp 3802,3802 23 ix jsonb_cmp
4046 jsonb_contains 3802,3802 16 ix jsonb_contains
4047 jsonb_exists 3802,25 16 ix jsonb_exists
4048 jsonb_exists_any 3802,1009 16 ix jsonb_exists_any
4049 jsonb_exists_all 3802,1009 16 ix jsonb_exists_all
4050 jsonb_contained 3802,3802 16 ix jsonb_contained
4053 array_agg 2277 2277 ia array_agg:anyarray
4350 normalize 25,25 25 ix unicode_normalize_func
4351 is_normalized 25,25 16 ix unicode_is_normalized
5042 min_scale 1700 23 ix numeric_min_scale
5043 trim_scale 1700 1700 ix numeric_trim_scale
5044 gcd 23,23 23 ix int4gcd
5045 gcd 20,20 20 ix int8gcd
5046 lcm 23,23 23 ix int4lcm
5047 lcm 20,20 20 ix int8lcm
5048 gcd 1700,1700 1700 ix numeric_gcd
5049 lcm 1700,1700 1700 ix numeric_lcm
5054 jsonb_set_lax 3802,1009,3802,16,25 3802 i jsonb_set_lax n=jsonb_in,path,replacement,create_if_missing,null_value_treatment
6160 string_to_table 25,25 25 ir text_to_table
6161 string_to_table 25,25,25 25 ir text_to_table_null
6163 bit_count 17 20 ix bytea_bit_count
6164 bit_xor 21 21 ia bit_xor:int2
6165 bit_xor 23 23 ia bit_xor:int4
6166 bit_xor 20 20 ia bit_xor:int8
6172 trim_array 2277,23 2277 ix trim_array
6177 date_bin 1186,1114,1114 1114 ix timestamp_bin
6178 date_bin 1186,1184,1184 1184 ix timestamptz_bin
6195 ltrim 17,17 17 ix bytealtrim
6196 rtrim 17,17 17 ix byteartrim
6198 unistr 25 25 ix unistr
6199 extract 25,1082 1700 ix extract_date
6200 extract 25,1083 1700 ix extract_time
6201 extract 25,1266 1700 ix extract_timetz
6202 extract 25,1114 1700 ix extract_timestamp
6203 extract 25,1184 1700 sx extract_timestamptz
6204 extract 25,1186 1700 ix extract_interval
6251 regexp_replace 25,25,25,23,23,25 25 ix textregexreplace_extended
6252 regexp_replace 25,25,25,23,23 25 ix textregexreplace_extended_no_flags
6253 regexp_replace 25,25,25,23 25 ix textregexreplace_extended_no_n
6254 regexp_count 25,25 23 ix regexp_count_no_start
6255 regexp_count 25,25,23 23 ix regexp_count_no_flags
6256 regexp_count 25,25,23,25 23 ix regexp_count
6257 regexp_instr 25,25 23 ix regexp_instr_no_start
6258 regexp_instr 25,25,23 23 ix regexp_instr_no_n
6259 regexp_instr 25,25,23,23 23 ix regexp_instr_no_endoption
6260 regexp_instr 25,25,23,23,23 23 ix regexp_instr_no_flags
6261 regexp_instr 25,25,23,23,23,25 23 ix regexp_instr_no_subexpr
6262 regexp_instr 25,25,23,23,23,25,23 23 ix regexp_instr
6263 regexp_like 25,25 16 ix regexp_like_no_flags
6264 regexp_like 25,25,25 16 ix regexp_like
6265 regexp_substr 25,25 25 ix regexp_substr_no_start
6266 regexp_substr 25,25,23 25 ix regexp_substr_no_n
6267 regexp_substr 25,25,23,23 25 ix regexp_substr_no_flags
6268 regexp_substr 25,25,23,23,25 25 ix regexp_substr_no_subexpr
6269 regexp_substr 25,25,23,23,25,23 25 ix regexp_substr
`;
