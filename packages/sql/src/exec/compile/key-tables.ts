/** Keys of hash tables in generated code: hash keys of values, and the fold of several parts into one number. */
import type { Expression } from '../../expr/expression.js';
import type { TypeRef } from '@phantom/catalog';
import { call, conditional, isNull, method, NULL, type Code, type Local } from '../code/ir.js';
import type { Emitter } from '../code/emitter.js';
import { IntegerTable, PairTable, ValueTable } from '../key-table.js';
import { type MemoryOf, queryMemory } from '../spill/overflow.js';
import { isOwnHashKey, isSmallInteger } from './intrinsics.js';
import { stateOf, type ProgramBuilder } from './program-builder.js';
import type { Operand } from './row-scope.js';

/** The tables that number the keys of some list of types: one for each part, and one for each fold of a further part. */
export interface KeyTables {
  readonly parts: readonly number[];
  readonly pairs: readonly number[];
}

export function addKeyTables(
  builder: ProgramBuilder,
  types: readonly TypeRef[],
  memoryOf: MemoryOf = queryMemory,
): KeyTables {
  const parts = types.map((type) =>
    builder.addSlot((run) =>
      isSmallInteger(type.oid) ? new IntegerTable(memoryOf(run)) : new ValueTable(memoryOf(run)),
    ),
  );
  const pairs = types.slice(1).map(() => builder.addSlot((run) => new PairTable(memoryOf(run))));
  return { parts, pairs };
}

/** The hash key of a value: the value itself for most types. */
export function hashKeyOf(builder: ProgramBuilder, emitter: Emitter, type: TypeRef, operand: Operand): Code {
  if (isOwnHashKey(type.oid)) return operand.code;
  const hashKey = builder.context.types.byOid(type.oid)?.hashKey;
  if (hashKey === undefined) return operand.code;
  const made = call(emitter.constant(hashKey), operand.code);
  return emitter.atom(operand.nullable ? conditional(isNull(operand.code), NULL, made) : made);
}

/** Writes the numbering of a key: `intern` gives new keys a new number, `find` answers -1 for them. */
export function keyNumber(
  emitter: Emitter,
  run: Local,
  tables: KeyTables,
  keys: readonly Code[],
  operation: 'intern' | 'find',
): Code {
  let number: Code | undefined;
  keys.forEach((key, i) => {
    const table = stateOf(emitter, run, tables.parts[i] as number);
    const part = emitter.let(method(table, operation, key));
    if (number === undefined) {
      number = part;
      return;
    }
    const pair = stateOf(emitter, run, tables.pairs[i - 1] as number);
    number = emitter.let(method(pair, operation, number, part));
  });
  return number ?? { kind: 'literal', value: 0 };
}

/** The slot of the table whose `size` is the number of different keys. */
export function lastTable(tables: KeyTables): number | undefined {
  return tables.pairs[tables.pairs.length - 1] ?? tables.parts[0];
}

/** Types of expressions. */
export function typesOf(expressions: readonly Expression[]): TypeRef[] {
  return expressions.map((expression) => expression.type);
}
