/**
 * Where the settings of the daemon come from. What stands further to the right wins:
 *
 *   default < file (--config FILE or PHANTOM_CONFIG, one object of JSON) < OpenTelemetry's (OTEL_...) < environment (PHANTOM_...) < flag
 *
 * All of them are read and checked before anything is opened, and whoever gave a wrong one is named.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Operation } from '@phantom/server';
import { ExitCode } from '../exit-codes.js';
import { CommandError } from '../failure.js';
import { HISTORY_VARIABLE } from '../sql/history.js';
import {
  SERVE_SETTINGS,
  SERVE_SETTING_NAMES,
  type ServeSettingName,
  type ServeSettings,
  flagOf,
  variableOf,
} from './serve-settings.js';
import type { Setting } from './setting.js';

const CONFIG_VARIABLE = 'PHANTOM_CONFIG';
const KNOWN_VARIABLES = new Set([CONFIG_VARIABLE, HISTORY_VARIABLE, ...SERVE_SETTING_NAMES.map(variableOf)]);

/** Flags as commander hands them over: those that were given. */
export type GivenFlags = Readonly<Partial<Record<ServeSettingName | 'config', unknown>>>;

export interface ResolvedSettings {
  readonly settings: ServeSettings;
  /** Who said so: `default`, or the name of the flag, the variable or the file. */
  readonly sources: Readonly<Record<ServeSettingName, string>>;
  /** Variables that are named like settings and are none. They may be somebody else's, so they are told of and no more. */
  readonly strangeVariables: readonly string[];
  /** The file, where there is one, and what it says; `applied` where nobody says otherwise. */
  readonly file: { readonly name: string; readonly settings: Operation['fileSettings'] } | undefined;
}

/** CommandError with exit code 1 for what is wrong or unknown. */
export function resolveSettings(
  flags: GivenFlags,
  environment: Readonly<Record<string, string | undefined>>,
): ResolvedSettings {
  const file = fileSettings(flags.config ?? environment[CONFIG_VARIABLE]);
  const settings: Partial<Record<ServeSettingName, unknown>> = {};
  const sources: Partial<Record<ServeSettingName, string>> = {};
  for (const name of SERVE_SETTING_NAMES) {
    const found = [
      { given: flags[name], source: flagOf(name) },
      { given: environment[variableOf(name)], source: variableOf(name) },
      ...otherVariables(SERVE_SETTINGS[name], environment),
      { given: file.values[name], source: sourceInFile(name, file.name) },
    ].find(({ given }) => given !== undefined);
    const setting: Setting<unknown> = SERVE_SETTINGS[name];
    settings[name] = found === undefined ? setting.fallback : readAs(setting, found.given, found.source);
    sources[name] = found?.source ?? 'default';
  }
  const isStrange = (name: string): boolean => name.startsWith('PHANTOM_') && !KNOWN_VARIABLES.has(name);
  const strangeVariables = Object.keys(environment).filter(isStrange);
  return {
    settings: settings as ServeSettings,
    sources: sources as ResolvedSettings['sources'],
    strangeVariables,
    file: file.name === '' ? undefined : { name: file.name, settings: listed(file, (name) => sources[name]) },
  };
}

/** What variables of others say of a setting. */
function otherVariables(
  { others = {} }: Setting<unknown>,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly given: unknown; readonly source: string }[] {
  return Object.entries(others).map(([source, read]) => {
    const text = environment[source];
    // OpenTelemetry takes an empty one for one that is not there.
    return { given: text === undefined || text === '' ? undefined : read(text), source };
  });
}

/** What the file says, as it is told by SQL: a setting a line, as it is where it stands. */
function listed(
  { name: file, text, values }: SettingsFile,
  sourceOf: (name: ServeSettingName) => string | undefined,
): Operation['fileSettings'] {
  return Object.entries(values).map(([name, value]) => ({
    file: resolve(file),
    line: text.slice(0, Math.max(text.indexOf(JSON.stringify(name)), 0)).split('\n').length,
    name,
    value: String(value),
    applied: sourceOf(name as ServeSettingName) === sourceInFile(name, file),
  }));
}

function sourceInFile(name: string, file: string): string {
  return `"${name}" in ${file}`;
}

function readAs(setting: Setting<unknown>, given: unknown, source: string): unknown {
  try {
    return setting.read(given);
  } catch (error) {
    throw wrong(`${source} ${(error as Error).message}`);
  }
}

interface SettingsFile {
  /** Empty without one. */
  readonly name: string;
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
}

function fileSettings(name: unknown): SettingsFile {
  if (name === undefined) return { name: '', text: '', values: {} };
  const file = String(name);
  let text: string;
  let values: unknown;
  try {
    text = readFileSync(file, 'utf8');
    values = JSON.parse(text);
  } catch (error) {
    throw wrong(`${file} cannot be read: ${(error as Error).message}`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw wrong(`${file} has to hold one object of JSON`);
  const unknown = Object.keys(values).find((key) => !Object.hasOwn(SERVE_SETTINGS, key));
  if (unknown !== undefined)
    throw wrong(`"${unknown}" in ${file} is no setting; "phantomd config" shows all there are`);
  return { name: file, text, values: values as Readonly<Record<string, unknown>> };
}

function wrong(message: string): CommandError {
  return new CommandError(ExitCode.Usage, new Error(message));
}
