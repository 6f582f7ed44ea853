/**
 * Evaluating a path over a document: jsonpath_exec.c. In lax mode arrays are unwrapped for accessors that want objects and
 * scalars are taken for arrays of themselves, and structural mismatches give nothing; in strict mode they are errors.
 * Conditions have three values: an error inside one makes it unknown.
 *
 * An item goes through all steps of a path before the next one does, so that what was found before an error is known: it is
 * the answer where errors are swallowed, and in lax mode one item is enough for exists(). Behind .** structural mismatches
 * give nothing in strict mode too.
 */
import { PhantomError, isPhantomError } from '@phantom/base';
import { Decimal, type DocumentValue, Jsonb, compareText } from '@phantom/codec';
import { nodeDecimal } from '../json/json-values.js';
import { decimalAsNode } from '../../types/json-text.js';
import { regex } from '../regex/regex.js';
import { PathMoment, compareMoments, readMoment } from './path-moment.js';
import { type JsonPath, type PathNode, regexOptions } from './path-syntax.js';

/** An item on the way: a document's node, or a date or time that .datetime() made. */
export type PathItem = DocumentValue | PathMoment;

type Truth = boolean | undefined;

/** Items and pairs of them that one run may look at before it is refused. Conditions multiply them. */
const STEPS_MAX = 20_000_000;

export interface PathOptions {
  /** An object of them; undefined where every variable is null. */
  readonly variables: DocumentValue | undefined;
  /** Structural errors are swallowed by the caller's wish. */
  readonly silent: boolean;
  /** Comparisons may use the session's time zone. */
  readonly timeZone: string | undefined;
  /** Default STEPS_MAX. */
  readonly stepsMax?: number;
}

/** An error of the path language that `silent` and conditions may swallow. */
function pathError(code: string, message: string, hint?: string): PhantomError {
  return new PhantomError(code, message, { hint, family: 'input', data: { jsonpath: true } });
}

function isPathError(error: unknown): boolean {
  return isPhantomError(error) && error.data?.['jsonpath'] === true;
}

function typeName(item: PathItem): string {
  if (item === null) return 'null';
  if (item instanceof PathMoment) return item.typeName;
  if (Array.isArray(item)) return 'array';
  if (item instanceof Map) return 'object';
  if (typeof item === 'boolean' || typeof item === 'string') return typeof item;
  return nodeDecimal(item) === undefined ? 'string' : 'number';
}

function numberOf(item: PathItem): Decimal | undefined {
  return item instanceof PathMoment ? undefined : nodeDecimal(item);
}

export class PathExecution {
  private readonly root: DocumentValue;
  private readonly options: PathOptions;
  private readonly lax: boolean;
  /** Structural mismatches give nothing: always in lax mode, behind .** in strict mode. */
  private forgiving: boolean;
  private current: PathItem;
  private lastIndex = -1;
  private steps = 0;
  /** Numbers of .keyvalue() objects: containers in the order in which they are met. */
  private readonly path: JsonPath;

  constructor(path: JsonPath, root: DocumentValue, options: PathOptions) {
    this.path = path;
    this.root = root;
    this.current = root;
    this.options = options;
    this.lax = path.lax;
    this.forgiving = path.lax;
  }

  /** One by one: an array may have more than a call takes arguments. */
  private add(items: Iterable<PathItem>, into: PathItem[]): void {
    for (const item of items) {
      this.spend();
      into.push(item);
    }
  }

  private spend(): void {
    const { stepsMax = STEPS_MAX } = this.options;
    if (++this.steps <= stepsMax) return;
    throw new PhantomError('54001', 'jsonpath expression is too complex', {
      hint: 'A condition looks at every pair of too many items.',
      data: { stepsMax },
    });
  }

  /** All items of the path, into a list that holds those before an error too. */
  run(into: PathItem[]): void {
    this.collect(this.path.node, into);
  }

  private collect(node: PathNode, into: PathItem[]): void {
    if (node.kind === 'chain') this.follow(node.steps, 1, this.evaluate(node.steps[0] as PathNode), into);
    else if (node.kind === 'unary') this.unary(node, into);
    else this.add(this.evaluate(node), into);
  }

  private evaluate(node: PathNode): PathItem[] {
    switch (node.kind) {
      case 'root':
        return [this.root];
      case 'current':
        return [this.current];
      case 'last':
        return [this.lastIndex];
      case 'variable':
        return [this.variable(node.name)];
      case 'literal':
        return [node.value instanceof Decimal ? decimalAsNode(node.value) : node.value];
      case 'chain':
      case 'unary': {
        const items: PathItem[] = [];
        this.collect(node, items);
        return items;
      }
      case 'arithmetic':
        return [this.arithmetic(node)];
      case 'comparison':
      case 'and':
      case 'or':
      case 'not':
      case 'is unknown':
      case 'exists':
      case 'starts with':
      case 'like regex': {
        const truth = this.condition(node);
        return [truth === undefined ? null : truth];
      }
      default:
        return this.step(node, [this.current]);
    }
  }

  private variable(name: string): DocumentValue {
    const { variables } = this.options;
    if (variables === undefined) return null;
    const value = variables instanceof Map ? variables.get(name) : undefined;
    if (value === undefined) throw new PhantomError('42704', `could not find jsonpath variable "${name}"`);
    return value;
  }

  /** Takes items through the steps from a number on, each through all of them. */
  private follow(steps: readonly PathNode[], from: number, items: readonly PathItem[], into: PathItem[]): void {
    const step = steps[from];
    if (step === undefined) {
      this.add(items, into);
      return;
    }
    const outer = this.forgiving;
    for (const item of items) {
      const found: PathItem[] = [];
      try {
        this.access(step, item, found, this.lax);
      } finally {
        if (step.kind === 'any level') this.forgiving = true;
        this.follow(steps, from + 1, found, into);
        this.forgiving = outer;
      }
    }
  }

  private step(node: PathNode, items: readonly PathItem[]): PathItem[] {
    const result: PathItem[] = [];
    for (const item of items) this.access(node, item, result, this.lax);
    return result;
  }

  private access(node: PathNode, item: PathItem, into: PathItem[], unwrap: boolean): void {
    this.spend();
    switch (node.kind) {
      case 'key':
        this.key(node, item, into, unwrap);
        return;
      case 'any key':
        if (item instanceof Map) this.add(item.values(), into);
        else if (unwrap && Array.isArray(item)) for (const one of item) this.access(node, one, into, false);
        else if (!this.forgiving)
          throw pathError('2203C', 'jsonpath wildcard member accessor can only be applied to an object');
        return;
      case 'any element':
        if (Array.isArray(item)) this.add(item, into);
        else if (this.lax) into.push(item);
        else if (!this.forgiving)
          throw pathError('22039', 'jsonpath wildcard array accessor can only be applied to an array');
        return;
      case 'any level':
        this.levels(item, node.first, node.last, 0, into);
        return;
      case 'subscripts':
        this.subscripts(node, item, into);
        return;
      case 'method':
        this.method(node, item, into, unwrap);
        return;
      case 'datetime':
        if (unwrap && Array.isArray(item)) for (const one of item) this.access(node, one, into, false);
        else into.push(this.datetime(node.template, item));
        return;
      case 'filter':
        if (unwrap && Array.isArray(item)) {
          for (const one of item) this.access(node, one, into, false);
        } else if (this.withCurrent(item, () => this.condition(node.condition)) === true) {
          into.push(item);
        }
        return;
      default:
        this.add(
          this.withCurrent(item, () => this.evaluate(node)),
          into,
        );
    }
  }

  private withCurrent<T>(item: PathItem, run: () => T): T {
    const outer = this.current;
    this.current = item;
    try {
      return run();
    } finally {
      this.current = outer;
    }
  }

  private key(node: PathNode & { kind: 'key' }, item: PathItem, into: PathItem[], unwrap: boolean): void {
    if (item instanceof Map) {
      const value = item.get(node.name);
      if (value !== undefined) into.push(value);
      else if (!this.forgiving) throw pathError('2203A', `JSON object does not contain key "${node.name}"`);
    } else if (unwrap && Array.isArray(item)) {
      for (const one of item) this.access(node, one, into, false);
    } else if (!this.forgiving) {
      throw pathError('2203A', 'jsonpath member accessor can only be applied to an object');
    }
  }

  private levels(item: PathItem, first: number, last: number, level: number, into: PathItem[]): void {
    this.spend();
    const container = Array.isArray(item) || item instanceof Map;
    if (level > last) return;
    const atLast = first === Number.POSITIVE_INFINITY && last === Number.POSITIVE_INFINITY;
    if (atLast ? !container : level >= first) into.push(item);
    if (!container) return;
    const parts = Array.isArray(item) ? item : [...(item as Map<string, DocumentValue>).values()];
    for (const part of parts) this.levels(part, first, last, level + 1, into);
  }

  private subscripts(node: PathNode & { kind: 'subscripts' }, item: PathItem, into: PathItem[]): void {
    if (!Array.isArray(item) && !this.lax) {
      if (this.forgiving) return;
      throw pathError('22039', 'jsonpath array accessor can only be applied to an array');
    }
    const items: readonly PathItem[] = Array.isArray(item) ? item : [item];
    const outer = this.lastIndex;
    this.lastIndex = items.length - 1;
    try {
      for (const { from, to } of node.ranges) {
        let low = this.index(from);
        let high = to === undefined ? low : this.index(to);
        if (!this.forgiving && (low < 0 || low > high || high >= items.length)) {
          throw pathError('22033', 'jsonpath array subscript is out of bounds');
        }
        low = Math.max(low, 0);
        high = Math.min(high, items.length - 1);
        for (let i = low; i <= high; i++) {
          this.spend();
          into.push(items[i] as PathItem);
        }
      }
    } finally {
      this.lastIndex = outer;
    }
  }

  private index(node: PathNode): number {
    const found = this.evaluate(node);
    const number = found.length === 1 ? numberOf(found[0] as PathItem) : undefined;
    if (number === undefined) throw pathError('22033', 'jsonpath array subscript is not a single numeric value');
    const index = number.trunc(0).toNumber();
    if (Math.abs(index) > 2147483647) throw pathError('22033', 'jsonpath array subscript is out of integer range');
    return index;
  }

  private method(node: PathNode & { kind: 'method' }, item: PathItem, into: PathItem[], unwrap: boolean): void {
    const { name } = node;
    if (name === 'type') {
      into.push(typeName(item));
      return;
    }
    if (name === 'size') {
      if (Array.isArray(item)) into.push(item.length);
      else if (this.lax) into.push(1);
      else if (!this.forgiving)
        throw pathError('22039', 'jsonpath item method .size() can only be applied to an array');
      return;
    }
    if (unwrap && Array.isArray(item)) {
      for (const one of item) this.access(node, one, into, false);
      return;
    }
    if (name === 'keyvalue') {
      this.keyValue(item, into);
      return;
    }
    if (name === 'double') {
      into.push(this.double(item));
      return;
    }
    const number = numberOf(item);
    if (number === undefined) {
      throw pathError('22036', `jsonpath item method .${name}() can only be applied to a numeric value`);
    }
    const result = name === 'abs' ? number.abs() : name === 'floor' ? number.floor() : number.ceil();
    into.push(decimalAsNode(result));
  }

  private double(item: PathItem): number | Decimal {
    const number = numberOf(item);
    if (number === undefined && typeof item !== 'string') {
      throw pathError('22036', 'jsonpath item method .double() can only be applied to a string or numeric value');
    }
    const text = number === undefined ? (item as string).trim() : number.toString();
    const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|^[+-]?(?:inf|infinity|nan)$/i.test(text)
      ? Number(text)
      : Number.NaN;
    if (!Number.isFinite(value)) {
      const special = /^[+-]?(?:inf|infinity|nan)$/i.test(text);
      throw pathError(
        '22036',
        special
          ? 'NaN or Infinity is not allowed for jsonpath item method .double()'
          : number === undefined
            ? `string argument of jsonpath item method .double() is not a valid representation of a double precision number`
            : 'numeric argument of jsonpath item method .double() is out of range for type double precision',
      );
    }
    return number === undefined ? value : decimalAsNode(number);
  }

  private keyValue(item: PathItem, into: PathItem[]): void {
    if (!(item instanceof Map)) {
      throw pathError('2203C', 'jsonpath item method .keyvalue() can only be applied to an object');
    }
    // Objects are told apart by where they stand in the stored document; here by the root they hang from.
    for (const [key, value] of item) {
      into.push(
        new Map<string, DocumentValue>([
          ['id', this.identityOf(item)],
          ['key', key],
          ['value', value],
        ]),
      );
    }
  }

  private readonly identities = new Map<unknown, number>();

  private identityOf(item: Map<string, DocumentValue>): number {
    if (item === this.root) return 0;
    let id = this.identities.get(item);
    if (id === undefined) this.identities.set(item, (id = (this.identities.size + 1) * 12));
    return id;
  }

  private datetime(template: string | undefined, item: PathItem): PathMoment {
    if (typeof item !== 'string') {
      throw pathError('22031', 'jsonpath item method .datetime() can only be applied to a string');
    }
    const moment = readMoment(item, template);
    if (moment === undefined) {
      throw pathError(
        '22031',
        `datetime format is not recognized: "${item}"`,
        'Use a datetime template argument to specify the input data format.',
      );
    }
    return moment;
  }

  private unary(node: PathNode & { kind: 'unary' }, into: PathItem[]): void {
    for (const item of this.unwrapped(this.evaluate(node.operand))) {
      const number = numberOf(item);
      if (number === undefined) {
        throw pathError('2203B', `operand of unary jsonpath operator ${node.operator} is not a numeric value`);
      }
      into.push(decimalAsNode(node.operator === '-' ? number.negate() : number));
    }
  }

  /** Arrays among the items give their elements, in lax mode. */
  private unwrapped(items: readonly PathItem[]): PathItem[] {
    return this.lax ? items.flatMap((item): PathItem[] => (Array.isArray(item) ? item : [item])) : [...items];
  }

  private arithmetic(node: PathNode & { kind: 'arithmetic' }): DocumentValue {
    const left = this.operand(node.left, 'left', node.operator);
    const right = this.operand(node.right, 'right', node.operator);
    try {
      switch (node.operator) {
        case '+':
          return decimalAsNode(left.add(right));
        case '-':
          return decimalAsNode(left.sub(right));
        case '*':
          return decimalAsNode(left.mul(right));
        case '/':
          return decimalAsNode(left.div(right));
        case '%':
          return decimalAsNode(left.mod(right));
      }
    } catch (error) {
      if (isPhantomError(error)) throw pathError((error as PhantomError).code, (error as PhantomError).message);
      throw error;
    }
  }

  private operand(node: PathNode, side: string, operator: string): Decimal {
    const items = this.unwrapped(this.evaluate(node));
    const number = items.length === 1 ? numberOf(items[0] as PathItem) : undefined;
    if (number === undefined) {
      throw pathError('22038', `${side} operand of jsonpath operator ${operator} is not a single numeric value`);
    }
    return number;
  }

  // ------------------------------------------------------------------------------------------------------ conditions

  private condition(node: PathNode): Truth {
    switch (node.kind) {
      case 'and': {
        const left = this.condition(node.left);
        if (left === false) return false;
        const right = this.condition(node.right);
        return right === true ? left : right;
      }
      case 'or': {
        const left = this.condition(node.left);
        if (left === true) return true;
        const right = this.condition(node.right);
        return right === false ? left : right;
      }
      case 'not': {
        const truth = this.condition(node.operand);
        return truth === undefined ? undefined : !truth;
      }
      case 'is unknown':
        return this.condition(node.operand) === undefined;
      case 'exists':
        return this.exists(node.operand);
      case 'comparison':
        return this.pairs(node.left, node.right, (left, right) => this.compare(node.operator, left, right));
      case 'starts with':
        return this.pairs(node.left, node.right, (left, right) =>
          typeof left === 'string' && typeof right === 'string' ? left.startsWith(right) : undefined,
        );
      case 'like regex':
        return this.likeRegex(node);
      default:
        return undefined;
    }
  }

  private exists(operand: PathNode): Truth {
    const found: PathItem[] = [];
    const whole = this.quietly(() => {
      this.collect(operand, found);
      return true;
    });
    return whole === true || (this.lax && found.length > 0) ? found.length > 0 : undefined;
  }

  /** Errors of the path language inside a condition make it unknown. */
  private quietly<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (isPathError(error)) return undefined;
      throw error;
    }
  }

  private pairs(leftNode: PathNode, rightNode: PathNode, test: (left: PathItem, right: PathItem) => Truth): Truth {
    const left = this.quietly(() => this.unwrapped(this.evaluate(leftNode)));
    if (left === undefined) return undefined;
    const right = this.quietly(() => this.unwrapped(this.evaluate(rightNode)));
    return right === undefined ? undefined : this.anyPair(left, right, test);
  }

  private anyPair(
    left: readonly PathItem[],
    right: readonly PathItem[],
    test: (a: PathItem, b: PathItem) => Truth,
  ): Truth {
    let unknown = false;
    let found = false;
    for (const a of left) {
      for (const b of right) {
        this.spend();
        const truth = test(a, b);
        if (truth === undefined) {
          if (!this.lax) return undefined;
          unknown = true;
        } else if (truth) {
          if (this.lax) return true;
          found = true;
        }
      }
    }
    return found ? true : unknown ? undefined : false;
  }

  private compare(operator: string, left: PathItem, right: PathItem): Truth {
    if (left instanceof PathMoment || right instanceof PathMoment) {
      if (!(left instanceof PathMoment) || !(right instanceof PathMoment)) return nullComparison(operator, left, right);
      return truthOf(operator, compareMoments(left, right, this.options.timeZone));
    }
    const x = nodeDecimal(left);
    const y = nodeDecimal(right);
    if (x !== undefined && y !== undefined) return truthOf(operator, x.compare(y));
    if (typeof left === 'string' && typeof right === 'string') {
      return truthOf(operator, compareText(left, right));
    }
    if (typeof left === 'boolean' && typeof right === 'boolean') {
      return truthOf(operator, Number(left) - Number(right));
    }
    return nullComparison(operator, left, right);
  }

  private likeRegex(node: PathNode & { kind: 'like regex' }): Truth {
    const items = this.quietly(() => this.unwrapped(this.evaluate(node.operand)));
    if (items === undefined) return undefined;
    const pattern = regex(node.pattern, regexOptions(node.flags));
    return this.anyPair(items, [null], (item) => (typeof item === 'string' ? pattern.test(item) : undefined));
  }
}

function truthOf(operator: string, order: number | undefined): Truth {
  if (order === undefined) return undefined;
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

/** null is comparable with everything, and only equal to null; other unlike types are not comparable. */
function nullComparison(operator: string, left: PathItem, right: PathItem): Truth {
  if (left === null && right === null) return truthOf(operator, 0);
  if (left === null || right === null) return operator === '!=';
  return undefined;
}

/** Items as jsonb values; moments as their text. */
export function itemJsonb(item: PathItem): Jsonb {
  return Jsonb.of(item instanceof PathMoment ? item.toString() : item);
}
