/** PostgreSQL 15's pg_proc: functions of no type in particular. The form of a line is told in definitions.ts. */
export const generalFacts = `
324 json_send 114 17 ix json_send
438 num_nulls 2276 23 i pg_num_nulls v=2276
440 num_nonnulls 2276 23 i pg_num_nonnulls v=2276
1264 pg_char_to_encoding 19 23 sx PG_char_to_encoding
1269 pg_column_size 2276 23 sx pg_column_size
1349 oidvectortypes 30 25 sx oidvectortypes
1597 pg_encoding_to_char 23 19 sx PG_encoding_to_char
2288 pg_size_pretty 20 25 ix pg_size_pretty
2319 pg_encoding_max_length 23 23 ix pg_encoding_max_length_sql
2405 int2send 21 17 ix int2send
2407 int4send 23 17 ix int4send
2409 int8send 20 17 ix int8send
2413 byteasend 17 17 ix byteasend
2415 textsend 25 17 sx textsend
2419 oidsend 26 17 ix oidsend
2423 namesend 19 17 sx namesend
2425 float4send 700 17 ix float4send
2427 float8send 701 17 ix float8send
2431 bpcharsend 1042 17 sx bpcharsend
2433 varcharsend 1043 17 sx varcharsend
2435 charsend 18 17 ix charsend
2437 boolsend 16 17 ix boolsend
2461 numeric_send 1700 17 ix numeric_send
2469 date_send 1082 17 ix date_send
2471 time_send 1083 17 ix time_send
2473 timetz_send 1266 17 ix timetz_send
2475 timestamp_send 1114 17 ix timestamp_send
2477 timestamptz_send 1184 17 ix timestamptz_send
2479 interval_send 1186 17 ix interval_send
2515 booland_statefunc 16,16 16 ix booland_statefunc
2516 boolor_statefunc 16,16 16 ix boolor_statefunc
2962 uuid_send 2950 17 ix uuid_send
3162 pg_collation_for 2276 25 s pg_collation_for
3166 pg_size_pretty 1700 25 ix pg_size_pretty_numeric
3334 pg_size_bytes 25 20 ix pg_size_bytes
3432 gen_random_uuid - 2950 vx gen_random_uuid
3528 enum_first 3500 3500 s enum_first
3529 enum_last 3500 3500 s enum_last
3530 enum_range 3500,3500 2277 s enum_range_bounds
3531 enum_range 3500 2277 s enum_range_all
3803 jsonb_send 3802 17 ix jsonb_send
`;
