/** Stages that join documents of other collections: $lookup and $graphLookup. They ask for a batch of documents, or a step, at once. */
import { type MemoryBudget, MemoryShare } from '@phantom/base';
import { badArgument } from '../errors.js';
import { compileFilter } from '../filter/filter.js';
import { SLOT_BYTES } from '../memory-bytes.js';
import { type PlainObject, isObject } from '../order.js';
import { parsePath, walkPath } from '../path.js';
import type { Query } from '../reader.js';
import { changeAt } from '../update/places.js';
import type { Variables } from './evaluate.js';
import { compileExpression } from './expression.js';
import { namedParts } from './operands.js';
import type { Room } from '../spill/room.js';
import { type PipelineSource, collect, once, queryFor } from './pipeline-source.js';
import type { Stage } from './stages.js';
import { valueKey } from './value-keys.js';

/** What documents of a batch are joined with, in bytes, after which they are handed on. */
const JOINED_BYTES = 4 * 1024 * 1024;

/** $lookup: by equality of two fields, by a pipeline, or both. */
export function lookup(
  source: PipelineSource,
  operand: unknown,
  variables: Variables,
  inner: (pipeline: unknown, variables: Variables) => Stage,
): Stage {
  const parts = namedParts('$lookup', operand, ['from', 'as'], ['localField', 'foreignField', 'let', 'pipeline']);
  const { from, as, localField, foreignField, let: letOperand, pipeline } = parts;
  if (typeof from !== 'string' || typeof as !== 'string') throw badArgument('$lookup needs from and as as text');
  const { work } = variables;
  const target = parsePath(as);
  const byFields = localField !== undefined || foreignField !== undefined;
  if (byFields && (typeof localField !== 'string' || typeof foreignField !== 'string')) {
    throw badArgument('$lookup needs both localField and foreignField');
  }
  if (!byFields && pipeline === undefined) throw badArgument('$lookup needs fields or a pipeline');
  const local = byFields ? parsePath(localField as string) : [];
  const vars = isObject(letOperand)
    ? Object.keys(letOperand).map((key) => ({ key, value: compileExpression(letOperand[key], variables) }))
    : [];
  const perDocument = vars.length > 0;
  const compiled = pipeline === undefined || perDocument ? undefined : inner(pipeline, variables);
  const attach = (document: PlainObject, found: readonly PlainObject[]): PlainObject =>
    changeAt(document, target, () => found, true) as PlainObject;
  const matching = (values: readonly unknown[]): Query =>
    queryFor(byFields ? { [foreignField as string]: { $in: values } } : {});
  /** What each document of a batch is joined with, taken from the memory as it is found. */
  const joinsOf = async function* (
    batch: readonly PlainObject[],
    shared: MemoryBudget,
    room: Room,
  ): AsyncGenerator<readonly PlainObject[], void> {
    const { memory: own } = room;
    if (perDocument) {
      for (const document of batch) {
        if (work.isDue()) await work.rest();
        let known = variables;
        for (const { key, value } of vars) known = known.with(key, value.evaluate(document));
        const foreign = source.scan(from, matching(localValues(document, local)), undefined);
        yield await collect(inner(pipeline ?? [], known)(foreign, room), own, work);
      }
      return;
    }
    // One query for the batch; its answer is dealt out by value.
    const wanted = batch.map((document) => localValues(document, local));
    const values = distinct(wanted.flat());
    const found = await collect(source.scan(from, matching(values), undefined), shared, work);
    const byValue = new Map<string | number, PlainObject[]>();
    const path = parsePath(foreignField as string);
    for (const one of found) {
      if (work.isDue()) await work.rest();
      for (const key of new Set(localValues(one, path).map((value) => valueKey(value)))) {
        const list = byValue.get(key);
        if (list === undefined) byValue.set(key, [one]);
        else list.push(one);
      }
    }
    for (const values of wanted) {
      if (work.isDue()) await work.rest();
      const matched = foundBy(values, byValue, found);
      own.take(SLOT_BYTES * matched.length);
      yield compiled === undefined ? matched : await collect(compiled(once(matched), room), own, work);
    }
  };
  return async function* joined(input, room) {
    const shared = new MemoryShare(room.memory, '$lookup');
    const own = new MemoryShare(room.memory, '$lookup');
    try {
      let all: readonly PlainObject[] | undefined;
      for await (const batch of input) {
        if (!perDocument && !byFields) {
          all ??= await collect((compiled as Stage)(source.scan(from, queryFor({}), undefined), room), shared, work);
          const found = all;
          yield batch.map((document) => attach(document, found));
          continue;
        }
        let result: PlainObject[] = [];
        let at = 0;
        for await (const found of joinsOf(batch, shared, { ...room, memory: own })) {
          result.push(attach(batch[at++] as PlainObject, found));
          if (own.usedBytes < JOINED_BYTES) continue;
          yield result;
          own.release();
          result = [];
        }
        yield result;
        own.release();
        shared.release();
      }
    } finally {
      own.release();
      shared.release();
    }
  };
}

/** Of what was found, in its order, what has one of the values. */
function foundBy(
  values: readonly unknown[],
  byValue: ReadonlyMap<string | number, PlainObject[]>,
  found: readonly PlainObject[],
): PlainObject[] {
  const lists = new Set<readonly PlainObject[]>();
  for (const value of values) {
    const list = byValue.get(valueKey(value));
    if (list !== undefined) lists.add(list);
  }
  const [first = [], ...others] = lists;
  if (others.length === 0) return [...first];
  const own = new Set([...lists].flat());
  return found.filter((one) => own.has(one));
}

/**
 * $graphLookup: for each document those of a collection that it leads to, step by step, each once. A step is one query for all values that
 * the documents found by the one before lead on to.
 */
export function graphLookup(source: PipelineSource, operand: unknown, variables: Variables): Stage {
  const required = ['from', 'startWith', 'connectFromField', 'connectToField', 'as'];
  const optional = ['maxDepth', 'depthField', 'restrictSearchWithMatch'];
  const { from, startWith, connectFromField, connectToField, as, maxDepth, depthField, restrictSearchWithMatch } =
    namedParts('$graphLookup', operand, required, optional);
  for (const name of [from, connectFromField, connectToField, as, depthField ?? 'depth'])
    if (typeof name !== 'string') throw badArgument('$graphLookup needs its collection and fields as text');
  if (maxDepth !== undefined && (!Number.isInteger(maxDepth) || (maxDepth as number) < 0))
    throw badArgument('maxDepth needs a whole number of at least 0');
  const { work } = variables;
  const most = (maxDepth as number | undefined) ?? Number.POSITIVE_INFINITY;
  const start = compileExpression(startWith, variables);
  const onward = parsePath(connectFromField as string);
  const target = parsePath(as as string);
  const depthPath = depthField === undefined ? undefined : parsePath(depthField as string);
  const restriction = restrictSearchWithMatch ?? {};
  // What is wrong with it is said before anything is read.
  compileFilter(restriction, variables);
  const reachedFrom = async (first: readonly unknown[], memory: MemoryBudget): Promise<PlainObject[]> => {
    const reached = new Map<string | number, PlainObject>();
    const asked = new Set<string | number>();
    let values: readonly unknown[] = first;
    for (let depth = 0; depth <= most; depth++) {
      const wanted = distinct(values).filter((value) => !asked.has(valueKey(value)));
      if (wanted.length === 0) break;
      for (const value of wanted) asked.add(valueKey(value));
      const step = { $and: [{ [connectToField as string]: { $in: wanted } }, restriction] };
      const found = await collect(source.scan(from as string, queryFor(step, variables), undefined), memory, work);
      const fresh = found.filter(({ _id }) => !reached.has(valueKey(_id)));
      for (const one of fresh) {
        const shown = depthPath === undefined ? one : changeAt(one, depthPath, () => depth, true);
        reached.set(valueKey(one['_id']), shown as PlainObject);
      }
      values = fresh.flatMap((one) => presentValues(one, onward));
    }
    return [...reached.values()];
  };
  return async function* joined(input, room) {
    const held = new MemoryShare(room.memory, '$graphLookup');
    try {
      for await (const batch of input) {
        let result: PlainObject[] = [];
        for (const document of batch) {
          if (work.isDue()) await work.rest();
          const first = start.evaluate(document);
          const reached = await reachedFrom(Array.isArray(first) ? first : first === undefined ? [] : [first], held);
          result.push(changeAt(document, target, () => reached, true) as PlainObject);
          if (held.usedBytes < JOINED_BYTES) continue;
          yield result;
          held.release();
          result = [];
        }
        yield result;
        held.release();
      }
    } finally {
      held.release();
    }
  };
}

/** Values at a path, elements of arrays one by one. */
function presentValues(document: PlainObject, path: readonly string[]): unknown[] {
  const values: unknown[] = [];
  walkPath(document, path, (value) => {
    if (Array.isArray(value)) for (const item of value) values.push(item);
    else if (value !== undefined) values.push(value);
    return false;
  });
  return values;
}

/** Values at a path, elements of arrays one by one; null where there is nothing. */
function localValues(document: PlainObject, path: readonly string[]): unknown[] {
  const values: unknown[] = [];
  walkPath(document, path, (value) => {
    if (Array.isArray(value)) for (const item of value) values.push(item);
    else values.push(value ?? null);
    return false;
  });
  return values.length === 0 ? [null] : values;
}

function distinct(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map((value) => [valueKey(value), value])).values()];
}
