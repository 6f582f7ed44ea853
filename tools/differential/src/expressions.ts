/**
 * Expressions that are valid by construction: every one has the kind that was asked for, and none of them can fail (factors
 * are small, divisors are not zero, scalar subqueries aggregate), so that whatever an optimiser evaluates early or twice
 * raises nothing.
 */
import type { Random } from '@phantom/base';
import { KINDS, type Kind, SQL_TYPES, constantOf } from './kinds.js';
import type { Column, Table } from './tables.js';

const COMPARISONS = ['=', '<>', '<', '<=', '>', '>='];
const PATTERNS = ["'%'", "'a%'", "'%b'", "'_'", "'%a%b%'", "'a!%' escape '!'", "''"];

export class Expressions {
  private readonly random: Random;
  private readonly tables: readonly Table[];
  private aliases = 0;

  constructor(random: Random, tables: readonly Table[]) {
    this.random = random;
    this.tables = tables;
  }

  /** A name that no other item of a query has. */
  alias(): string {
    return `q${this.aliases++}`;
  }

  anyKind(): Kind {
    return this.random.pick(KINDS);
  }

  /** A value of the kind over the columns; `depth` is how many operators it may be deep. */
  value(kind: Kind, columns: readonly Column[], depth: number): string {
    const { random } = this;
    const own = columns.filter((column) => column.kind === kind);
    if (depth <= 0 || random.chance(0.3)) {
      return own.length > 0 && random.chance(0.85) ? random.pick(own).sql : constantOf(random, kind);
    }
    if (kind === 'bool') return `(${this.condition(columns, depth)})`;
    const sub = (of: Kind = kind): string => this.value(of, columns, depth - 1);
    switch (random.below(7)) {
      case 0:
        return `coalesce(${sub()}, ${sub()})`;
      case 1:
        return `case when ${this.condition(columns, depth - 1)} then ${sub()} else ${sub()} end`;
      case 2:
        return `nullif(${sub()}, ${sub()})`;
      case 3:
        return `${random.pick(['greatest', 'least'])}(${sub()}, ${sub()})`;
      case 4:
        return this.scalarSubquery(kind, columns, depth - 1);
      default:
        return this.ownOperator(kind, sub);
    }
  }

  /** What values of one kind alone know. */
  private ownOperator(kind: Kind, sub: (of?: Kind) => string): string {
    const { random } = this;
    const choices: Record<Exclude<Kind, 'bool'>, readonly (() => string)[]> = {
      int: [
        () => `(${sub()} + ${sub()})`,
        () => `(${sub()} * ${random.pick(['2', '-1', '3'])})`,
        () => `(${sub()} % 3)`,
        () => `(${sub()} / 2)`,
        () => `abs(${sub()})`,
        () => `length(${sub('text')})`,
        () => `${sub('bool')}::int`,
        () => `extract(month from ${sub('date')})::int`,
      ],
      bigint: [
        () => `(${sub()} + ${sub('int')})`,
        () => `(- ${sub()})`,
        () => `${sub('int')}::bigint`,
        () => `(${sub()} % 1000)`,
      ],
      numeric: [
        () => `(${sub()} + ${sub()})`,
        () => `(${sub()} * ${sub('int')})`,
        () => `(round(${sub()}, 1) + 0.00)`,
        () => `abs(${sub()})`,
        () => `(${sub('bigint')}::numeric + 0.00)`,
        () => `round(${sub()} / 4, 2)`,
      ],
      float: [() => `(${sub()} + ${sub()})`, () => `(${sub()} * 2)`, () => `${sub('int')}::float8`],
      text: [
        () => `(${sub()} || ${sub()})`,
        () => `upper(${sub()})`,
        () => `lower(${sub()})`,
        () => `substr(${sub()}, 1, 2)`,
        () => `replace(${sub()}, 'a', 'bb')`,
        () => `trim(${sub()})`,
        () => `${sub(random.pick(['int', 'bigint', 'numeric', 'bool', 'date']))}::text`,
      ],
      date: [() => `(${sub()} + ${random.below(40) - 20})`, () => `date_trunc('month', ${sub()})::date`],
    };
    return random.pick(choices[kind as Exclude<Kind, 'bool'>])();
  }

  /** A condition: true, false or unknown. */
  condition(columns: readonly Column[], depth: number): string {
    const { random } = this;
    if (depth <= 0) return this.comparison(columns, 0);
    const inner = (): string => this.condition(columns, depth - 1);
    switch (random.below(13)) {
      case 0:
        return `(${inner()} and ${inner()})`;
      case 1:
        return `(${inner()} or ${inner()})`;
      case 2:
        return `not (${inner()})`;
      case 3:
        return `(${inner()}) is ${random.pick(['', 'not '])}${random.pick(['true', 'false', 'unknown'])}`;
      case 4: {
        const kind = this.anyKind();
        return `${this.value(kind, columns, depth - 1)} is ${random.pick(['', 'not '])}null`;
      }
      case 5: {
        const kind = this.anyKind();
        const value = (): string => this.value(kind, columns, depth - 1);
        return `${value()} is ${random.pick(['', 'not '])}distinct from ${value()}`;
      }
      case 6: {
        const kind = this.anyKind();
        const value = (): string => this.value(kind, columns, depth - 1);
        return `(${value()} ${random.pick(['', 'not '])}between ${random.pick(['', 'symmetric '])}${value()} and ${value()})`;
      }
      case 7:
        return this.membership(columns, depth);
      case 8:
        return `(${this.value('text', columns, depth - 1)} ${random.pick(['', 'not '])}like ${random.pick(PATTERNS)})`;
      case 9:
        return this.subqueryTest(columns, depth - 1);
      case 10:
        return this.rowComparison(columns, depth - 1);
      default:
        return this.comparison(columns, depth - 1);
    }
  }

  private comparison(columns: readonly Column[], depth: number): string {
    const kind = columns.length > 0 && this.random.chance(0.8) ? this.random.pick(columns).kind : this.anyKind();
    const value = (): string => this.value(kind, columns, depth);
    return `(${value()} ${this.random.pick(COMPARISONS)} ${value()})`;
  }

  private membership(columns: readonly Column[], depth: number): string {
    const { random } = this;
    const kind = this.anyKind();
    const value = this.value(kind, columns, depth - 1);
    const list = Array.from({ length: 1 + random.below(4) }, () =>
      random.chance(0.7) ? constantOf(random, kind) : this.value(kind, columns, depth - 1),
    );
    if (random.chance(0.7)) return `(${value} ${random.pick(['', 'not '])}in (${list.join(', ')}))`;
    const quantifier = random.pick(['any', 'all']);
    return `(${value} ${random.pick(COMPARISONS)} ${quantifier} (array[${list.join(', ')}]::${SQL_TYPES[kind]}[]))`;
  }

  private rowComparison(columns: readonly Column[], depth: number): string {
    const kinds = [this.anyKind(), this.anyKind()];
    const row = (): string => `(${kinds.map((kind) => this.value(kind, columns, depth - 1)).join(', ')})`;
    return `(${row()} ${this.random.pick(COMPARISONS)} ${row()})`;
  }

  /** EXISTS, IN and quantified comparisons, correlated as often as not. */
  private subqueryTest(columns: readonly Column[], depth: number): string {
    const { random } = this;
    const { from, inner } = this.innerTable();
    const where = ` where ${this.condition(random.chance(0.6) ? [...columns, ...inner] : inner, depth - 1)}`;
    if (random.chance(0.4)) return `${random.pick(['', 'not '])}exists (select 1 from ${from}${where})`;
    const column = random.pick(inner);
    const query = `(select ${column.sql} from ${from}${random.chance(0.7) ? where : ''})`;
    const value = this.value(column.kind, columns, depth - 1);
    if (random.chance(0.6)) return `(${value} ${random.pick(['', 'not '])}in ${query})`;
    return `(${value} ${random.pick(COMPARISONS)} ${random.pick(['any', 'all'])} ${query})`;
  }

  private scalarSubquery(kind: Kind, columns: readonly Column[], depth: number): string {
    const { random } = this;
    if (kind === 'bool') return this.value(kind, columns, 0);
    const { from, inner } = this.innerTable();
    const outer = random.chance(0.6) ? [...columns, ...inner] : inner;
    // Over the inner table alone: an aggregate of outer columns would belong to the outer query.
    const argument = this.value(kind, inner, depth - 1);
    const condition = random.chance(0.7) ? ` where ${this.condition(outer, depth - 1)}` : '';
    return `(select ${random.pick(['min', 'max'])}(${argument}) from ${from}${condition})`;
  }

  private innerTable(): { readonly from: string; readonly inner: Column[] } {
    const table = this.random.pick(this.tables);
    const alias = this.alias();
    const inner = table.columns.map(({ sql, kind }) => ({ sql: `${alias}.${sql}`, kind }));
    return { from: `${table.name} ${alias}`, inner };
  }
}
