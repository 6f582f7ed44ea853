/** PostgreSQL 15's pg_proc: functions of json and jsonb; objectid is of documents alone. The form of a line is told in definitions.ts. */
export const jsonFacts = `
2580 float8 3802 701 ix jsonb_float8
3153 array_to_json 2277 114 sx array_to_json
3154 array_to_json 2277,16 114 sx array_to_json_pretty
3155 row_to_json 2249 114 sx row_to_json
3156 row_to_json 2249,16 114 sx row_to_json_pretty
3175 json_agg 2283 114 sa json_agg:anyelement
3176 to_json 2283 114 sx to_json
3197 json_object_agg 2276,2276 114 sa json_object_agg:any,any
3198 json_build_array 2276 114 s json_build_array v=2276
3199 json_build_array - 114 s json_build_array_noargs
3200 json_build_object 2276 114 s json_build_object v=2276
3201 json_build_object - 114 s json_build_object_noargs
3202 json_object 1009 114 ix json_object
3203 json_object 1009,1009 114 ix json_object_two_arg
3204 json_to_record 114 2249 sx json_to_record
3205 json_to_recordset 114 2249 sr json_to_recordset
3207 jsonb_array_length 3802 23 ix jsonb_array_length
3208 jsonb_each 3802 2249 ixr jsonb_each n=from_json c=key:25,value:3802
3209 jsonb_populate_record 2283,3802 2283 s jsonb_populate_record
3210 jsonb_typeof 3802 25 ix jsonb_typeof
8950 objectid 25 3802 ix objectid
8951 objectid - 3802 vx objectid_new
3214 jsonb_object_field_text 3802,25 25 ix jsonb_object_field_text n=from_json,field_name
3215 jsonb_array_element 3802,23 3802 ix jsonb_array_element n=from_json,element_index
3216 jsonb_array_element_text 3802,23 25 ix jsonb_array_element_text n=from_json,element_index
3217 jsonb_extract_path 3802,1009 3802 ix jsonb_extract_path v=25 n=from_json,path_elems
3219 jsonb_array_elements 3802 3802 ixr jsonb_array_elements n=from_json c=value:3802
3261 json_strip_nulls 114 114 ix json_strip_nulls
3262 jsonb_strip_nulls 3802 3802 ix jsonb_strip_nulls
3263 jsonb_object 1009 3802 ix jsonb_object
3264 jsonb_object 1009,1009 3802 ix jsonb_object_two_arg
3267 jsonb_agg 2283 3802 sa jsonb_agg:anyelement
3270 jsonb_object_agg 2276,2276 3802 ia jsonb_object_agg:any,any
3271 jsonb_build_array 2276 3802 s jsonb_build_array v=2276
3272 jsonb_build_array - 3802 s jsonb_build_array_noargs
3273 jsonb_build_object 2276 3802 s jsonb_build_object v=2276
3274 jsonb_build_object - 3802 s jsonb_build_object_noargs
3301 jsonb_concat 3802,3802 3802 ix jsonb_concat
3302 jsonb_delete 3802,25 3802 ix jsonb_delete
3303 jsonb_delete 3802,23 3802 ix jsonb_delete_idx
3304 jsonb_delete_path 3802,1009 3802 ix jsonb_delete_path
3305 jsonb_set 3802,1009,3802,16 3802 ix jsonb_set n=jsonb_in,path,replacement,create_if_missing
3306 jsonb_pretty 3802 25 ix jsonb_pretty
3343 jsonb_delete 3802,1009 3802 ix jsonb_delete_array v=25 n=from_json,path_elems
3449 numeric 3802 1700 ix jsonb_numeric
3450 int2 3802 21 ix jsonb_int2
3451 int4 3802 23 ix jsonb_int4
3452 int8 3802 20 ix jsonb_int8
3453 float4 3802 700 ix jsonb_float4
3465 jsonb_array_elements_text 3802 25 ixr jsonb_array_elements_text n=from_json c=value:25
3475 jsonb_populate_recordset 2283,3802 2283 sr jsonb_populate_recordset
3478 jsonb_object_field 3802,25 3802 ix jsonb_object_field n=from_json,field_name
3490 jsonb_to_record 3802 2249 sx jsonb_to_record
3491 jsonb_to_recordset 3802 2249 sr jsonb_to_recordset
3556 bool 3802 16 ix jsonb_bool
3579 jsonb_insert 3802,1009,3802,16 3802 ix jsonb_insert n=jsonb_in,path,replacement,insert_after
3787 to_jsonb 2283 3802 sx to_jsonb
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
3960 json_populate_record 2283,114,16 2283 s json_populate_record n=base,from_json,use_json_as_text
3961 json_populate_recordset 2283,114,16 2283 sr json_populate_recordset n=base,from_json,use_json_as_text
3968 json_typeof 114 25 ix json_typeof
3969 json_array_elements_text 114 25 ixr json_array_elements_text n=from_json c=value:25
4046 jsonb_contains 3802,3802 16 ix jsonb_contains
4047 jsonb_exists 3802,25 16 ix jsonb_exists
4048 jsonb_exists_any 3802,1009 16 ix jsonb_exists_any
4049 jsonb_exists_all 3802,1009 16 ix jsonb_exists_all
4050 jsonb_contained 3802,3802 16 ix jsonb_contained
5054 jsonb_set_lax 3802,1009,3802,16,25 3802 i jsonb_set_lax n=jsonb_in,path,replacement,create_if_missing,null_value_treatment
`;
