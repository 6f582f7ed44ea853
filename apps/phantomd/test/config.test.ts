/** Settings from file, environment and flags: which wins, what is refused, and what is shown. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AccessTokens } from '@phantom/server';
import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../src/config/resolve.js';
import { SERVE_SETTINGS, SERVE_SETTING_NAMES } from '../src/config/serve-settings.js';
import { makeProgram } from '../src/program.js';
import { capture } from './support/capture.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();

function file(content: string): string {
  const name = join(newDirectory(), 'phantomd.json');
  writeFileSync(name, content);
  return name;
}

const run = (...args: string[]) =>
  capture(async () => {
    let code: number | undefined;
    await makeProgram((given) => (code = given)).parseAsync(args, { from: 'user' });
    return code;
  });

describe('settings', () => {
  it('take flags before the environment, that before the file, and that before defaults', () => {
    const config = file('{"host":"a","pgPort":1,"httpPort":2,"cacheBytes":1048576}');
    const environment = {
      PHANTOM_CONFIG: config,
      PHANTOM_PG_PORT: '11',
      PHANTOM_HTTP_PORT: '12',
      PHANTOM_SAMPLE_SHOP: 'true',
    };
    const { settings, sources } = resolveSettings({ httpPort: '22' }, environment);
    expect(settings).toMatchObject({
      host: 'a',
      pgPort: 11,
      httpPort: 22,
      cacheBytes: 1_048_576,
      sampleShop: true,
      durability: 'fsync',
    });
    expect(sources).toMatchObject({
      host: `"host" in ${config}`,
      pgPort: 'PHANTOM_PG_PORT',
      httpPort: '--http-port',
      durability: 'default',
    });
    // A flag names another file than the environment does.
    expect(resolveSettings({ config: file('{"host":"b"}') }, environment).settings.host).toBe('b');
  });

  it('tell what the file says, where, and whether it counts', () => {
    const name = file('{\n  "pgPort": 1,\n  "host": "a", "sampleShop": true\n}');
    expect(resolveSettings({ config: name }, { PHANTOM_PG_PORT: '2' }).file).toEqual({
      name,
      settings: [
        { file: name, line: 2, name: 'pgPort', value: '1', applied: false },
        { file: name, line: 3, name: 'host', value: 'a', applied: true },
        { file: name, line: 3, name: 'sampleShop', value: 'true', applied: true },
      ],
    });
    expect(resolveSettings({}, {}).file).toBeUndefined();
  });

  it('tell of variables that are named like them and are none', async () => {
    const environment = { PHANTOM_PG_PROT: '1', PHANTOM_PG_PORT: '2', PHANTOM_HISTORY: '/x', PATH: '/' };
    expect(resolveSettings({}, environment).strangeVariables).toEqual(['PHANTOM_PG_PROT']);
  });

  it('read sizes with their units', () => {
    const cacheBytes = (given: unknown): number => resolveSettings({ cacheBytes: given }, {}).settings.cacheBytes;
    expect([cacheBytes('2MiB'), cacheBytes('2 GiB'), cacheBytes('2097152'), cacheBytes(2_097_152)]).toEqual([
      2_097_152, 2_147_483_648, 2_097_152, 2_097_152,
    ]);
  });

  it('are refused when they are wrong, and say which', () => {
    const refusal = (flags: object, environment: Record<string, string> = {}): unknown => {
      try {
        return resolveSettings(flags, environment);
      } catch (error) {
        return error;
      }
    };
    const says = (message: string) => ({ exitCode: 1, message: expect.stringContaining(message) as string });
    expect(refusal({ pgPort: '70000' })).toMatchObject(says('--pg-port has to be a whole number from 0 to 65535'));
    expect(refusal({ cacheBytes: '64MB' })).toMatchObject(says('--cache-bytes has to be a number of bytes'));
    expect(refusal({ cacheBytes: '1' })).toMatchObject(says('whole number from 1048576'));
    expect(refusal({}, { PHANTOM_DURABILITY: 'some' })).toMatchObject(
      says('PHANTOM_DURABILITY has to be one of fsync'),
    );
    expect(refusal({}, { PHANTOM_SAMPLE_SHOP: '1' })).toMatchObject(says('has to be true or false'));
    expect(refusal({}, { PHANTOM_HOST: '' })).toMatchObject(says('has to be a text'));
    const config = file('{"pgPort":1.5}');
    expect(refusal({ config })).toMatchObject(says(`"pgPort" in ${config} has to be`));
    expect(refusal({ config: file('{"pgport":1}') })).toMatchObject(says('"pgport" in'));
    expect(refusal({ config: file('[]') })).toMatchObject(says('one object'));
    expect(refusal({ config: file('{') })).toMatchObject(says('cannot be read'));
    expect(refusal({ config: '/nowhere/at/all' })).toMatchObject(says('cannot be read'));
  });

  it('are shown with where they come from', async () => {
    const { value, out } = await run('config', '--pg-port', '7');
    expect(value).toBe(0);
    expect(out).toMatch(/^pgPort +7 +--pg-port$/m);
    expect(out).toMatch(/^host +127\.0\.0\.1 +default$/m);
    const json = JSON.parse((await run('config', '--json')).out) as { name: string; variable: string }[];
    expect(json.map(({ name }) => name)).toEqual(SERVE_SETTING_NAMES);
    expect(json).toContainEqual(
      expect.objectContaining({ name: 'pgPort', variable: 'PHANTOM_PG_PORT', fallback: 5433 }),
    );
  });

  it('are all in the README, described as in --help', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    for (const name of SERVE_SETTING_NAMES) {
      expect(readme).toContain(`| \`${name}\` |`);
      expect(readme).toContain(SERVE_SETTINGS[name].description);
    }
  });

  it('of the files for systemd and containers are good ones', () => {
    const deployed = new URL('../deploy/phantomd.json', import.meta.url);
    expect(resolveSettings({ config: deployed.pathname }, {}).settings.pgPort).toBe(5433);
    for (const name of ['phantomd.service', 'Dockerfile']) {
      const text = readFileSync(new URL(`../deploy/${name}`, import.meta.url), 'utf8');
      for (const [, variable] of text.matchAll(/(?<=[ =])(PHANTOM_\w+)=\S/g)) {
        if (variable !== 'PHANTOM_CONFIG')
          expect(() => resolveSettings({}, { [variable as string]: '/x' })).not.toThrow();
      }
    }
  });
});

describe('token', () => {
  it('is made once, with a line that lets it in', async () => {
    const { out } = await run('token', '--role', 'clerk', '--database', 'shop', '--json');
    const { token, line } = JSON.parse(out) as { token: string; line: string };
    expect(new AccessTokens(line).accessOf(token)).toEqual({ role: 'clerk', database: 'shop' });
    expect(new AccessTokens(line).accessOf(`${token}x`)).toBeUndefined();
    expect((await run('token', '--role', 'clerk')).out).toMatch(
      /^token: \S{43}\nline .*: clerk phantom [0-9a-f]{64}\n$/,
    );
  });
});
