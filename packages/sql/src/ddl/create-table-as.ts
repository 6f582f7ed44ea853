/** CREATE TABLE AS: a table of a query's columns, filled by it in the same transaction. */
import { PhantomError } from '@phantom/base';
import { NameClass, type TableDescriptor } from '@phantom/catalog';
import type { RowBatch, RowSink, Yielded } from '../exec/runtime.js';
import type { CreateTableAs } from '../text/ast-schema.js';
import type { Value } from '../types/type.js';
import type { DdlContext, DdlExecution, RowSource } from './context.js';
import { columnsOfResult, newTable, onCommitOf } from './new-table.js';
import { TEXT } from '../types/type-refs.js';
import { claimName, creationSchema, refuseSystemName, relationExists } from './names.js';
import { claimTypeName, putRowType, requireTypeUsage } from './types.js';
import { TypeOid } from '../types/type-oids.js';

export function* createTableAs(context: DdlContext, node: CreateTableAs): DdlExecution {
  const place = creationSchema(context, node.name, node.persistence);
  const existing = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(place.name);
    context.notice('NOTICE', '42P07', `relation "${place.name}" already exists, skipping`);
    return 'CREATE TABLE AS';
  }
  const source = sourceOf(context, node.source);
  const { fields } = source;
  fields.forEach((field, i) => refuseSystemName(node.columns[i]?.text ?? field.name));
  if (node.columns.length > fields.length) throw new PhantomError('42601', 'too many column names were specified');
  for (const { type } of fields) requireTypeUsage(context, type);
  yield* claimTypeName(context, place.schemaOid, place.name, true);
  const table = newTable(context, place, node.options, {
    ...onCommitOf(node.onCommit, place.persistence),
    columns: columnsOfResult(
      context,
      fields.map(({ name, type }, i) => ({
        name: node.columns[i]?.text ?? name,
        type: type.oid === TypeOid.unknown ? TEXT : type,
      })),
    ),
  });
  context.objects.put(table);
  putRowType(context, table);
  if (table.onCommit !== undefined) context.onCommit(table);
  // Without its rows a query has no count; EXECUTE tells, as in PostgreSQL, of the none that it returned.
  if (!node.withData) return node.source.kind === 'execute' ? 'SELECT 0' : 'CREATE TABLE AS';
  return `SELECT ${yield* fillTable(context, table, source.run)}`;
}

function sourceOf(context: DdlContext, source: CreateTableAs['source']): RowSource {
  if (source.kind === 'execute') return context.prepared(source);
  return { fields: context.describe(source).fields, run: (sink) => context.query(source, sink) };
}

/** Inserts a query's rows into a table that nobody else can see yet; answers how many. */
export function* fillTable(
  context: DdlContext,
  table: TableDescriptor,
  run: RowSource['run'],
): Generator<Yielded, number, void> {
  const writer = context.writerContext().writer(table);
  const rows: Value[][] = [];
  const sink: RowSink = {
    batchRowsMax: 1024,
    rows(batch: RowBatch): boolean {
      for (let r = 0; r < batch.count; r++) rows.push(batch.columns.map((column) => column[r]));
      return true;
    },
  };
  const execution = run(sink);
  let count = 0;
  for (let step = execution.next(); ; step = execution.next()) {
    for (const row of rows) {
      for (let outcome = writer.insert(row); outcome instanceof Promise; outcome = writer.insert(row)) yield outcome;
      count++;
    }
    rows.length = 0;
    if (step.done === true) break;
    if (step.value instanceof Promise) yield step.value;
    else yield undefined;
  }
  return count;
}
