/**
 * LANGUAGE sql: the body is statements, the rows of the last one are the result. Statements are planned once for each session
 * and combination of types, and anew when the catalog has moved on.
 *
 * A body is a string, read when it is called, or SQL in the definition itself (RETURN, BEGIN ATOMIC), whose names keep what
 * they meant then.
 */
import { type RoutineDescriptor, goesIn } from '@phantom/catalog';
import { SqlRecord } from '@phantom/codec';
import { PhantomError } from '@phantom/base';
import type { RowBatch, RowSink, Yielded } from '../exec/runtime.js';
import { isWholeResult, withoutRows } from '../plan/binder/fit-result.js';
import type { PlanField } from '../plan/prepared-plan.js';
import type { WantedResult } from '../plan/routine-binding.js';
import type { Statement } from '../text/ast-statements.js';
import { KeptRows } from './kept-rows.js';
import { type BodyStatement, statementsOf } from './sql-body.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { isPolymorphic } from '../functions/polymorphic-types.js';
import { parameterNames } from '../expr/context.js';
import { inContext } from './error-context.js';
import type {
  RoutineBody,
  RoutineHost,
  RoutineLanguage,
  RoutineSignature,
  RoutineStatement,
} from './routine-language.js';

const GIVES_ROWS: ReadonlySet<Statement['kind']> = new Set(['query', 'insert', 'update', 'delete', 'merge']);

class SqlBody {
  private readonly signature: RoutineSignature;
  private readonly host: RoutineHost;
  private readonly statements: readonly BodyStatement[];
  private readonly prepared: RoutineStatement[] = [];

  constructor(signature: RoutineSignature, host: RoutineHost) {
    this.signature = signature;
    this.host = host;
    this.statements = this.within('during startup', () => statementsOf(signature.routine));
    const last = this.statements.at(-1);
    const { wanted } = signature;
    if (wanted !== undefined && (last === undefined || !GIVES_ROWS.has(last.node.kind))) throw withoutRows(wanted);
  }

  prepareAll(): void {
    for (let i = 0; i < this.statements.length; i++) this.within('during startup', () => this.statement(i));
  }

  *call(args: readonly Value[]): Generator<Yielded, Value, void> {
    const { signature, statements } = this;
    const { wanted, routine } = signature;
    let result: Value = routine.returnsSet ? [] : null;
    for (let i = 0; i < statements.length; i++) {
      try {
        const statement = this.statement(i);
        if (i < statements.length - 1 || wanted === undefined) {
          yield* statement.run(args, DISCARD);
        } else {
          const rows = new ResultRows(statement.fields, wanted, routine.returnsSet, this.host.memoryLimitBytes);
          yield* statement.run(args, rows);
          result = rows.result;
        }
      } catch (error) {
        throw inContext(error, this.contextLine(`statement ${i + 1}`));
      }
    }
    return result;
  }

  private statement(i: number): RoutineStatement {
    let made = this.prepared[i];
    if (made === undefined) {
      const { routine, parameterTypes, wanted } = this.signature;
      const { node, text, stored } = this.statements[i] as BodyStatement;
      const names = parameterNames(
        routine.name,
        routine.parameters.filter(goesIn).map(({ name }) => name),
      );
      const isLast = i === this.statements.length - 1;
      made = this.host.prepare(node, text, parameterTypes, { names, wanted: isLast ? wanted : undefined, stored });
      this.prepared[i] = made;
    }
    return made;
  }

  private within<T>(stage: string, f: () => T): T {
    try {
      return f();
    } catch (error) {
      throw inContext(error, this.contextLine(stage));
    }
  }

  private contextLine(stage: string): string {
    return `SQL function "${this.signature.routine.name}" ${stage}`;
  }
}

const DISCARD: RowSink = { batchRowsMax: 1024, rows: () => false };

/** The rows of the last statement as values of the result. Of a routine that returns no set only the first one counts. */
class ResultRows implements RowSink {
  readonly batchRowsMax: number;
  private readonly kept: KeptRows;
  private readonly isSet: boolean;
  private readonly toValue: (batch: RowBatch, row: number) => Value;

  constructor(fields: readonly PlanField[], wanted: WantedResult, isSet: boolean, limitBytes: number) {
    this.kept = new KeptRows(limitBytes);
    this.isSet = isSet;
    this.batchRowsMax = isSet ? 1024 : 1;
    this.toValue = isWholeResult(fields, wanted) ? firstColumn : recordOf(fields, wanted);
  }

  get result(): Value {
    const { values } = this.kept;
    return this.isSet ? values : (values[0] ?? null);
  }

  rows(batch: RowBatch): boolean {
    const count = this.isSet ? batch.count : Math.min(batch.count, 1 - this.kept.values.length);
    for (let r = 0; r < count; r++) this.kept.add(this.toValue(batch, r));
    return false;
  }
}

function firstColumn({ columns }: RowBatch, row: number): Value {
  return (columns[0] as readonly Value[])[row];
}

function recordOf(
  fields: readonly PlanField[],
  { type, columns }: WantedResult,
): (batch: RowBatch, row: number) => Value {
  const described = columns ?? fields;
  const shape = {
    names: described.map(({ name }) => name),
    types: described.map((column) => column.type.oid),
    typmods: described.map((column) => column.type.typmod),
  };
  return (batch, row) =>
    new SqlRecord(
      type.oid,
      batch.columns.map((column) => column[row]),
      shape,
    );
}

/** 42P13 for pseudo-types that stand for nothing in SQL. */
function checkTypes({ parameters, resultType }: RoutineDescriptor, { types }: RoutineHost): void {
  const isUnfit = (oid: number): boolean => types.byOid(oid)?.kind === 'pseudo' && !isPolymorphic(oid);
  const shown = (oid: number): string => types.byOid(oid)?.displayName ?? String(oid);
  if (isUnfit(resultType.oid) && resultType.oid !== TypeOid.void && resultType.oid !== TypeOid.record)
    throw new PhantomError('42P13', `SQL functions cannot return type ${shown(resultType.oid)}`);
  const unfit = parameters.find(({ type }) => isUnfit(type.oid));
  if (unfit !== undefined)
    throw new PhantomError('42P13', `SQL functions cannot have arguments of type ${shown(unfit.type.oid)}`);
}

export const sqlLanguage: RoutineLanguage = {
  name: 'sql',
  compile(signature, host): RoutineBody {
    const body = new SqlBody(signature, host);
    return (args) => body.call(args);
  },
  validate(signature, host) {
    const { parameters, resultType } = signature.routine;
    checkTypes(signature.routine, host);
    const types = [...parameters.map(({ type }) => type), resultType];
    if (types.some(({ oid }) => isPolymorphic(oid))) {
      // What the body means is known once there is a call; that it can be read at all is known now.
      statementsOf(signature.routine);
      return;
    }
    new SqlBody(signature, host).prepareAll();
  },
};
