/**
 * Names of columns among the joins of a FROM, so that what a stored query means can still be said when its tables have gained,
 * lost and renamed columns: ruleutils.c's rules.
 *
 *   a column of USING    keeps the name that both sides had, whatever their tables call it now
 *   a merged value       of two columns (a full join's, or one cast to the other's type) is no column of a table and so is named
 *                        alone: then every name of a USING must be the only one of its kind in all of FROM
 *   a named join         lists the names of its columns where they are not those of its sides
 */
import type * as Ast from '../../text/ast.js';
import type { NamedInFrom } from './name-layout.js';
import type { QueryWitness } from './query-witness.js';

/** Names that columns of USING are given, by those that they had. */
type UsingNames = ReadonlyMap<string, string>;

const NO_NAMES: UsingNames = new Map();

/** A column that a part of FROM shows. */
interface ShownColumn {
  readonly name: string;
  /** It was there when the query was stored. */
  readonly known: boolean;
}

export class JoinNames {
  private readonly witness: QueryWitness;
  private readonly relationOf: (node: Ast.TableRef) => NamedInFrom | undefined;
  /** Names of USING that nothing else in FROM may have. */
  private readonly reserved = new Set<string>();
  private readonly using = new Map<Ast.Join, UsingNames>();
  private readonly aliases = new Map<Ast.Join, readonly string[]>();
  private readonly shown = new Map<Ast.TableExpression, readonly ShownColumn[]>();
  private readonly tables = new Map<Ast.TableRef, readonly string[]>();

  constructor(
    from: readonly Ast.TableExpression[],
    witness: QueryWitness,
    relationOf: (node: Ast.TableRef) => NamedInFrom | undefined,
  ) {
    this.witness = witness;
    this.relationOf = relationOf;
    const unique = from.some((node) => this.mergesValues(node));
    const outer = new Map<Ast.TableExpression, UsingNames>();
    for (const node of from) this.nameUsing(node, NO_NAMES, unique, outer);
    for (const node of from) this.nameColumns(node, outer);
  }

  /** What a column of USING is called now. */
  usingName(node: Ast.Join, name: string): string {
    return this.using.get(node)?.get(name) ?? name;
  }

  /** Names of the columns of a table by number, where they are not those that it has by itself. */
  tableColumns(node: Ast.TableRef): readonly string[] | undefined {
    return this.tables.get(node);
  }

  /** Names of the columns of a named join, where they are not those of its sides. */
  joinColumns(node: Ast.Join): readonly string[] {
    return this.aliases.get(node) ?? [];
  }

  /** The columns by which a join joins; of a natural one those that both sides show. */
  joinedColumns(node: Ast.Join): string[] {
    if (!node.natural) return node.using?.columns.map((name) => name.text) ?? [];
    const names = (side: Ast.TableExpression): string[] =>
      this.witness
        .placesOf(side)
        .filter((item) => item.columnsVisible)
        .flatMap((item) => item.columns.map((column) => column.name));
    const right = new Set(names(node.right));
    return names(node.left).filter((name) => right.has(name));
  }

  /** Whether a USING in here makes a value that is a column of neither side. */
  private mergesValues(node: Ast.TableExpression): boolean {
    if (node.kind !== 'join') return false;
    const merged = new Set(this.joinedColumns(node));
    const own = this.witness.placesOf(node).find((item) => this.witness.nodeOf(item) === node);
    const computes = own?.columns.some(({ name, expression }) => merged.has(name) && expression.kind !== 'column');
    return computes === true || this.mergesValues(node.left) || this.mergesValues(node.right);
  }

  /** Names the columns of USING from the outermost join inwards: what joins further out is one column with what it joins. */
  private nameUsing(
    node: Ast.TableExpression,
    outer: UsingNames,
    unique: boolean,
    known: Map<Ast.TableExpression, UsingNames>,
  ): void {
    known.set(node, outer);
    if (node.kind !== 'join') return;
    const names = new Map(node.alias === undefined ? outer : NO_NAMES);
    // The columns of a join begin with those of its USING.
    const own = node.alias === undefined ? [] : (this.witness.placesOf(node)[0]?.columns ?? []);
    this.joinedColumns(node).forEach((column, i) => {
      const name = own[i]?.name ?? names.get(column) ?? (unique ? freeName(column, this.reserved) : column);
      names.set(column, name);
      if (unique) this.reserved.add(name);
    });
    this.using.set(node, names);
    this.nameUsing(node.left, names, unique, known);
    this.nameUsing(node.right, names, unique, known);
  }

  private nameColumns(node: Ast.TableExpression, outer: ReadonlyMap<Ast.TableExpression, UsingNames>): void {
    if (node.kind === 'join') {
      this.nameColumns(node.left, outer);
      this.nameColumns(node.right, outer);
      this.shown.set(node, this.columnsOfJoin(node));
      return;
    }
    const relation = node.kind === 'table' ? this.relationOf(node) : undefined;
    if (node.kind !== 'table' || relation === undefined) {
      const columns = this.witness.placesOf(node).flatMap((item) => item.columns);
      this.shown.set(
        node,
        columns.map(({ name }) => ({ name, known: true })),
      );
      return;
    }
    const names = this.columnNames(node, relation, outer.get(node) ?? NO_NAMES);
    if (names.some((name, i) => name !== relation.now[i])) this.tables.set(node, names);
    const columns = relation.now.map((name, i) => ({
      name: names[i] ?? name,
      known: (relation.before[i] ?? '') !== '',
    }));
    this.shown.set(
      node,
      columns.filter((_, i) => relation.now[i] !== ''),
    );
  }

  /** Names of a table's columns: one that came later makes room for those by which is joined, and for those that are given. */
  private columnNames({ alias }: Ast.TableRef, { before, now }: NamedInFrom, joined: UsingNames): string[] {
    const given = alias?.columns.map(({ text }) => text) ?? [];
    const taken = new Set([...this.reserved, ...joined.values(), ...given]);
    let at = 0;
    return now.map((name, i) => {
      const old = before[i] ?? '';
      const own = old === '' ? undefined : given[at++];
      if (name === '') return '';
      const using = joined.get(own ?? old);
      if (using !== undefined || own !== undefined) return using ?? (own as string);
      const free = freeName(name, taken);
      taken.add(free);
      return free;
    });
  }

  private columnsOfJoin(node: Ast.Join): ShownColumn[] {
    const joined = this.joinedColumns(node).map((name) => this.usingName(node, name));
    const side = (part: Ast.TableExpression): ShownColumn[] =>
      (this.shown.get(part) ?? []).filter(({ name }) => !joined.includes(name));
    const columns = [...joined.map((name) => ({ name, known: true })), ...side(node.left), ...side(node.right)];
    if (node.alias === undefined) return columns;
    const known = this.witness.placesOf(node)[0]?.columns.map(({ name }) => name) ?? [];
    const taken = new Set(known);
    let at = 0;
    const names = columns.map((column) => {
      if (column.known) return known[at++] ?? column.name;
      const free = freeName(column.name, taken);
      taken.add(free);
      return free;
    });
    if (names.some((name, i) => name !== columns[i]?.name)) this.aliases.set(node, names);
    return columns.map((column, i) => ({ ...column, name: names[i] as string }));
  }
}

/** The name, with a number behind it where it is taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let n = 1; taken.has(free); n++) free = `${name}_${n}`;
  return free;
}
