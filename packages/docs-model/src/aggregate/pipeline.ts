/**
 * Pipelines: stages compiled in order over one collection. What the front of a pipeline asks is asked of the collection itself, by
 * its planner: a leading $match (and $sort, $skip, $limit behind it) become a query that indexes may answer, and only the fields
 * that the next stages read are decoded.
 *
 * Stages that look elsewhere stand here: $lookup, $unionWith, $facet, and $out and $merge, which write.
 */
import { badArgument, unknownOperator } from '../errors.js';
import { compileFilter } from '../filter/filter.js';
import { type PlainObject, isObject } from '../order.js';
import { parsePath, setField, walkPath } from '../path.js';
import type { Query } from '../reader.js';
import { type SortInput, parseSort } from '../sort.js';
import { changeAt } from '../update/places.js';
import { compileExpression } from './expression.js';
import type { Variables } from './evaluate.js';
import { namedParts } from './operands.js';
import { type Documents, type Stage, groupFields, groupKey, simpleStages } from './stages.js';

/** What pipelines ask of the collections around them; all in one transaction. */
export interface PipelineSource {
  /** Batches of a query's documents; `fields`: only those are needed. */
  scan(collection: string, query: Query, fields: ReadonlySet<string> | undefined): Documents;
  /** Replaces what a collection holds. */
  replace(collection: string, documents: readonly PlainObject[]): Promise<void>;
  /** Merges documents into a collection, by $merge's rules. */
  merge(collection: string, documents: readonly PlainObject[], rules: MergeRules): Promise<void>;
}

export interface MergeRules {
  readonly on: readonly string[];
  readonly whenMatched: 'replace' | 'keepExisting' | 'merge' | 'fail';
  readonly whenNotMatched: 'insert' | 'discard' | 'fail';
}

const STAGES_MAX = 1000;
const DEPTH_MAX = 20;
/** Documents that a stage may hold of another collection, or that $out and $merge may write. Past it 53200. */
const HELD_MAX = 1_000_000;

/** True when the pipeline ends in a stage that writes. */
export function writes(pipeline: readonly unknown[]): boolean {
  const last = pipeline.at(-1);
  return isObject(last) && (Object.hasOwn(last, '$out') || Object.hasOwn(last, '$merge'));
}

/** Runs a pipeline over a collection. 22023 and 0A000 for what is none, before anything is read. */
export function runPipeline(
  source: PipelineSource,
  collection: string,
  pipeline: unknown,
  variables: Variables = {},
  depth = 0,
): Documents {
  const stages = stageList(pipeline);
  if (depth > DEPTH_MAX) throw badArgument(`pipelines are nested at most ${DEPTH_MAX} deep`);
  const front = frontOf(stages, variables);
  const compiled = stages
    .slice(front.stages)
    .map(({ name, operand }, i, rest) => compileStage(source, name, operand, variables, depth, i === rest.length - 1));
  const input = source.scan(collection, front.query, front.fields);
  return compiled.reduce((documents, stage) => stage(documents), input);
}

/** Stages that take events of a change stream one by one. */
const EVENT_STAGES: ReadonlySet<string> = new Set([
  '$match',
  '$project',
  '$addFields',
  '$set',
  '$unset',
  '$replaceRoot',
  '$replaceWith',
]);

/** A pipeline of a change stream. 22023 for stages that cannot stand in one. */
export function compileEventPipeline(pipeline: unknown): Stage {
  const stages = stageList(pipeline).map(({ name, operand }) => {
    const make = EVENT_STAGES.has(name) ? simpleStages.get(name) : undefined;
    if (make === undefined) throw badArgument(`${name} cannot stand in the pipeline of a change stream`);
    return make(operand, {});
  });
  return (input) => stages.reduce((documents, stage) => stage(documents), input);
}

interface StageInput {
  readonly name: string;
  readonly operand: unknown;
}

function stageList(pipeline: unknown): readonly StageInput[] {
  if (!Array.isArray(pipeline)) throw badArgument('a pipeline must be an array of stages');
  if (pipeline.length > STAGES_MAX) throw badArgument(`a pipeline has at most ${STAGES_MAX} stages`);
  return pipeline.map((stage: unknown) => {
    const [name, ...others] = isObject(stage) ? Object.keys(stage) : [];
    if (name === undefined || others.length > 0) throw badArgument('a stage is an object with one field');
    return { name, operand: (stage as PlainObject)[name] };
  });
}

interface Front {
  readonly query: Query;
  /** How many stages the query answers. */
  readonly stages: number;
  readonly fields: ReadonlySet<string> | undefined;
}

/** [$match] [$sort] [$skip] [$limit] at the front, as a query. */
function frontOf(stages: readonly StageInput[], variables: Variables): Front {
  let at = 0;
  const take = (name: string): unknown => (stages[at]?.name === name ? stages[at++]?.operand : undefined);
  const filter = compileFilter(take('$match') ?? {}, variables);
  const sort = take('$sort');
  const skip = take('$skip');
  const limit = take('$limit');
  const count = (name: string, operand: unknown, least: number): number => {
    if (operand === undefined) return 0;
    if (!Number.isInteger(operand) || (operand as number) < least)
      throw badArgument(`${name} needs a whole number of at least ${least}`);
    return operand as number;
  };
  const query: Query = {
    filter,
    sort: sort === undefined ? [] : parseSort(sort as SortInput),
    skip: count('$skip', skip, 0),
    limit: count('$limit', limit, 1),
    projection: undefined,
    hint: undefined,
  };
  const next = stages[at];
  const needed =
    next?.name === '$group' ? groupFields(next.operand) : next?.name === '$count' ? new Set<string>() : undefined;
  return { query, stages: at, fields: needed };
}

function compileStage(
  source: PipelineSource,
  name: string,
  operand: unknown,
  variables: Variables,
  depth: number,
  last: boolean,
): Stage {
  const simple = simpleStages.get(name);
  if (simple !== undefined) return simple(operand, variables);
  switch (name) {
    case '$lookup':
      return lookup(source, operand, variables, depth);
    case '$unionWith':
      return unionWith(source, operand, variables, depth);
    case '$facet':
      return facet(source, operand, variables, depth);
    case '$out':
    case '$merge':
      if (!last || depth > 0) throw badArgument(`${name} must be the last stage`);
      return name === '$out' ? out(source, operand) : merge(source, operand);
    default:
      throw unknownOperator(name, 'pipeline stage');
  }
}

/** Stages of a pipeline within a pipeline, over documents that are given. */
function inner(source: PipelineSource, pipeline: unknown, variables: Variables, depth: number): Stage {
  const stages = stageList(pipeline).map(({ name, operand }) =>
    compileStage(source, name, operand, variables, depth + 1, false),
  );
  return (input) => stages.reduce((documents, stage) => stage(documents), input);
}

export async function collect(documents: Documents): Promise<PlainObject[]> {
  const all: PlainObject[] = [];
  for await (const batch of documents) {
    for (const document of batch) all.push(document);
    if (all.length > HELD_MAX) throw badArgument(`a stage holds at most ${HELD_MAX} documents of another collection`);
  }
  return all;
}

/** By equality of two fields, by a pipeline, or both. */
function lookup(source: PipelineSource, operand: unknown, variables: Variables, depth: number): Stage {
  const parts = namedParts('$lookup', operand, ['from', 'as'], ['localField', 'foreignField', 'let', 'pipeline']);
  const { from, as, localField, foreignField, let: letOperand, pipeline } = parts;
  if (typeof from !== 'string' || typeof as !== 'string') throw badArgument('$lookup needs from and as as text');
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
  const compiled = pipeline === undefined || perDocument ? undefined : inner(source, pipeline, variables, depth);
  const attach = (document: PlainObject, found: readonly PlainObject[]): PlainObject =>
    changeAt(document, target, () => found, true) as PlainObject;
  const matching = (values: readonly unknown[]): Query =>
    queryFor(byFields ? { [foreignField as string]: { $in: values } } : {});
  return async function* joined(input) {
    let all: readonly PlainObject[] | undefined;
    for await (const batch of input) {
      const result: PlainObject[] = [];
      if (perDocument) {
        for (const document of batch) {
          const own: Record<string, unknown> = { ...variables };
          for (const { key, value } of vars) own[key] = value.evaluate(document);
          const foreign = source.scan(from, matching(localValues(document, local)), undefined);
          result.push(attach(document, await collect(inner(source, pipeline ?? [], own, depth)(foreign))));
        }
      } else if (byFields) {
        // One query for the batch; its answer is dealt out by value.
        const wanted = batch.map((document) => localValues(document, local));
        const values = distinct(wanted.flat());
        const found = await collect(source.scan(from, matching(values), undefined));
        const byValue = new Map<string | number, PlainObject[]>();
        const path = parsePath(foreignField as string);
        for (const one of found) {
          for (const key of new Set(localValues(one, path).map((value) => groupKey(value)))) {
            const list = byValue.get(key);
            if (list === undefined) byValue.set(key, [one]);
            else list.push(one);
          }
        }
        for (const [i, document] of batch.entries()) {
          const mine = new Set<PlainObject>();
          for (const value of wanted[i] as unknown[]) {
            for (const one of byValue.get(groupKey(value)) ?? []) mine.add(one);
          }
          const own = found.length > 1 && mine.size > 1 ? found.filter((one) => mine.has(one)) : [...mine];
          result.push(attach(document, compiled === undefined ? own : await collect(compiled(once(own)))));
        }
      } else {
        all ??= await collect((compiled as Stage)(source.scan(from, queryFor({}), undefined)));
        for (const document of batch) result.push(attach(document, all));
      }
      yield result;
    }
  };
}

/** Values at a path, elements of arrays one by one; null where there is nothing. */
function localValues(document: PlainObject, path: readonly string[]): unknown[] {
  const values: unknown[] = [];
  walkPath(document, path, (value) => {
    if (Array.isArray(value)) values.push(...(value as unknown[]));
    else values.push(value ?? null);
    return false;
  });
  return values.length === 0 ? [null] : values;
}

function distinct(values: unknown[]): unknown[] {
  return [...new Map(values.map((value) => [groupKey(value), value])).values()];
}

function queryFor(filter: PlainObject): Query {
  return { filter: compileFilter(filter), sort: [], skip: 0, limit: 0, projection: undefined, hint: undefined };
}

async function* once(documents: readonly PlainObject[]): AsyncGenerator<readonly PlainObject[]> {
  yield documents;
}

function unionWith(source: PipelineSource, operand: unknown, variables: Variables, depth: number): Stage {
  const { coll, pipeline = [] } =
    typeof operand === 'string' ? { coll: operand } : namedParts('$unionWith', operand, ['coll'], ['pipeline']);
  if (typeof coll !== 'string') throw badArgument('$unionWith needs a collection');
  stageList(pipeline);
  return async function* united(input) {
    yield* input;
    yield* runPipeline(source, coll, pipeline, variables, depth + 1);
  };
}

function facet(source: PipelineSource, operand: unknown, variables: Variables, depth: number): Stage {
  if (!isObject(operand) || Object.keys(operand).length === 0) throw badArgument('$facet needs pipelines by name');
  const facets = Object.keys(operand).map((name) => ({ name, stage: inner(source, operand[name], variables, depth) }));
  return async function* faceted(input) {
    const all = await collect(input);
    const result: PlainObject = {};
    for (const { name, stage } of facets) setField(result, name, await collect(stage(once(all))));
    yield [result];
  };
}

function out(source: PipelineSource, operand: unknown): Stage {
  const target = isObject(operand) ? operand['coll'] : operand;
  if (typeof target !== 'string') throw badArgument('$out needs a collection');
  return async function* written(input) {
    await source.replace(target, await collect(input));
    yield [];
  };
}

const WHEN_MATCHED: ReadonlySet<unknown> = new Set(['replace', 'keepExisting', 'merge', 'fail']);
const WHEN_NOT_MATCHED: ReadonlySet<unknown> = new Set(['insert', 'discard', 'fail']);

function merge(source: PipelineSource, operand: unknown): Stage {
  const parts: PlainObject =
    typeof operand === 'string'
      ? { into: operand }
      : namedParts('$merge', operand, ['into'], ['on', 'whenMatched', 'whenNotMatched']);
  const { into, on = '_id', whenMatched = 'merge', whenNotMatched = 'insert' } = parts;
  if (typeof into !== 'string') throw badArgument('$merge needs a collection');
  if (!WHEN_MATCHED.has(whenMatched)) throw badArgument(`$merge knows no whenMatched ${String(whenMatched)}`);
  if (!WHEN_NOT_MATCHED.has(whenNotMatched))
    throw badArgument(`$merge knows no whenNotMatched ${String(whenNotMatched)}`);
  const rules = {
    on: (Array.isArray(on) ? on : [on]).map(String),
    whenMatched: whenMatched as MergeRules['whenMatched'],
    whenNotMatched: whenNotMatched as MergeRules['whenNotMatched'],
  };
  return async function* merged(input) {
    await source.merge(into, await collect(input), rules);
    yield [];
  };
}

/** What comes out of a pipeline, in batches of the size that is asked for. */
export class PipelineBatches {
  private readonly iterator: AsyncIterator<readonly PlainObject[]>;
  private readonly release: () => void;
  private rest: readonly PlainObject[] = [];
  private closed = false;

  constructor(documents: Documents, release: () => void) {
    this.iterator = documents[Symbol.asyncIterator]();
    this.release = release;
  }

  async batch(documentsMax: number): Promise<PlainObject[]> {
    while (this.rest.length === 0) {
      if (this.closed) return [];
      const next = await this.iterator.next();
      if (next.done === true) {
        this.close();
        return [];
      }
      this.rest = next.value;
    }
    const batch = this.rest.slice(0, documentsMax);
    this.rest = this.rest.slice(documentsMax);
    return batch;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.rest = [];
    // Generators on the way close their scans.
    void this.iterator.return?.()?.catch(() => undefined);
    this.release();
  }
}
