/** Functions of PostgreSQL 15's pg_proc that are implemented here, part 2. The form of a line is told in definitions.ts. */
export const functionFacts2 = `
1736 log 1700,1700 1700 ix numeric_log
1737 numeric_log 1700,1700 1700 ix numeric_log
1738 pow 1700,1700 1700 ix numeric_power
1739 numeric_power 1700,1700 1700 ix numeric_power
1740 numeric 23 1700 ix int4_numeric
1741 log 1700 1700 ix log:numeric
1742 numeric 700 1700 ix float4_numeric
1743 numeric 701 1700 ix float8_numeric
1744 int4 1700 23 ix numeric_int4
1745 float4 1700 700 ix numeric_float4
1746 float8 1700 701 ix numeric_float8
1747 time_pl_interval 1083,1186 1083 ix time_pl_interval
1748 time_mi_interval 1083,1186 1083 ix time_mi_interval
1749 timetz_pl_interval 1266,1186 1266 ix timetz_pl_interval
1750 timetz_mi_interval 1266,1186 1266 ix timetz_mi_interval
1764 numeric_inc 1700 1700 ix numeric_inc
1765 setval 2205,20,16 20 vx setval3_oid
1766 numeric_smaller 1700,1700 1700 ix numeric_smaller
1767 numeric_larger 1700,1700 1700 ix numeric_larger
1768 to_char 1186,25 25 sx interval_to_char
1769 numeric_cmp 1700,1700 23 ix numeric_cmp
1770 to_char 1184,25 25 sx timestamptz_to_char
1771 numeric_uminus 1700 1700 ix numeric_uminus
1772 to_char 1700,25 25 sx numeric_to_char
1773 to_char 23,25 25 sx int4_to_char
1774 to_char 20,25 25 sx int8_to_char
1775 to_char 700,25 25 sx float4_to_char
1776 to_char 701,25 25 sx float8_to_char
1777 to_number 25,25 1700 sx numeric_to_number
1778 to_timestamp 25,25 1184 sx to_timestamp
1779 int8 1700 20 ix numeric_int8
1780 to_date 25,25 1082 sx to_date
1781 numeric 20 1700 ix int8_numeric
1782 numeric 21 1700 ix int2_numeric
1783 int2 1700 21 ix numeric_int2
1810 bit_length 17 23 ix bit_length:bytea
1811 bit_length 25 23 ix bit_length:text
1813 convert 17,19,19 17 sx pg_convert
1848 interval_pl_time 1186,1083 1083 ix interval_pl_time:interval,time
1850 int28eq 21,20 16 ix int28eq
1851 int28ne 21,20 16 ix int28ne
1852 int28lt 21,20 16 ix int28lt
1853 int28gt 21,20 16 ix int28gt
1854 int28le 21,20 16 ix int28le
1855 int28ge 21,20 16 ix int28ge
1856 int82eq 20,21 16 ix int82eq
1857 int82ne 20,21 16 ix int82ne
1858 int82lt 20,21 16 ix int82lt
1859 int82gt 20,21 16 ix int82gt
1860 int82le 20,21 16 ix int82le
1861 int82ge 20,21 16 ix int82ge
1892 int2and 21,21 21 ix int2and
1893 int2or 21,21 21 ix int2or
1894 int2xor 21,21 21 ix int2xor
1895 int2not 21 21 ix int2not
1896 int2shl 21,23 21 ix int2shl
1897 int2shr 21,23 21 ix int2shr
1898 int4and 23,23 23 ix int4and
1899 int4or 23,23 23 ix int4or
1900 int4xor 23,23 23 ix int4xor
1901 int4not 23 23 ix int4not
1902 int4shl 23,23 23 ix int4shl
1903 int4shr 23,23 23 ix int4shr
1904 int8and 20,20 20 ix int8and
1905 int8or 20,20 20 ix int8or
1906 int8xor 20,20 20 ix int8xor
1907 int8not 20 20 ix int8not
1908 int8shl 20,23 20 ix int8shl
1909 int8shr 20,23 20 ix int8shr
1910 int8up 20 20 ix int8up
1911 int2up 21 21 ix int2up
1912 int4up 23 23 ix int4up
1913 float4up 700 700 ix float4up
1914 float8up 701 701 ix float8up
1915 numeric_uplus 1700 1700 ix numeric_uplus
1946 encode 17,25 25 ix binary_encode
1947 decode 25,25 17 ix binary_decode
1948 byteaeq 17,17 16 ix byteaeq
1949 bytealt 17,17 16 ix bytealt
1950 byteale 17,17 16 ix byteale
1951 byteagt 17,17 16 ix byteagt
1952 byteage 17,17 16 ix byteage
1953 byteane 17,17 16 ix byteane
1954 byteacmp 17,17 23 ix byteacmp
1965 oidlarger 26,26 26 ix oidlarger
1966 oidsmaller 26,26 26 ix oidsmaller
1973 div 1700,1700 1700 ix numeric_div_trunc
1980 numeric_div_trunc 1700,1700 1700 ix numeric_div_trunc
1986 similar_to_escape 25,25 25 ix similar_to_escape_2
1987 similar_to_escape 25 25 ix similar_to_escape_1
2003 textanycat 25,2776 25 sx textanycat:text,anynonarray
2004 anytextcat 2776,25 25 sx anytextcat:anynonarray,text
2005 bytealike 17,17 16 ix bytealike
2006 byteanlike 17,17 16 ix byteanlike
2007 like 17,17 16 ix bytealike
2008 notlike 17,17 16 ix byteanlike
2010 length 17 23 ix byteaoctetlen
2011 byteacat 17,17 17 ix byteacat
2012 substring 17,23,23 17 ix bytea_substr
2013 substring 17,23 17 ix bytea_substr_no_len
2014 position 17,17 23 ix byteapos
2015 btrim 17,17 17 ix byteatrim
2019 time 1184 1083 sx timestamptz_time
2020 date_trunc 25,1114 1114 ix timestamp_trunc
2021 date_part 25,1114 701 ix timestamp_part
2023 jsonb_path_query_first_tz 3802,4072,3802,16 3802 sx jsonb_path_query_first_tz n=target,path,vars,silent
2024 timestamp 1082 1114 ix date_timestamp
2025 timestamp 1082,1083 1114 ix datetime_timestamp
2027 timestamp 1184 1114 sx timestamptz_timestamp
2028 timestamptz 1114 1184 sx timestamp_timestamptz
2029 date 1114 1082 ix timestamp_date
2030 jsonb_path_match_tz 3802,4072,3802,16 16 sx jsonb_path_match_tz n=target,path,vars,silent
2031 timestamp_mi 1114,1114 1186 ix timestamp_mi
2032 timestamp_pl_interval 1114,1186 1114 ix timestamp_pl_interval
2033 timestamp_mi_interval 1114,1186 1114 ix timestamp_mi_interval
2035 timestamp_smaller 1114,1114 1114 ix timestamp_smaller
2036 timestamp_larger 1114,1114 1114 ix timestamp_larger
2037 timezone 25,1266 1266 sx timetz_zone
2038 timezone 1186,1266 1266 ix timetz_izone
2041 overlaps 1114,1114,1114,1114 16 i overlaps_timestamp
2046 time 1266 1083 ix timetz_time
2047 timetz 1083 1266 sx time_timetz
2048 isfinite 1114 16 ix timestamp_finite
2049 to_char 1114,25 25 sx timestamp_to_char
2050 max 2277 2277 ia max:anyarray
2051 min 2277 2277 ia min:anyarray
2052 timestamp_eq 1114,1114 16 ix timestamp_eq
2053 timestamp_ne 1114,1114 16 ix timestamp_ne
2054 timestamp_lt 1114,1114 16 ix timestamp_lt
2055 timestamp_le 1114,1114 16 ix timestamp_le
2056 timestamp_ge 1114,1114 16 ix timestamp_ge
2057 timestamp_gt 1114,1114 16 ix timestamp_gt
2058 age 1114,1114 1186 ix timestamp_age
2059 age 1114 1186 sx age:timestamp
2069 timezone 25,1114 1184 ix timestamp_zone
2070 timezone 1186,1114 1184 ix timestamp_izone
2071 date_pl_interval 1082,1186 1114 ix date_pl_interval
2072 date_mi_interval 1082,1186 1114 ix date_mi_interval
2073 substring 25,25 25 ix textregexsubstr
2074 substring 25,25,25 25 ix substring:text,text,text
2077 current_setting 25 25 sx show_config_by_name
2078 set_config 25,25,16 25 v set_config_by_name
2085 substr 17,23,23 17 ix bytea_substr
2086 substr 17,23 17 ix bytea_substr_no_len
2087 replace 25,25,25 25 ix replace_text
2088 split_part 25,25,23 25 ix split_part
2089 to_hex 23 25 ix to_hex32
2090 to_hex 20 25 ix to_hex64
2091 array_lower 2277,23 23 ix array_lower
2092 array_upper 2277,23 23 ix array_upper
2100 avg 20 1700 ia avg:int8
2101 avg 23 1700 ia avg:int4
2102 avg 21 1700 ia avg:int2
2103 avg 1700 1700 ia avg:numeric
2104 avg 700 701 ia avg:float4
2105 avg 701 701 ia avg:float8
2106 avg 1186 1186 ia avg:interval
2107 sum 20 1700 ia sum:int8
2108 sum 23 20 ia sum:int4
2109 sum 21 20 ia sum:int2
2110 sum 700 700 ia sum:float4
2111 sum 701 701 ia sum:float8
2113 sum 1186 1186 ia sum:interval
2114 sum 1700 1700 ia sum:numeric
2115 max 20 20 ia max:int8
2116 max 23 23 ia max:int4
2117 max 21 21 ia max:int2
2118 max 26 26 ia max:oid
2119 max 700 700 ia max:float4
2120 max 701 701 ia max:float8
2122 max 1082 1082 ia max:date
2123 max 1083 1083 ia max:time
2124 max 1266 1266 ia max:timetz
2126 max 1114 1114 ia max:timestamp
2127 max 1184 1184 ia max:timestamptz
2128 max 1186 1186 ia max:interval
2129 max 25 25 ia max:text
2130 max 1700 1700 ia max:numeric
2131 min 20 20 ia min:int8
2132 min 23 23 ia min:int4
2133 min 21 21 ia min:int2
2134 min 26 26 ia min:oid
2135 min 700 700 ia min:float4
2136 min 701 701 ia min:float8
2138 min 1082 1082 ia min:date
2139 min 1083 1083 ia min:time
2140 min 1266 1266 ia min:timetz
2142 min 1114 1114 ia min:timestamp
2143 min 1184 1184 ia min:timestamptz
2144 min 1186 1186 ia min:interval
2145 min 25 25 ia min:text
2146 min 1700 1700 ia min:numeric
2147 count 2276 20 ia count:any
2148 variance 20 1700 ia variance:int8
2149 variance 23 1700 ia variance:int4
2150 variance 21 1700 ia variance:int2
2151 variance 700 701 ia variance:float4
2152 variance 701 701 ia variance:float8
2153 variance 1700 1700 ia variance:numeric
2154 stddev 20 1700 ia stddev:int8
2155 stddev 23 1700 ia stddev:int4
2156 stddev 21 1700 ia stddev:int2
2157 stddev 700 701 ia stddev:float4
2158 stddev 701 701 ia stddev:float8
2159 stddev 1700 1700 ia stddev:numeric
2160 text_pattern_lt 25,25 16 ix text_pattern_lt
2161 text_pattern_le 25,25 16 ix text_pattern_le
2163 text_pattern_ge 25,25 16 ix text_pattern_ge
2164 text_pattern_gt 25,25 16 ix text_pattern_gt
2167 ceiling 1700 1700 ix numeric_ceil
2169 power 1700,1700 1700 ix numeric_power
2170 width_bucket 1700,1700,1700,23 23 ix width_bucket_numeric
2174 bpchar_pattern_lt 1042,1042 16 ix bpchar_pattern_lt
2175 bpchar_pattern_le 1042,1042 16 ix bpchar_pattern_le
2176 array_length 2277,23 23 ix array_length
2177 bpchar_pattern_ge 1042,1042 16 ix bpchar_pattern_ge
2178 bpchar_pattern_gt 1042,1042 16 ix bpchar_pattern_gt
2236 bit_and 21 21 ia bit_and:int2
2237 bit_or 21 21 ia bit_or:int2
2238 bit_and 23 23 ia bit_and:int4
2239 bit_or 23 23 ia bit_or:int4
2240 bit_and 20 20 ia bit_and:int8
2241 bit_or 20 20 ia bit_or:int8
2244 max 1042 1042 ia max:bpchar
2245 min 1042 1042 ia min:bpchar
2284 regexp_replace 25,25,25 25 ix textregexreplace_noopt
2285 regexp_replace 25,25,25,25 25 ix textregexreplace
2308 ceil 701 701 ix dceil
2309 floor 701 701 ix dfloor
2310 sign 701 701 ix dsign
2311 md5 25 25 ix md5_text
2320 ceiling 701 701 ix dceil
2321 md5 17 25 ix md5_bytea
2331 unnest 2277 2283 ixr array_unnest
2335 array_agg 2776 2277 ia array_agg:anynonarray
2338 date_lt_timestamp 1082,1114 16 ix date_lt_timestamp
2339 date_le_timestamp 1082,1114 16 ix date_le_timestamp
2340 date_eq_timestamp 1082,1114 16 ix date_eq_timestamp
2341 date_gt_timestamp 1082,1114 16 ix date_gt_timestamp
2342 date_ge_timestamp 1082,1114 16 ix date_ge_timestamp
2343 date_ne_timestamp 1082,1114 16 ix date_ne_timestamp
2351 date_lt_timestamptz 1082,1184 16 sx date_lt_timestamptz
2352 date_le_timestamptz 1082,1184 16 sx date_le_timestamptz
2353 date_eq_timestamptz 1082,1184 16 sx date_eq_timestamptz
2354 date_gt_timestamptz 1082,1184 16 sx date_gt_timestamptz
2355 date_ge_timestamptz 1082,1184 16 sx date_ge_timestamptz
2356 date_ne_timestamptz 1082,1184 16 sx date_ne_timestamptz
2364 timestamp_lt_date 1114,1082 16 ix timestamp_lt_date
2365 timestamp_le_date 1114,1082 16 ix timestamp_le_date
2366 timestamp_eq_date 1114,1082 16 ix timestamp_eq_date
2367 timestamp_gt_date 1114,1082 16 ix timestamp_gt_date
2368 timestamp_ge_date 1114,1082 16 ix timestamp_ge_date
2369 timestamp_ne_date 1114,1082 16 ix timestamp_ne_date
2377 timestamptz_lt_date 1184,1082 16 sx timestamptz_lt_date
2378 timestamptz_le_date 1184,1082 16 sx timestamptz_le_date
2379 timestamptz_eq_date 1184,1082 16 sx timestamptz_eq_date
2380 timestamptz_gt_date 1184,1082 16 sx timestamptz_gt_date
2381 timestamptz_ge_date 1184,1082 16 sx timestamptz_ge_date
2382 timestamptz_ne_date 1184,1082 16 sx timestamptz_ne_date
2462 sinh 701 701 ix dsinh
2463 cosh 701 701 ix dcosh
2464 tanh 701 701 ix dtanh
2465 asinh 701 701 ix dasinh
2466 acosh 701 701 ix dacosh
2467 atanh 701 701 ix datanh
2517 bool_and 16 16 ia bool_and:bool
2518 bool_or 16 16 ia bool_or:bool
2519 every 16 16 ia every:bool
2520 timestamp_lt_timestamptz 1114,1184 16 sx timestamp_lt_timestamptz
2521 timestamp_le_timestamptz 1114,1184 16 sx timestamp_le_timestamptz
2522 timestamp_eq_timestamptz 1114,1184 16 sx timestamp_eq_timestamptz
2523 timestamp_gt_timestamptz 1114,1184 16 sx timestamp_gt_timestamptz
2524 timestamp_ge_timestamptz 1114,1184 16 sx timestamp_ge_timestamptz
2525 timestamp_ne_timestamptz 1114,1184 16 sx timestamp_ne_timestamptz
2527 timestamptz_lt_timestamp 1184,1114 16 sx timestamptz_lt_timestamp
2528 timestamptz_le_timestamp 1184,1114 16 sx timestamptz_le_timestamp
2529 timestamptz_eq_timestamp 1184,1114 16 sx timestamptz_eq_timestamp
2530 timestamptz_gt_timestamp 1184,1114 16 sx timestamptz_gt_timestamp
2531 timestamptz_ge_timestamp 1184,1114 16 sx timestamptz_ge_timestamp
2532 timestamptz_ne_timestamp 1184,1114 16 sx timestamptz_ne_timestamp
2546 interval_pl_date 1186,1082 1114 ix interval_pl_date:interval,date
2547 interval_pl_timetz 1186,1266 1266 ix interval_pl_timetz:interval,timetz
2548 interval_pl_timestamp 1186,1114 1114 ix interval_pl_timestamp:interval,timestamp
2549 interval_pl_timestamptz 1186,1184 1184 sx interval_pl_timestamptz:interval,timestamptz
2550 integer_pl_date 23,1082 1082 ix integer_pl_date:int4,date
2557 bool 23 16 ix int4_bool
2558 int4 16 23 ix bool_int4
2559 lastval - 20 vx lastval
2580 float8 3802 701 ix jsonb_float8
2641 var_samp 20 1700 ia var_samp:int8
2642 var_samp 23 1700 ia var_samp:int4
2643 var_samp 21 1700 ia var_samp:int2
2644 var_samp 700 701 ia var_samp:float4
2645 var_samp 701 701 ia var_samp:float8
2646 var_samp 1700 1700 ia var_samp:numeric
2647 transaction_timestamp - 1184 sx now
2648 statement_timestamp - 1184 sx statement_timestamp
2649 clock_timestamp - 1184 vx clock_timestamp
2711 justify_interval 1186 1186 ix interval_justify_interval
2712 stddev_samp 20 1700 ia stddev_samp:int8
2713 stddev_samp 23 1700 ia stddev_samp:int4
2714 stddev_samp 21 1700 ia stddev_samp:int2
2715 stddev_samp 700 701 ia stddev_samp:float4
2716 stddev_samp 701 701 ia stddev_samp:float8
2717 stddev_samp 1700 1700 ia stddev_samp:numeric
2718 var_pop 20 1700 ia var_pop:int8
2719 var_pop 23 1700 ia var_pop:int4
2720 var_pop 21 1700 ia var_pop:int2
2721 var_pop 700 701 ia var_pop:float4
2722 var_pop 701 701 ia var_pop:float8
2723 var_pop 1700 1700 ia var_pop:numeric
2724 stddev_pop 20 1700 ia stddev_pop:int8
2725 stddev_pop 23 1700 ia stddev_pop:int4
2726 stddev_pop 21 1700 ia stddev_pop:int2
2727 stddev_pop 700 701 ia stddev_pop:float4
2728 stddev_pop 701 701 ia stddev_pop:float8
2729 stddev_pop 1700 1700 ia stddev_pop:numeric
2731 asind 701 701 ix dasind
2732 acosd 701 701 ix dacosd
2733 atand 701 701 ix datand
2734 atan2d 701,701 701 ix datan2d
2735 sind 701 701 ix dsind
2736 cosd 701 701 ix dcosd
2737 tand 701 701 ix dtand
2738 cotd 701 701 ix dcotd
2747 arrayoverlap 2277,2277 16 ix arrayoverlap
2748 arraycontains 2277,2277 16 ix arraycontains
2749 arraycontained 2277,2277 16 ix arraycontained
2763 regexp_matches 25,25 1009 ixr regexp_matches_no_flags
2764 regexp_matches 25,25,25 1009 ixr regexp_matches
2765 regexp_split_to_table 25,25 25 ixr regexp_split_to_table_no_flags
2766 regexp_split_to_table 25,25,25 25 ixr regexp_split_to_table
2767 regexp_split_to_array 25,25 1009 ix regexp_split_to_array_no_flags
2768 regexp_split_to_array 25,25,25 1009 ix regexp_split_to_array
2803 count - 20 ia count:
2818 regr_count 701,701 20 ia regr_count:float8,float8
2819 regr_sxx 701,701 701 ia regr_sxx:float8,float8
2820 regr_syy 701,701 701 ia regr_syy:float8,float8
2821 regr_sxy 701,701 701 ia regr_sxy:float8,float8
2822 regr_avgx 701,701 701 ia regr_avgx:float8,float8
2823 regr_avgy 701,701 701 ia regr_avgy:float8,float8
2824 regr_r2 701,701 701 ia regr_r2:float8,float8
2825 regr_slope 701,701 701 ia regr_slope:float8,float8
2826 regr_intercept 701,701 701 ia regr_intercept:float8,float8
2827 covar_pop 701,701 701 ia covar_pop:float8,float8
2828 covar_samp 701,701 701 ia covar_samp:float8,float8
2829 corr 701,701 701 ia corr:float8,float8
2954 uuid_lt 2950,2950 16 ix uuid_lt
2955 uuid_le 2950,2950 16 ix uuid_le
2956 uuid_eq 2950,2950 16 ix uuid_eq
2957 uuid_ge 2950,2950 16 ix uuid_ge
2958 uuid_gt 2950,2950 16 ix uuid_gt
2959 uuid_ne 2950,2950 16 ix uuid_ne
2971 text 16 25 ix booltext
2981 record_eq 2249,2249 16 ix record_eq
2982 record_ne 2249,2249 16 ix record_ne
2983 record_lt 2249,2249 16 ix record_lt
2984 record_gt 2249,2249 16 ix record_gt
2985 record_le 2249,2249 16 ix record_le
2986 record_ge 2249,2249 16 ix record_ge
3058 concat 2276 25 s text_concat v=2276
3059 concat_ws 25,2276 25 s text_concat_ws v=2276
3060 left 25,23 25 ix text_left
3061 right 25,23 25 ix text_right
3062 reverse 25 25 ix text_reverse
3100 row_number - 20 iw -
3101 rank - 20 iw -
3102 dense_rank - 20 iw -
3103 percent_rank - 701 iw -
3104 cume_dist - 701 iw -
3105 ntile 23 23 ixw -
3106 lag 2283 2283 ixw -
3107 lag 2283,23 2283 ixw -
3108 lag 5077,23,5077 5077 ixw -
3109 lead 2283 2283 ixw -
3110 lead 2283,23 2283 ixw -
3111 lead 5077,23,5077 5077 ixw -
3112 first_value 2283 2283 ixw -
3113 last_value 2283 2283 ixw -
3114 nth_value 2283,23 2283 ixw -
3153 array_to_json 2277 114 sx array_to_json
3154 array_to_json 2277,16 114 sx array_to_json_pretty
3155 row_to_json 2249 114 sx row_to_json
3156 row_to_json 2249,16 114 sx row_to_json_pretty
3167 array_remove 5078,5077 5078 i array_remove
3168 array_replace 5078,5077,5077 5078 i array_replace
3175 json_agg 2283 114 sa json_agg:anyelement
3176 to_json 2283 114 sx to_json
3179 cardinality 2277 23 ix array_cardinality
3197 json_object_agg 2276,2276 114 sa json_object_agg:any,any
3198 json_build_array 2276 114 s json_build_array v=2276
3199 json_build_array - 114 s json_build_array_noargs
3200 json_build_object 2276 114 s json_build_object v=2276
3201 json_build_object - 114 s json_build_object_noargs
3202 json_object 1009 114 ix json_object
3203 json_object 1009,1009 114 ix json_object_two_arg
3207 jsonb_array_length 3802 23 ix jsonb_array_length
3208 jsonb_each 3802 2249 ixr jsonb_each n=from_json c=key:25,value:3802
3210 jsonb_typeof 3802 25 ix jsonb_typeof
3214 jsonb_object_field_text 3802,25 25 ix jsonb_object_field_text n=from_json,field_name
3215 jsonb_array_element 3802,23 3802 ix jsonb_array_element n=from_json,element_index
3216 jsonb_array_element_text 3802,23 25 ix jsonb_array_element_text n=from_json,element_index
3217 jsonb_extract_path 3802,1009 3802 ix jsonb_extract_path v=25 n=from_json,path_elems
3218 width_bucket 5077,5078 23 ix width_bucket_array
3219 jsonb_array_elements 3802 3802 ixr jsonb_array_elements n=from_json c=value:3802
3259 generate_series 1700,1700,1700 1700 ixr generate_series_step_numeric
3260 generate_series 1700,1700 1700 ixr generate_series_numeric
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
3277 array_position 5078,5077 23 i array_position
3278 array_position 5078,5077,23 23 i array_position_start
3279 array_positions 5078,5077 1007 i array_positions
3281 scale 1700 23 ix numeric_scale
3294 current_setting 25,16 25 sx show_config_by_name_missing_ok
3301 jsonb_concat 3802,3802 3802 ix jsonb_concat
3302 jsonb_delete 3802,25 3802 ix jsonb_delete
3303 jsonb_delete 3802,23 3802 ix jsonb_delete_idx
3304 jsonb_delete_path 3802,1009 3802 ix jsonb_delete_path
3305 jsonb_set 3802,1009,3802,16 3802 ix jsonb_set n=jsonb_in,path,replacement,create_if_missing
3306 jsonb_pretty 3802 25 ix jsonb_pretty
3308 xidneq 28,28 16 ix xidneq
3309 xidneqint4 28,23 16 ix xidneq
3343 jsonb_delete 3802,1009 3802 ix jsonb_delete_array v=25 n=from_json,path_elems
3396 regexp_match 25,25 1009 ix regexp_match_no_flags
3397 regexp_match 25,25,25 1009 ix regexp_match
3419 sha224 17 17 ix sha224_bytea
3420 sha256 17 17 ix sha256_bytea
3421 sha384 17 17 ix sha384_bytea
3422 sha512 17 17 ix sha512_bytea
3449 numeric 3802 1700 ix jsonb_numeric
3450 int2 3802 21 ix jsonb_int2
3451 int4 3802 23 ix jsonb_int4
3452 int8 3802 20 ix jsonb_int8
3453 float4 3802 700 ix jsonb_float4
3461 make_timestamp 23,23,23,23,23,701 1114 ix make_timestamp n=year,month,mday,hour,min,sec
3462 make_timestamptz 23,23,23,23,23,701 1184 sx make_timestamptz n=year,month,mday,hour,min,sec
3463 make_timestamptz 23,23,23,23,23,701,25 1184 sx make_timestamptz_at_timezone n=year,month,mday,hour,min,sec,timezone
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
3538 string_agg 25,25 25 ia string_agg:text,text
3539 format 25,2276 25 s text_format v=2276
3540 format 25 25 s text_format_nv
3545 string_agg 17,17 17 ia string_agg:bytea,bytea
3546 int8dec 20 20 ix int8dec
3556 bool 3802 16 ix jsonb_bool
3579 jsonb_insert 3802,1009,3802,16 3802 ix jsonb_insert n=jsonb_in,path,replacement,insert_after
3696 starts_with 25,25 16 ix text_starts_with
3787 to_jsonb 2283 3802 sx to_jsonb
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
1081 format_type 26,23 25 s format_type
`;
