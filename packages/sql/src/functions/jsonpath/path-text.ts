/** Paths as text, in the form in which PostgreSQL shows them: keys quoted, operators in parentheses. */
import { Decimal } from '@phantom/codec';
import { quoteJson } from '../../types/json-text.js';
import type { JsonPath, PathNode } from './path-syntax.js';

function priority(node: PathNode): number {
  switch (node.kind) {
    case 'or':
      return 0;
    case 'and':
      return 1;
    case 'comparison':
    case 'starts with':
      return 2;
    case 'arithmetic':
      return node.operator === '+' || node.operator === '-' ? 3 : 4;
    case 'unary':
      return 5;
    default:
      return 6;
  }
}

function binary(node: PathNode, operator: string, left: PathNode, right: PathNode, brackets: boolean): string {
  const own = priority(node);
  const text = `${show(left, priority(left) <= own)} ${operator} ${show(right, priority(right) <= own)}`;
  return brackets ? `(${text})` : text;
}

function levelText(node: PathNode & { kind: 'any level' }): string {
  const { first, last } = node;
  const one = (level: number): string => (Number.isFinite(level) ? String(level) : 'last');
  if (first === 0 && last === Number.POSITIVE_INFINITY) return '**';
  return first === last ? `**{${one(first)}}` : `**{${one(first)} to ${one(last)}}`;
}

/** A step of a chain behind the first. */
function step(node: PathNode): string {
  switch (node.kind) {
    case 'key':
      return `.${quoteJson(node.name)}`;
    case 'any key':
      return '.*';
    case 'any level':
      return `.${levelText(node)}`;
    default:
      return show(node, true);
  }
}

function literalText(value: null | boolean | string | Decimal): string {
  return typeof value === 'string' ? quoteJson(value) : String(value);
}

function chainText(steps: readonly PathNode[]): string {
  const [first, ...rest] = steps as [PathNode, ...PathNode[]];
  const numeric = first.kind === 'literal' && first.value instanceof Decimal;
  const start = numeric ? `(${show(first, true)})` : show(first, true);
  return start + rest.map(step).join('');
}

function show(node: PathNode, brackets: boolean): string {
  switch (node.kind) {
    case 'root':
      return '$';
    case 'current':
      return '@';
    case 'last':
      return 'last';
    case 'variable':
      return `$${quoteJson(node.name)}`;
    case 'literal':
      return literalText(node.value);
    case 'key':
      return quoteJson(node.name);
    case 'any key':
      return '*';
    case 'any element':
      return '[*]';
    case 'any level':
      return levelText(node);
    case 'subscripts':
      return `[${node.ranges
        .map(({ from, to }) => (to === undefined ? show(from, false) : `${show(from, false)} to ${show(to, false)}`))
        .join(',')}]`;
    case 'method':
      return `.${node.name}()`;
    case 'datetime':
      return node.template === undefined ? '.datetime()' : `.datetime(${quoteJson(node.template)})`;
    case 'filter':
      return `?(${show(node.condition, false)})`;
    case 'chain':
      return chainText(node.steps);
    case 'unary': {
      const text = `${node.operator}${show(node.operand, priority(node.operand) <= 5)}`;
      return brackets ? `(${text})` : text;
    }
    case 'arithmetic':
    case 'comparison':
      return binary(node, node.operator, node.left, node.right, brackets);
    case 'and':
      return binary(node, '&&', node.left, node.right, brackets);
    case 'or':
      return binary(node, '||', node.left, node.right, brackets);
    case 'starts with':
      return binary(node, 'starts with', node.left, node.right, brackets);
    case 'not':
      return `!(${show(node.operand, false)})`;
    case 'is unknown':
      return `(${show(node.operand, false)}) is unknown`;
    case 'exists':
      return `exists (${show(node.operand, false)})`;
    case 'like regex': {
      const flags =
        node.flags === '' ? '' : ` flag "${[...'ismxq'].filter((letter) => node.flags.includes(letter)).join('')}"`;
      const text = `${show(node.operand, priority(node.operand) <= 6)} like_regex ${quoteJson(node.pattern)}${flags}`;
      return brackets ? `(${text})` : text;
    }
  }
}

/** The path as text. */
export function formatJsonPath(path: JsonPath): string {
  return (path.lax ? '' : 'strict ') + show(path.node, true);
}
