/** PostgreSQL 15's pg_proc: functions that format and parse by pictures. The form of a line is told in definitions.ts. */
export const formatFacts = `
1768 to_char 1186,25 25 sx interval_to_char
1770 to_char 1184,25 25 sx timestamptz_to_char
1772 to_char 1700,25 25 sx numeric_to_char
1773 to_char 23,25 25 sx int4_to_char
1774 to_char 20,25 25 sx int8_to_char
1775 to_char 700,25 25 sx float4_to_char
1776 to_char 701,25 25 sx float8_to_char
1777 to_number 25,25 1700 sx numeric_to_number
1778 to_timestamp 25,25 1184 sx to_timestamp
1780 to_date 25,25 1082 sx to_date
2049 to_char 1114,25 25 sx timestamp_to_char
`;
