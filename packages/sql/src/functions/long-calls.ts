/**
 * Calls that take long because their values are long: regexp_replace of 20 MB works for seconds, and no other session, cancel or
 * timeout gets a turn meanwhile. The functions that take the most for each unit of a value (30 to 1000 ns, measured) are named here; a
 * step of a plan that may wait has another thread make such a call from so many units on (session/call-elsewhere.ts), and shorter
 * ones are over soon enough.
 *
 * Invariants:
 *   1. Functions named here are immutable or stable, and what they say follows from their arguments, the settings and the clock
 *      of the statement alone: they say the same in another thread.
 *   2. A call that is not long costs a comparison for each argument that could be.
 *
 * Left out: functions that take a few ns a unit (length, position, md5, ||); operators that work on rows' bytes and leave most
 * of a value unread (-> of jsonb); those of numeric, whose values have no more than 150,000 digits; sets, whose rows come piece by piece.
 */
import { Json, Jsonb, SqlArray } from '@phantom/codec';
import type { Value } from '../types/type.js';

/** Characters, or bytes, from which on a value is long. What remains in the database's thread is over in a quarter of a second. */
export const LONG_VALUE_UNITS_MIN = 256 * 1024;

/** What an item of an array counts for. */
const ITEM_UNITS = 8;

/** Names of implementations. */
const NAMES: ReadonlySet<string> = new Set(
  `upper lower initcap text_reverse translate replace_text quote_literal quote_nullable texticlike texticnlike
  text_to_array text_to_array_null array_to_text array_to_text_null unicode_normalize_func unicode_is_normalized unistr parse_ident
  textregexeq textregexne texticregexeq texticregexne textregexsubstr substring:text,text,text regexp_match regexp_match_no_flags
  textregexreplace_noopt textregexreplace textregexreplace_extended textregexreplace_extended_no_flags
  textregexreplace_extended_no_n regexp_split_to_array_no_flags regexp_split_to_array regexp_count_no_start regexp_count_no_flags
  regexp_count regexp_instr_no_start regexp_instr_no_n regexp_instr_no_endoption regexp_instr_no_flags regexp_instr_no_subexpr
  regexp_instr regexp_like_no_flags regexp_like regexp_substr_no_start regexp_substr_no_n regexp_substr_no_flags
  regexp_substr_no_subexpr regexp_substr
  timestamp_to_char timestamptz_to_char interval_to_char numeric_to_char int4_to_char int8_to_char float4_to_char float8_to_char
  binary_encode binary_decode pg_convert_to pg_convert_from pg_convert bytea_bit_count
  json_object_field json_object_field_text json_array_element json_array_element_text json_extract_path json_extract_path_text
  json_array_length json_typeof json_strip_nulls json_object to_json array_to_json array_to_json_pretty
  jsonb_contains jsonb_contained jsonb_strip_nulls jsonb_pretty jsonb_object to_jsonb
  jsonb_concat jsonb_delete jsonb_delete_array jsonb_delete_idx jsonb_delete_path jsonb_set jsonb_set_lax jsonb_insert
  texttoxml xml_is_well_formed xml_is_well_formed_document xml_is_well_formed_content
  xpath xpath:text,xml xpath_exists xpath_exists:text,xml
  array_append array_prepend array_cat array_positions array_remove array_replace arraycontains arraycontained arrayoverlap`.split(
    /\s+/,
  ),
);

/** True for an implementation (`prosrc`) that takes long over a long value. */
export function takesLong(implementation: string): boolean {
  return NAMES.has(implementation);
}

/** True for a value with so many units. */
export function isLong(value: Value): boolean {
  if (typeof value === 'string') return value.length >= LONG_VALUE_UNITS_MIN;
  return typeof value === 'object' && value !== null && unitsOf(value) >= LONG_VALUE_UNITS_MIN;
}

function unitsOf(value: object): number {
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Jsonb) return value.end - value.start;
  if (value instanceof Json) return value.text.length;
  return value instanceof SqlArray ? unitsOfItems(value) : 0;
}

/** Few items may be long texts. */
function unitsOfItems({ items }: SqlArray): number {
  let units = items.length * ITEM_UNITS;
  const [first] = items;
  if (first === undefined || typeof first === 'number') return units;
  for (let i = 0; i < items.length && units < LONG_VALUE_UNITS_MIN; i++) {
    const item = items[i];
    if (typeof item === 'string') units += item.length;
    else if (typeof item === 'object' && item !== null) units += unitsOf(item);
  }
  return units;
}
