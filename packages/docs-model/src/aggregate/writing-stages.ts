/**
 * $out and $merge: the last stages of pipelines, which write what came to them into a collection of the same database, and give nothing.
 *
 *   { $out: 'totals' }                                       holds this and nothing else
 *   { $merge: { into: 'totals', on: 'day', whenMatched: .., whenNotMatched: .. } }
 *
 * whenMatched may be a pipeline over the document that is there: it makes what takes its place, and finds the one that came in `$$new`,
 * variables of `let` beside it.
 */
import { MemoryShare, unsupportedError } from '@phantom/base';
import { badArgument } from '../errors.js';
import { isObject } from '../order.js';
import { compileUpdatePipeline } from '../update/update-pipeline.js';
import type { Variables } from './evaluate.js';
import { compileExpression } from './expression.js';
import { namedParts } from './operands.js';
import { type MergeRules, type PipelineSource, type WhenMatched, collect } from './pipeline-source.js';
import type { Stage } from './stages.js';

export function out(source: PipelineSource, operand: unknown, { work }: Variables): Stage {
  const target = targetOf('$out', operand);
  return async function* written(input, room) {
    const held = new MemoryShare(room.memory, '$out');
    try {
      await source.replace(target, await collect(input, held, work));
      yield [];
    } finally {
      held.release();
    }
  };
}

export function merge(source: PipelineSource, operand: unknown, variables: Variables): Stage {
  const { into, on, ...how } = isObject(operand)
    ? namedParts('$merge', operand, ['into'], ['on', 'let', 'whenMatched', 'whenNotMatched'])
    : { into: operand };
  const target = targetOf('$merge', into);
  const rules: MergeRules = {
    on: pathsOf(on ?? '_id'),
    whenMatched: whenMatchedOf(how['whenMatched'] ?? 'merge', how['let'], variables),
    whenNotMatched: whenNotMatchedOf(how['whenNotMatched'] ?? 'insert'),
  };
  return async function* merged(input, room) {
    const held = new MemoryShare(room.memory, '$merge');
    try {
      await source.merge(target, await collect(input, held, variables.work), rules);
      yield [];
    } finally {
      held.release();
    }
  };
}

/** The name of the collection. */
function targetOf(stage: string, operand: unknown): string {
  const parts = isObject(operand) ? namedParts(stage, operand, ['coll'], ['db']) : { coll: operand };
  const { coll, db } = parts;
  if (db !== undefined) throw unsupportedError(`${stage} into a database that is named`);
  if (typeof coll !== 'string') throw badArgument(`${stage} needs a collection`);
  return coll;
}

function pathsOf(on: unknown): readonly string[] {
  const paths = Array.isArray(on) ? (on as unknown[]) : [on];
  if (paths.length === 0 || new Set(paths).size < paths.length) throw badArgument('$merge needs different paths in on');
  return paths.map((path) => {
    if (typeof path !== 'string') throw badArgument('$merge needs the paths of on as text');
    return path;
  });
}

function whenMatchedOf(given: unknown, operand: unknown, variables: Variables): WhenMatched {
  if (Array.isArray(given)) return mergingPipeline(given as unknown[], operand, variables);
  if (operand !== undefined) throw badArgument('let of $merge is for a whenMatched that is a pipeline');
  switch (given) {
    case 'replace':
    case 'keepExisting':
    case 'merge':
    case 'fail':
      return given;
    default:
      throw badArgument(`$merge knows no whenMatched ${String(given)}`);
  }
}

function mergingPipeline(pipeline: readonly unknown[], operand: unknown = {}, variables: Variables): WhenMatched {
  if (!isObject(operand)) throw badArgument('let of $merge needs an object');
  if (Object.hasOwn(operand, 'new')) throw badArgument('$$new is the document that came: let of $merge cannot set it');
  const own = Object.keys(operand).map((name) => ({ name, value: compileExpression(operand[name], variables) }));
  // What is wrong with it is told before anything is read.
  compileUpdatePipeline(pipeline, undefined, variables);
  return (existing, document) => {
    let known = variables.with('new', document);
    for (const { name, value } of own) known = known.with(name, value.evaluate(document));
    return compileUpdatePipeline(pipeline, undefined, known).apply(existing);
  };
}

function whenNotMatchedOf(given: unknown): MergeRules['whenNotMatched'] {
  if (given === 'insert' || given === 'discard' || given === 'fail') return given;
  throw badArgument(`$merge knows no whenNotMatched ${String(given)}`);
}
