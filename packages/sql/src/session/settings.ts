/**
 * A session's settings: current values, what a transaction has changed and must give back, and their text forms.
 *
 * SET changes the session, but a rollback takes it back; SET LOCAL ends with the transaction either way. Each change
 * inside a transaction pushes one undo step, so savepoints and rollbacks are a walk back over the stack.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { absentSettings } from './absent-settings.js';
import { fixedSettings } from './fixed-settings.js';
import { processSettings } from './process-settings.js';
import { type ServerSettings, serverSettings } from './server-settings.js';
import { settingCategory } from './setting-categories.js';
import type { ListedSetting } from '../system-views/system-view.js';
import { SETTING_DEFINITIONS, type SettingDefinition, type SettingKind } from './setting-definitions.js';

const ALL_SETTINGS: readonly SettingDefinition[] = [
  ...SETTING_DEFINITIONS,
  ...serverSettings,
  ...processSettings,
  ...fixedSettings,
  ...absentSettings,
];

const BY_NAME = new Map(ALL_SETTINGS.map((definition) => [definition.name, definition]));
/** Names as they are shown, where that is not in small letters. */
const TITLES: Readonly<Record<string, string>> = {
  timezone: 'TimeZone',
  datestyle: 'DateStyle',
  intervalstyle: 'IntervalStyle',
};
const SETTINGS_BY_TITLE = ALL_SETTINGS.toSorted((a, b) => (a.name < b.name ? -1 : 1));
/** Kinds as pg_settings calls them. */
const VARTYPES: Readonly<Record<SettingKind['kind'], ListedSetting['vartype']>> = {
  boolean: 'bool',
  integer: 'integer',
  real: 'real',
  enum: 'enum',
  text: 'string',
  list: 'string',
};
const TRUE_WORDS = ['on', 'true', 'yes', '1', 't', 'y', 'tr', 'tru', 'ye'];
const FALSE_WORDS = ['off', 'false', 'no', '0', 'f', 'n', 'of', 'fa', 'fal', 'fals'];
const UNIT_FACTORS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  s: { us: 1e-6, ms: 0.001, s: 1, min: 60, h: 3600, d: 86_400 },
  ms: { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 },
  kB: { B: 1 / 1024, kB: 1, MB: 1024, GB: 1024 ** 2, TB: 1024 ** 3 },
  min: { us: 1 / 60_000_000, ms: 1 / 60_000, s: 1 / 60, min: 1, h: 60, d: 1440 },
  B: { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 },
  MB: { B: 1 / 1024 ** 2, kB: 1 / 1024, MB: 1, GB: 1024, TB: 1024 ** 2 },
  '8kB': { B: 1 / 8192, kB: 1 / 8, MB: 128, GB: 131_072, TB: 134_217_728 },
};

/** What an amount is multiplied by for SHOW, which reckons in ms and kB. */
const SHOWN_FACTORS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, B: 1 / 1024, MB: 1024, '8kB': 8 };
/** Units of time; the others are of memory. */
const TIME_UNITS: ReadonlySet<string> = new Set(['ms', 's', 'min']);

interface UndoStep {
  readonly name: string;
  readonly before: string | undefined;
  /** SET LOCAL: undone at commit as well. */
  readonly local: boolean;
  /** What undoes a change that is no value of a setting (SET ROLE). */
  readonly action?: () => void;
}

/** One setting as SHOW ALL lists it. */
export interface SettingRow {
  readonly name: string;
  readonly value: string;
  readonly description: string;
}

export class Settings {
  private readonly values = new Map<string, string>();
  /** What reads have found: the value in force by name, dropped when it changes. Each statement asks for some. */
  private readonly found = new Map<string, string>();
  private readonly defaults: ReadonlyMap<string, string>;
  private readonly told: readonly ServerSettings[];
  private readonly undo: UndoStep[] = [];
  private readonly changed: (name: string, value: string, reported: boolean) => void;
  private changes = 0;

  /**
   * `defaults` come from the role, the database and the start-up packet, already checked; `changed` hears of every new value. `told`
   * is what the server says of itself, the first that knows a name.
   */
  constructor(
    defaults: ReadonlyMap<string, string>,
    changed: (name: string, value: string, reported: boolean) => void,
    told: readonly ServerSettings[] = [],
  ) {
    this.defaults = defaults;
    this.told = told;
    this.changed = changed;
  }

  /** Grows with every change of a value: whoever keeps what he has read here reads again when it has. */
  get version(): number {
    return this.changes;
  }

  /** Current text of a setting; 42704 when there is none of that name. */
  get(name: string): string {
    const value = this.tryGet(name);
    if (value === undefined) throw unknownSetting(name);
    return value;
  }

  /** As get, undefined when there is none. */
  tryGet(name: string): string | undefined {
    const known = this.found.get(name);
    if (known !== undefined) return known;
    const key = canonicalName(name);
    const value = this.values.get(key) ?? this.defaults.get(key) ?? this.unset(key);
    // Other spellings of a name are looked up each time: nobody would drop them.
    if (value !== undefined && key === name) this.found.set(key, value);
    return value;
  }

  /** What a setting is where nobody has set it. */
  defaultOf(name: string): string {
    return BY_NAME.get(canonicalName(name))?.default ?? '';
  }

  /** What stands where nobody has set it. */
  private unset(key: string): string | undefined {
    const definition = BY_NAME.get(key);
    for (const told of this.told) {
      const value = told.get(key);
      if (value !== undefined) return value;
    }
    return definition?.default;
  }

  /** 42501 where the setting may not be seen by somebody who is no member of pg_read_all_settings. */
  refuseGuarded(name: string, mayReadAll: boolean): void {
    const key = canonicalName(name);
    if (!mayReadAll && BY_NAME.get(key)?.guarded === true)
      throw new PhantomError(
        '42501',
        `must be superuser or have privileges of pg_read_all_settings to examine "${key}"`,
      );
  }

  boolean(name: string): boolean {
    return this.get(name) === 'on';
  }

  integer(name: string): number {
    return Number(this.get(name));
  }

  /** Sets a value from text, in canonical form; returns that form. 42501 for what superusers alone may set. `inTransaction`: keep it undoable. */
  set(name: string, text: string, options: { local: boolean; inTransaction: boolean }): string {
    const key = canonicalName(name);
    const definition = BY_NAME.get(key);
    refuseSetting(key, this.get('is_superuser') === 'on');
    const value =
      definition === undefined ? customValue(key, text) : readValue(definition, text, this.tryGet(key) ?? '');
    this.assign(key, value, options);
    return value;
  }

  /** Sets what the server itself decides (is_superuser, session_authorization, transaction_isolation). */
  setInternal(name: string, value: string): void {
    if (this.values.get(name) === value) return;
    this.values.set(name, value);
    this.changes++;
    this.found.delete(name);
    this.changed(name, value, BY_NAME.get(name)?.reported === true);
  }

  /** Back to the session's default. */
  reset(name: string, inTransaction: boolean): void {
    const key = canonicalName(name);
    const definition = BY_NAME.get(key);
    if (definition === undefined && this.tryGet(key) === undefined) throw unknownSetting(name);
    if (definition?.internal === true) throw cannotChange(definition);
    this.assign(key, undefined, { local: false, inTransaction });
  }

  resetAll(inTransaction: boolean): void {
    for (const name of this.values.keys()) {
      const internal = BY_NAME.get(name)?.internal === true || name.startsWith('transaction_');
      if (!internal) this.reset(name, inTransaction);
    }
  }

  /** Has a change of the session's undone as a SET in this transaction would be. */
  undoWith(action: () => void, local: boolean): void {
    this.undo.push({ name: '', before: undefined, local, action });
  }

  /** A place in the undo stack. */
  mark(): number {
    return this.undo.length;
  }

  /** Takes back everything behind the mark (rollback, rollback to savepoint). */
  rollbackTo(mark: number): void {
    while (this.undo.length > mark) this.restore(this.undo.pop() as UndoStep);
  }

  /** Ends the transaction: SET LOCAL goes back, SET stays. */
  commit(): void {
    for (let step = this.undo.pop(); step !== undefined; step = this.undo.pop()) if (step.local) this.restore(step);
  }

  /** Every setting, by name; `mayReadAll`: those as well that are guarded. */
  rows(mayReadAll: boolean): SettingRow[] {
    return visible(mayReadAll).map(({ name, kind, description }) => ({
      name: this.title(name),
      value: showValue(kind, this.get(name)),
      description,
    }));
  }

  /** As rows, and as pg_settings has them: values in the setting's unit. */
  listed(mayReadAll: boolean): ListedSetting[] {
    return visible(mayReadAll).map((definition) => {
      const { name, kind } = definition;
      const isNumber = kind.kind === 'integer' || kind.kind === 'real';
      return {
        name: this.title(name),
        setting: this.get(name),
        unit: isNumber ? kind.unit : undefined,
        vartype: VARTYPES[kind.kind],
        category: settingCategory(name),
        context: contextOf(definition),
        minimum: isNumber ? String(kind.minimum) : undefined,
        maximum: isNumber ? String(kind.maximum) : undefined,
        values: kind.kind === 'enum' ? kind.values : undefined,
        description: definition.description,
        isSet: this.values.has(name),
        isPreset: this.defaults.has(name),
        default: definition.default,
        reset: this.defaults.get(name) ?? this.unset(name) ?? definition.default,
      };
    });
  }

  /** Text as SHOW prints it: with the unit PostgreSQL would choose. */
  show(name: string): string {
    const definition = BY_NAME.get(canonicalName(name));
    const value = this.get(name);
    return definition === undefined ? value : showValue(definition.kind, value);
  }

  /** Name as SHOW titles its column, e.g. `TimeZone`. */
  title(name: string): string {
    return TITLES[canonicalName(name)] ?? canonicalName(name);
  }

  /**
   * What is not as every session has it, for the start of another session; what the server itself decides is not among it, nor what
   * superusers alone may set.
   */
  inForce(): Record<string, string> {
    const values: Record<string, string> = {};
    for (const name of [...this.defaults.keys(), ...this.values.keys()]) {
      const definition = BY_NAME.get(name);
      if (definition?.internal !== true && definition?.superuser !== true) values[name] = this.get(name);
    }
    return values;
  }

  /** Name and value of everything a client is told at start-up. */
  reported(): { name: string; value: string }[] {
    return ALL_SETTINGS.filter((d) => d.reported === true).map((d) => ({
      name: this.title(d.name),
      value: this.get(d.name),
    }));
  }

  private assign(key: string, value: string | undefined, options: { local: boolean; inTransaction: boolean }): void {
    if (options.inTransaction) this.undo.push({ name: key, before: this.values.get(key), local: options.local });
    else if (options.local) return;
    if (value !== undefined) this.values.set(key, value);
    else if (BY_NAME.has(key)) this.values.delete(key);
    // A setting of an application's own stays known, without a value.
    else this.values.set(key, this.defaults.get(key) ?? '');
    this.notify(key);
  }

  private restore(step: UndoStep): void {
    if (step.action !== undefined) {
      step.action();
      return;
    }
    if (step.before === undefined) this.values.delete(step.name);
    else this.values.set(step.name, step.before);
    this.notify(step.name);
  }

  private notify(key: string): void {
    this.changes++;
    this.found.delete(key);
    this.changed(key, this.tryGet(key) ?? '', BY_NAME.get(key)?.reported === true);
  }
}

function visible(mayReadAll: boolean): readonly SettingDefinition[] {
  return mayReadAll ? SETTINGS_BY_TITLE : SETTINGS_BY_TITLE.filter(({ guarded }) => guarded !== true);
}

/** When a setting may change, as pg_settings calls it. */
function contextOf({ internal, told, superuser }: SettingDefinition): ListedSetting['context'] {
  if (told !== undefined) return told;
  if (internal === true) return 'internal';
  return superuser === true ? 'superuser' : 'user';
}

function canonicalName(name: string): string {
  return name.toLowerCase();
}

function unknownSetting(name: string): PhantomError {
  return new PhantomError('42704', `unrecognized configuration parameter "${name}"`);
}

/** Settings of these prefixes are those that are known, and no others. */
const RESERVED_PREFIXES: ReadonlySet<string> = new Set(['phantom', 'plpgsql']);

/** Settings with a dot in their name belong to applications: any text. */
function customValue(key: string, text: string): string {
  if (!key.includes('.')) throw unknownSetting(key);
  const prefix = key.slice(0, key.indexOf('.'));
  if (RESERVED_PREFIXES.has(prefix))
    throw new PhantomError('42602', `invalid configuration parameter name "${key}"`, {
      detail: `"${prefix}" is a reserved prefix.`,
    });
  if (key.split('.').every((part) => /^[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*$/.test(part))) return text;
  throw new PhantomError('42602', `invalid configuration parameter name "${key}"`, {
    detail: 'Custom parameter names must be two or more simple identifiers separated by dots.',
  });
}

/** 42501 for a setting that superusers alone may set, where somebody else does. */
export function refuseSetting(name: string, isSuperuser: boolean): void {
  const key = canonicalName(name);
  if (!isSuperuser && BY_NAME.get(key)?.superuser === true)
    throw new PhantomError('42501', `permission denied to set parameter "${key}"`);
}

/** Reads and checks text as a value of the setting, in canonical form; 22023 when it is none. Used for start-up values too. */
export function readSetting(name: string, text: string): string {
  const key = canonicalName(name);
  const definition = BY_NAME.get(key);
  return definition === undefined ? customValue(key, text) : readValue(definition, text, definition.default);
}

function readValue(definition: SettingDefinition, text: string, current: string): string {
  if (definition.internal === true) throw cannotChange(definition);
  const parsed = parseKind(definition, text);
  const value = definition.canonical === undefined ? parsed : definition.canonical(parsed, current);
  if (value === undefined) throw invalidValue(definition.name, text);
  if (definition.only?.includes(value.toLowerCase()) === false)
    throw unsupportedError(`setting ${definition.name} to "${value}"`, { detail: definition.description });
  return value;
}

function cannotChange({ name, told }: SettingDefinition): PhantomError {
  const when = { postmaster: ' without restarting the server', sighup: ' now' };
  return new PhantomError('55P02', `parameter "${name}" cannot be changed${told === undefined ? '' : when[told]}`);
}

function parseKind({ name, kind }: SettingDefinition, text: string): string {
  switch (kind.kind) {
    case 'boolean': {
      const word = text.trim().toLowerCase();
      if (TRUE_WORDS.includes(word)) return 'on';
      if (FALSE_WORDS.includes(word)) return 'off';
      throw new PhantomError('22023', `parameter "${name}" requires a Boolean value`);
    }
    case 'integer':
      return String(Math.round(parseAmount(name, kind, text)));
    case 'real':
      return String(parseAmount(name, kind, text));
    case 'enum': {
      const word = text.trim().toLowerCase();
      const value = kind.aliases?.[word] ?? word;
      if (kind.values.includes(value)) return value;
      throw new PhantomError('22023', `invalid value for parameter "${TITLES[name] ?? name}": "${text}"`, {
        hint: `Available values: ${kind.values.join(', ')}.`,
      });
    }
    case 'text':
    case 'list':
      return text;
  }
}

/** A number with or without a unit, in the setting's own unit. */
function parseAmount(name: string, kind: SettingKind & { kind: 'integer' | 'real' }, text: string): number {
  const match = /^\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([a-zA-Z]*)\s*$/.exec(text);
  if (match === null) throw invalidValue(name, text);
  const unit = match[2] as string;
  const factors = kind.unit === undefined ? {} : (UNIT_FACTORS[kind.unit] ?? {});
  const factor = unit === '' ? 1 : factors[unit];
  if (factor === undefined) {
    throw new PhantomError('22023', `invalid value for parameter "${TITLES[name] ?? name}": "${text}"`, {
      hint:
        kind.unit === undefined
          ? undefined
          : `Valid units for this parameter are ${Object.keys(factors)
              .map((u) => `"${u}"`)
              .join(', ')}.`,
    });
  }
  const value = Number(match[1]) * factor;
  if (value < kind.minimum || value > kind.maximum) throw outOfRange(name, String(value), kind);
  return value;
}

function invalidValue(name: string, text: string): PhantomError {
  return new PhantomError('22023', `invalid value for parameter "${TITLES[name] ?? name}": "${text}"`);
}

function outOfRange(
  name: string,
  text: string,
  { minimum, maximum }: { minimum: number; maximum: number },
): PhantomError {
  return new PhantomError(
    '22023',
    `${text} is outside the valid range for parameter "${name}" (${minimum} .. ${maximum})`,
  );
}

function showValue(kind: SettingKind, value: string): string {
  if ((kind.kind !== 'integer' && kind.kind !== 'real') || kind.unit === undefined || value === '0') return value;
  const units: readonly (readonly [string, number])[] = TIME_UNITS.has(kind.unit)
    ? [
        ['d', 86_400_000],
        ['h', 3_600_000],
        ['min', 60_000],
        ['s', 1000],
        ['ms', 1],
        ['us', 0.001],
      ]
    : [
        ['GB', 1024 ** 2],
        ['MB', 1024],
        ['kB', 1],
        ['B', 1 / 1024],
      ];
  const amount = Number(value) * (SHOWN_FACTORS[kind.unit] ?? 1);
  for (const [unit, factor] of units) {
    const count = Math.round(amount / factor);
    if (Math.abs(count * factor - amount) <= 1e-8 * amount) return `${count}${unit}`;
  }
  return value;
}
