/**
 * What single operations cost in either engine, for the model under the engine advisor (engine-costs.ts of the store): measured
 * alone and with rows of other sizes than the workloads have that the advice is held against.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../amplification/measure-prices.mjs', import.meta.url));

export function pricesSuite({ only = ['btree', 'lsm'], directory }) {
  console.log('\n## Prices: microseconds of CPU for a row, and for each byte of it; sizes: bytes');
  for (const engine of only) {
    const place = mkdtempSync(join(directory, 'phantom-prices-'));
    try {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, engine, place], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${engine}: ${stderr.slice(-600)}`);
      console.log(`  ${engine}`);
      for (const [name, { row, byte }] of Object.entries(JSON.parse(stdout)))
        console.log(`    ${name.padEnd(12)} row ${row.toFixed(2).padStart(6)}  byte ${byte.toFixed(4)}`);
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }
}
