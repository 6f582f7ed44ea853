/** docs/settings.md is written from the definitions; PHANTOM_REWRITE=1 writes it anew. What a page says of a setting is tried here. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { absentSettings } from '../../src/session/absent-settings.js';
import { fixedSettings } from '../../src/session/fixed-settings.js';
import { processSettings } from '../../src/session/process-settings.js';
import { serverSettings } from '../../src/session/server-settings.js';
import { settingCategory } from '../../src/session/setting-categories.js';
import {
  SETTING_DEFINITIONS,
  type SettingDefinition,
  type SettingKind,
} from '../../src/session/setting-definitions.js';
import { Settings, readSetting } from '../../src/session/settings.js';

const PAGE = new URL('../../../../docs/settings.md', import.meta.url);

const byName = (a: SettingDefinition, b: SettingDefinition): number => (a.name < b.name ? -1 : 1);
const code = (text: string): string => (text === '' ? 'empty' : `\`${text}\``);

/** The setting as SHOW has it where nobody has set it. */
const settings = new Settings(new Map(), () => undefined);
const shown = ({ name }: SettingDefinition): string => code(settings.show(name));

function values({ kind, only }: SettingDefinition): string {
  if (only !== undefined) return only.map(code).join(', ');
  switch (kind.kind) {
    case 'boolean':
      return 'on, off';
    case 'enum':
      return kind.values.join(', ');
    case 'integer':
    case 'real': {
      const most = kind.maximum === Number.MAX_VALUE ? '' : ` to ${kind.maximum.toLocaleString('en')}`;
      return `${kind.minimum.toLocaleString('en')}${most}${kind.unit === undefined ? '' : ` ${kind.unit}`}`;
    }
    default:
      return kind.kind;
  }
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

const honoured = SETTING_DEFINITIONS.filter(({ internal }) => internal !== true).toSorted(byName);
const told = SETTING_DEFINITIONS.filter(({ internal }) => internal === true).toSorted(byName);
const ofServer = serverSettings.toSorted(byName);
const ofProcesses = processSettings.toSorted(byName);
const fixed = fixedSettings.toSorted(byName);
const absent = absentSettings.toSorted(byName);

it('docs/settings.md tells of every setting', () => {
  const page = `# Settings of a session

What clients may \`SET\`, send when they connect, or keep with a role or a database. Nothing is taken and ignored: a value is honoured,
or refused by 0A000 with the reason; a name that is neither PostgreSQL's nor of two parts (\`app.tenant\`) is refused by 42704, and one
of \`phantom\` or \`plpgsql\` that does not stand here by 42602.
Written from the definitions by \`packages/sql/test/session/settings-page.test.ts\`, which tries what it says.

## Honoured

${table(
  ['Setting', 'Default', 'Values', ''],
  honoured.map((one) => [code(one.name), shown(one), values(one), one.description]),
)}

## True as they are

Their one value is taken, and any other is refused (0A000).

${table(
  ['Setting', 'Value', 'Why'],
  fixed.map((one) => [code(one.name), shown(one), one.description]),
)}

## Of what there is not

PostgreSQL's ways of execution that no plan has here, and their prices and bounds: every value is taken, for none could make a difference.

${table(
  ['Setting', 'Default', 'Why'],
  absent.map((one) => [code(one.name), shown(one), one.description]),
)}

## Told, never set

${table(
  ['Setting', 'Value', ''],
  told.map((one) => [code(one.name), shown(one), one.description]),
)}

## Told of the server

What it was started with; SET of them is 55P02. The value is that of a database in memory that nobody serves. A star: members of \`pg_read_all_settings\` see it alone.

${table(
  ['Setting', 'Value', ''],
  ofServer.map((one) => [`${code(one.name)}${one.guarded === true ? ' *' : ''}`, shown(one), one.description]),
)}

## Of PostgreSQL's processes, files and machine

For tools that ask for them by name; SET of them is 55P02. What there is here, too, is told as it is.

${table(
  ['Setting', 'Value', ''],
  ofProcesses.map((one) => [code(one.name), shown(one), one.description]),
)}
`;
  if (process.env['PHANTOM_REWRITE'] !== undefined) writeFileSync(PAGE, page);
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
});

function otherValue(kind: SettingKind, value: string): string {
  if (kind.kind === 'boolean') return value === 'on' ? 'off' : 'on';
  if (kind.kind === 'enum') return kind.values.find((one) => one !== value) ?? '';
  return kind.kind === 'text' ? 'other' : '77';
}

it('every setting takes its default, and one that is fixed nothing else', () => {
  for (const { name, default: value } of [...honoured, ...fixed, ...absent])
    expect(readSetting(name, value)).toBe(value);
  for (const { name, default: value, kind, description } of fixed) {
    const other = otherValue(kind, value);
    expect(() => readSetting(name, other)).toThrow(expect.objectContaining({ code: '0A000', detail: description }));
  }
  for (const { name } of [...told, ...ofServer, ...ofProcesses])
    expect(() => readSetting(name, 'on')).toThrow(expect.objectContaining({ code: '55P02' }));
});

it('every setting stands under a head of PostgreSQL, but for those with a prefix', () => {
  const all = [...honoured, ...fixed, ...absent, ...told, ...ofServer, ...ofProcesses];
  for (const { name } of all)
    expect([name, settingCategory(name) === 'Customized Options']).toEqual([name, name.includes('.')]);
});

it('no setting is defined twice', () => {
  const names = [...honoured, ...fixed, ...absent, ...told, ...ofServer, ...ofProcesses].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

it('keeps nothing under a name of ours that is no setting', () => {
  for (const name of ['phantom.deadlock_policy', 'plpgsql.nothing'])
    expect(() => readSetting(name, 'on')).toThrow(/invalid configuration parameter name/);
  expect(readSetting('app.tenant', 'seven')).toBe('seven');
});
