/** PostgreSQL 15's pg_proc: aggregates. The form of a line is told in definitions.ts. */
export const aggregateFacts = `
2050 max 2277 2277 ia max:anyarray
2051 min 2277 2277 ia min:anyarray
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
2125 max 790 790 ia max:money
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
2141 min 790 790 ia min:money
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
2236 bit_and 21 21 ia bit_and:int2
2237 bit_or 21 21 ia bit_or:int2
2238 bit_and 23 23 ia bit_and:int4
2239 bit_or 23 23 ia bit_or:int4
2240 bit_and 20 20 ia bit_and:int8
2241 bit_or 20 20 ia bit_or:int8
2244 max 1042 1042 ia max:bpchar
2245 min 1042 1042 ia min:bpchar
2335 array_agg 2776 2277 ia array_agg:anynonarray
2517 bool_and 16 16 ia bool_and:bool
2518 bool_or 16 16 ia bool_or:bool
2519 every 16 16 ia every:bool
2641 var_samp 20 1700 ia var_samp:int8
2642 var_samp 23 1700 ia var_samp:int4
2643 var_samp 21 1700 ia var_samp:int2
2644 var_samp 700 701 ia var_samp:float4
2645 var_samp 701 701 ia var_samp:float8
2646 var_samp 1700 1700 ia var_samp:numeric
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
2797 max 27 27 ia max:tid
2798 min 27 27 ia min:tid
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
3526 max 3500 3500 ia max:anyenum
3527 min 3500 3500 ia min:anyenum
3538 string_agg 25,25 25 ia string_agg:text,text
3545 string_agg 17,17 17 ia string_agg:bytea,bytea
3564 max 869 869 ia max:inet
3565 min 869 869 ia min:inet
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
4053 array_agg 2277 2277 ia array_agg:anyarray
4189 max 3220 3220 ia max:pg_lsn
4190 min 3220 3220 ia min:pg_lsn
5099 max 5069 5069 ia max:xid8
5100 min 5069 5069 ia min:xid8
6164 bit_xor 21 21 ia bit_xor:int2
6165 bit_xor 23 23 ia bit_xor:int4
6166 bit_xor 20 20 ia bit_xor:int8
6321 any_value 2283 2283 ia any_value:anyelement
`;
