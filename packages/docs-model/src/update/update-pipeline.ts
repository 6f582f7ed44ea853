/**
 * Updates by a pipeline: what becomes of a document is computed from it, by stages that make one document of each, in their order.
 * Unlike operators they read the document as the stages before have left it. The `_id` stays whatever they make.
 */
import { Variables } from '../aggregate/evaluate.js';
import { mappingStages } from '../aggregate/stages.js';
import { badArgument } from '../errors.js';
import { type PlainObject, compareValues, isObject } from '../order.js';

const STAGES_MAX = 1000;

/** Compiles an update by a pipeline, whose expressions know the variables. 22023 and 0A000 for what is none. */
export function compileUpdatePipeline(
  pipeline: readonly unknown[],
  arrayFilters: readonly unknown[] | undefined,
  variables: Variables = Variables.begin(),
): { readonly apply: (document: PlainObject) => PlainObject } {
  if (arrayFilters !== undefined) throw badArgument('an update by a pipeline takes no array filters');
  if (pipeline.length === 0 || pipeline.length > STAGES_MAX) {
    throw badArgument(`an update by a pipeline has from 1 to ${STAGES_MAX} stages`);
  }
  const stages = pipeline.map((stage) => compileStage(stage, variables));
  const apply = (document: PlainObject): PlainObject => {
    let after = document;
    for (const stage of stages) after = stage(after);
    return withIdOf(document, after);
  };
  return { apply };
}

function compileStage(stage: unknown, variables: Variables): (document: PlainObject) => PlainObject {
  const [name, ...others] = isObject(stage) ? Object.keys(stage) : [];
  if (name === undefined || others.length > 0) throw badArgument('a stage is an object with one field, its name');
  const make = mappingStages.get(name);
  if (make === undefined) {
    throw badArgument(
      `${name} cannot be a stage of an update`,
      `Those that can: ${[...mappingStages.keys()].join(', ')}.`,
    );
  }
  return make((stage as PlainObject)[name], variables);
}

/** What was made of a document, with its `_id` first; one that an upsert begins with may have none yet. */
function withIdOf(document: PlainObject, made: PlainObject): PlainObject {
  const id = document['_id'];
  if (id === undefined) return made;
  if (made['_id'] !== undefined && compareValues(made['_id'], id) !== 0) {
    throw badArgument('the _id of a document cannot be changed');
  }
  const { _id: _made, ...fields } = made;
  return { _id: id, ...fields };
}
