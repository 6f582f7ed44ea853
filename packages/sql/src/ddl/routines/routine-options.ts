/** The options of CREATE and ALTER FUNCTION and PROCEDURE, each at most once. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { RoutineDescriptor } from '@phantom/catalog';
import { settingText } from '../../session/setting-forms.js';
import { readSetting } from '../../session/settings.js';
import type { RoutineOption } from '../../text/ast-schema.js';
import type { Reset, SetSetting } from '../../text/ast-session.js';
import type { DdlContext } from '../context.js';

/** What options say; undefined where none does. */
export interface ReadOptions {
  language?: string;
  source?: string;
  volatility?: RoutineDescriptor['volatility'];
  strict?: boolean;
  securityDefiner?: boolean;
  leakproof?: boolean;
  parallel?: RoutineDescriptor['parallel'];
  cost?: number;
  rows?: number;
}

/** What a routine is where nothing else is said; a set has a thousand rows. */
export const DEFAULT_OPTIONS = {
  volatility: 'volatile',
  strict: false,
  securityDefiner: false,
  leakproof: false,
  parallel: 'unsafe',
  cost: 100,
} as const;
export const SET_ROWS_DEFAULT = 1000;

const PARALLEL: ReadonlySet<string> = new Set(['safe', 'restricted', 'unsafe']);

/** Options that describe a function's result, which a procedure has none of. */
const OF_FUNCTIONS: ReadonlySet<RoutineOption['kind']> = new Set([
  'volatility',
  'strict',
  'leakproof',
  'parallel',
  'cost',
  'rows',
  'window',
  'support',
]);

export function readOptions(
  options: readonly RoutineOption[],
  routine: RoutineDescriptor['routine'],
  returnsSet: boolean,
): ReadOptions {
  const read: ReadOptions = {};
  const seen = new Set<RoutineOption['kind']>();
  for (const option of options) {
    const at = { position: option.position + 1 };
    if (seen.has(option.kind)) throw new PhantomError('42601', 'conflicting or redundant options', at);
    seen.add(option.kind);
    if (routine === 'procedure' && OF_FUNCTIONS.has(option.kind))
      throw new PhantomError('42P13', 'invalid attribute in procedure definition', at);
    switch (option.kind) {
      case 'language':
        read.language = option.name.text;
        break;
      case 'as':
        if (option.sources.length > 1)
          throw new PhantomError('42P13', 'only one AS item needed for language "sql"', at);
        read.source = option.sources[0]?.value ?? '';
        break;
      case 'volatility':
        read.volatility = option.value;
        break;
      case 'strict':
        read.strict = option.value;
        break;
      case 'leakproof':
        read.leakproof = option.value;
        break;
      case 'security-definer':
        read.securityDefiner = option.value;
        break;
      case 'parallel':
        if (!PARALLEL.has(option.value.text))
          throw new PhantomError('42601', 'parameter "parallel" must be SAFE, RESTRICTED, or UNSAFE');
        read.parallel = option.value.text as RoutineDescriptor['parallel'];
        break;
      case 'cost':
        read.cost = positive(option.value.text, 'COST');
        break;
      case 'rows':
        if (!returnsSet) throw new PhantomError('22023', 'ROWS is not applicable when function does not return a set');
        read.rows = positive(option.value.text, 'ROWS');
        break;
      case 'data-access':
        break;
      case 'window':
        throw unsupportedError('window functions of users');
      case 'result-sets':
        throw unsupportedError('DYNAMIC RESULT SETS');
      default:
        throw unsupportedError(`${option.kind.toUpperCase()} of a routine`);
    }
  }
  return read;
}

/** LEAKPROOF is believed without proof. */
export function requireSuperuser(context: DdlContext): void {
  const role = context.objects.object(context.roleOid);
  if (role?.kind === 'role' && role.superuser) return;
  throw new PhantomError('42501', 'only superuser can define a leakproof function');
}

function positive(text: string, word: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new PhantomError('22023', `${word} must be positive`);
}

/** Settings after SET and RESET of a routine; undefined where there are none. */
export function changedSettings(
  context: DdlContext,
  before: RoutineDescriptor['settings'],
  changes: readonly (SetSetting | Reset)[],
): { readonly settings?: Readonly<Record<string, string>> } {
  const settings: Record<string, string> = { ...before };
  for (const change of changes) {
    const { name } = change;
    if (name === undefined) {
      for (const key of Object.keys(settings)) delete settings[key];
    } else if (change.kind === 'reset' || change.value.kind === 'default') {
      delete settings[name];
    } else if (change.value.kind === 'values') {
      settings[name] = readSetting(name, settingText(name, change.value.values));
    } else {
      settings[name] = context.evaluation.setting(name, false) ?? '';
    }
  }
  return Object.keys(settings).length === 0 ? {} : { settings };
}
