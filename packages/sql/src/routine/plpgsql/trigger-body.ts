/**
 * Functions that return `trigger`: what fired them is in variables.
 *
 *   NEW, OLD   rows of the table; null where there is none      TG_NAME, TG_WHEN, TG_LEVEL, TG_OP, TG_RELID, TG_RELNAME,
 *   TG_ARGV    what EXECUTE FUNCTION gives, counted from 0      TG_TABLE_NAME, TG_TABLE_SCHEMA, TG_NARGS
 */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { SqlArray, type SqlRecord } from '@phantom/codec';
import type { Yielded } from '../../exec/runtime.js';
import { TypeOid } from '../../types/type-oids.js';
import { INT4, TEXT, typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import type { RoutineHost, TriggerBody, TriggerCall, TriggerSignature } from '../routine-language.js';
import { checkColumns } from './compile-return.js';
import type { Compilation } from './compilation.js';
import { PlpgsqlBody } from './plpgsql-body.js';
import type { RecordColumn, Variable } from './variables.js';

const NAME = typeRef(TypeOid.name);
const RECORD = typeRef(TypeOid.record);

/** The variables of a trigger function, each with what a firing gives it; those without a type are rows. */
const VARIABLES: readonly { readonly name: string; readonly type?: TypeRef; value(call: TriggerCall): Value }[] = [
  { name: 'new', value: (call) => call.newRow },
  { name: 'old', value: (call) => call.oldRow },
  { name: 'tg_name', type: NAME, value: (call) => call.name },
  { name: 'tg_when', type: TEXT, value: (call) => call.when },
  { name: 'tg_level', type: TEXT, value: (call) => call.level },
  { name: 'tg_op', type: TEXT, value: (call) => call.operation },
  { name: 'tg_relid', type: typeRef(TypeOid.oid), value: (call) => call.relationOid },
  { name: 'tg_relname', type: NAME, value: (call) => call.tableName },
  { name: 'tg_table_name', type: NAME, value: (call) => call.tableName },
  { name: 'tg_table_schema', type: NAME, value: (call) => call.schemaName },
  { name: 'tg_nargs', type: INT4, value: (call) => call.arguments.length },
  { name: 'tg_argv', type: typeRef(TypeOid.textArray), value: (call) => argumentArray(call.arguments) },
];

function argumentArray(given: readonly string[]): SqlArray | null {
  return given.length === 0 ? null : new SqlArray(TypeOid.text, [given.length], [0], given);
}

function declareAll(compilation: Compilation, rowType: TypeRef): readonly Variable[] {
  return VARIABLES.map(({ name, type = rowType }) => compilation.declare(name, type));
}

/** Compiles the body over rows of a type; `record` where the table is not known yet. */
export function compileTriggerBody(
  { routine, rowType }: TriggerSignature,
  host: RoutineHost,
  isValidated = false,
): TriggerBody {
  if (routine.parameters.length > 0) {
    throw new PhantomError('42P13', 'trigger functions cannot have declared arguments', {
      hint: 'The arguments of the trigger can be accessed through TG_NARGS and TG_ARGV instead.',
    });
  }
  const wanted = { type: RECORD, shown: 'trigger', columns: undefined, firstOnly: true, mayBeWhole: true };
  const declare = (compilation: Compilation): readonly Variable[] => declareAll(compilation, rowType);
  const body = new PlpgsqlBody({ routine, parameterTypes: [], wanted }, host, declare, isValidated);
  const columns = host.catalog.compositeFields(rowType.oid) ?? [];
  return function* fire(call: TriggerCall): Generator<Yielded, SqlRecord | null, void> {
    const frame = body.frame();
    VARIABLES.forEach(({ value }, i) => {
      frame.values[(body.variables[i] as Variable).slot] = value(call);
    });
    const result = (yield* body.run(frame)) as SqlRecord | null;
    if (result === null || call.level === 'STATEMENT') return null;
    return rowOf(body.compilation, result, rowType.oid, columns);
  };
}

/** The row that a function returned as one of the table. */
function rowOf(compilation: Compilation, row: SqlRecord, typeOid: number, columns: readonly RecordColumn[]): SqlRecord {
  if (row.typeOid === typeOid) return row;
  const { names, types } = row.shape;
  const given = names.map((name, i) => ({ name, type: typeRef(types[i] as number) }));
  checkColumns(
    compilation,
    given,
    columns,
    'returned row structure does not match the structure of the triggering table',
  );
  return compilation.record(
    typeOid,
    columns,
    row.fields,
    given.map(({ type }) => type),
  );
}
