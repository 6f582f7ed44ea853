/** SQL/XML's functions with a syntax of their own, and IS DOCUMENT: what they do is in functions/xml. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import type { EvaluationContext, Volatility } from '../functions/registry.js';
import {
  type XmlPart,
  xmlConcat,
  xmlElement,
  xmlForest,
  xmlInstruction,
  xmlRoot,
} from '../functions/xml/xml-building.js';
import { xmlName } from '../functions/xml/xml-names.js';
import type * as Ast from '../text/ast.js';
import { withColumnNames, xmlFunctionText } from '../text/writing/xml-writer.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { TypeOid } from '../types/type-oids.js';
import { BOOL, TEXT, typeRef } from '../types/type-refs.js';
import type { Value } from '../types/type.js';
import { isWellFormed, readXml } from '../xml/check.js';
import type { Binder } from './binder.js';
import { callNamed, internalCall } from './calls.js';
import { coerce, isUnknown, tryCoerce } from './coercion.js';
import type { Expression } from './expression.js';
import type { Scope } from './scope.js';
import { resolveTypeName } from './type-names.js';

export const XML: TypeRef = typeRef(TypeOid.xml);

type Call = (...args: never[]) => Value;

/** The expression as the type that the construct wants; 42804 where it cannot be. */
export function xmlOperand(
  binder: Binder,
  operand: Expression,
  target: TypeRef,
  construct: string,
  position: number,
): Expression {
  const { context } = binder;
  const coerced = tryCoerce(context, operand, target, 'assignment', position);
  if (coerced !== undefined) return coerced;
  const wanted = context.typeName(target.oid);
  const given = context.typeName(operand.type.oid);
  throw context.error('42804', `argument of ${construct} must be type ${wanted}, not type ${given}`, position);
}

/** A value of whatever type; a literal is a text. */
function anyOperand(binder: Binder, node: Ast.Expression, scope: Scope): Expression {
  const bound = binder.bind(node, scope);
  return isUnknown(bound) ? coerce(binder.context, bound, TEXT, 'implicit', node.position) : bound;
}

/** Names and values of XMLATTRIBUTES and XMLFOREST: a value without a name of its own has that of its column. */
function namedOperands(
  binder: Binder,
  node: Ast.XmlFunction,
  scope: Scope,
): { readonly parts: readonly XmlPart[]; readonly values: readonly Expression[] } {
  const { context } = binder;
  const seen = new Set<string>();
  const isElement = node.function === 'element';
  const names = node.named.map(({ name, value }) => {
    const column = value.kind === 'column' ? value.names.at(-1) : undefined;
    if (name === undefined && column === undefined) {
      const what = isElement ? 'attribute' : 'element';
      throw context.error('42601', `unnamed XML ${what} value must be a column reference`, value.position);
    }
    const mapped = name === undefined ? xmlName(column?.text ?? '', { fully: true }) : xmlName(name.text);
    if (isElement && seen.has(mapped)) {
      throw context.error('42601', `XML attribute name "${mapped}" appears more than once`, value.position);
    }
    seen.add(mapped);
    return mapped;
  });
  const values = node.named.map(({ value }) => anyOperand(binder, value, scope));
  return { parts: values.map((value, i) => ({ name: names[i] as string, oid: value.type.oid })), values };
}

/** A call that gets its values as a list. */
function listCall(
  name: string,
  args: readonly Expression[],
  call: (values: readonly Value[], context: EvaluationContext) => Value,
  volatility: Volatility = 'immutable',
): Expression {
  const spread = (...values: Value[]): Value =>
    call(values.slice(0, -1), values[values.length - 1] as EvaluationContext);
  return internalCall(name, args, XML, spread as Call, volatility);
}

function bindElement(binder: Binder, node: Ast.XmlFunction, scope: Scope): Expression {
  const { parts, values } = namedOperands(binder, node, scope);
  const contents = node.arguments.map((argument) => anyOperand(binder, argument, scope));
  const oids = contents.map((content) => content.type.oid);
  const name = xmlName(node.name?.text ?? '');
  // Dates and bytea stand there as the session says.
  const call = (given: readonly Value[], context: EvaluationContext): Value =>
    xmlElement(name, parts, oids, given, context);
  return listCall('xmlelement', [...values, ...contents], call, 'stable');
}

function bindForest(binder: Binder, node: Ast.XmlFunction, scope: Scope): Expression {
  const { parts, values } = namedOperands(binder, node, scope);
  return listCall('xmlforest', values, (given, context) => xmlForest(parts, given, context), 'stable');
}

function bindSerialize(binder: Binder, node: Ast.XmlFunction, value: Expression): Expression {
  const { context } = binder;
  const type = node.type as NonNullable<Ast.XmlFunction['type']>;
  const target = context.at(type.position, () => resolveTypeName(context.catalog, type));
  const asDocument = node.form === 'document';
  const call = ((given: string | null) => {
    if (given !== null && asDocument && !isWellFormed(given, 'document')) {
      throw new PhantomError('2200L', 'not an XML document');
    }
    return given;
  }) as Call;
  const made = internalCall('xmlserialize', [value], TEXT, call, 'immutable');
  const text: Expression = { ...made, written: writing(node) };
  const serialized = tryCoerce(context, text, target, 'implicit', node.position);
  if (serialized !== undefined) return serialized;
  throw context.error('42846', `cannot cast XMLSERIALIZE result to ${context.typeName(target.oid)}`, node.position);
}

/** One of the functions that SQL/XML has a syntax for. */
export function bindXmlFunction(binder: Binder, node: Ast.XmlFunction, scope: Scope): Expression {
  const bound = bindFunction(binder, node, scope);
  const isIt = bound.kind === 'call' && node.function !== 'serialize';
  return isIt ? { ...bound, written: writing(node) } : bound;
}

/** How the function is written around its parts; the values that have names come first. */
function writing(node: Ast.XmlFunction): (parts: readonly string[]) => string {
  const values = [...node.named.map(({ value }) => value), ...node.arguments];
  return (parts) => {
    const texts = new Map(values.map((value, i) => [value, parts[i] ?? '']));
    return xmlFunctionText(withColumnNames(node), {
      value: (value) => texts.get(value) ?? '',
      operand: (value) => `(${texts.get(value) ?? ''})`,
      name: ({ text }) => quoteIdentifier(text),
      // What becomes of the text is a cast of its own.
      type: () => 'text',
    });
  };
}

function bindFunction(binder: Binder, node: Ast.XmlFunction, scope: Scope): Expression {
  const construct = `XML${node.function.toUpperCase()}`;
  const operand = (at: number, target: TypeRef): Expression => {
    const argument = node.arguments[at] as Ast.Expression;
    return xmlOperand(binder, binder.bind(argument, scope), target, construct, argument.position);
  };
  switch (node.function) {
    case 'element':
      return bindElement(binder, node, scope);
    case 'forest':
      return bindForest(binder, node, scope);
    case 'concat': {
      const values = node.arguments.map((_, at) => operand(at, XML));
      return listCall('xmlconcat', values, (given) => xmlConcat(given as readonly (string | null)[]));
    }
    case 'parse': {
      const form = node.form ?? 'content';
      const call = ((text: string | null) => {
        if (text !== null) readXml(text, form);
        return text;
      }) as Call;
      return internalCall('xmlparse', [operand(0, TEXT)], XML, call, 'immutable');
    }
    case 'pi': {
      const target = xmlName(node.name?.text ?? '');
      const content = node.arguments.length === 0 ? [] : [operand(0, TEXT)];
      return listCall('xmlpi', content, ([text]) => xmlInstruction(target, text as string | null | undefined));
    }
    case 'root': {
      const value = operand(0, XML);
      const version = node.arguments.length === 1 ? [] : [operand(1, TEXT)];
      return listCall('xmlroot', [value, ...version], ([given, text]) =>
        given === null ? null : xmlRoot(given as string, text as string | null | undefined, node.standalone),
      );
    }
    case 'serialize':
      return bindSerialize(binder, node, operand(0, XML));
    default: {
      const args = node.arguments.map((argument) => binder.bind(argument, scope));
      return callNamed(binder.context, 'xmlexists', args, node.position);
    }
  }
}

/** `value IS [NOT] DOCUMENT`. */
export function bindIsDocument(binder: Binder, node: Ast.IsTest, operand: Expression): Expression {
  const value = xmlOperand(binder, operand, XML, 'IS DOCUMENT', node.operand.position);
  const call = ((text: string | null) => (text === null ? null : isWellFormed(text, 'document'))) as Call;
  const made = internalCall('is_document', [value], BOOL, call, 'immutable');
  const tested: Expression = { ...made, written: ([text]) => `${text} IS DOCUMENT` };
  return node.negated ? { kind: 'not', operand: tested, type: BOOL } : tested;
}
