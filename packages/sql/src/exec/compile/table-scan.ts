/** Table scans: the rows of a table or of an index range, read by key or in order; their columns are read in table-row.ts. */
import { assert } from '@phantom/base';
import type { KeyRange } from '@phantom/kv';
import type { Expression } from '../../expr/expression.js';
import { invertedTerms } from '../../storage/inverted-terms.js';
import type { Value } from '../../types/type.js';
import { type PhysicalIndex, type PhysicalTable, physicalIndex, physicalTable } from '../../storage/physical-table.js';
import { CTID_NUMBER } from '../../storage/system-columns.js';
import type { DocumentsPlan, KeyRangePlan, TableScan, TermsPlan } from '../../plan/physical/physical.js';
import type { Emitter } from '../code/emitter.js';
import { call, element, literal, method, property, type Code, type Local } from '../code/ir.js';
import { distinctEntries } from '../distinct-entries.js';
import { keyReads } from '../key-reads.js';
import { CursorPipeline, type ScanSource } from '../pipelines.js';
import { PostingCursor } from '../posting-cursor.js';
import type { CompiledFunction } from '../program.js';
import { RowFetch, RowLookup, uniqueKeyOf } from '../row-lookup.js';
import type { Run } from '../run.js';
import type { Partition } from '../runtime.js';
import { readKeys, seekRanges } from '../ranges-cursor.js';
import { behindFirst, skipRanges } from '../skip-ranges.js';
import { type KeySpace, keyRange, keyRanges, wholeRange } from '../table-access.js';
import { constantArray } from '../values/arrays.js';
import { filterBy } from './filter.js';
import { entryRow, onlyCounts } from './index-only.js';
import { stateOf } from './program-builder.js';
import type { RowBytes } from './row-bytes.js';
import { Row } from './row-scope.js';
import { isOneLayout, tableRow } from './table-row.js';
import { loopRows, produceOnce, writeStep } from './sources.js';
import { stepContext, type Consume, type PlanCompiler, type StepContext, type StepState } from './step.js';
import { compileUnion, rangesOf } from './union-scan.js';
import { addSieve } from './intersection.js';

const NOTHING: Partition = { lower: new Uint8Array(0), upper: new Uint8Array(0) };

export function produceTableScan(compiler: PlanCompiler, node: TableScan, consume: Consume): void {
  if (node.unique && node.range !== undefined && !node.indexOnly) {
    produceLookup(compiler, node, node.range, consume);
    return;
  }
  const range = node.partitioned === true ? partitionOf(compileRange(compiler, node)) : compileRange(compiler, node);
  const sieve = addSieve(compiler, node, (branch) => compileRange(compiler, { ...node, ...branch }));
  let state: StepState | undefined;
  const keyless = node.rowReference === undefined && !readsKey(node) && (node.index === undefined || onlyCounts(node));
  const asksNothing = node.scanColumns.length === 0 && isOneLayout(node.table);
  const valueless = keyless && (node.index !== undefined || asksNothing);
  writeStep(
    compiler,
    'scan',
    (step) => {
      const { emitter, run } = step.context;
      const own = step.context.state;
      state = own;
      const part = (name: string): Code => emitter.hoist(name, property(step.source, name));
      const keyBuffers = part('keyBuffers');
      const keyStarts = part('keyStarts');
      const keyEnds = part('keyEnds');
      const valueBuffers = part('valueBuffers');
      const valueStarts = part('valueStarts');
      const valueEnds = part('valueEnds');
      loopRows(step, (index) => {
        const key = {
          buffer: element(keyBuffers, index),
          start: element(keyStarts, index),
          end: element(keyEnds, index),
        };
        const value = {
          buffer: element(valueBuffers, index),
          start: element(valueStarts, index),
          end: element(valueEnds, index),
        };
        const emitRow = (row: Row): void => {
          const context = stepContext(compiler, emitter, run, row, own);
          filterBy(context, node.filter, () => consume(context));
        };
        const emit = (bytes: RowBytes): void => emitRow(tableRow(compiler, emitter, run, node, bytes));
        if (node.indexOnly) {
          emitRow(entryRow(compiler, emitter, run, node, key, value, undefined));
          return;
        }
        if (node.index === undefined) {
          const row = {
            buffer: emitter.let(value.buffer),
            start: emitter.let(value.start),
            end: emitter.let(value.end),
          };
          emit({ key, row, present: undefined });
          return;
        }
        const fetch = (): void => fetchRow(compiler, emitter, run, node, key, value, emit);
        if (sieve === undefined) fetch();
        else emitter.if(sieve.test(emitter, run, key, value), fetch);
      });
    },
    (code, sink) => {
      const traits = { stops: state?.stops === true, wanted: state?.wanted, keyless, valueless };
      const sources = sieve === undefined ? range : sieve.sources(range);
      return new CursorPipeline(code, sink, sources, node.backward, traits);
    },
  );
}

/** Reads the row that an index entry points to; entries always have one. */
export function fetchRow(
  compiler: PlanCompiler,
  emitter: Emitter,
  run: Local,
  node: TableScan,
  key: RowBytes['key'],
  value: RowBytes['row'],
  then: (bytes: RowBytes) => void,
): void {
  assert(node.index !== undefined, 'only an index scan fetches rows');
  const { types } = compiler.builder.context;
  const table = physicalTable(node.table, types);
  const index = physicalIndex(node.index, node.table, types);
  const place = {};
  const fetch = stateOf(
    emitter,
    run,
    compiler.builder.addSlot((r) => new RowFetch(r, table, index, place)),
  );
  const slot = emitter.let(
    method(fetch, 'read', run, key.buffer, key.start, key.end, value.buffer, value.start, value.end),
  );
  const rowKey = property(slot, 'key');
  const row = property(slot, 'row');
  then({
    keySlot: rowKey,
    key: { buffer: property(rowKey, 'buffer'), start: property(rowKey, 'start'), end: property(rowKey, 'end') },
    row: {
      buffer: emitter.let(property(row, 'buffer')),
      start: emitter.let(property(row, 'start')),
      end: emitter.let(property(row, 'end')),
    },
    present: undefined,
  });
}

/** A read by the whole key: at most one row. */
function produceLookup(compiler: PlanCompiler, node: TableScan, range: KeyRangePlan, consume: Consume): void {
  produceOnce(compiler, 'lookup', (step) => {
    emitLookup(compiler, step.context, node, range, (context) =>
      filterBy(context, node.filter, () => consume(context)),
    );
  });
}

/** Writes a read by key for the current row; `then` runs when there is a row, its columns added to the row at hand. */
export function emitLookup(
  compiler: PlanCompiler,
  context: StepContext,
  node: TableScan,
  range: KeyRangePlan,
  then: (context: StepContext) => void,
): void {
  const { emitter, run } = context;
  const slot = emitSlot(compiler, context, node, range);
  emitter.if(property(slot, 'found'), () => {
    const row = tableRow(compiler, emitter, run, node, slotBytes(emitter, slot, undefined));
    then(stepContext(compiler, emitter, run, Row.of(context.row, row), context.state));
  });
}

/** Writes the read itself; the answer is a KeySlot. */
export function emitSlot(compiler: PlanCompiler, context: StepContext, node: TableScan, range: KeyRangePlan): Local {
  const { emitter, run } = context;
  const { types } = compiler.builder.context;
  const values: Code = { kind: 'array', items: range.equal.map((value) => context.expressions.value(value).code) };
  const places = [{}, {}] as const;
  const lookup = stateOf(
    emitter,
    run,
    compiler.builder.addSlot((r) => new RowLookup(r, uniqueKeyOf(node, types), places)),
  );
  return emitter.let(method(lookup, 'find', run, values));
}

/** Bytes that a KeySlot refers to. */
export function slotBytes(emitter: Emitter, slot: Code, present: Code | undefined): RowBytes {
  const key = property(slot, 'key');
  const row = property(slot, 'row');
  return {
    key: { buffer: property(key, 'buffer'), start: property(key, 'start'), end: property(key, 'end') },
    row: {
      buffer: emitter.let(property(row, 'buffer')),
      start: emitter.let(property(row, 'start')),
      end: emitter.let(property(row, 'end')),
    },
    present,
  };
}

/** The partition of the run, in the place of the range that it is a part of. */
function partitionOf(ranges: (run: Run) => Iterable<ScanSource>): (run: Run) => Iterable<ScanSource> {
  return (run) => {
    const { partition } = run;
    assert(partition !== undefined, 'a partitioned scan has a partition');
    for (const _ of ranges(run)) return [partition];
    return [];
  };
}

/** The stretches of keys that a scan of one range is divided into; one even where there is nothing to read. */
export function tablePartitions(
  compiler: PlanCompiler,
  node: TableScan,
  parts: number,
): (run: Run) => readonly Partition[] {
  const ranges = compileRange(compiler, node);
  return (run) => {
    for (const range of ranges(run)) if ('lower' in range) return run.context.split(range, parts);
    return [NOTHING];
  };
}

/** The range as a function of the run: its expressions are evaluated when the scan starts. */
function compileRange(compiler: PlanCompiler, node: TableScan): (run: Run) => Iterable<ScanSource> {
  const { range } = node;
  if (range?.terms !== undefined) return compileTerms(compiler, node, range.terms);
  if (range?.documents !== undefined) return compileDocuments(compiler, range.documents);
  if (range?.union !== undefined) {
    return compileUnion(compiler, node, range.union, (context, branch) =>
      emitBounds(compiler, context, { ...node, index: branch.index }, branch.range),
    );
  }
  const space = spaceOf(compiler, node);
  if (range === undefined) {
    const whole = [wholeRange(space.prefix)];
    return () => whole;
  }
  const emitter = compiler.builder.emitter();
  const [run] = emitter.parameters(1) as [Local];
  const context = stepContext(compiler, emitter, run, new Row(), { checks: [], usesFuel: false });
  emitter.return(emitBounds(compiler, context, node, range));
  const compiled: CompiledFunction = compiler.builder.compiled(emitter.finish('range', [run]));
  const rangesFor = (r: Run): readonly KeyRange[] =>
    rangesOf(compiled.get(r.statement)(r) as KeyRange | readonly KeyRange[] | null);
  if (range.skipsFirst === true) return (r) => skipRanges(r.read, space, rangesFor(r));
  if (range.any === undefined || node.backward) return rangesFor;
  if (!isWholeKey(node, range, space)) return (r) => seekRanges(r.read, space.prefix, rangesFor(r));
  const place = {};
  return (r) => readKeys(keyReads(r.statement, place, space), rangesFor(r));
}

/** Whether each value of the range's array is the whole of a unique key. */
function isWholeKey({ index }: TableScan, { equal }: KeyRangePlan, { keyCode: { columns } }: KeySpace): boolean {
  const isUnique = index === undefined || (index.unique && index.deferrable !== true);
  return isUnique && equal.length + 1 === columns.length;
}

/** What a scan reads: the table or the index. */
function spaceOf(compiler: PlanCompiler, { index, table }: TableScan): PhysicalTable | PhysicalIndex {
  const { types } = compiler.builder.context;
  return index === undefined ? physicalTable(table, types) : physicalIndex(index, table, types);
}

/** What the bounds of a range are keys of. */
function boundsSpace(compiler: PlanCompiler, node: TableScan, { skipsFirst }: KeyRangePlan): KeySpace {
  const space = spaceOf(compiler, node);
  return skipsFirst === true ? behindFirst(space) : space;
}

/** Writes the making of a range, or of one for each value of an array; null for none. */
function emitBounds(compiler: PlanCompiler, context: StepContext, node: TableScan, range: KeyRangePlan): Code {
  return range.any === undefined
    ? emitRange(compiler, context, node, range)
    : emitRanges(compiler, context, node, range, range.any);
}

/** The search of an inverted index as a function of the run: the operand is evaluated when the scan starts. */
function compileTerms(
  compiler: PlanCompiler,
  { index, table }: TableScan,
  { place, operator, operand }: TermsPlan,
): (run: Run) => readonly ScanSource[] {
  assert(index !== undefined, 'terms are looked for in an index');
  const { types } = compiler.builder.context;
  const physical = physicalIndex(index, table, types);
  const terms = invertedTerms(index, types);
  const emitter = compiler.builder.emitter();
  const [run] = emitter.parameters(1) as [Local];
  const context = stepContext(compiler, emitter, run, new Row(), { checks: [], usesFuel: false });
  emitter.return(context.expressions.value(operand).code);
  const compiled: CompiledFunction = compiler.builder.compiled(emitter.finish('operand', [run]));
  return (r) => {
    const value = compiled.get(r.statement)(r) as Value;
    const setting = (name: string): string | null => r.evaluation.setting(name, false);
    return [new PostingCursor(r, physical, terms.search(place, operator, value, setting))];
  };
}

/** The search of a collection's index as a function of the run. */
function compileDocuments(
  compiler: PlanCompiler,
  { operands, entries }: DocumentsPlan,
): (run: Run) => readonly ScanSource[] {
  const emitter = compiler.builder.emitter();
  const [run] = emitter.parameters(1) as [Local];
  const context = stepContext(compiler, emitter, run, new Row(), { checks: [], usesFuel: false });
  emitter.return({ kind: 'array', items: operands.map((operand) => context.expressions.value(operand).code) });
  const compiled: CompiledFunction = compiler.builder.compiled(emitter.finish('operands', [run]));
  return (r) => {
    const found = entries(compiled.get(r.statement)(r) as readonly Value[]);
    return found === null ? [] : distinctEntries(r.read, r.context.memory, found);
  };
}

/** Writes the making of a range from values at hand; null when one of them is null. */
export function emitRange(compiler: PlanCompiler, context: StepContext, node: TableScan, range: KeyRangePlan): Code {
  const space = boundsSpace(compiler, node, range);
  const { emitter, expressions } = context;
  const equal: Code = { kind: 'array', items: range.equal.map((value) => expressions.value(value).code) };
  const lower = range.lower === undefined ? literal(undefined) : expressions.value(range.lower.value).code;
  const upper = range.upper === undefined ? literal(undefined) : expressions.value(range.upper.value).code;
  const make = keyRange(space, range.lower?.inclusive ?? true, range.upper?.inclusive ?? true);
  return emitter.let(call(emitter.constant(make), equal, lower, upper));
}

/** Writes the making of one range for each value of an array, in key order. */
function emitRanges(
  compiler: PlanCompiler,
  context: StepContext,
  node: TableScan,
  range: KeyRangePlan,
  any: Expression,
): Code {
  const space = boundsSpace(compiler, node, range);
  const { emitter, expressions } = context;
  const array = constantArray(any);
  if (array !== undefined && range.equal.length === 0) return emitter.constant(keyRanges(space)([], array));
  const equal: Code = { kind: 'array', items: range.equal.map((value) => expressions.value(value).code) };
  return emitter.let(call(emitter.constant(keyRanges(space)), equal, expressions.value(any).code));
}

/** Whether the scan asks for ctid, which a row's key tells. */
function readsKey({ scanColumns }: TableScan): boolean {
  return scanColumns.some(({ number }) => number === CTID_NUMBER);
}
