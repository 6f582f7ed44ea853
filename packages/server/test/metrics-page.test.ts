/** docs/metrics.md is written from what a server tells; PHANTOM_REWRITE=1 writes it anew. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MetricSample, MetricsRegistry } from '@phantom/base';
import { open } from '@phantom/db';
import { expect, it } from 'vitest';
import { startServer } from '../src/index.js';

const PAGE = new URL('../../../docs/metrics.md', import.meta.url);

/** As Prometheus' conventions have names: small letters, a unit of its base where there is one, `_total` for what never falls. */
const NAME = /^phantom_[a-z0-9_]+$/;

function page(samples: readonly MetricSample[]): string {
  const rows = samples.map(({ name, kind, help }) => `| \`${name}\` | ${kind} | ${help.replace(/\.?$/, '.')} |`);
  return `# Metrics

What \`GET /metrics\` of a server tells in Prometheus' text format, and \`db.metrics()\` in a process (there without those of clients).
Counts begin with the process. Those of \`phantom_2pc_\` are there from \`db.distributed\` on, those of \`phantom_sagas_\` from \`db.sagas\` on. A phantomd
that sends [traces](tracing.md) also tells \`phantom_trace_exported_spans_total\`, \`phantom_trace_dropped_spans_total\` (no room in the queue) and
\`phantom_trace_lost_spans_total\` (not taken by the collector). Written by \`packages/server/test/metrics-page.test.ts\`.

| Name | Kind | |
| --- | --- | --- |
${rows.join('\n')}
`;
}

it('docs/metrics.md tells of every metric', async () => {
  const metrics = new MetricsRegistry();
  const directory = mkdtempSync(join(tmpdir(), 'phantom-metrics-'));
  const database = await open(join(directory, 'data'), { metrics, archive: { directory: join(directory, 'archive') } });
  database.distributed({ other: database });
  expect(database.sagas).toBeDefined();
  const server = await startServer(database, { pgPort: 0, httpPort: 0, metrics });
  const samples = metrics.samples();
  await server.close();
  await database.close();
  rmSync(directory, { recursive: true });
  for (const { name, kind } of samples) {
    expect(name).toMatch(NAME);
    expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter']);
  }
  const text = page(samples);
  if (process.env.PHANTOM_REWRITE === '1') writeFileSync(PAGE, text);
  expect(readFileSync(PAGE, 'utf8')).toBe(text);
});
