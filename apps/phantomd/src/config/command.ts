/** `phantomd config`: every setting of `serve`, its value, and who said so. What it prints as JSON is no config file. */
import { ExitCode } from '../exit-codes.js';
import { type ResolvedSettings } from './resolve.js';
import { SERVE_SETTINGS, SERVE_SETTING_NAMES, flagOf, variableOf } from './serve-settings.js';

/** Prints them as lines of name, value and source, or as one object. Settings hold names of files, never secrets. */
export function showConfig({ settings, sources, strangeVariables }: ResolvedSettings, json: boolean): ExitCode {
  for (const name of strangeVariables) process.stderr.write(`${strangeVariable(name)}\n`);
  const rows = SERVE_SETTING_NAMES.map((name) => ({
    name,
    value: settings[name],
    source: sources[name],
    fallback: SERVE_SETTINGS[name].fallback,
    flag: flagOf(name),
    variable: variableOf(name),
    description: SERVE_SETTINGS[name].description,
  }));
  if (json) {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return ExitCode.Done;
  }
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const valueWidth = Math.max(...rows.map(({ value }) => shown(value).length));
  for (const { name, value, source } of rows)
    process.stdout.write(`${name.padEnd(nameWidth)}  ${shown(value).padEnd(valueWidth)}  ${source}\n`);
  return ExitCode.Done;
}

/** What is said of a variable that may be a setting misspelled. */
export function strangeVariable(name: string): string {
  return `${name} is in the environment and is no setting`;
}

function shown(value: string | number | boolean | undefined): string {
  return value === undefined ? '-' : String(value);
}
