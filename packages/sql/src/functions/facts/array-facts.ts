/** PostgreSQL 15's pg_proc: functions of array values. The form of a line is told in definitions.ts. */
export const arrayFacts = `
376 string_to_array 25,25,25 1009 i text_to_array_null
378 array_append 5078,5077 5078 i array_append
379 array_prepend 5077,5078 5078 i array_prepend
383 array_cat 5078,5078 5078 i array_cat
384 array_to_string 2277,25,25 25 s array_to_text_null
394 string_to_array 25,25 1009 i text_to_array
395 array_to_string 2277,25 25 sx array_to_text
747 array_dims 2277 25 ix array_dims
748 array_ndims 2277 23 ix array_ndims
750 array_in 2275,26,23 2277 sx array_in
1191 generate_subscripts 2277,23,16 23 ixr generate_subscripts
1192 generate_subscripts 2277,23 23 ixr generate_subscripts_nodir
1193 array_fill 2283,1007 2277 i array_fill
1286 array_fill 2283,1007,1007 2277 i array_fill_with_lower_bounds
2091 array_lower 2277,23 23 ix array_lower
2092 array_upper 2277,23 23 ix array_upper
2176 array_length 2277,23 23 ix array_length
2331 unnest 2277 2283 ixr array_unnest
13208 _pg_expandarray 2277 2249 ixr array_expand c=x:2283,n:23
2747 arrayoverlap 2277,2277 16 ix arrayoverlap
2748 arraycontains 2277,2277 16 ix arraycontains
2749 arraycontained 2277,2277 16 ix arraycontained
3167 array_remove 5078,5077 5078 i array_remove
3168 array_replace 5078,5077,5077 5078 i array_replace
3179 cardinality 2277 23 ix array_cardinality
3218 width_bucket 5077,5078 23 ix width_bucket_array
3277 array_position 5078,5077 23 i array_position
3278 array_position 5078,5077,23 23 i array_position_start
3279 array_positions 5078,5077 1007 i array_positions
6160 string_to_table 25,25 25 ir text_to_table
6161 string_to_table 25,25,25 25 ir text_to_table_null
6172 trim_array 2277,23 2277 ix trim_array
`;
