/** Candidates that are read by key for the row at hand: at most one by a whole key, or those of a range by a cursor. */
import { assert } from '@phantom/base';
import type { KeyRange } from '@phantom/kv';
import type { TableScan } from '../../plan/physical/physical.js';
import { physicalIndex, physicalTable } from '../../storage/physical-table.js';
import type { Value } from '../../types/type.js';
import { call, literal, method, property, type Code, type Local } from '../code/ir.js';
import { lookupCursor } from '../lookup-cursor.js';
import { mergeCursor } from '../merge-cursor.js';
import { entryRow } from './index-only.js';
import type { Candidates } from './match-loop.js';
import { stateOf } from './program-builder.js';
import type { RowBytes } from './row-bytes.js';
import type { Row } from './row-scope.js';
import type { PlanCompiler, StepContext } from './step.js';
import { tableRow } from './table-row.js';
import { emitRange, emitSlot, fetchRow, slotBytes } from './table-scan.js';

/** At most one row, read by its whole key. */
export function keyCandidates(compiler: PlanCompiler, context: StepContext, scan: TableScan): Candidates {
  const { emitter, run } = context;
  assert(scan.range !== undefined, 'a lookup has a key');
  const slot = emitSlot(compiler, context, scan, scan.range);
  const upcoming = emitter.let(property(slot, 'found'));
  const has = emitter.let(literal(false));
  return {
    turns: 1,
    isSingle: true,
    advance: () => {
      emitter.assign(has, upcoming);
      emitter.assign(upcoming, literal(false));
      return has;
    },
    row: (_, present) => tableRow(compiler, emitter, run, scan, slotBytes(emitter, slot, present)),
  };
}

/**
 * Rows of a range that depends on the row at hand, by a cursor that is aimed anew each time. `inOrder`: the rows come in the order of
 * the keys that are looked for.
 */
export function cursorCandidates(
  compiler: PlanCompiler,
  context: StepContext,
  scan: TableScan,
  inOrder = false,
): Candidates {
  const { emitter, run } = context;
  assert(scan.range !== undefined, 'a lookup has a range');
  const { types } = compiler.builder.context;
  const space =
    scan.index === undefined ? physicalTable(scan.table, types) : physicalIndex(scan.index, scan.table, types);
  const place = {};
  const slot = compiler.builder.addSlot((r) =>
    inOrder ? mergeCursor(r.statement, place, space, scan.unique) : lookupCursor(r.statement, place, space),
  );
  const cursor = stateOf(emitter, run, slot);
  const { equal, lower, upper, documents } = scan.range;
  if (documents !== undefined) {
    const oneRange = (values: readonly Value[]): KeyRange | null => documents.entries(values)?.ranges[0] ?? null;
    const values: Code = { kind: 'array', items: documents.operands.map((one) => context.expressions.value(one).code) };
    emitter.evaluate(method(cursor, 'aimAtRange', run, call(emitter.constant(oneRange), values)));
  } else if (lower === undefined && upper === undefined) {
    const values: Code = { kind: 'array', items: equal.map((value) => context.expressions.value(value).code) };
    emitter.evaluate(method(cursor, 'aimAtPrefix', run, values));
  } else {
    const range = emitRange(compiler, context, scan, scan.range);
    emitter.evaluate(method(cursor, 'aimAtRange', run, range));
  }
  const key = (): RowBytes['key'] => {
    const slot = emitter.let(property(cursor, 'key'));
    return { buffer: property(slot, 'buffer'), start: property(slot, 'start'), end: property(slot, 'end') };
  };
  const value = (): RowBytes['row'] => {
    const slot = emitter.let(property(cursor, 'value'));
    return { buffer: property(slot, 'buffer'), start: property(slot, 'start'), end: property(slot, 'end') };
  };
  return {
    turns: scan.estimate.rows,
    advance: () => emitter.let(method(cursor, 'next')),
    close: () => emitter.evaluate(method(cursor, 'close')),
    row: (_, present) => {
      if (scan.index === undefined) {
        const row = value();
        const bytes = { buffer: emitter.let(row.buffer), start: emitter.let(row.start), end: emitter.let(row.end) };
        return tableRow(compiler, emitter, run, scan, { key: key(), row: bytes, present });
      }
      if (scan.indexOnly) return entryRow(compiler, emitter, run, scan, key(), value(), present);
      return indexRow(compiler, context, scan, key(), value(), present);
    },
  };
}

function indexRow(
  compiler: PlanCompiler,
  context: StepContext,
  scan: TableScan,
  key: RowBytes['key'],
  value: RowBytes['row'],
  present: Code | undefined,
): Row {
  const { emitter, run } = context;
  let row: Row | undefined;
  if (present === undefined) {
    fetchRow(compiler, emitter, run, scan, key, value, (bytes) => {
      row = tableRow(compiler, emitter, run, scan, bytes);
    });
  } else {
    const buffer: Local = emitter.let(emitter.constant(NO_BYTES));
    const start = emitter.let(literal(0));
    const end = emitter.let(literal(0));
    const rowKey = emitter.let(emitter.constant(NO_KEY));
    emitter.if(present, () => {
      fetchRow(compiler, emitter, run, scan, key, value, (bytes) => {
        emitter.assign(buffer, bytes.row.buffer);
        emitter.assign(start, bytes.row.start);
        emitter.assign(end, bytes.row.end);
        emitter.assign(rowKey, bytes.keySlot ?? emitter.constant(NO_KEY));
      });
    });
    const bytes: RowBytes = {
      key: { buffer: property(rowKey, 'buffer'), start: property(rowKey, 'start'), end: property(rowKey, 'end') },
      row: { buffer, start, end },
      present,
    };
    row = tableRow(compiler, emitter, run, scan, bytes);
  }
  assert(row !== undefined, 'a fetched row has columns');
  return row;
}

const NO_BYTES = new Uint8Array(0);
const NO_KEY = { buffer: NO_BYTES, start: 0, end: 0 };
