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
 * alone.
 *
 * As PostgreSQL does with prepared statements, the first executions of a shape are planned for their own values. After
 * CUSTOM_PLANS_MIN of them, or the first that finds its row by the whole key, the shape's general plan is compared with what those
 * cost; it is taken when it is no worse, and never where they differed much among themselves.
 */
import type { Oid } from '@phantom/catalog';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import { TypeOid } from '../types/type-oids.js';
import type { Statement } from '../text/ast-statements.js';
import { parseScript } from '../text/parse.js';

/** Longer texts are not looked at. */
const TEXT_CHARACTERS_MAX = 4096;
const LITERALS_MAX = 64;
const SHAPES_MAX = 512;
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
  /** Set once the general plan is taken. */
  node: Statement | undefined;
  /** False once it is clear that it never will be. */
  isOpen = true;
  customPlans = 0;
  private costMin = Infinity;
  private costMax = 0;

  constructor(text: string, types: readonly Oid[]) {
    this.text = text;
    this.types = types;
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
  private readonly shapes = new Map<string, Shape>();

  /** The shape of a text and its values; undefined when nothing may be taken out of it. */
  find(text: string): Literals | undefined {
    const taken = takeLiterals(text);
    if (taken === undefined) return undefined;
    const { shapes } = this;
    const key = `${taken.text} ${taken.types.join(',')}`;
    let shape = shapes.get(key);
    if (shape === undefined) {
      shape = new Shape(taken.text, taken.types);
      if (shapes.size >= SHAPES_MAX) shapes.delete(shapes.keys().next().value as string);
    } else {
      shapes.delete(key);
    }
    shapes.set(key, shape);
    return { shape, texts: taken.texts };
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
  readonly text: string;
  readonly types: Oid[];
  readonly texts: string[];
}

function takeLiterals(text: string): Taken | undefined {
  if (text.length > TEXT_CHARACTERS_MAX || !BEGINNINGS.test(text) || REFUSED.test(text)) return undefined;
  const tokens: readonly string[] = text.match(TOKEN) ?? [];
  const types: Oid[] = [];
  const texts: string[] = [];
  let clause = '';
  let before = '';
  let shaped = '';
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string;
    const first = token.charCodeAt(0);
    if (first === 32 || first === 10 || first === 9 || first === 13) {
      shaped += token;
      continue;
    }
    const isNumber = first >= 48 && first <= 57;
    if ((isNumber || first === 39) && isValuePlace(clause, before, nextOf(tokens, i), isNumber)) {
      if (texts.length === LITERALS_MAX) return undefined;
      const type = isNumber ? typeOfNumber(token) : TypeOid.unknown;
      types.push(type === TypeOid.unknown ? 0 : type);
      texts.push(isNumber ? token : token.slice(1, -1).replaceAll("''", "'"));
      shaped += `$${texts.length}`;
      before = token;
      continue;
    }
    before = token.toLowerCase();
    if (CLAUSES.has(before)) clause = before;
    shaped += token;
  }
  return texts.length === 0 ? undefined : { text: shaped, types, texts };
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

/** The type that a number has as a literal. */
function typeOfNumber(token: string): Oid {
  if (token.includes('.')) return TypeOid.numeric;
  const value = Number(token);
  if (value <= 2147483647) return TypeOid.int4;
  return token.length <= 18 ? TypeOid.int8 : TypeOid.numeric;
}
