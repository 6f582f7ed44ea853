import { describe, expect, it } from 'vitest';
import { checkManifests } from '../src/source/manifests.js';
import { readMembers } from '../src/workspace.js';
import { manifest, writeTree } from './fixture.js';

function messages(name: string, more: object): string[] {
  const root = writeTree({ [`packages/${name}/package.json`]: manifest(name, more) });
  return checkManifests(readMembers(root)).map(({ message }) => message);
}

describe('checkManifests', () => {
  it('accepts a manifest that keeps its promises', () => {
    expect(messages('wal', { dependencies: { '@phantom/base': 'workspace:*', 'xxhash-wasm': '1.1.0' } })).toEqual([]);
  });

  it('wants exact versions, and workspace versions of its own packages', () => {
    const found = messages('wal', { dependencies: { 'xxhash-wasm': '^1.1.0', '@phantom/base': '0.1.0' } });
    expect(found).toEqual([
      'xxhash-wasm must be an exact version, not ^1.1.0',
      '@phantom/base must be workspace:*, not 0.1.0',
    ]);
  });

  it('refuses a dependency that the import table forbids', () => {
    expect(messages('wal', { dependencies: { '@phantom/sql': 'workspace:*' } })).toEqual([
      'the import table does not let it depend on @phantom/sql',
    ]);
  });

  it('refuses install scripts, a missing floor for Node, and another licence', () => {
    const found = messages('wal', { engines: {}, scripts: { postinstall: 'x' }, license: 'MIT' });
    expect(found).toEqual([
      'engines.node is missing',
      'the script postinstall runs on install',
      'license must be Apache-2.0',
    ]);
  });

  it('wants published exports without the way to sources', () => {
    const publishConfig = { access: 'public', exports: { '.': { '@phantom/source': './src/index.ts' } } };
    expect(messages('wal', { publishConfig })).toEqual([
      'publishConfig.exports must equal exports without @phantom/source',
    ]);
    expect(messages('wal', { publishConfig: {}, exports: {} })).toEqual(['publishConfig.access must be public']);
  });

  it('asks less of a private tool', () => {
    expect(messages('check', { private: true, license: 'none', publishConfig: {} })).toEqual([]);
  });
});
