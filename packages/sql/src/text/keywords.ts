/**
 * The keywords of PostgreSQL 15, by its four classes (appendix C of its manual, `pg_get_keywords()`), which say where a
 * keyword may stand as a name without quotes:
 *
 *   class                 column, table   function, type   AS label
 *   unreserved            yes             yes              yes
 *   column name           yes             no               yes
 *   type or function      no              yes              yes
 *   reserved              no              no               yes
 *
 * Any of them may be a column's label without AS too, except those of `NOT_BARE_LABELS`. Words that only later versions,
 * ISO SQL or MySQL know (DUPLICATE, JSON_TABLE, PERIOD, ...) are no keywords here: the grammar asks for them where they
 * have a meaning, so that they stay free as names.
 */

const UNRESERVED_TEXT = `
  abort absolute access action add admin after aggregate also alter always asensitive assertion assignment at atomic
  attach attribute backward before begin breadth by cache call called cascade cascaded catalog chain characteristics
  checkpoint class close cluster columns comment comments commit committed compression configuration conflict
  connection constraints content continue conversion copy cost csv cube current cursor cycle data database day
  deallocate declare defaults deferred definer delete delimiter delimiters depends depth detach dictionary disable
  discard document domain double drop each enable encoding encrypted enum escape event exclude excluding exclusive
  execute explain expression extension external family filter finalize first following force forward function
  functions generated global granted groups handler header hold hour identity if immediate immutable implicit import
  include including increment index indexes inherit inherits inline input insensitive insert instead invoker
  isolation key label language large last leakproof level listen load local location lock locked logged mapping
  match matched materialized maxvalue merge method minute minvalue mode month move name names new next nfc nfd nfkc
  nfkd no normalized nothing notify nowait nulls object of off oids old operator option options ordinality others
  over overriding owned owner parallel parameter parser partial partition passing password plans policy preceding
  prepare prepared preserve prior privileges procedural procedure procedures program publication quote range read
  reassign recheck recursive ref referencing refresh reindex relative release rename repeatable replace replica
  reset restart restrict return returns revoke role rollback rollup routine routines rows rule savepoint schema
  schemas scroll search second security sequence sequences serializable server session set sets share show simple
  skip snapshot sql stable standalone start statement statistics stdin stdout storage stored strict strip
  subscription support sysid system tables tablespace temp template temporary text ties transaction transform
  trigger truncate trusted type types uescape unbounded uncommitted unencrypted unknown unlisten unlogged until
  update vacuum valid validate validator value varying version view views volatile whitespace within without work
  wrapper write xml year yes zone
` as const;
const COLUMN_NAME_TEXT = `
  between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int
  integer interval least national nchar none normalize nullif numeric out overlay position precision real row setof
  smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest
  xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
` as const;
const TYPE_OR_FUNCTION_TEXT = `
  authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
  natural notnull outer overlaps right similar tablesample verbose
` as const;
const RESERVED_TEXT = `
  all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
  current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc
  distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral
  leading limit localtime localtimestamp not null offset on only or order placing primary references returning
  select session_user some symmetric table then to trailing true union unique user using variadic when where window
  with
` as const;
const NOT_BARE_TEXT = `
  array as char character create day except fetch filter for from grant group having hour intersect into isnull
  limit minute month notnull offset on order over overlaps precision returning second to union varying where window
  with within without year
`;

/** The words of a text, as a type: one line after the other, so that the compiler's recursion stays shallow. */
type WordsOfLine<Line extends string, Found = never> = Line extends `${infer Word} ${infer Rest}`
  ? WordsOfLine<Rest, Word extends '' ? Found : Found | Word>
  : Line extends ''
    ? Found
    : Found | Line;
type WordsOf<Text extends string, Found = never> = Text extends `${infer Line}\n${infer Rest}`
  ? WordsOf<Rest, Found | WordsOfLine<Line>>
  : Found | WordsOfLine<Text>;

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

export const UNRESERVED = words(UNRESERVED_TEXT);
export const COLUMN_NAMES = words(COLUMN_NAME_TEXT);
export const TYPE_OR_FUNCTION = words(TYPE_OR_FUNCTION_TEXT);
export const RESERVED = words(RESERVED_TEXT);
export const NOT_BARE_LABELS: ReadonlySet<string> = new Set(words(NOT_BARE_TEXT));

export type Keyword =
  | WordsOf<typeof UNRESERVED_TEXT>
  | WordsOf<typeof COLUMN_NAME_TEXT>
  | WordsOf<typeof TYPE_OR_FUNCTION_TEXT>
  | WordsOf<typeof RESERVED_TEXT>;
