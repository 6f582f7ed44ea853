/**
 * Stages that need nothing but the documents that come in: each is an async generator over batches of them, so a pipeline streams
 * where its stages do, and awaits once a batch. $sort, $group and their like hold what they must, and count it:
 *
 *   1. What a stage holds from one batch to the next is taken from the memory of the pipeline, and given back when the stage ends, however
 *      it does. What it has handed on is counted by whoever holds that.
 *   2. A batch that a stage makes is of bounded length, whatever one document becomes.
 */
import { MemoryShare } from '@phantom/base';
import { badArgument } from '../errors.js';
import { compileFilter } from '../filter/filter.js';
import { type PlainObject, compareValues, isObject } from '../order.js';
import { parsePath } from '../path.js';
import { documentBytes } from '../memory-bytes.js';
import { compileProjection } from '../projection.js';
import { type SortInput, Sorter, parseSort } from '../sort.js';
import { type DocumentOrder, SortedDocuments } from '../sorted-documents.js';
import { plainForm } from '../spill/document-form.js';
import type { Room } from '../spill/room.js';
import { changeAt, placeValue } from '../update/places.js';
import { Variables } from './evaluate.js';
import { compileExpression } from './expression.js';
import { type Group, GroupTable, accumulated, groupResult, newGroup, resultsOf } from './groups.js';
import { namedParts } from './operands.js';

export type Documents = AsyncIterable<readonly PlainObject[]>;
/** A compiled stage; what it holds it takes from the room of the pipeline. */
export type Stage = (input: Documents, room: Room) => Documents;
export type StageMaker = (operand: unknown, variables: Variables) => Stage;
/** What a stage makes of each document, of which it makes one and knows no other. */
export type MappingMaker = (operand: unknown, variables: Variables) => (document: PlainObject) => PlainObject;

/** Documents that a stage makes before it hands them on. */
const BATCH_DOCUMENTS = 1000;
/** Bytes of values that are made for them, after which it does, too. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** Or this share of the memory that is left. */
const BATCH_SHARE = 1 / 8;

/**
 * A stage that makes one document of each. Values that are made for it count until their batch is handed on, which is once they are
 * many: expressions may make much of little.
 */
export function mapping(name: string, { work }: Variables, apply: (document: PlainObject) => PlainObject): Stage {
  return async function* mapped(input, room) {
    const held = new MemoryShare(room.memory, name);
    try {
      for await (const batch of input) {
        let made: PlainObject[] = [];
        const most = Math.min(BATCH_BYTES, room.memory.leftBytes * BATCH_SHARE);
        for (const document of batch) {
          if (work.isDue()) await work.rest();
          const before = work.resultBytes;
          made.push(apply(document));
          held.take(work.resultBytes - before);
          if (held.usedBytes < most) continue;
          yield made;
          made = [];
          held.release();
        }
        yield made;
        held.release();
      }
    } finally {
      held.release();
    }
  };
}

const match: StageMaker = (operand, variables) => {
  const filter = compileFilter(operand, variables);
  if (filter.text !== undefined) throw badArgument('$text belongs into the first $match of a pipeline');
  const { work } = variables;
  return async function* matching(input) {
    for await (const batch of input) {
      const matched: PlainObject[] = [];
      for (const document of batch) {
        if (work.isDue()) await work.rest();
        if (filter.matches(document)) matched.push(document);
      }
      yield matched;
    }
  };
};

const project: MappingMaker = (operand, variables) => {
  if (!isObject(operand) || Object.keys(operand).length === 0) throw badArgument('$project needs fields');
  return compileProjection(operand, variables).apply;
};

const addFields: MappingMaker = (operand, variables) => {
  if (!isObject(operand)) throw badArgument('$addFields needs an object');
  const { work } = variables;
  const fields: { readonly path: readonly string[]; readonly value: (document: PlainObject) => unknown }[] = [];
  const flatten = (prefix: readonly string[], object: PlainObject): void => {
    for (const key of Object.keys(object)) {
      const path = [...prefix, ...parsePath(key)];
      const value = object[key];
      if (
        isObject(value) &&
        Object.keys(value).length > 0 &&
        !Object.keys(value).some((name) => name.startsWith('$'))
      ) {
        flatten(path, value);
      } else {
        const expression = compileExpression(value, variables);
        fields.push({ path, value: (document) => expression.evaluate(document) });
      }
    }
  };
  flatten([], operand);
  return (document) => {
    let result: unknown = document;
    for (const { path, value } of fields) {
      const before = work.resultBytes;
      const computed = value(document);
      if (computed === undefined && placeValue(result, path) === undefined) continue;
      const bytes = work.resultBytes - before;
      result = setEverywhere(result, path, 0, computed, () => (work.resultBytes += bytes));
      work.resultBytes -= bytes;
    }
    return result as PlainObject;
  };
};

/** Sets a field at a path: in each element of arrays on the way, in place of scalars. Each place where it is set is told. */
function setEverywhere(
  container: unknown,
  path: readonly string[],
  from: number,
  value: unknown,
  placed: () => void,
): unknown {
  if (from === path.length) {
    placed();
    return value;
  }
  if (Array.isArray(container)) return container.map((item) => setEverywhere(item, path, from, value, placed));
  const object = isObject(container) ? container : {};
  const key = path[from] as string;
  const before = Object.hasOwn(object, key) ? object[key] : undefined;
  return changeAt(object, [key], () => setEverywhere(before, path, from + 1, value, placed), true);
}

const unset: MappingMaker = (operand) => {
  const paths: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  if (paths.length === 0 || paths.some((path) => typeof path !== 'string')) throw badArgument('$unset needs paths');
  return compileProjection(Object.fromEntries(paths.map((path) => [path as string, 0]))).apply;
};

const replaceRoot: MappingMaker = (operand, variables) => {
  const { newRoot } = namedParts('$replaceRoot', operand, ['newRoot']);
  return replaceWith(newRoot, variables);
};

const replaceWith: MappingMaker = (operand, variables) => {
  const expression = compileExpression(operand, variables);
  return (document) => {
    const root = expression.evaluate(document);
    if (!isObject(root)) throw badArgument('the new root of a document must be an object');
    return root;
  };
};

const sortStage: StageMaker = (operand, { work }) => {
  const sorter = new Sorter(parseSort(operand as SortInput));
  return async function* sorting(input, room) {
    const sorted = new SortedDocuments(sorter, Number.POSITIVE_INFINITY, room, '$sort', plainForm, () => work.rest());
    try {
      for await (const batch of input)
        for (const document of batch) {
          if (work.isDue()) await work.rest();
          const wait = sorted.add(sorter.keyOf(document), document, documentBytes(document));
          if (wait !== undefined) await wait;
        }
      const ordered = sorted.inOrder();
      let all: PlainObject[] = [];
      let bytes = 0;
      for (let document = ordered.next(); document !== undefined; document = ordered.next()) {
        if (work.isDue()) await work.rest();
        all.push(document);
        bytes += ordered.fileBytes;
        if (all.length < BATCH_DOCUMENTS && bytes < BATCH_BYTES) continue;
        yield all;
        all = [];
        bytes = 0;
      }
      yield all;
    } finally {
      sorted.release();
    }
  };
};

function wholeNumber(name: string, operand: unknown, least: number): number {
  const number = typeof operand === 'bigint' ? Number(operand) : operand;
  if (!Number.isInteger(number) || (number as number) < least) {
    throw badArgument(`${name} needs a whole number of at least ${least}`);
  }
  return number as number;
}

const limit: StageMaker = (operand) => {
  const most = wholeNumber('$limit', operand, 1);
  return async function* limited(input) {
    let left = most;
    for await (const batch of input) {
      yield left >= batch.length ? batch : batch.slice(0, left);
      left -= batch.length;
      if (left <= 0) return;
    }
  };
};

const skip: StageMaker = (operand) => {
  const first = wholeNumber('$skip', operand, 0);
  return async function* skipped(input) {
    let left = first;
    for await (const batch of input) {
      yield left === 0 ? batch : batch.slice(left);
      left = Math.max(0, left - batch.length);
    }
  };
};

const unwind: StageMaker = (operand, { work }) => {
  const parts =
    typeof operand === 'string'
      ? { path: operand }
      : namedParts('$unwind', operand, ['path'], ['includeArrayIndex', 'preserveNullAndEmptyArrays']);
  const { path: text, includeArrayIndex: indexName, preserveNullAndEmptyArrays: keep } = parts as PlainObject;
  if (typeof text !== 'string' || !text.startsWith('$')) throw badArgument('$unwind needs a path with a dollar');
  const path = parsePath(text.slice(1));
  const withIndex = (document: unknown, index: number | null): PlainObject =>
    (indexName === undefined
      ? document
      : changeAt(document, parsePath(String(indexName)), () => index, true)) as PlainObject;
  const without = compileProjection({ [path.join('.')]: 0 });
  const each = function* (document: PlainObject): Generator<PlainObject, void> {
    const value = placeValue(document, path);
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries())
        yield withIndex(
          changeAt(document, path, () => item as unknown, true),
          i,
        );
      if (value.length === 0 && keep === true) yield withIndex(without.apply(document), null);
    } else if (keep === true || (value !== undefined && value !== null)) {
      yield withIndex(document, null);
    }
  };
  return async function* unwound(input) {
    for await (const batch of input) {
      let result: PlainObject[] = [];
      for (const document of batch)
        for (const unwoundOne of each(document)) {
          if (work.isDue()) await work.rest();
          result.push(unwoundOne);
          if (result.length < BATCH_DOCUMENTS) continue;
          yield result;
          result = [];
        }
      yield result;
    }
  };
};

const countStage: StageMaker = (operand) => {
  if (typeof operand !== 'string' || operand === '' || operand.startsWith('$') || operand.includes('.')) {
    throw badArgument('$count needs the name of a field');
  }
  return async function* counted(input) {
    let count = 0;
    for await (const batch of input) count += batch.length;
    if (count > 0) yield [{ [operand]: count }];
  };
};

/** What $group reads of documents: for the planner of pipelines. */
export function groupFields(operand: unknown): ReadonlySet<string> | undefined {
  if (!isObject(operand)) return undefined;
  const { _id: id, ...fields } = operand;
  const names = new Set<string>();
  for (const one of [compileExpression(id), ...accumulated(fields, Variables.begin()).map(({ maker }) => maker)]) {
    if (one.fields === undefined) return undefined;
    for (const name of one.fields) names.add(name);
  }
  return names;
}

const group: StageMaker = (operand, variables) => {
  if (!isObject(operand) || !Object.hasOwn(operand, '_id')) throw badArgument('$group needs an _id');
  const { _id: idOperand, ...fields } = operand;
  const { work } = variables;
  const id = compileExpression(idOperand, variables);
  const outputs = accumulated(fields, variables);
  return async function* grouped(input, room) {
    const table = new GroupTable(outputs, room, work);
    try {
      for await (const batch of input)
        for (const document of batch) {
          if (work.isDue()) await work.rest();
          const wait = table.add(id.evaluate(document) ?? null, document);
          if (wait !== undefined) await wait;
        }
      yield* table.results();
    } finally {
      table.release();
    }
  };
};

/** By the one value that documents come with. */
const BY_VALUE: DocumentOrder = { partCount: 1, compare: ([a], [b]) => compareValues(a, b) };

const DEFAULT_OUTPUT = { count: { $sum: 1 } };

const bucket: StageMaker = (operand, variables) => {
  const {
    groupBy,
    boundaries,
    default: other,
    output = DEFAULT_OUTPUT,
  } = namedParts('$bucket', operand, ['groupBy', 'boundaries'], ['default', 'output']);
  if (!Array.isArray(boundaries) || boundaries.length < 2) throw badArgument('$bucket needs two boundaries or more');
  for (let i = 1; i < boundaries.length; i++) {
    if (compareValues(boundaries[i - 1], boundaries[i]) >= 0) throw badArgument('the boundaries of $bucket must rise');
  }
  const { work } = variables;
  const by = compileExpression(groupBy, variables);
  const outputs = accumulated(output as PlainObject, variables);
  const hasDefault = Object.hasOwn(operand as PlainObject, 'default');
  const bucketOf = (value: unknown): number => {
    for (let i = 0; i < boundaries.length - 1; i++) {
      if (compareValues(value, boundaries[i]) >= 0 && compareValues(value, boundaries[i + 1]) < 0) return i;
    }
    if (!hasDefault) throw badArgument('a value lies in no bucket, and $bucket has no default');
    return boundaries.length;
  };
  return async function* bucketed(input, room) {
    const held = new MemoryShare(room.memory, '$bucket');
    try {
      const groups = new Map<number, Group>();
      for await (const batch of input)
        for (const document of batch) {
          if (work.isDue()) await work.rest();
          const at = bucketOf(by.evaluate(document));
          let found = groups.get(at);
          if (found === undefined) {
            found = newGroup(at < boundaries.length ? boundaries[at] : other, outputs, held);
            groups.set(at, found);
          }
          for (const state of found.states) state.add(document);
        }
      yield [...groups].sort(([a], [b]) => a - b).map(([, one]) => groupResult(one, outputs));
    } finally {
      held.release();
    }
  };
};

const bucketAuto: StageMaker = (operand, variables) => {
  const {
    groupBy,
    buckets,
    output = DEFAULT_OUTPUT,
  } = namedParts('$bucketAuto', operand, ['groupBy', 'buckets'], ['output']);
  const wanted = wholeNumber('$bucketAuto', buckets, 1);
  const { work } = variables;
  const by = compileExpression(groupBy, variables);
  const outputs = accumulated(output as PlainObject, variables);
  return async function* bucketed(input, room) {
    const held = new MemoryShare(room.memory, '$bucketAuto');
    const sorted = new SortedDocuments(BY_VALUE, Number.POSITIVE_INFINITY, room, '$bucketAuto', plainForm, () =>
      work.rest(),
    );
    try {
      let count = 0;
      for await (const batch of input)
        for (const document of batch) {
          if (work.isDue()) await work.rest();
          const wait = sorted.add([by.evaluate(document)], document, documentBytes(document));
          if (wait !== undefined) await wait;
          count++;
        }
      const size = Math.max(1, Math.round(count / wanted));
      const groups: Group[] = [];
      const ordered = sorted.inOrder();
      let id: { readonly min: unknown; max: unknown } | undefined;
      let bucketed = 0;
      for (let document = ordered.next(); document !== undefined; document = ordered.next()) {
        if (work.isDue()) await work.rest();
        const value = ordered.key[0] ?? null;
        const isFull = bucketed >= size && groups.length < wanted;
        // Equal values share a bucket.
        if (id === undefined || (isFull && compareValues(id.max, value) !== 0)) {
          if (id !== undefined) id.max = value;
          id = { min: value, max: value };
          groups.push(newGroup(id, outputs, held));
          bucketed = 0;
        }
        id.max = value;
        for (const state of (groups.at(-1) as Group).states) state.add(document);
        bucketed++;
      }
      yield* resultsOf(groups, outputs);
    } finally {
      held.release();
      sorted.release();
    }
  };
};

const sample: StageMaker = (operand, { work }) => {
  const size = wholeNumber('$sample', namedParts('$sample', operand, ['size'])['size'], 1);
  return async function* sampled(input, room) {
    const held = new MemoryShare(room.memory, '$sample');
    try {
      // Reservoir sampling: each document stays with the same chance.
      const kept: PlainObject[] = [];
      let seen = 0;
      for await (const batch of input)
        for (const document of batch) {
          if (work.isDue()) await work.rest();
          const at = ++seen <= size ? seen - 1 : Math.floor(Math.random() * seen);
          if (at >= size) continue;
          const before = kept[at];
          held.take(documentBytes(document) - (before === undefined ? 0 : documentBytes(before)));
          kept[at] = document;
        }
      for (let i = 0; i < kept.length; i += BATCH_DOCUMENTS) yield kept.slice(i, i + BATCH_DOCUMENTS);
    } finally {
      held.release();
    }
  };
};

const sortByCount: StageMaker = (operand, variables) => {
  const grouping = group({ _id: operand, count: { $sum: 1 } }, variables);
  const sorting = sortStage({ count: -1 }, variables);
  return (input, room) => sorting(grouping(input, room), room);
};

/** Stages by name that make one document of each. */
export const mappingStages: ReadonlyMap<string, MappingMaker> = new Map<string, MappingMaker>([
  ['$project', project],
  ['$addFields', addFields],
  ['$set', addFields],
  ['$unset', unset],
  ['$replaceRoot', replaceRoot],
  ['$replaceWith', replaceWith],
]);

/** Stages by name. */
export const simpleStages: ReadonlyMap<string, StageMaker> = new Map<string, StageMaker>([
  ...Array.from(mappingStages, ([name, make]): [string, StageMaker] => [
    name,
    (operand, variables) => mapping(name, variables, make(operand, variables)),
  ]),
  ['$match', match],
  ['$sort', sortStage],
  ['$limit', limit],
  ['$skip', skip],
  ['$unwind', unwind],
  ['$count', countStage],
  ['$group', group],
  ['$bucket', bucket],
  ['$bucketAuto', bucketAuto],
  ['$sample', sample],
  ['$sortByCount', sortByCount],
]);
