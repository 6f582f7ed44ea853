/**
 * What an update asks for apart from its operands: operators and paths. Programs send the same update over and over with other values, so
 * its shape is worked out once: paths taken apart, and held against one another. Shapes are found by walking the names in their order.
 *
 *   { $inc: { score: 1 }, $set: { 'a.b': 2 } }        $inc, score, $set, a.b: shape
 *
 * $rename is worked out each time: its operands are paths.
 */
import { FieldPlaces } from '@phantom/codec';
import { badArgument, unknownOperator } from '../errors.js';
import { isObject } from '../order.js';
import { type Path, parsePath, stepIndex } from '../path.js';
import { type UpdateOperator, neverCreates, updateOperators } from './operators.js';

/** One operator at one path; its operand is at `update[operator][name]`. */
export interface PlannedAction {
  readonly operator: string;
  /** The path as it is written. */
  readonly name: string;
  readonly path: readonly string[];
  /** The path leads to one place, whatever the document. */
  readonly isPlain: boolean;
  readonly compile: UpdateOperator;
  readonly create: boolean;
  readonly onInsertOnly: boolean;
}

export interface Rename {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

export interface UpdateShape {
  readonly actions: readonly PlannedAction[];
  readonly renames: readonly Rename[];
  /** Top-level fields that are read or changed. */
  readonly fields: ReadonlySet<string>;
  /** Names that array filters have to be given for. */
  readonly elementNames: ReadonlySet<string>;
  /** Places of two actions may meet, depending on the document: `a.$[]` and `a.0`, `a.$[x]` and `a.$[y]`. */
  readonly mayMeet: boolean;
  /** The fields of the actions, where each changes one at the top, whatever the document; undefined for other updates, and of the `_id`. */
  readonly places: FieldPlaces | undefined;
}

/** A step of the walk to shapes; which names come next, operators and paths apart. */
class ShapeNode {
  readonly operators = new Map<string, ShapeNode>();
  readonly paths = new Map<string, ShapeNode>();
  shape: UpdateShape | undefined = undefined;
}

/** Steps that are kept. When there are as many, all are forgotten. */
const NODES_MAX = 4096;
let root = new ShapeNode();
let nodes = 0;

/** The shape of an update. 22023 for what is none, 0A000 for operators that are not there. */
export function updateShape(update: unknown): UpdateShape {
  if (!isObject(update)) throw badArgument('an update must be an object of operators');
  let node: ShapeNode | undefined = root;
  for (const operator in update) {
    if (!Object.hasOwn(update, operator)) continue;
    node = node.operators.get(operator);
    const fields = update[operator];
    if (node === undefined || !isObject(fields)) return newShape(update);
    for (const name in fields) {
      if (!Object.hasOwn(fields, name)) continue;
      node = node.paths.get(name);
      if (node === undefined) return newShape(update);
    }
  }
  return node.shape ?? newShape(update);
}

function newShape(update: Readonly<Record<string, unknown>>): UpdateShape {
  const shape = compileShape(update);
  if (shape.renames.length === 0) keep(update, shape);
  return shape;
}

function keep(update: Readonly<Record<string, unknown>>, shape: UpdateShape): void {
  if (nodes >= NODES_MAX) {
    root = new ShapeNode();
    nodes = 0;
  }
  let node = root;
  for (const operator of Object.keys(update)) {
    node = stepTo(node.operators, operator);
    for (const name of Object.keys(update[operator] as object)) node = stepTo(node.paths, name);
  }
  node.shape = shape;
}

function stepTo(steps: Map<string, ShapeNode>, name: string): ShapeNode {
  let next = steps.get(name);
  if (next === undefined) {
    next = new ShapeNode();
    nodes++;
    steps.set(name, next);
  }
  return next;
}

function compileShape(update: Readonly<Record<string, unknown>>): UpdateShape {
  const actions: PlannedAction[] = [];
  const renames: Rename[] = [];
  const paths = new PathSet();
  for (const operator of Object.keys(update)) {
    if (!operator.startsWith('$'))
      throw badArgument(
        `an update needs operators, not the field "${operator}"`,
        'Use replaceOne to replace a document.',
      );
    const fields = update[operator];
    const compile = updateOperators.get(operator);
    if (compile === undefined && operator !== '$rename') throw unknownOperator(operator, 'update operator');
    if (!isObject(fields)) throw badArgument(`${operator} needs an object of fields`);
    for (const name of Object.keys(fields)) {
      const path = paths.add(name);
      if (compile === undefined) {
        renames.push(renameOf(path, fields[name], paths));
      } else {
        const isPlain = !path.some((step) => step.startsWith('$'));
        const create = !neverCreates.has(operator);
        actions.push({ operator, name, path, isPlain, compile, create, onInsertOnly: operator === '$setOnInsert' });
      }
    }
  }
  const { fields, elementNames } = paths;
  const isFlat = actions.every(({ path, isPlain, onInsertOnly }) => path.length === 1 && isPlain && !onInsertOnly);
  const places =
    isFlat && renames.length === 0 && !fields.has('_id') ? new FieldPlaces(actions.map(({ name }) => name)) : undefined;
  const mayMeet = actions.some((one, i) => actions.some((other, j) => i < j && meet(one.path, other.path)));
  return { actions, renames, fields, elementNames, mayMeet, places };
}

/** Two paths may stand for one place, or for a place and one inside of it. */
function meet(a: Path, b: Path): boolean {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a[i] !== b[i] && !mayBeIndex(a[i] as string, b[i] as string) && !mayBeIndex(b[i] as string, a[i] as string)) {
      return false;
    }
  }
  return true;
}

function mayBeIndex(step: string, other: string): boolean {
  return step.startsWith('$') && (other.startsWith('$') || stepIndex(other) >= 0);
}

function renameOf(from: readonly string[], operand: unknown, paths: PathSet): Rename {
  if (typeof operand !== 'string') throw badArgument('$rename needs the new name as text');
  const to = paths.add(operand);
  if ([...from, ...to].some((step) => step.startsWith('$'))) throw badArgument('$rename takes plain paths');
  return { from, to };
}

/** Paths of one update: two that meet are a mistake. */
class PathSet {
  readonly fields = new Set<string>();
  readonly elementNames = new Set<string>();
  private readonly paths: string[] = [];

  /** The steps of a path that is added. */
  add(path: string): readonly string[] {
    const steps = parsePath(path);
    if (steps[0]?.startsWith('$') === true) throw badArgument(`the path "${path}" begins with a dollar`);
    for (const other of this.paths) {
      if (other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`)) {
        throw badArgument(`updating "${path}" and "${other}" would conflict`);
      }
    }
    this.paths.push(path);
    this.fields.add(steps[0] as string);
    for (const step of steps) {
      if (!step.startsWith('$') || step === '$' || step === '$[]') continue;
      const name = /^\$\[(.+)\]$/.exec(step)?.[1];
      if (name === undefined) throw badArgument(`"${step}" cannot stand in a path`);
      this.elementNames.add(name);
    }
    return steps;
  }
}
