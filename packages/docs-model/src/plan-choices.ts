/**
 * Which index served queries of a shape last, so that the next one neither asks the engine for estimates nor looks at other indexes. Queries
 * of a shape ask the same paths for plain values, or lists of about as many, and nothing else. Choices belong to one version of a collection and its
 * indexes (collection-view.ts), so whoever makes or drops an index begins with none.
 *
 * Values differ: a choice is given up when one had to look at far more keys than was foreseen, and after some hundred uses, since
 * collections grow. What is chosen costs time alone, never an answer.
 */
import type { CompiledFilter, Condition } from './filter/filter.js';
import type { IndexLayout } from './index-layout.js';

/** Shapes remembered for a collection. When there are as many, all are forgotten. */
const SHAPES_MAX = 256;
const USES_MAX = 500;
/** A choice stays good up to so many times the keys that were foreseen, and so many more. */
const EXCESS_FACTOR = 10;
const EXCESS_KEYS = 100;

export class PlanChoice {
  readonly index: IndexLayout;
  /** Keys that were foreseen when it was made. */
  readonly keys: number;
  /** For each of the leading parts of the index that has one, which of the conditions is for it; none where more has to be asked. */
  readonly places: readonly number[];
  private usesLeft = USES_MAX;

  constructor(index: IndexLayout, keys: number, places: readonly number[]) {
    this.index = index;
    this.keys = keys;
    this.places = places;
  }

  /** Every part of the index has a condition. */
  get isWhole(): boolean {
    return this.places.length === this.index.definition.parts.length;
  }

  /** True once for each use. */
  use(): boolean {
    return this.usesLeft-- > 0;
  }

  /** A query that was answered by it looked at so many keys. */
  tell(keysExamined: number): void {
    if (keysExamined > EXCESS_FACTOR * this.keys + EXCESS_KEYS) this.usesLeft = 0;
  }
}

export class PlanChoices {
  private readonly choices = new Map<string, PlanChoice>();

  /** The choice for a shape, while it may be used. */
  of(shape: string): PlanChoice | undefined {
    const choice = this.choices.get(shape);
    return choice?.use() === true ? choice : undefined;
  }

  /** The choice for a shape, used up or not: what is known of its index holds. */
  last(shape: string): PlanChoice | undefined {
    return this.choices.get(shape);
  }

  keep(shape: string, choice: PlanChoice): void {
    if (this.choices.size >= SHAPES_MAX) this.choices.clear();
    this.choices.set(shape, choice);
  }
}

/** The shape of a filter that asks paths for plain values, or for one of about so many, and nothing else; undefined for every other. */
export function shapeOf({ onlyConditions, conditions }: CompiledFilter): string | undefined {
  if (!onlyConditions || conditions.length === 0) return undefined;
  let shape = '';
  for (let i = 0; i < conditions.length; i++) {
    const { path, operator, value } = conditions[i] as Condition;
    // It stands between paths, of which none is empty, and twice before the size of a list.
    if (path.includes('\0')) return undefined;
    if (i > 0) shape += '\0';
    shape += path;
    if (operator === '$in') shape += `\0\0${Math.clz32((value as readonly unknown[]).length)}`;
    else if (operator !== '$eq') return undefined;
  }
  return shape;
}
