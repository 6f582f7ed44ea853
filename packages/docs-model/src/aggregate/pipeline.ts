/**
 * Pipelines: stages compiled in order over one collection. What the front of a pipeline asks is asked of the collection itself, by
 * its planner: a leading $match (and $sort, $skip, $limit behind it) become a query that indexes may answer, and only the fields
 * that the next stages read are decoded.
 *
 * Stages that look elsewhere stand here: $unionWith and $facet; joins are in lookups.ts, what writes in writing-stages.ts.
 */
import { MemoryBudget, MemoryShare } from '@phantom/base';
import { badArgument, unknownOperator } from '../errors.js';
import { compileFilter } from '../filter/filter.js';
import { type PlainObject, isObject } from '../order.js';
import { setField } from '../path.js';
import type { Query } from '../reader.js';
import { type SortInput, parseSort } from '../sort.js';
import { passTextScore } from '../text-score.js';
import { Variables } from './evaluate.js';
import { graphLookup, lookup } from './lookups.js';
import { namedParts } from './operands.js';
import { type PipelineSource, collect, once } from './pipeline-source.js';
import { type Documents, type Stage, groupFields, mapping, mappingStages, simpleStages } from './stages.js';
import { merge, out } from './writing-stages.js';

const STAGES_MAX = 1000;
const DEPTH_MAX = 20;

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
  variables: Variables = Variables.begin(source.newWork()),
  depth = 0,
): Documents {
  const stages = stageList(pipeline);
  if (depth > DEPTH_MAX) throw badArgument(`pipelines are nested at most ${DEPTH_MAX} deep`);
  const front = frontOf(stages, variables);
  const isSearch = front.query.filter.text !== undefined;
  const compiled = stages.slice(front.stages).map(({ name, operand }, i, rest) => {
    const make = isSearch ? mappingStages.get(name) : undefined;
    if (make !== undefined) return mapping(name, variables, keepingScores(make(operand, variables)));
    return compileStage(source, name, operand, variables, depth, i === rest.length - 1);
  });
  const input = source.scan(collection, front.query, front.fields);
  return compiled.reduce((documents, stage) => stage(documents, source.room), input);
}

/** What is made of a document fits what was searched for as well as that one does. */
function keepingScores(apply: (document: PlainObject) => PlainObject): (document: PlainObject) => PlainObject {
  return (document) => {
    const made = apply(document);
    passTextScore(document, made);
    return made;
  };
}

/** What a pipeline asks of its collection first, and the names of the stages behind that. 22023 for what is none. */
export function frontQuery(pipeline: unknown): { readonly query: Query; readonly behind: readonly string[] } {
  const stages = stageList(pipeline);
  const { query, fields, stages: answered } = frontOf(stages, Variables.begin());
  return { query: { ...query, fields }, behind: stages.slice(answered).map(({ name }) => name) };
}

/** Memory of the values that are made for an event. */
const EVENT_MEMORY_BYTES = 64 * 1024 * 1024;
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
export function compileEventPipeline(pipeline: unknown): (input: Documents) => Documents {
  const variables = Variables.begin();
  const stages = stageList(pipeline).map(({ name, operand }) => {
    const make = EVENT_STAGES.has(name) ? simpleStages.get(name) : undefined;
    if (make === undefined) throw badArgument(`${name} cannot stand in the pipeline of a change stream`);
    return make(operand, variables);
  });
  const room = { memory: new MemoryBudget(EVENT_MEMORY_BYTES), scratch: undefined };
  return (input) => stages.reduce((documents, stage) => stage(documents, room), input);
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
      return lookup(source, operand, variables, (pipeline, known) => inner(source, pipeline, known, depth));
    case '$graphLookup':
      return graphLookup(source, operand, variables);
    case '$unionWith':
      return unionWith(source, operand, variables, depth);
    case '$facet':
      return facet(source, operand, variables, depth);
    case '$out':
    case '$merge':
      if (!last || depth > 0) throw badArgument(`${name} must be the last stage`);
      return name === '$out' ? out(source, operand, variables) : merge(source, operand, variables);
    default:
      throw unknownOperator(name, 'pipeline stage');
  }
}

/** Stages of a pipeline within a pipeline, over documents that are given. */
function inner(source: PipelineSource, pipeline: unknown, variables: Variables, depth: number): Stage {
  const stages = stageList(pipeline).map(({ name, operand }) =>
    compileStage(source, name, operand, variables, depth + 1, false),
  );
  return (input, room) => stages.reduce((documents, stage) => stage(documents, room), input);
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
  return async function* faceted(input, room) {
    const held = new MemoryShare(room.memory, '$facet');
    try {
      const { work } = variables;
      const all = await collect(input, held, work);
      const result: PlainObject = {};
      for (const { name, stage } of facets) setField(result, name, await collect(stage(once(all), room), held, work));
      yield [result];
    } finally {
      held.release();
    }
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
