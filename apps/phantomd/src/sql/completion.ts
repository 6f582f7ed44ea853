/**
 * What the Tab key offers: commands behind a backslash, words of SQL, and names of the catalogs, asked for when they are wanted.
 *
 *   \d pro|           relations            update products set pr|      columns of products
 *   from pro|         relations            where p.na|                  columns of what p stands for
 *   set stat|         settings             sel|                         words
 *
 * It looks at the words before the cursor and not at the grammar.
 */
import { OUTPUT_FORMATS } from './format.js';
import { quoteText } from './table-columns.js';
import type { SqlTarget } from './target.js';

export type CompleterAnswer = (error: Error | null, result: [hits: string[], word: string]) => void;

interface Typed {
  /** The lines before this one. */
  readonly text: string;
  readonly open: string | undefined;
}

/** Names that one question is answered with. */
const NAMES_MAX = 1000;

const COMMANDS =
  '\\? \\c \\copy \\d \\df \\di \\dm \\dn \\ds \\dt \\du \\dv \\format \\g \\gx \\i \\l \\p \\q \\r \\timing \\watch \\x'.split(
    ' ',
  );
const WORDS = `
  add all alter analyze and any as asc begin between by cascade case cast check collection column commit concurrently
  conflict constraint copy create cross current_date current_timestamp cursor database declare default delete desc distinct do
  drop else end except execute exists explain extract false fetch filter following for foreign from full function generated
  grant group having identity if ilike in index inner insert intersect interval into is isolation join key language lateral left
  level like limit listen lock materialized merge natural not nothing notify null offset on only or order outer over partition
  policy preceding prepare primary procedure references refresh release rename replace returning returns revoke right role
  rollback row rows savepoint schema security select sequence serializable set show similar table temporary then to transaction
  trigger true truncate type union unique update user using vacuum values view when where window with work
`
  .trim()
  .split(/\s+/);
/** Words that a relation follows. */
const BEFORE_RELATION = /\b(?:from|join|into|update|table|truncate|only|references|view|analyze|copy)\s+$/i;
const BEFORE_SETTING = /^\s*(?:set|show|reset)\s+(?:session\s+|local\s+)?$/i;
/** The word at the cursor: names with dots and quotes, or a command. */
const WORD = /(?:\\\S*|(?:"[^"]*"?|[\w$.\u0080-\uffff])*)$/;

const RELATIONS = `select quote_ident(c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'v', 'm', 'S', 'f', 'p')`;

export class Completion {
  private readonly target: SqlTarget;
  private readonly typed: Typed;

  constructor(target: SqlTarget, typed: Typed) {
    this.target = target;
    this.typed = typed;
  }

  /** As readline asks: with the line up to the cursor. */
  answer(line: string, answer: CompleterAnswer): void {
    const word = WORD.exec(line)?.[0] ?? '';
    this.hits(line, word).then(
      (hits) => answer(null, [hits.length === 1 ? [`${hits[0]} `] : hits, word]),
      // A connection that is lost, a transaction that has failed: there is nothing to offer.
      () => answer(null, [[], word]),
    );
  }

  private async hits(line: string, word: string): Promise<string[]> {
    const { open, text } = this.typed;
    if (open === 'quote' || open === 'comment') return [];
    const before = line.slice(0, line.length - word.length);
    const command = /^\s*(\\\w*)\s+$/.exec(before)?.[1];
    if (word.startsWith('\\')) return startingWith(COMMANDS, word);
    if (command === '\\format') return startingWith(OUTPUT_FORMATS, word);
    if (command === '\\c')
      return this.names('select quote_ident(datname) from pg_database where true', 'datname', word);
    if (command !== undefined && /^\\(?:d|copy)/.test(command)) return this.relations(word);
    const statement = text + before;
    if (BEFORE_SETTING.test(statement)) return this.names('select name from pg_settings where true', 'name', word);
    if (BEFORE_RELATION.test(statement)) return this.relations(word);
    return this.columnsAndWords(statement, word);
  }

  private async relations(word: string): Promise<string[]> {
    const [, schema, name] = /^(.*)\.([^.]*)$/.exec(word) ?? [];
    if (schema === undefined) return this.names(`${RELATIONS} and pg_table_is_visible(c.oid)`, 'c.relname', word);
    const hits = await this.names(`${RELATIONS} and n.nspname = ${quoteText(nameOf(schema))}`, 'c.relname', name ?? '');
    return hits.map((hit) => `${schema}.${hit}`);
  }

  private async columnsAndWords(statement: string, word: string): Promise<string[]> {
    const [, qualifier, name] = /^(.*)\.([^.]*)$/.exec(word) ?? [];
    if (qualifier !== undefined) {
      const hits = await this.columns([relationOf(qualifier, statement)], name ?? '');
      return hits.length > 0 ? hits.map((hit) => `${qualifier}.${hit}`) : this.relations(word);
    }
    const mentioned = statement.match(/"[^"]+"|[\w$\u0080-\uffff]+/g) ?? [];
    const columns = mentioned.length === 0 || this.target.status === '!' ? [] : await this.columns(mentioned, word);
    // All words are too many to choose from.
    if (word === '') return columns;
    const words = startingWith(WORDS, word.toLowerCase());
    const isUpper = word !== word.toLowerCase() && word === word.toUpperCase();
    return [...columns, ...(isUpper ? words.map((hit) => hit.toUpperCase()) : words)];
  }

  private columns(relations: readonly string[], word: string): Promise<string[]> {
    const names = relations.map((name) => quoteText(nameOf(name))).join(', ');
    const query = `select distinct quote_ident(a.attname) from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relname in (${names}) and c.relkind in ('r', 'v', 'm') and pg_table_is_visible(c.oid) and a.attnum > 0 and not a.attisdropped`;
    return this.names(query, 'a.attname', word);
  }

  /** Names that begin as the word does; `query` ends within its condition. */
  private async names(query: string, column: string, word: string): Promise<string[]> {
    const found: string[] = [];
    const condition = `starts_with(${column}::text, ${quoteText(nameOf(word))})`;
    await this.target.run(`${query} and ${condition} order by 1 limit ${NAMES_MAX}`, ({ rows }) => {
      for (const [name] of rows) found.push(name as string);
    });
    return found.filter((name) => name.toLowerCase().startsWith(word.toLowerCase()));
  }
}

function startingWith(words: readonly string[], start: string): string[] {
  return words.filter((word) => word.startsWith(start));
}

/** The name that an identifier stands for, or the beginning of one. */
function nameOf(identifier: string): string {
  return identifier.startsWith('"') ? identifier.replaceAll('"', '') : identifier.toLowerCase();
}

/** What a qualifier stands for: the name before it, where it is an alias in the statement, else itself. */
function relationOf(qualifier: string, statement: string): string {
  const alias = qualifier.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = new RegExp(`("[^"]+"|[\\w$]+)\\s+(?:as\\s+)?${alias}(?![\\w$"])`, 'i').exec(statement)?.[1];
  return found === undefined || /^(?:from|join|as|into|update|only|,)$/i.test(found) ? qualifier : found;
}
