/** PostgreSQL 15's pg_proc: functions of SQL/JSON path. The form of a line is told in definitions.ts. */
export const jsonpathFacts = `
1177 jsonb_path_exists_tz 3802,4072,3802,16 16 sx jsonb_path_exists_tz n=target,path,vars,silent
1179 jsonb_path_query_tz 3802,4072,3802,16 3802 sxr jsonb_path_query_tz n=target,path,vars,silent
1180 jsonb_path_query_array_tz 3802,4072,3802,16 3802 sx jsonb_path_query_array_tz n=target,path,vars,silent
2023 jsonb_path_query_first_tz 3802,4072,3802,16 3802 sx jsonb_path_query_first_tz n=target,path,vars,silent
2030 jsonb_path_match_tz 3802,4072,3802,16 16 sx jsonb_path_match_tz n=target,path,vars,silent
4005 jsonb_path_exists 3802,4072,3802,16 16 ix jsonb_path_exists n=target,path,vars,silent
4006 jsonb_path_query 3802,4072,3802,16 3802 ixr jsonb_path_query n=target,path,vars,silent
4007 jsonb_path_query_array 3802,4072,3802,16 3802 ix jsonb_path_query_array n=target,path,vars,silent
4008 jsonb_path_query_first 3802,4072,3802,16 3802 ix jsonb_path_query_first n=target,path,vars,silent
4009 jsonb_path_match 3802,4072,3802,16 16 ix jsonb_path_match n=target,path,vars,silent
4010 jsonb_path_exists_opr 3802,4072 16 ix jsonb_path_exists_opr
4011 jsonb_path_match_opr 3802,4072 16 ix jsonb_path_match_opr
`;
