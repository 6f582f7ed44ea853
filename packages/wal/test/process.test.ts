import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { loadChecksums } from '@phantom/base';
import { createNodeVfs } from '@phantom/vfs';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Wal, openWal } from '../src/index.js';

/** Appends from eight callers as fast as the disk allows, and says which record is durable after each sync. */
const WRITER = `
  import { loadChecksums } from '@phantom/base';
  import { createNodeVfs } from '@phantom/vfs';
  import { openWal } from '@phantom/wal';
  const wal = await openWal({ directory: process.argv[2], vfs: createNodeVfs(), checksums: await loadChecksums(), segmentBytes: 65536 });
  let seq = Number(process.argv[3]);
  const caller = async (size) => {
    for (;;) {
      const mine = ++seq;
      wal.append(new Uint8Array((mine * 37) % size).fill(mine), { seq: mine, commitTimeMs: mine, flags: 0 });
      if (mine % 50 === 0) wal.syncNow(); else await wal.sync();
      process.stdout.write(mine + '\\n');
    }
  };
  for (let i = 0; i < 8; i++) void caller(i === 0 ? 5000 : 200);`;

/** The sources of a package of this repository: the program is bundled as a user's bundler would do it. */
const sourceOf = (name: string): string => new URL(`../../${name}/src/index.ts`, import.meta.url).pathname;

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(`${tmpdir()}/phantom-kill-`);
  writeFileSync(
    `${directory}/writer.ts`,
    WRITER.replaceAll(/@phantom\/(\w+)/g, (_, name: string) => sourceOf(name)),
  );
  await build({
    entry: [`${directory}/writer.ts`],
    outDir: directory,
    format: 'esm',
    outExtension: () => ({ js: '.mjs' }),
    noExternal: [/./],
    platform: 'node',
    target: 'node20',
    config: false,
    silent: true,
    esbuildOptions: (options) => {
      options.conditions = ['@phantom/source'];
    },
  });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function lastSeq(wal: Wal): Promise<number> {
  let last = 0;
  for await (const batch of wal.replay(wal.start)) {
    for (const { seq, payload } of batch.records) {
      expect(seq).toBe(last + 1);
      expect(payload.every((byte) => byte === (seq & 0xff))).toBe(true);
      last = seq;
    }
  }
  return last;
}

describe('kill -9 on a real disk', () => {
  it('loses nothing that was acknowledged, time after time', async () => {
    const checksums = await loadChecksums();
    const path = `${directory}/log`;
    let last = 0;
    for (let round = 0; round < 3; round++) {
      const child: ChildProcess = spawn(process.execPath, [`${directory}/writer.mjs`, path, String(last)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      await new Promise<void>((resolve) => {
        child.stdout?.on('data', (chunk) => {
          output += String(chunk);
          if (output.length > 3000) child.kill('SIGKILL');
        });
        child.once('close', () => resolve());
      });
      const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number);
      const acknowledged = lines.reduce((most, seq) => Math.max(most, seq), 0);
      expect(acknowledged).toBeGreaterThan(last);
      const wal = await openWal({ directory: path, vfs: createNodeVfs(), checksums, segmentBytes: 65536 });
      last = await lastSeq(wal);
      expect(last).toBeGreaterThanOrEqual(acknowledged);
      await wal.close();
    }
  });
});
