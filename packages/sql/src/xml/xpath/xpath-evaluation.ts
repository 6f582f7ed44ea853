/**
 * Evaluation of XPath 1.0 over a tree.
 *
 * 1. Sets of nodes are in document order, each node once, between steps and at the end; within a step the order is that of
 *    its axis, by which predicates count.
 * 2. Every node that is looked at is counted, and an expression ends with 54001 that looks at more than XPATH_STEPS_MAX: three
 *    nested `//` over a long document would go on for hours.
 */
import { PhantomError } from '@phantom/base';
import type { XmlNode } from '../tree.js';
import { type XPathContext, callXPath } from './xpath-functions.js';
import type { XPath, XPathStep, XPathTest } from './xpath-syntax.js';
import {
  XPathError,
  type XPathValue,
  booleanOf,
  compareEqual,
  compareLess,
  nodesOf,
  numberOf,
} from './xpath-values.js';

/** Nodes that an expression may look at: some seconds. */
export const XPATH_STEPS_MAX = 20_000_000;

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

type Binary = Extract<XPath, { kind: 'binary' }>;

function inOrder(nodes: XmlNode[]): XmlNode[] {
  for (let i = 1; i < nodes.length; i++) {
    if ((nodes[i] as XmlNode).order < (nodes[i - 1] as XmlNode).order) {
      return nodes.sort((a, b) => a.order - b.order);
    }
  }
  return nodes;
}

/** Whether a node is of the kind and name that a step asks for; `uri` is that of its prefix. */
function matches(node: XmlNode, test: XPathTest, principal: 'element' | 'attribute', uri: string | undefined): boolean {
  switch (test.kind) {
    case 'node':
      return true;
    case 'text':
      return node.kind === 'text' || node.kind === 'cdata';
    case 'comment':
      return node.kind === 'comment';
    case 'instruction':
      return node.kind === 'instruction' && (test.target === undefined || node.name === test.target);
    default:
      if (node.kind !== principal) return false;
      if (test.local === '*') return uri === undefined || node.uri === uri;
      return node.local === test.local && node.uri === (uri ?? '');
  }
}

export class XPathEvaluation {
  private readonly namespaces: ReadonlyMap<string, string>;
  private readonly stepsMax: number;
  private steps = 0;

  /** Name spaces by the prefixes that the expression uses. */
  constructor(namespaces: ReadonlyMap<string, string>, stepsMax = XPATH_STEPS_MAX) {
    this.namespaces = namespaces;
    this.stepsMax = stepsMax;
  }

  /** The expression's value at a node; an XPathError where it has none. */
  evaluate(expression: XPath, node: XmlNode): XPathValue {
    return this.value(expression, { node, position: 1, size: 1 });
  }

  private count(nodes: number): void {
    this.steps += nodes;
    if (this.steps <= this.stepsMax) return;
    throw new PhantomError('54001', 'XPath expression is too complex', {
      detail: `An expression may look at ${this.stepsMax} nodes.`,
    });
  }

  private value(expression: XPath, context: XPathContext): XPathValue {
    switch (expression.kind) {
      case 'number':
      case 'string':
        return expression.value;
      case 'variable':
        throw new XPathError('Undefined variable');
      case 'negate':
        return -numberOf(this.value(expression.operand, context));
      case 'binary':
        return this.binary(expression, context);
      case 'call': {
        const args = expression.arguments.map((argument) => this.value(argument, context));
        this.count(1);
        return callXPath(expression.name, args, context);
      }
      case 'filter': {
        const nodes = this.value(expression.base, context);
        if (expression.predicates.length === 0) return nodes;
        return this.filtered(nodesOf(nodes), expression.predicates);
      }
      default:
        return this.path(expression, context);
    }
  }

  private binary({ operator, left, right }: Binary, context: XPathContext): XPathValue {
    const first = this.value(left, context);
    if (operator === 'or' && booleanOf(first)) return true;
    if (operator === 'and' && !booleanOf(first)) return false;
    const second = this.value(right, context);
    switch (operator) {
      case 'or':
      case 'and':
        return booleanOf(second);
      case '=':
      case '!=':
        this.countSets(first, second);
        return compareEqual(operator === '=', first, second);
      case '<':
      case '<=':
        this.countSets(first, second);
        return compareLess(operator === '<=', first, second);
      case '>':
      case '>=':
        this.countSets(first, second);
        return compareLess(operator === '>=', second, first);
      case '|': {
        this.countSets(first, second);
        return inOrder([...new Set([...nodesOf(first), ...nodesOf(second)])]);
      }
      default:
        return arithmetic(operator, numberOf(first), numberOf(second));
    }
  }

  private countSets(...values: XPathValue[]): void {
    for (const value of values) if (typeof value === 'object') this.count(value.length);
  }

  private path(path: Extract<XPath, { kind: 'path' }>, context: XPathContext): readonly XmlNode[] {
    let nodes: readonly XmlNode[] = [context.node];
    if (path.start === 'root') {
      let root = context.node;
      while (root.parent !== undefined) root = root.parent;
      nodes = [root];
    } else if (path.start !== undefined) nodes = nodesOf(this.value(path.start, context));
    for (const step of path.steps) nodes = this.step(nodes, step);
    return nodes;
  }

  private step(nodes: readonly XmlNode[], step: XPathStep): readonly XmlNode[] {
    const uri = this.uriOf(step.test);
    const [only] = nodes;
    if (nodes.length === 1 && only !== undefined) return inOrder(this.selected(only, step, uri));
    const found = new Set<XmlNode>();
    for (const node of nodes) for (const one of this.selected(node, step, uri)) found.add(one);
    return inOrder([...found]);
  }

  private uriOf(test: XPathTest): string | undefined {
    if (test.kind !== 'name' || test.prefix === undefined) return undefined;
    const uri = test.prefix === 'xml' ? XML_NAMESPACE : this.namespaces.get(test.prefix);
    if (uri === undefined) throw new XPathError('Undefined namespace prefix');
    return uri;
  }

  /** Nodes of the step from one node, in the order of its axis. */
  private selected(node: XmlNode, step: XPathStep, uri: string | undefined): XmlNode[] {
    const principal = step.axis === 'attribute' ? 'attribute' : 'element';
    const found: XmlNode[] = [];
    let looked = 0;
    this.walk(node, step.axis, (one) => {
      looked++;
      if (matches(one, step.test, principal, uri)) found.push(one);
    });
    this.count(looked + 1);
    return this.filtered(found, step.predicates) as XmlNode[];
  }

  private filtered(nodes: readonly XmlNode[], predicates: readonly XPath[]): readonly XmlNode[] {
    let left = nodes;
    for (const predicate of predicates) {
      const size = left.length;
      left = left.filter((node, i) => {
        const value = this.value(predicate, { node, position: i + 1, size });
        return typeof value === 'number' ? value === i + 1 : booleanOf(value);
      });
    }
    return left;
  }

  private walk(node: XmlNode, axis: XPathStep['axis'], visit: (node: XmlNode) => void): void {
    switch (axis) {
      case 'self':
        visit(node);
        break;
      case 'child':
        node.children.forEach(visit);
        break;
      case 'attribute':
        node.attributes.forEach(visit);
        break;
      case 'parent':
        if (node.parent !== undefined) visit(node.parent);
        break;
      case 'descendant-or-self':
        visit(node);
        below(node, visit);
        break;
      case 'descendant':
        below(node, visit);
        break;
      case 'ancestor':
      case 'ancestor-or-self':
        for (let at = axis === 'ancestor' ? node.parent : node; at !== undefined; at = at.parent) visit(at);
        break;
      case 'following-sibling':
        siblings(node, 1, visit);
        break;
      case 'preceding-sibling':
        siblings(node, -1, visit);
        break;
      case 'following':
        if (node.kind === 'attribute' && node.parent !== undefined) below(node.parent, visit);
        beside(node, 1, visit);
        break;
      default:
        beside(node, -1, visit);
    }
  }
}

function below(node: XmlNode, visit: (node: XmlNode) => void): void {
  for (const child of node.children) {
    visit(child);
    if (child.children.length > 0) below(child, visit);
  }
}

/** As below, from the last to the first. */
function belowBackwards(node: XmlNode, visit: (node: XmlNode) => void): void {
  for (let i = node.children.length - 1; i >= 0; i--) {
    const child = node.children[i] as XmlNode;
    belowBackwards(child, visit);
    visit(child);
  }
}

function siblings(node: XmlNode, direction: 1 | -1, visit: (node: XmlNode) => void): void {
  const around = node.kind === 'attribute' ? undefined : node.parent?.children;
  if (around === undefined) return;
  for (let i = node.index + direction; i >= 0 && i < around.length; i += direction) visit(around[i] as XmlNode);
}

/** What follows the node, or stands before it, and is neither in it nor around it. */
function beside(node: XmlNode, direction: 1 | -1, visit: (node: XmlNode) => void): void {
  for (let at: XmlNode | undefined = node; at !== undefined; at = at.parent) {
    siblings(at, direction, (sibling) => {
      if (direction > 0) visit(sibling);
      if (direction > 0) below(sibling, visit);
      else {
        belowBackwards(sibling, visit);
        visit(sibling);
      }
    });
  }
}

function arithmetic(operator: '+' | '-' | '*' | 'div' | 'mod', left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case 'div':
      return left / right;
    default:
      return left % right;
  }
}
