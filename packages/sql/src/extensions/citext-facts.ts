/** PostgreSQL 15's citext 1.6: texts that are equal whatever the case of their letters. The form of the lines is told in extension.ts. */
import type { ExtensionFacts } from './extension.js';

const FLAGS_OF_3 = "case when pg_catalog.strpos($3, 'c') = 0 then $3 || 'i' else $3 end";
const FLAGS_OF_4 = FLAGS_OF_3.replaceAll('$3', '$4');
const TEXT_1 = '$1::pg_catalog.text';
const TEXT_2 = '$2::pg_catalog.text';
/** The second argument as a pattern that means it alone. */
const QUOTED_2 = `pg_catalog.regexp_replace(${TEXT_2}, '([^a-zA-Z_0-9])', E'\\\\\\\\\\\\1', 'g')`;

/** Bodies of the functions of a regular expression: without flags, and with those that stand in the argument. */
function insensitive(name: string, given: string, flags: string, argument: string): Record<string, string> {
  const call = (last: string): string => `select pg_catalog.${name}(${TEXT_1}, ${TEXT_2}, ${given}${last})`;
  return { [name]: call("'i'"), [`${name}_${argument}`]: call(flags) };
}

export const citextFacts: ExtensionFacts = {
  name: 'citext',
  version: '1.6',
  description: 'data type for case-insensitive character strings',
  requires: [],
  types: ['citext'],
  functions: `
citext bpchar citext ix rtrim1
citext bool citext ix booltext
citext inet citext ix network_show
citext_eq citext,citext bool ix citext_eq
citext_ne citext,citext bool ix citext_ne
citext_lt citext,citext bool ix citext_lt
citext_le citext,citext bool ix citext_le
citext_gt citext,citext bool ix citext_gt
citext_ge citext,citext bool ix citext_ge
citext_cmp citext,citext int4 ix citext_cmp
citext_hash citext int4 ix citext_hash
citext_smaller citext,citext citext ix citext_smaller
citext_larger citext,citext citext ix citext_larger
min citext citext ia citext_smaller
max citext citext ia citext_larger
texticlike citext,citext bool ix texticlike
texticnlike citext,citext bool ix texticnlike
texticregexeq citext,citext bool ix texticregexeq
texticregexne citext,citext bool ix texticregexne
texticlike citext,text bool ix texticlike
texticnlike citext,text bool ix texticnlike
texticregexeq citext,text bool ix texticregexeq
texticregexne citext,text bool ix texticregexne
regexp_match citext,citext _text ixq regexp_match
regexp_match citext,citext,text _text ixq regexp_match_3
regexp_matches citext,citext _text ixrq regexp_matches
regexp_matches citext,citext,text _text ixrq regexp_matches_3
regexp_replace citext,citext,text text ixq regexp_replace
regexp_replace citext,citext,text,text text ixq regexp_replace_4
regexp_split_to_array citext,citext _text ixq regexp_split_to_array
regexp_split_to_array citext,citext,text _text ixq regexp_split_to_array_3
regexp_split_to_table citext,citext text ixrq regexp_split_to_table
regexp_split_to_table citext,citext,text text ixrq regexp_split_to_table_3
strpos citext,citext int4 ixq strpos
replace citext,citext,citext text ixq replace
split_part citext,citext,int4 text ixq split_part
translate citext,citext,text text ixq translate
citext_pattern_lt citext,citext bool ix citext_lt
citext_pattern_le citext,citext bool ix citext_le
citext_pattern_gt citext,citext bool ix citext_gt
citext_pattern_ge citext,citext bool ix citext_ge
citext_pattern_cmp citext,citext int4 ix citext_cmp
citext_hash_extended citext,int8 int8 ix citext_hash_extended
`,
  operators: `
<> citext citext bool citext_ne <> =
= citext citext bool citext_eq = <>
> citext citext bool citext_gt < <=
>= citext citext bool citext_ge <= <
< citext citext bool citext_lt > >=
<= citext citext bool citext_le >= >
!~ citext citext bool texticregexne - ~
~ citext citext bool texticregexeq - !~
!~* citext citext bool texticregexne - ~*
~* citext citext bool texticregexeq - !~*
!~~ citext citext bool texticnlike - ~~
~~ citext citext bool texticlike - !~~
!~~* citext citext bool texticnlike - ~~*
~~* citext citext bool texticlike - !~~*
!~ citext text bool texticregexne - ~
~ citext text bool texticregexeq - !~
!~* citext text bool texticregexne - ~*
~* citext text bool texticregexeq - !~*
!~~ citext text bool texticnlike - ~~
~~ citext text bool texticlike - !~~
!~~* citext text bool texticnlike - ~~*
~~* citext text bool texticlike - !~~*
~>~ citext citext bool citext_pattern_gt ~<~ ~<=~
~>=~ citext citext bool citext_pattern_ge ~<=~ ~<~
~<~ citext citext bool citext_pattern_lt ~>~ ~>=~
~<=~ citext citext bool citext_pattern_le ~>=~ ~>~
`,
  casts: `
citext text i -
citext varchar i -
citext bpchar a -
text citext a -
varchar citext a -
bpchar citext a citext
bool citext a citext
inet citext a citext
`,
  operatorClasses: `
citext_ops btree citext d
citext_ops hash citext d
citext_pattern_ops btree citext -
`,
  bodies: {
    ...insensitive('regexp_match', '', FLAGS_OF_3, '3'),
    ...insensitive('regexp_matches', '', FLAGS_OF_3, '3'),
    ...insensitive('regexp_replace', '$3, ', FLAGS_OF_4, '4'),
    ...insensitive('regexp_split_to_array', '', FLAGS_OF_3, '3'),
    ...insensitive('regexp_split_to_table', '', FLAGS_OF_3, '3'),
    strpos: `select pg_catalog.strpos(pg_catalog.lower(${TEXT_1}), pg_catalog.lower(${TEXT_2}))`,
    replace: `select pg_catalog.regexp_replace(${TEXT_1}, ${QUOTED_2}, $3::pg_catalog.text, 'gi')`,
    split_part: `select (pg_catalog.regexp_split_to_array(${TEXT_1}, ${QUOTED_2}, 'i'))[$3]`,
    translate: `select pg_catalog.translate(pg_catalog.translate(${TEXT_1}, pg_catalog.lower(${TEXT_2}), $3), pg_catalog.upper(${TEXT_2}), $3)`,
  },
};
