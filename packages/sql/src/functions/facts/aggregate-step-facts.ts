/** PostgreSQL 15's pg_proc: what aggregates are made of. The form of a line is told in definitions.ts. */
export const aggregateStepFacts = `
222 float8_accum 1022,701 1022 ix float8_accum
276 float8_combine 1022,1022 1022 ix float8_combine
1840 int2_sum 20,21 20 i int_sum
1841 int4_sum 20,23 20 i int_sum
1962 int2_avg_accum 1016,21 1016 ix int_avg_accum
1963 int4_avg_accum 1016,23 1016 ix int_avg_accum
1964 int8_avg 1016 1700 ix int8_avg
2804 int8inc_any 20,2276 20 ix int8inc_any
2806 float8_regr_accum 1022,701,701 1022 ix float8_regr_accum
3342 float8_regr_combine 1022,1022 1022 ix float8_regr_combine
`;
