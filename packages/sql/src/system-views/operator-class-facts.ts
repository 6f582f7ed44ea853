/** PostgreSQL 15's operator classes for the types that exist here: oid name method family type, `d` where it is the type's default. */
export const operatorClassFacts = `
1978 int4_ops 403 1976 23 d
1979 int2_ops 403 1976 21 d
1981 oid_ops 403 1989 26 d
3122 date_ops 403 434 1082 d
3123 float8_ops 403 1970 701 d
3124 int8_ops 403 1976 20 d
3125 numeric_ops 403 1988 1700 d
3126 text_ops 403 1994 25 d
3127 timestamptz_ops 403 434 1184 d
3128 timestamp_ops 403 434 1114 d
4217 text_pattern_ops 403 2095 25 -
4218 varchar_pattern_ops 403 2095 25 -
4219 bpchar_pattern_ops 403 2097 1042 -
10000 array_ops 403 397 2277 d
10001 array_ops 405 627 2277 d
10002 bit_ops 403 423 1560 d
10003 bool_ops 403 424 16 d
10004 bpchar_ops 403 426 1042 d
10005 bpchar_ops 405 427 1042 d
10006 bytea_ops 403 428 17 d
10007 char_ops 403 429 18 d
10008 char_ops 405 431 18 d
10011 date_ops 405 435 1082 d
10012 float4_ops 403 1970 700 d
10013 float4_ops 405 1971 700 d
10014 float8_ops 405 1971 701 d
10015 inet_ops 403 1974 869 d
10016 inet_ops 405 1975 869 d
10019 int2_ops 405 1977 21 d
10020 int4_ops 405 1977 23 d
10021 int8_ops 405 1977 20 d
10022 interval_ops 403 1982 1186 d
10023 interval_ops 405 1983 1186 d
10024 macaddr_ops 403 1984 829 d
10025 macaddr_ops 405 1985 829 d
10026 macaddr8_ops 403 3371 774 d
10027 macaddr8_ops 405 3372 774 d
10028 name_ops 403 1994 19 d
10029 name_ops 405 1995 19 d
10030 numeric_ops 405 1998 1700 d
10031 oid_ops 405 1990 26 d
10032 oidvector_ops 403 1991 30 d
10033 oidvector_ops 405 1992 30 d
10034 record_ops 403 2994 2249 d
10035 record_ops 405 6194 2249 d
10037 text_ops 405 1995 25 d
10038 time_ops 403 1996 1083 d
10039 time_ops 405 1997 1083 d
10040 timestamptz_ops 405 1999 1184 d
10041 timetz_ops 403 2000 1266 d
10042 timetz_ops 405 2001 1266 d
10043 varbit_ops 403 2002 1562 d
10044 varchar_ops 403 1994 25 -
10045 varchar_ops 405 1995 25 -
10046 timestamp_ops 405 2040 1114 d
10047 money_ops 403 2099 790 d
10048 bool_ops 405 2222 16 d
10049 bytea_ops 405 2223 17 d
10050 tid_ops 403 2789 27 d
10051 xid_ops 405 2225 28 d
10052 xid8_ops 405 5032 5069 d
10053 xid8_ops 403 5067 5069 d
10054 cid_ops 405 2226 29 d
10055 tid_ops 405 2227 27 d
10056 text_pattern_ops 405 2229 25 -
10057 varchar_pattern_ops 405 2229 25 -
10058 bpchar_pattern_ops 405 2231 1042 -
10059 aclitem_ops 405 2235 1033 d
10064 array_ops 2742 2745 2277 d
10065 uuid_ops 403 2968 2950 d
10066 uuid_ops 405 2969 2950 d
10067 pg_lsn_ops 403 3253 3220 d
10068 pg_lsn_ops 405 3254 3220 d
10069 enum_ops 403 3522 3500 d
10070 enum_ops 405 3523 3500 d
10071 tsvector_ops 403 3626 3614 d
10073 tsvector_ops 2742 3659 3614 d
10074 tsquery_ops 403 3683 3615 d
10076 range_ops 403 3901 3831 d
10077 range_ops 405 3903 3831 d
10080 multirange_ops 403 4199 4537 d
10081 multirange_ops 405 4225 4537 d
10088 jsonb_ops 403 4033 3802 d
10089 jsonb_ops 405 4034 3802 d
10090 jsonb_ops 2742 4036 3802 d
10091 jsonb_path_ops 2742 4037 3802 -
`;

/** Its operator families: oid name method. */
export const operatorFamilyFacts = `
397 array_ops 403
423 bit_ops 403
424 bool_ops 403
426 bpchar_ops 403
427 bpchar_ops 405
428 bytea_ops 403
429 char_ops 403
431 char_ops 405
434 datetime_ops 403
435 date_ops 405
627 array_ops 405
1970 float_ops 403
1971 float_ops 405
1974 network_ops 403
1975 network_ops 405
1976 integer_ops 403
1977 integer_ops 405
1982 interval_ops 403
1983 interval_ops 405
1984 macaddr_ops 403
1985 macaddr_ops 405
1988 numeric_ops 403
1989 oid_ops 403
1990 oid_ops 405
1991 oidvector_ops 403
1992 oidvector_ops 405
1994 text_ops 403
1995 text_ops 405
1996 time_ops 403
1997 time_ops 405
1998 numeric_ops 405
1999 timestamptz_ops 405
2000 timetz_ops 403
2001 timetz_ops 405
2002 varbit_ops 403
2040 timestamp_ops 405
2095 text_pattern_ops 403
2097 bpchar_pattern_ops 403
2099 money_ops 403
2222 bool_ops 405
2223 bytea_ops 405
2225 xid_ops 405
2226 cid_ops 405
2227 tid_ops 405
2229 text_pattern_ops 405
2231 bpchar_pattern_ops 405
2235 aclitem_ops 405
2745 array_ops 2742
2789 tid_ops 403
2968 uuid_ops 403
2969 uuid_ops 405
2994 record_ops 403
3194 record_image_ops 403
3253 pg_lsn_ops 403
3254 pg_lsn_ops 405
3371 macaddr8_ops 403
3372 macaddr8_ops 405
3522 enum_ops 403
3523 enum_ops 405
3626 tsvector_ops 403
3659 tsvector_ops 2742
3683 tsquery_ops 403
3901 range_ops 403
3903 range_ops 405
4033 jsonb_ops 403
4034 jsonb_ops 405
4036 jsonb_ops 2742
4037 jsonb_path_ops 2742
4199 multirange_ops 403
4225 multirange_ops 405
5032 xid8_ops 405
5067 xid8_ops 403
6194 record_ops 405
`;
