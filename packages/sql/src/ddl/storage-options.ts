/**
 * WITH (...) of tables, indexes and views. PostgreSQL's storage parameters are advice to its own storage: they are checked, kept
 * and shown, so that schemas written for it can be loaded and dumped, and change nothing here, as a NOTICE says; `segment_rows` of
 * column indexes does. What would change an answer is refused. docs/storage-parameters.md lists what is kept so.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { Option } from '../text/ast-leaves.js';
import type { DdlContext } from './context.js';

const NUMBERS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  fillfactor: [10, 100],
  parallel_workers: [0, 1024],
  segment_rows: [16, 65536],
  toast_tuple_target: [128, 8160],
  autovacuum_vacuum_threshold: [0, 2147483647],
  autovacuum_vacuum_insert_threshold: [-1, 2147483647],
  autovacuum_analyze_threshold: [0, 2147483647],
  autovacuum_vacuum_cost_limit: [-1, 10000],
  autovacuum_freeze_min_age: [0, 1000000000],
  autovacuum_freeze_max_age: [100000, 2000000000],
  autovacuum_freeze_table_age: [0, 2000000000],
  autovacuum_multixact_freeze_min_age: [0, 1000000000],
  autovacuum_multixact_freeze_max_age: [10000, 2000000000],
  autovacuum_multixact_freeze_table_age: [0, 2000000000],
  autovacuum_vacuum_scale_factor: [0, 100],
  autovacuum_vacuum_insert_scale_factor: [0, 100],
  autovacuum_analyze_scale_factor: [0, 100],
  autovacuum_vacuum_cost_delay: [-1, 100],
  log_autovacuum_min_duration: [-1, 2147483647],
};
const BOOLEANS = new Set([
  'autovacuum_enabled',
  'vacuum_truncate',
  'user_catalog_table',
  'deduplicate_items',
  'fastupdate',
]);
const WORDS: Readonly<Record<string, readonly string[]>> = {
  vacuum_index_cleanup: ['auto', 'on', 'off', 'true', 'false'],
  buffering: ['auto', 'on', 'off'],
};
/** Those that change something, and `oids`, of which only the absence is taken. */
const EFFECTIVE = new Set(['engine', 'segment_rows', 'oids']);
const INDEX_ONLY = new Set(['deduplicate_items', 'fastupdate', 'buffering', 'segment_rows']);

/** Tells the client that something was kept and changes nothing here; `what` names it. */
export function noteWithoutEffect(context: Pick<DdlContext, 'notice'>, what: string): void {
  context.notice('NOTICE', '00000', `kept and shown, without an effect here: ${what}`);
}

/** The same of the options among these that have none. */
export function noteIdleOptions(context: Pick<DdlContext, 'notice'>, options: readonly Option[]): void {
  const names = options.map(({ name }) => name.text).filter((name) => !EFFECTIVE.has(name));
  const [first] = names;
  if (first === undefined) return;
  const quoted = names.map((name) => `"${name}"`).join(', ');
  noteWithoutEffect(context, `storage parameter${names.length === 1 ? '' : 's'} ${quoted}`);
}

/** An option's value as its text; `true` where none was written. */
export function optionText(option: Option): string {
  const { value } = option;
  switch (value?.kind) {
    case undefined:
      return 'true';
    case 'word':
      return value.name.map((part) => part.text).join('.');
    case 'string':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    default:
      throw new PhantomError('22023', `invalid value for option "${option.name.text}"`, {
        position: option.position + 1,
      });
  }
}

/** True for a truth value's text; 22023 for what is none. */
export function optionBoolean(option: Option): boolean {
  const text = optionText(option).toLowerCase();
  if (['true', 'on', 'yes', '1'].includes(text)) return true;
  if (['false', 'off', 'no', '0'].includes(text)) return false;
  throw new PhantomError('22023', `invalid value for boolean option "${option.name.text}": ${text}`);
}

/** Checked storage parameters of a table or index, as texts by name. 22023 for unknown ones and bad values. */
export function storageOptions(options: readonly Option[], object: 'table' | 'index'): Record<string, string> {
  const result: Record<string, string> = {};
  for (const option of options) {
    const plain = option.name.text;
    const name = option.namespace === undefined ? plain : `${option.namespace.text}.${plain}`;
    if (option.namespace !== undefined && option.namespace.text !== 'toast')
      throw new PhantomError('22023', `unrecognized parameter namespace "${option.namespace.text}"`);
    const text = optionText(option);
    if (plain === 'oids') {
      if (optionBoolean(option)) throw new PhantomError('0A000', 'tables declared WITH OIDS are not supported');
      continue;
    }
    checkOption(plain, text, option, object);
    if (result[name] !== undefined) throw new PhantomError('22023', `parameter "${name}" specified more than once`);
    result[name] = text;
  }
  return result;
}

function checkOption(name: string, text: string, option: Option, object: 'table' | 'index'): void {
  const range = NUMBERS[name];
  const known = range !== undefined || BOOLEANS.has(name) || WORDS[name] !== undefined;
  const fits = object === 'index' ? name === 'fillfactor' || INDEX_ONLY.has(name) : !INDEX_ONLY.has(name);
  if (!known || !fits)
    throw new PhantomError('22023', `unrecognized parameter "${name}"`, { position: option.position + 1 });
  if (range !== undefined) {
    const value = Number(text);
    if (text.trim() === '' || Number.isNaN(value))
      throw new PhantomError(
        '22023',
        `invalid value for ${Number.isInteger(range[1]) ? 'integer' : 'floating point'} option "${name}": ${text}`,
      );
    if (value < range[0] || value > range[1])
      throw new PhantomError('22023', `value ${text} out of bounds for option "${name}"`, {
        detail: `Valid values are between "${range[0]}" and "${range[1]}".`,
      });
  }
  if (BOOLEANS.has(name)) optionBoolean(option);
  const words = WORDS[name];
  if (words !== undefined && !words.includes(text.toLowerCase()))
    throw new PhantomError('22023', `invalid value for enum option "${name}": ${text}`);
}

/** The `options` field after SET (...) or RESET (...). */
export function changedStorageOptions(
  before: Readonly<Record<string, string>> | undefined,
  action: { readonly kind: 'set-options' | 'reset-options'; readonly options: readonly Option[] },
  object: 'table' | 'index',
): { readonly options: Readonly<Record<string, string>> } {
  if (action.options.some((option) => option.name.text === 'engine'))
    throw unsupportedError('ALTER TABLE ... SET (engine)');
  if (action.kind === 'set-options') return { options: { ...before, ...storageOptions(action.options, object) } };
  const names = new Set(action.options.map((option) => option.name.text));
  return { options: Object.fromEntries(Object.entries(before ?? {}).filter(([name]) => !names.has(name))) };
}

/** WITH (...) of a view: security_barrier, security_invoker, check_option. */
export function viewOptions(options: readonly Option[]): {
  readonly options: Readonly<Record<string, string>>;
  readonly checkOption: 'local' | 'cascaded' | undefined;
} {
  const kept: Record<string, string> = {};
  let checkOption: 'local' | 'cascaded' | undefined;
  for (const option of options) {
    const name = option.name.text;
    if (name === 'check_option') {
      const text = optionText(option);
      if (text !== 'local' && text !== 'cascaded')
        throw new PhantomError('22023', `invalid value for enum option "check_option": ${text}`, {
          detail: 'Valid values are "local" and "cascaded".',
        });
      checkOption = text;
    } else if (name === 'security_barrier' || name === 'security_invoker') {
      kept[name] = String(optionBoolean(option));
    } else {
      throw new PhantomError('22023', `unrecognized parameter "${name}"`, { position: option.position + 1 });
    }
  }
  return { options: kept, checkOption };
}
