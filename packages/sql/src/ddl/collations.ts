/**
 * CREATE COLLATION: nobody makes collations here, which are those of the JavaScript engine by the names of their locales; so
 * that a statement that is wrong in itself is told so, its options are looked at before it is refused.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { requireCollation } from '../expr/named-collation.js';
import type { CreateDefinition } from '../text/ast-schema.js';
import type { DdlContext } from './context.js';
import { creationSchema } from './names.js';
import { optionBoolean, optionText } from './storage-options.js';

const ATTRIBUTES: ReadonlySet<string> = new Set([
  'from',
  'locale',
  'lc_collate',
  'lc_ctype',
  'provider',
  'deterministic',
  'version',
]);

const PROVIDERS: ReadonlySet<string> = new Set(['icu', 'libc']);

/** Raises what is wrong with the options, or else that collations cannot be made. */
export function refuseCollation(context: DdlContext, node: CreateDefinition): never {
  creationSchema(context, node.name);
  checkOptions(node);
  throw unsupportedError('CREATE COLLATION', {
    hint: 'Collations are named by their locales: COLLATE "de-DE-u-kn".',
  });
}

function checkOptions({ definition, from }: CreateDefinition): void {
  const given = new Map<string, (typeof definition)[number]>();
  for (const option of definition) {
    const name = option.name.text;
    const position = option.position + 1;
    if (!ATTRIBUTES.has(name))
      throw new PhantomError('42601', `collation attribute "${name}" not recognized`, { position });
    if (given.has(name)) throw new PhantomError('42601', 'conflicting or redundant options', { position });
    given.set(name, option);
  }
  const conflict = (detail: string): PhantomError =>
    new PhantomError('42601', 'conflicting or redundant options', { detail });
  if (given.has('locale') && (given.has('lc_collate') || given.has('lc_ctype')))
    throw conflict('LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE.');
  if (given.has('from') && given.size > 1) throw conflict('FROM cannot be specified together with any other options.');
  const source = from?.at(-1)?.text ?? textOf(given.get('from'));
  if (source !== undefined) checkSource(source);
  const provider = textOf(given.get('provider'));
  if (provider !== undefined && !PROVIDERS.has(provider))
    throw new PhantomError('42P17', `unrecognized collation provider: ${provider}`);
  const deterministic = given.get('deterministic');
  if (deterministic !== undefined) optionBoolean(deterministic);
  if (source !== undefined || given.has('locale')) return;
  for (const name of ['lc_collate', 'lc_ctype'] as const)
    if (!given.has(name)) throw new PhantomError('42P17', `parameter "${name}" must be specified`);
}

function textOf(option: CreateDefinition['definition'][number] | undefined): string | undefined {
  return option === undefined ? undefined : optionText(option);
}

function checkSource(name: string): void {
  requireCollation(name);
  if (name === 'default') throw new PhantomError('42P17', 'collation "default" cannot be copied');
}
