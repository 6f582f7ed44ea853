/**
 * Statements that differ in literals only. A driver without parameters sends `where id = 17`, then `where id = 18`: each a text
 * of its own. Their common shape is planned once, with the literals as parameters, and each text only brings its values.
 *
 *   select v from t where id = 17 and k < 'x'      ->   shape   select v from t where id = $1 and k < $2
 *                                                       values  17, x       types  int4, unknown
 *
 * Safe means that nothing but a value can depend on the literal. So only those are taken that stand right behind a comparison
 * sign and in front of the end of a condition, after WHERE, ON or SET and before any later clause, or between the commas of
 * VALUES; integers and decimals keep the type they have as literals, and may stand behind a plus or minus there, of either
 * kind; strings stay `unknown` until the context decides. Texts with comments, dollars, double quotes or backslashes are left
 * alone. That is asked of the first text of a shape; the others are compared with it (shape-pattern.ts).
 *
 * As PostgreSQL does with prepared statements, the first executions of a shape are planned for their own values. After
 * CUSTOM_PLANS_MIN of them, or the first that finds its row by the whole key, the shape's general plan is compared with what those
 * cost; it is taken when it is no worse, and never where they differed much among themselves.
 */
import type { Oid } from '@phantom/catalog';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import type { Statement } from '../text/ast-statements.js';
import { parseScript } from '../text/parse.js';
import { ShapePattern, headOf, textOfString, typeOfNumber } from './shape-pattern.js';

/** Longer texts are not looked at. */
const TEXT_CHARACTERS_MAX = 4096;
const LITERALS_MAX = 64;
const SHAPES_MAX = 512;
/** Shapes of one beginning that a text is compared with before it is cut into tokens. */
const CANDIDATES_MAX = 8;
/** Plans made for their own values before the general one is weighed. */
const CUSTOM_PLANS_MIN = 4;
/** The general plan may cost so much more, for the planning that it saves. */
const GENERAL_FACTOR = 1.1;
const GENERAL_SLACK = 60;
/** Plans whose costs differ by more are for their own values each. */
const COST_SPREAD_MAX = 4;

/** What a text brings to its shape. */
export interface Literals {
  readonly shape: Shape;
  /** Values as text, as the types' input functions take them. */
  readonly texts: readonly string[];
}

export class Shape {
  /** The text with parameters in place of the literals. */
  readonly text: string;
  readonly types: readonly Oid[];
  readonly pattern: ShapePattern;
  /** `headOf` its texts. */
  readonly head: number;
  /** Set once the general plan is taken. */
  node: Statement | undefined;
  /** The general plan, as it was when it was needed last. */
  plan: PreparedPlan | undefined;
  /** False once it is clear that the general plan will never be taken. */
  isOpen = true;
  customPlans = 0;
  /** A text was of this shape since it was last looked for one to forget. */
  wasUsed = false;
  private costMin = Infinity;
  private costMax = 0;

  constructor(text: string, types: readonly Oid[], pattern: ShapePattern, head: number) {
    this.text = text;
    this.types = types;
    this.pattern = pattern;
    this.head = head;
  }

  /** Takes note of what a plan for its own values costs. */
  noteCustom(cost: number): void {
    this.customPlans++;
    this.costMin = Math.min(this.costMin, cost);
    this.costMax = Math.max(this.costMax, cost);
    if (this.costMax > this.costMin * COST_SPREAD_MAX + GENERAL_SLACK) this.isOpen = false;
  }

  /** Whether the general plan is to be weighed against this one. */
  isDue(plan: PreparedPlan): boolean {
    return this.isOpen && this.node === undefined && (this.customPlans >= CUSTOM_PLANS_MIN || isOfOneRow(plan));
  }

  /** Decides on the general plan, given what it costs. */
  decide(node: Statement, cost: number): void {
    if (cost <= this.costMin * GENERAL_FACTOR + GENERAL_SLACK) this.node = node;
    else this.isOpen = false;
  }

  /** The statement with parameters; undefined when the shape is not one. */
  parse(): Statement | undefined {
    try {
      const [parsed, more] = parseScript(this.text);
      return more === undefined ? parsed?.node : undefined;
    } catch {
      return undefined;
    }
  }
}

export class StatementShapes {
  /** By their texts and types. Those that were not used for long go first. */
  private readonly shapes = new Map<string, Shape>();
  /** By what their texts begin with; the one that was found last comes first. */
  private readonly byHead = new Map<number, Shape[]>();

  /** The shape of a text and its values, if another text had that shape; undefined says nothing. */
  known(text: string): Literals | undefined {
    if (text.length > TEXT_CHARACTERS_MAX) return undefined;
    const candidates = this.byHead.get(headOf(text));
    if (candidates === undefined) return undefined;
    for (let i = 0; i < candidates.length; i++) {
      const shape = candidates[i]!;
      const texts = shape.pattern.match(text);
      if (texts === undefined) continue;
      if (i > 0) {
        candidates[i] = candidates[0]!;
        candidates[0] = shape;
      }
      shape.wasUsed = true;
      return { shape, texts };
    }
    return undefined;
  }

  /** The shape of a text and its values; undefined when nothing may be taken out of it. */
  find(text: string): Literals | undefined {
    const known = this.known(text);
    if (known !== undefined) return known;
    const taken = takeLiterals(text);
    if (taken === undefined) return undefined;
    const { shapes } = this;
    const { pieces, types, texts } = taken;
    const shaped = pieces.reduce((before, piece, i) => `${before}$${i}${piece}`);
    const key = `${shaped} ${types.join(',')}`;
    let shape = shapes.get(key);
    if (shape === undefined) {
      if (shapes.size >= SHAPES_MAX) this.forgetOne();
      shape = new Shape(shaped, types, new ShapePattern(pieces, types), headOf(text));
      shapes.set(key, shape);
    }
    shape.wasUsed = true;
    this.addCandidate(shape);
    return { shape, texts };
  }

  private addCandidate(shape: Shape): void {
    const candidates = this.byHead.get(shape.head);
    if (candidates === undefined) this.byHead.set(shape.head, [shape]);
    else if (candidates.unshift(shape) > CANDIDATES_MAX) candidates.pop();
  }

  /** Each one that was used since it was last asked is kept once more. */
  private forgetOne(): void {
    const { shapes, byHead } = this;
    for (const [key, shape] of shapes) {
      shapes.delete(key);
      if (shape.wasUsed) {
        shape.wasUsed = false;
        shapes.set(key, shape);
        continue;
      }
      const left = byHead.get(shape.head)?.filter((candidate) => candidate !== shape) ?? [];
      if (left.length === 0) byHead.delete(shape.head);
      else byHead.set(shape.head, left);
      return;
    }
  }
}

/** One row by its whole key: no value makes another plan better. */
function isOfOneRow({ pointLookup, pointLock, pointWrite }: PreparedPlan): boolean {
  return pointLookup !== undefined || pointLock !== undefined || pointWrite !== undefined;
}

const TOKEN = /\s+|[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*|\d+(?:\.\d+)?|'(?:[^']|'')*'|[<>=!]+|[^]/gy;
const COMPARISONS: ReadonlySet<string> = new Set(['=', '<', '>', '<=', '>=', '<>', '!=']);
/** What may follow a literal in a condition. */
const BEHIND_CONDITION: ReadonlySet<string> = new Set([
  '',
  ';',
  ')',
  'and',
  'or',
  'order',
  'group',
  'limit',
  'where',
  'returning',
]);
const CLAUSES: ReadonlySet<string> = new Set([
  'select',
  'from',
  'where',
  'on',
  'set',
  'values',
  'group',
  'having',
  'order',
  'limit',
  'offset',
  'window',
  'returning',
  'union',
  'intersect',
  'except',
  'with',
  'using',
  'for',
  'fetch',
]);
const VALUE_CLAUSES: ReadonlySet<string> = new Set(['where', 'on', 'set']);
const BEGINNINGS = /^\s*(?:select|insert|update|delete)\b/i;
const REFUSED = /["$\\]|--|\/\*/;

interface Taken {
  /** What stands before, between and behind the literals. */
  readonly pieces: string[];
  readonly types: Oid[];
  readonly texts: string[];
}

function takeLiterals(text: string): Taken | undefined {
  if (text.length > TEXT_CHARACTERS_MAX || !BEGINNINGS.test(text) || REFUSED.test(text)) return undefined;
  const tokens: readonly string[] = text.match(TOKEN) ?? [];
  const pieces: string[] = [];
  const types: Oid[] = [];
  const texts: string[] = [];
  let clause = '';
  let before = '';
  let piece = '';
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string;
    const first = token.charCodeAt(0);
    if (first === 32 || first === 10 || first === 9 || first === 13) {
      piece += token;
      continue;
    }
    const isNumber = first >= 48 && first <= 57;
    const type = isNumber ? typeOfNumber(token) : first === 39 ? 0 : undefined;
    if (type !== undefined && isValuePlace(clause, before, nextOf(tokens, i), isNumber)) {
      if (texts.length === LITERALS_MAX) return undefined;
      types.push(type);
      texts.push(isNumber ? token : textOfString(token));
      pieces.push(piece);
      piece = '';
      before = token;
      continue;
    }
    before = token.toLowerCase();
    if (CLAUSES.has(before)) clause = before;
    piece += token;
  }
  pieces.push(piece);
  return texts.length === 0 ? undefined : { pieces, types, texts };
}

/** The next token that is not blank, in lower case; '' at the end. */
function nextOf(tokens: readonly string[], at: number): string {
  for (let i = at + 1; i < tokens.length; i++) {
    const token = tokens[i] as string;
    if (token.trim() !== '') return token.toLowerCase();
  }
  return '';
}

function isValuePlace(clause: string, before: string, behind: string, isNumber: boolean): boolean {
  const isSigned = isNumber && (before === '+' || before === '-');
  if (clause === 'values') return (isSigned || before === '(' || before === ',') && (behind === ',' || behind === ')');
  if (!VALUE_CLAUSES.has(clause) || !(isSigned || COMPARISONS.has(before))) return false;
  return BEHIND_CONDITION.has(behind) || (clause === 'set' && behind === ',');
}
