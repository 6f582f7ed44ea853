/** PostgreSQL 15's pg_proc: window functions. The form of a line is told in definitions.ts. */
export const windowFacts = `
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
`;
