/**
 * Facts of PostgreSQL 15's pg_type about the types that exist here, one a line:
 *
 *   oid typname typlen typcategory typispreferred typtype typelem typarray display-name
 *
 * typtype: b base (arrays and ranges too), p pseudo. Blanks in display names (what format_type shows) are written `~`.
 */
import type { Oid } from '@phantom/catalog';

export interface TypeFacts {
  readonly oid: Oid;
  readonly name: string;
  readonly length: number;
  readonly category: string;
  readonly preferred: boolean;
  readonly pseudo: boolean;
  readonly elementOid: Oid;
  readonly arrayOid: Oid;
  readonly displayName: string;
}

const LINES = `
16 bool 1 B 1 b 0 1000 boolean
17 bytea -1 U 0 b 0 1001 bytea
18 char 1 Z 0 b 0 1002 "char"
19 name 64 S 0 b 18 1003 name
20 int8 8 N 0 b 0 1016 bigint
21 int2 2 N 0 b 0 1005 smallint
22 int2vector -1 A 0 b 21 1006 int2vector
23 int4 4 N 0 b 0 1007 integer
24 regproc 4 N 0 b 0 1008 regproc
25 text -1 S 1 b 0 1009 text
26 oid 4 N 1 b 0 1028 oid
27 tid 6 U 0 b 0 1010 tid
28 xid 4 U 0 b 0 1011 xid
29 cid 4 U 0 b 0 1012 cid
30 oidvector -1 A 0 b 26 1013 oidvector
114 json -1 U 0 b 0 199 json
142 xml -1 U 0 b 0 143 xml
143 _xml -1 A 0 b 142 0 xml[]
194 pg_node_tree -1 Z 0 b 0 0 pg_node_tree
199 _json -1 A 0 b 114 0 json[]
269 table_am_handler 4 P 0 p 0 0 table_am_handler
271 _xid8 -1 A 0 b 5069 0 xid8[]
325 index_am_handler 4 P 0 p 0 0 index_am_handler
600 point 16 G 0 b 701 1017 point
601 lseg 32 G 0 b 600 1018 lseg
602 path -1 G 0 b 0 1019 path
603 box 32 G 0 b 600 1020 box
604 polygon -1 G 0 b 0 1027 polygon
628 line 24 G 0 b 701 629 line
629 _line -1 A 0 b 628 0 line[]
650 cidr -1 I 0 b 0 651 cidr
651 _cidr -1 A 0 b 650 0 cidr[]
700 float4 4 N 0 b 0 1021 real
701 float8 8 N 1 b 0 1022 double~precision
705 unknown -2 X 0 p 0 0 unknown
718 circle 24 G 0 b 0 719 circle
719 _circle -1 A 0 b 718 0 circle[]
774 macaddr8 8 U 0 b 0 775 macaddr8
775 _macaddr8 -1 A 0 b 774 0 macaddr8[]
790 money 8 N 0 b 0 791 money
791 _money -1 A 0 b 790 0 money[]
829 macaddr 6 U 0 b 0 1040 macaddr
869 inet -1 I 1 b 0 1041 inet
1000 _bool -1 A 0 b 16 0 boolean[]
1001 _bytea -1 A 0 b 17 0 bytea[]
1002 _char -1 A 0 b 18 0 "char"[]
1003 _name -1 A 0 b 19 0 name[]
1005 _int2 -1 A 0 b 21 0 smallint[]
1006 _int2vector -1 A 0 b 22 0 int2vector[]
1007 _int4 -1 A 0 b 23 0 integer[]
1008 _regproc -1 A 0 b 24 0 regproc[]
1009 _text -1 A 0 b 25 0 text[]
1010 _tid -1 A 0 b 27 0 tid[]
1011 _xid -1 A 0 b 28 0 xid[]
1012 _cid -1 A 0 b 29 0 cid[]
1013 _oidvector -1 A 0 b 30 0 oidvector[]
1014 _bpchar -1 A 0 b 1042 0 character[]
1015 _varchar -1 A 0 b 1043 0 character~varying[]
1016 _int8 -1 A 0 b 20 0 bigint[]
1017 _point -1 A 0 b 600 0 point[]
1018 _lseg -1 A 0 b 601 0 lseg[]
1019 _path -1 A 0 b 602 0 path[]
1020 _box -1 A 0 b 603 0 box[]
1021 _float4 -1 A 0 b 700 0 real[]
1022 _float8 -1 A 0 b 701 0 double~precision[]
1027 _polygon -1 A 0 b 604 0 polygon[]
1028 _oid -1 A 0 b 26 0 oid[]
1033 aclitem 12 U 0 b 0 1034 aclitem
1034 _aclitem -1 A 0 b 1033 0 aclitem[]
1040 _macaddr -1 A 0 b 829 0 macaddr[]
1041 _inet -1 A 0 b 869 0 inet[]
1042 bpchar -1 S 0 b 0 1014 character
1043 varchar -1 S 0 b 0 1015 character~varying
1082 date 4 D 0 b 0 1182 date
1083 time 8 D 0 b 0 1183 time~without~time~zone
1114 timestamp 8 D 0 b 0 1115 timestamp~without~time~zone
1115 _timestamp -1 A 0 b 1114 0 timestamp~without~time~zone[]
1182 _date -1 A 0 b 1082 0 date[]
1183 _time -1 A 0 b 1083 0 time~without~time~zone[]
1184 timestamptz 8 D 1 b 0 1185 timestamp~with~time~zone
1185 _timestamptz -1 A 0 b 1184 0 timestamp~with~time~zone[]
1186 interval 16 T 1 b 0 1187 interval
1187 _interval -1 A 0 b 1186 0 interval[]
1231 _numeric -1 A 0 b 1700 0 numeric[]
1263 _cstring -1 A 0 b 2275 0 cstring[]
1266 timetz 12 D 0 b 0 1270 time~with~time~zone
1270 _timetz -1 A 0 b 1266 0 time~with~time~zone[]
1560 bit -1 V 0 b 0 1561 bit
1561 _bit -1 A 0 b 1560 0 bit[]
1562 varbit -1 V 1 b 0 1563 bit~varying
1563 _varbit -1 A 0 b 1562 0 bit~varying[]
1700 numeric -1 N 0 b 0 1231 numeric
1790 refcursor -1 U 0 b 0 2201 refcursor
2201 _refcursor -1 A 0 b 1790 0 refcursor[]
2202 regprocedure 4 N 0 b 0 2207 regprocedure
2203 regoper 4 N 0 b 0 2208 regoper
2204 regoperator 4 N 0 b 0 2209 regoperator
2205 regclass 4 N 0 b 0 2210 regclass
2206 regtype 4 N 0 b 0 2211 regtype
2207 _regprocedure -1 A 0 b 2202 0 regprocedure[]
2208 _regoper -1 A 0 b 2203 0 regoper[]
2209 _regoperator -1 A 0 b 2204 0 regoperator[]
2210 _regclass -1 A 0 b 2205 0 regclass[]
2211 _regtype -1 A 0 b 2206 0 regtype[]
2249 record -1 P 0 p 0 2287 record
2275 cstring -2 P 0 p 0 1263 cstring
2276 any 4 P 0 p 0 0 "any"
2277 anyarray -1 P 0 p 0 0 anyarray
2278 void 4 P 0 p 0 0 void
2279 trigger 4 P 0 p 0 0 trigger
2280 language_handler 4 P 0 p 0 0 language_handler
2281 internal 8 P 0 p 0 0 internal
2283 anyelement 4 P 0 p 0 0 anyelement
2287 _record -1 P 0 p 2249 0 record[]
2776 anynonarray 4 P 0 p 0 0 anynonarray
2949 _txid_snapshot -1 A 0 b 2970 0 txid_snapshot[]
2950 uuid 16 U 0 b 0 2951 uuid
2951 _uuid -1 A 0 b 2950 0 uuid[]
2970 txid_snapshot -1 U 0 b 0 2949 txid_snapshot
3220 pg_lsn 8 U 0 b 0 3221 pg_lsn
3221 _pg_lsn -1 A 0 b 3220 0 pg_lsn[]
3361 pg_ndistinct -1 Z 0 b 0 0 pg_ndistinct
3402 pg_dependencies -1 Z 0 b 0 0 pg_dependencies
3500 anyenum 4 P 0 p 0 0 anyenum
3614 tsvector -1 U 0 b 0 3643 tsvector
3615 tsquery -1 U 0 b 0 3645 tsquery
3642 gtsvector -1 U 0 b 0 3644 gtsvector
3643 _tsvector -1 A 0 b 3614 0 tsvector[]
3644 _gtsvector -1 A 0 b 3642 0 gtsvector[]
3645 _tsquery -1 A 0 b 3615 0 tsquery[]
3734 regconfig 4 N 0 b 0 3735 regconfig
3735 _regconfig -1 A 0 b 3734 0 regconfig[]
3769 regdictionary 4 N 0 b 0 3770 regdictionary
3770 _regdictionary -1 A 0 b 3769 0 regdictionary[]
3802 jsonb -1 U 0 b 0 3807 jsonb
3807 _jsonb -1 A 0 b 3802 0 jsonb[]
3831 anyrange -1 P 0 p 0 0 anyrange
3838 event_trigger 4 P 0 p 0 0 event_trigger
3904 int4range -1 R 0 b 0 3905 int4range
3905 _int4range -1 A 0 b 3904 0 int4range[]
3906 numrange -1 R 0 b 0 3907 numrange
3907 _numrange -1 A 0 b 3906 0 numrange[]
3908 tsrange -1 R 0 b 0 3909 tsrange
3909 _tsrange -1 A 0 b 3908 0 tsrange[]
3910 tstzrange -1 R 0 b 0 3911 tstzrange
3911 _tstzrange -1 A 0 b 3910 0 tstzrange[]
3912 daterange -1 R 0 b 0 3913 daterange
3913 _daterange -1 A 0 b 3912 0 daterange[]
3926 int8range -1 R 0 b 0 3927 int8range
3927 _int8range -1 A 0 b 3926 0 int8range[]
4072 jsonpath -1 U 0 b 0 4073 jsonpath
4073 _jsonpath -1 A 0 b 4072 0 jsonpath[]
4089 regnamespace 4 N 0 b 0 4090 regnamespace
4090 _regnamespace -1 A 0 b 4089 0 regnamespace[]
4096 regrole 4 N 0 b 0 4097 regrole
4097 _regrole -1 A 0 b 4096 0 regrole[]
4191 regcollation 4 N 0 b 0 4192 regcollation
4192 _regcollation -1 A 0 b 4191 0 regcollation[]
4451 int4multirange -1 R 0 b 0 6150 int4multirange
4532 nummultirange -1 R 0 b 0 6151 nummultirange
4533 tsmultirange -1 R 0 b 0 6152 tsmultirange
4534 tstzmultirange -1 R 0 b 0 6153 tstzmultirange
4535 datemultirange -1 R 0 b 0 6155 datemultirange
4536 int8multirange -1 R 0 b 0 6157 int8multirange
4537 anymultirange -1 P 0 p 0 0 anymultirange
4538 anycompatiblemultirange -1 P 0 p 0 0 anycompatiblemultirange
4600 pg_brin_bloom_summary -1 Z 0 b 0 0 pg_brin_bloom_summary
4601 pg_brin_minmax_multi_summary -1 Z 0 b 0 0 pg_brin_minmax_multi_summary
5017 pg_mcv_list -1 Z 0 b 0 0 pg_mcv_list
5038 pg_snapshot -1 U 0 b 0 5039 pg_snapshot
5039 _pg_snapshot -1 A 0 b 5038 0 pg_snapshot[]
5069 xid8 8 U 0 b 0 271 xid8
5077 anycompatible 4 P 0 p 0 0 anycompatible
5078 anycompatiblearray -1 P 0 p 0 0 anycompatiblearray
5079 anycompatiblenonarray 4 P 0 p 0 0 anycompatiblenonarray
5080 anycompatiblerange -1 P 0 p 0 0 anycompatiblerange
6150 _int4multirange -1 A 0 b 4451 0 int4multirange[]
6151 _nummultirange -1 A 0 b 4532 0 nummultirange[]
6152 _tsmultirange -1 A 0 b 4533 0 tsmultirange[]
6153 _tstzmultirange -1 A 0 b 4534 0 tstzmultirange[]
6155 _datemultirange -1 A 0 b 4535 0 datemultirange[]
6157 _int8multirange -1 A 0 b 4536 0 int8multirange[]
`;

/** The facts, by oid. */
export const typeFacts: ReadonlyMap<Oid, TypeFacts> = new Map(
  LINES.trim()
    .split('\n')
    .map((line) => {
      const [oid, name, length, category, preferred, kind, element, array, display] = line.split(' ') as string[];
      const facts: TypeFacts = {
        oid: Number(oid),
        name: name as string,
        length: Number(length),
        category: category as string,
        preferred: preferred === '1',
        pseudo: kind === 'p',
        elementOid: Number(element),
        arrayOid: Number(array),
        displayName: (display as string).replaceAll('~', ' '),
      };
      return [facts.oid, facts];
    }),
);

let oidsByName: ReadonlyMap<string, Oid> | undefined;

/** The oid of a built-in type by its internal name; 0 for no such type. */
export function typeOidNamed(name: string): Oid {
  oidsByName ??= new Map([...typeFacts.values()].map((facts) => [facts.name, facts.oid]));
  return oidsByName.get(name) ?? 0;
}
