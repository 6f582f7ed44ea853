/** The languages in which bodies of routines are written. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { plpgsqlLanguage } from './plpgsql/plpgsql-language.js';
import type { RoutineLanguage } from './routine-language.js';
import { sqlLanguage } from './sql-language.js';

const LANGUAGES: ReadonlyMap<string, RoutineLanguage> = new Map(
  [sqlLanguage, plpgsqlLanguage].map((language) => [language.name, language]),
);

/** Languages that PostgreSQL comes with, or can be given. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'c',
  'internal',
  'plperl',
  'plperlu',
  'plpythonu',
  'plpython3u',
  'pltcl',
  'pltclu',
]);

/** 42704 for a language that nobody knows, 0A000 for one that is not here. */
export function languageNamed(name: string): RoutineLanguage {
  const language = LANGUAGES.get(name);
  if (language !== undefined) return language;
  if (ELSEWHERE.has(name)) throw unsupportedError(`LANGUAGE ${name}`);
  throw new PhantomError('42704', `language "${name}" does not exist`);
}
