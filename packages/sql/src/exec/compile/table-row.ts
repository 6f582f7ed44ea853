/**
 * The columns of a table's row, each read where it is first used: in place from the row's bytes, and ctid from its key.
 *
 * A row written under an older layout version is rewritten into the present one before its columns are read (older rows
 * are few, and the code for the others stays straight). Tables whose columns are all of one age skip the test.
 */
import { StorageKind, readHelpers } from '@phantom/codec';
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import { DOCUMENT_POSITION, fieldReader } from '../../storage/document-fields.js';
import { physicalTable, type PhysicalTable } from '../../storage/physical-table.js';
import { CTID_NUMBER, ctidOfKey, ctidOfRowNumber } from '../../storage/system-columns.js';
import type { TableScan } from '../../plan/physical/physical.js';
import type { Emitter } from '../code/emitter.js';
import { call, conditional, literal, method, property, type Code, type Local } from '../code/ir.js';
import { LentRow, makeRowReference, upgradeRow } from '../table-access.js';
import { stateOf } from './program-builder.js';
import type { RowBytes } from './row-bytes.js';
import { ColumnSource, Row, type TextBytes } from './row-scope.js';
import type { PlanCompiler } from './step.js';

function ctidSource({ hasRowNumber }: PhysicalTable, { key, present }: RowBytes): ColumnSource {
  return new ColumnSource(present !== undefined, (e) => {
    const ctid = call(e.constant(hasRowNumber ? ctidOfRowNumber : ctidOfKey), key.buffer, key.start, key.end);
    return present === undefined ? ctid : conditional(present, ctid, literal(null));
  });
}

/** Every row of the table has the present layout. */
export function isOneLayout(table: TableDescriptor): boolean {
  const [first] = table.columns;
  return (
    first === undefined ||
    table.columns.every((column) => column.field !== undefined || column.sinceVersion === first.sinceVersion)
  );
}

/** The columns of a table row, each read where it is first used. */
export function tableRow(compiler: PlanCompiler, emitter: Emitter, run: Local, node: TableScan, bytes: RowBytes): Row {
  const { types, constants } = compiler.builder.context;
  const physical = physicalTable(node.table, types);
  const { layout } = physical.codec;
  const row = new Row();
  const upgraded = isOneLayout(node.table) ? undefined : upgradedBytes(compiler, emitter, run, physical, bytes);
  const { buffer, start, end } = upgraded ?? bytes.row;
  const helpers = constants.add(readHelpers);
  const layoutConstant = constants.add(layout);
  for (const { id, number } of node.scanColumns) {
    if (number === CTID_NUMBER) {
      row.set(id, ctidSource(physical, bytes));
      continue;
    }
    const at = node.table.columns.findIndex((column) => column.number === number);
    const column = node.table.columns[at] as ColumnDescriptor;
    const field = fieldReader(column);
    const index = field === undefined ? at : DOCUMENT_POSITION;
    const notNull = column.notNull && bytes.present === undefined;
    const read = (part: 'value' | 'is-null'): Code => ({
      kind: 'read',
      part,
      layout,
      index,
      buffer,
      start,
      end,
      helpers,
      layoutConstant,
    });
    if (field !== undefined) {
      row.set(
        id,
        new ColumnSource(true, (e) => {
          const value = call(e.constant(field), read('value'));
          return bytes.present === undefined ? value : conditional(bytes.present, value, literal(null));
        }),
      );
      continue;
    }
    const isText = layout.columns[index]?.kind === StorageKind.Text && bytes.present === undefined;
    const text: TextBytes | undefined = isText
      ? {
          isNull: notNull ? undefined : read('is-null'),
          bytes: [buffer, start, end, literal(index), layoutConstant],
        }
      : undefined;
    const value = (): Code => {
      if (notNull) return read('value');
      const decoded = conditional(read('is-null'), literal(null), read('value'));
      return bytes.present === undefined ? decoded : conditional(bytes.present, decoded, literal(null));
    };
    const isVariable = (layout.fixedOffsets[index] as number) < 0;
    row.set(id, new ColumnSource(!notNull, value, text, undefined, isVariable ? emitter.block : undefined));
  }
  if (node.rowReference !== undefined) {
    const { builder } = compiler;
    const { key, row: stored } = bytes;
    const place = [key.buffer, key.start, key.end, stored.buffer, stored.start, stored.end] as const;
    const lent = builder.lentReferences.has(node.rowReference) ? builder.addSlot(() => new LentRow()) : undefined;
    row.set(
      node.rowReference,
      new ColumnSource(bytes.present !== undefined, (e) => {
        const made =
          lent === undefined
            ? call(e.constant(makeRowReference), ...place)
            : method(stateOf(e, run, lent), 'aim', ...place);
        return bytes.present === undefined ? made : conditional(bytes.present, made, literal(null));
      }),
    );
  }
  return row;
}

/** The row's bytes in the present layout. */
function upgradedBytes(
  compiler: PlanCompiler,
  emitter: Emitter,
  run: Local,
  table: PhysicalTable,
  bytes: RowBytes,
): RowBytes['row'] {
  const upgrade = stateOf(
    emitter,
    run,
    compiler.builder.addSlot(() => upgradeRow(table)),
  );
  const made = call(upgrade, run, bytes.row.buffer, bytes.row.start, bytes.row.end);
  const slot = emitter.let(
    bytes.present === undefined ? made : conditional(bytes.present, made, emitter.constant(EMPTY_ROW)),
  );
  return {
    buffer: emitter.let(property(slot, 'buffer')),
    start: emitter.let(property(slot, 'start')),
    end: emitter.let(property(slot, 'end')),
  };
}

const EMPTY_ROW = { buffer: new Uint8Array(0), start: 0, end: 0 };
