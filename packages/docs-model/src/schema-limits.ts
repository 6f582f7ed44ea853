/**
 * Schemas that are refused (0A000) because the validator below would answer wrongly: a schema that cannot be kept is no schema. What
 * is here was found by the JSON-Schema-Test-Suite (`npm run schemas`).
 *
 *   $dynamicRef, $recursiveRef     resolved as if they were $ref
 *   unevaluatedItems               wrong beside contains, if and anyOf
 *   unevaluatedProperties          wrong beside an if without then or else
 *   a property called __proto__    its schema is passed over
 *   $ref with others (draft 7)     the others count, and should not
 */
import { unsupportedError } from '@phantom/base';
import { type PlainObject, isObject } from './order.js';

/** Keywords whose value is schemas by name. */
const BY_NAME: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  'dependencies',
  '$defs',
  'definitions',
]);
/** Keywords whose value is data. */
const DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples']);
/** What may stand beside a $ref of draft 7 without meaning anything. */
const ANNOTATIONS: ReadonlySet<string> = new Set(['$ref', '$comment', '$schema', 'title', 'description', 'x-ref']);

/** 0A000 for what the validator gets wrong. */
export function refuseUnsound(schema: unknown, isDraft7: boolean): void {
  const keywords = new Set<string>();
  let hasPartialIf = false;
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    if (!isObject(node)) return;
    hasPartialIf ||= Object.hasOwn(node, 'if') && !(Object.hasOwn(node, 'then') && Object.hasOwn(node, 'else'));
    if (isDraft7) refuseBesideRef(node);
    for (const keyword of Object.keys(node)) {
      keywords.add(keyword);
      const value = node[keyword];
      if (DATA.has(keyword)) continue;
      if (BY_NAME.has(keyword) && isObject(value)) {
        if (Object.hasOwn(value, '__proto__')) throw unsupportedError('a property called __proto__ in a schema');
        Object.keys(value).forEach((name) => walk(value[name]));
      } else {
        walk(value);
      }
    }
  };
  walk(schema);
  for (const keyword of ['$dynamicRef', '$recursiveRef']) {
    if (keywords.has(keyword)) throw unsupportedError(`${keyword} in a schema`);
  }
  if (keywords.has('unevaluatedItems')) {
    for (const keyword of ['contains', 'if', 'anyOf']) {
      if (keywords.has(keyword)) throw unsupportedError(`unevaluatedItems in a schema with ${keyword}`);
    }
  }
  if (keywords.has('unevaluatedProperties') && hasPartialIf) {
    throw unsupportedError('unevaluatedProperties in a schema with an if that lacks then or else');
  }
}

function refuseBesideRef(node: PlainObject): void {
  if (typeof node['$ref'] !== 'string') return;
  const beside = Object.keys(node).find((keyword) => !ANNOTATIONS.has(keyword));
  if (beside !== undefined) {
    throw unsupportedError(`${beside} beside $ref in a schema of draft 7`, { hint: 'Put both into allOf.' });
  }
}
