/** Functions of PostgreSQL 15's pg_proc that are implemented here, part 3. The form of a line is told in definitions.ts. */
export const functionFacts3 = `
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
