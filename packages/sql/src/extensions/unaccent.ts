/** unaccent: texts without the marks of their letters, by PostgreSQL's rules. */
import type { Implementations } from '../functions/implementation.js';
import type { ExtensionFacts } from './extension.js';
import { unaccentRules } from './unaccent-rules.js';

const NOT_ASCII = /[\u0080-\u{10ffff}]/gu;

/** The form of the lines is told in extension.ts. The function that names a dictionary is left out, since none can be made. */
export const unaccentFacts: ExtensionFacts = {
  name: 'unaccent',
  version: '1.1',
  description: 'text search dictionary that removes accents',
  requires: [],
  types: [],
  functions: 'unaccent text text sx unaccent_dict',
  operators: '',
  casts: '',
  operatorClasses: '',
  bodies: {},
};

export const unaccentCode: Implementations = {
  unaccent_dict: (text: string) => {
    const rules = unaccentRules();
    return text.replace(NOT_ASCII, (character) => rules.get(character) ?? character);
  },
};
