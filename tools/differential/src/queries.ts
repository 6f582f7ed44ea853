/** Whole queries: FROM clauses, and all that may stand around them. Every column of a result is named c0, c1, ... */
import type { Random } from '@phantom/base';
import { Expressions } from './expressions.js';
import { type Kind, constantOf } from './kinds.js';
import type { Column, Table } from './tables.js';

/** A FROM clause and what can be named after it. */
export interface From {
  readonly sql: string;
  readonly columns: readonly Column[];
}

/** How deep expressions of a select list or a condition are. */
const DEPTH = 2;

export class Queries {
  readonly expressions: Expressions;
  private readonly random: Random;
  private readonly tables: readonly Table[];

  constructor(random: Random, tables: readonly Table[]) {
    this.random = random;
    this.tables = tables;
    this.expressions = new Expressions(random, tables);
  }

  condition(columns: readonly Column[]): string {
    return this.expressions.condition(columns, DEPTH);
  }

  value(kind: Kind, columns: readonly Column[]): string {
    return this.expressions.value(kind, columns, DEPTH);
  }

  /** Some values of the columns as a select list. */
  list(columns: readonly Column[]): Column[] {
    const count = 1 + this.random.below(3);
    return Array.from({ length: count }, () => {
      const kind = this.random.chance(0.8) ? this.random.pick(columns).kind : this.expressions.anyKind();
      return { sql: this.value(kind, columns), kind };
    });
  }

  /** One to three tables, joined in one of the ways there are. */
  from(): From {
    let from = this.item([]);
    const joins = this.random.below(3);
    for (let i = 0; i < joins; i++) from = this.join(from);
    return from;
  }

  private join(left: From): From {
    const { random } = this;
    const kind = random.pick(['join', 'left join', 'right join', 'full join', 'cross join', ',']);
    const lateral = (kind === 'join' || kind === 'left join') && random.chance(0.25);
    const right = this.item(lateral ? left.columns : []);
    const columns = [...left.columns, ...right.columns];
    if (kind === ',') return { sql: `${left.sql} cross join ${right.sql}`, columns };
    if (kind === 'cross join') return { sql: `${left.sql} ${kind} ${right.sql}`, columns };
    const on = kind === 'full join' ? this.equality(left, right) : this.joinCondition(left, right, columns);
    return { sql: `${left.sql} ${kind} ${lateral ? 'lateral ' : ''}${right.sql} on ${on}`, columns };
  }

  /** FULL JOIN of PostgreSQL wants an equality that it can hash. */
  private equality(left: From, right: From): string {
    const { random } = this;
    const pairs = left.columns.flatMap((a) =>
      right.columns.filter((b) => a.kind === b.kind).map((b) => [a, b] as const),
    );
    if (pairs.length === 0) return 'true';
    const [a, b] = random.pick(pairs);
    return `${a.sql} = ${b.sql}`;
  }

  private joinCondition(left: From, right: From, columns: readonly Column[]): string {
    const { random } = this;
    if (random.chance(0.3)) return this.condition(columns);
    const equality = this.equality(left, right);
    return random.chance(0.5) ? equality : `${equality} and ${this.condition(columns)}`;
  }

  /** A table, or a query in its place; one that sees columns to its left is the right side of LATERAL. */
  private item(left: readonly Column[]): From {
    const { random } = this;
    const alias = this.expressions.alias();
    const table = random.pick(this.tables);
    const whole = table.columns.map(({ sql, kind }) => ({ sql: `${alias}.${sql}`, kind }));
    if (left.length === 0 && random.chance(0.75)) return { sql: `${table.name} ${alias}`, columns: whole };
    if (left.length === 0 && random.chance(0.3)) return this.values(alias);
    const inner = this.expressions.alias();
    const own = table.columns.map(({ sql, kind }) => ({ sql: `${inner}.${sql}`, kind }));
    const list = this.list([...left, ...own]);
    const columns = list.map(({ kind }, i) => ({ sql: `${alias}.c${i}`, kind }));
    const body = `select ${named(list)} from ${table.name} ${inner} where ${this.condition([...left, ...own])}`;
    return { sql: `(${body}) ${alias}`, columns };
  }

  private values(alias: string): From {
    const kinds = [this.expressions.anyKind(), this.expressions.anyKind()];
    const row = (): string => `(${kinds.map((kind) => constantOf(this.random, kind)).join(', ')})`;
    const rows = Array.from({ length: 1 + this.random.below(3) }, row);
    const columns = kinds.map((kind, i) => ({ sql: `${alias}.c${i}`, kind }));
    return { sql: `(values ${rows.join(', ')}) ${alias} (c0, c1)`, columns };
  }

  /** A query of any form, whose rows are the same in every engine, if not their order. */
  query(): string {
    const forms = [
      this.plain,
      this.plain,
      this.grouped,
      this.grouped,
      this.windows,
      this.setOperation,
      this.ordered,
      this.common,
      this.recursive,
    ];
    return this.random.pick(forms).call(this);
  }

  private where(columns: readonly Column[]): string {
    return this.random.chance(0.6) ? ` where ${this.condition(columns)}` : '';
  }

  private plain(): string {
    const { sql, columns } = this.from();
    const distinct = this.random.chance(0.25) ? 'distinct ' : '';
    return `select ${distinct}${named(this.list(columns))} from ${sql}${this.where(columns)}`;
  }

  private grouped(): string {
    const { random } = this;
    const { sql, columns } = this.from();
    const keys = [...new Set(Array.from({ length: random.below(3) }, () => random.pick(columns)))];
    const calls = Array.from({ length: 1 + random.below(3) }, () => this.aggregate(columns));
    const list = named([...keys.map((key) => key.sql), ...calls].map((text) => ({ sql: text })));
    const names = keys.map((key) => key.sql).join(', ');
    const grouping = random.pick(['', '', 'rollup', 'cube']);
    const groupBy = keys.length === 0 ? '' : ` group by ${grouping === '' ? names : `${grouping} (${names})`}`;
    const having = random.chance(0.3) ? ` having ${this.having(columns)}` : '';
    return `select ${list} from ${sql}${this.where(columns)}${groupBy}${having}`;
  }

  /** An aggregate whose answer does not hang on the order of its rows. */
  private aggregate(columns: readonly Column[]): string {
    const { random } = this;
    const value = (kind: Kind): string => this.expressions.value(kind, columns, 1);
    const calls = [
      () => 'count(*)',
      () => `count(${value(this.expressions.anyKind())})`,
      () => `count(distinct ${value(this.expressions.anyKind())})`,
      () => `sum(${value(random.pick(['int', 'bigint', 'numeric', 'float']))})`,
      () => `avg(${value(random.pick(['int', 'numeric']))})`,
      () =>
        `${random.pick(['min', 'max'])}(${value(random.pick(['int', 'bigint', 'numeric', 'float', 'text', 'date']))})`,
      () => `${random.pick(['bool_and', 'bool_or'])}(${value('bool')})`,
      () => {
        const text = value('text');
        return `string_agg(${text}, ',' order by ${text})`;
      },
    ];
    const call = random.pick(calls)();
    return random.chance(0.25) ? `${call} filter (where ${this.expressions.condition(columns, 1)})` : call;
  }

  private having(columns: readonly Column[]): string {
    const { random } = this;
    const test = `${this.aggregate(columns)} is ${random.pick(['', 'not '])}null`;
    return random.chance(0.5) ? test : `count(*) ${random.pick(['>', '<=', '<>'])} ${random.below(4)}`;
  }

  /** Window functions that treat peers alike. */
  private windows(): string {
    const { random } = this;
    const { sql, columns } = this.from();
    const key = (): string => random.pick(columns).sql;
    const calls = [
      () => 'rank()',
      () => 'dense_rank()',
      () => 'percent_rank()',
      () => 'count(*)',
      () => `count(${key()})`,
      () => `sum(${this.expressions.value('int', columns, 1)})`,
      () => `max(${this.expressions.value('text', columns, 1)})`,
    ];
    const over = (): string => {
      const partition = random.chance(0.6) ? `partition by ${key()}` : '';
      const direction = random.pick(['', ' desc', ' nulls first', ' desc nulls last']);
      const order = random.chance(0.7) ? ` order by ${key()}${direction}` : '';
      const groups = 'groups between 1 preceding and current row';
      const frame =
        order === '' ? '' : random.pick(['', '', groups, 'range between current row and unbounded following']);
      return `(${[partition, order, frame].filter((part) => part !== '').join(' ')})`;
    };
    const list = Array.from({ length: 1 + random.below(2) }, () => ({ sql: `${random.pick(calls)()} over ${over()}` }));
    return `select ${named([...this.list(columns), ...list])} from ${sql}${this.where(columns)}`;
  }

  /** A query in WITH that is read twice. */
  private common(): string {
    const { random } = this;
    const { sql, columns } = this.from();
    const list = this.list(columns);
    const materialized = random.pick(['', 'materialized ', 'not materialized ']);
    const inner = `select ${named(list)} from ${sql}${this.where(columns)}`;
    const item = (name: string): From => ({
      sql: `w ${name}`,
      columns: list.map(({ kind }, i) => ({ sql: `${name}.c${i}`, kind })),
    });
    const [left, right] = [item('a'), item('b')] as const;
    const both = [...left.columns, ...right.columns];
    const join = `${left.sql} ${random.pick(['join', 'left join'])} ${right.sql} on ${this.equality(left, right)}`;
    const body = `select ${named(this.list(both))} from ${join}${this.where(both)}`;
    return `with w as ${materialized}(${inner}) ${body}`;
  }

  /** Rows that go round three times at most. */
  private recursive(): string {
    const { random } = this;
    const { sql, columns } = this.from();
    const list = this.list(columns);
    const again: Column[] = list.map(({ kind }, i) => ({ sql: `r.c${i}`, kind }));
    const next = again.map(({ kind }) => this.value(kind, again));
    const union = random.pick(['union', 'union all']);
    const first = `select 0, ${list.map((value) => value.sql).join(', ')} from ${sql}${this.where(columns)}`;
    const step = `select r.n + 1, ${next.join(', ')} from r where r.n < 3 and ${this.condition(again)}`;
    const names = ['n', ...again.map((_, i) => `c${i}`)].join(', ');
    return `with recursive r (${names}) as (${first} ${union} ${step}) select * from r`;
  }

  private setOperation(): string {
    const { random } = this;
    const left = this.from();
    const kinds = this.list(left.columns).map(({ kind }) => kind);
    const side = ({ sql, columns }: From): string => {
      const list = kinds.map((kind) => ({ sql: this.value(kind, columns) }));
      return `select ${named(list)} from ${sql}${this.where(columns)}`;
    };
    const operator = random.pick(['union', 'union all', 'intersect', 'intersect all', 'except', 'except all']);
    return `(${side(left)}) ${operator} (${side(this.from())})`;
  }

  /** Sorted by all its columns, so that LIMIT leaves no choice. */
  private ordered(): string {
    const { random } = this;
    const { sql, columns } = this.from();
    const list = this.list(columns);
    const directions = list.map((_, i) => `${i + 1}${random.pick(['', ' desc', ' nulls first', ' desc nulls last'])}`);
    const page = random.pick(['', ` limit ${random.below(6)}`, ` offset ${random.below(4)} limit 5`]);
    return `select ${named(list)} from ${sql}${this.where(columns)} order by ${directions.join(', ')}${page}`;
  }
}

/** The values under the names c0, c1, ... */
function named(list: readonly { readonly sql: string }[]): string {
  return list.map(({ sql }, i) => `${sql} as c${i}`).join(', ');
}
