import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openEngine, type TestEngine } from '../support/engine.js';
import { type ScriptSession, formatError, formatRows, runScript } from './script.js';

const folder = fileURLToPath(new URL('scripts/', import.meta.url));

function scriptSession(engine: TestEngine, database: string): ScriptSession {
  const notices: string[] = [];
  const session = engine.session({
    database,
    onNotice: (notice) => notices.push(`${notice.severity} ${notice.code}: ${notice.message}`),
  });
  return {
    async run(sql) {
      const out: string[] = [];
      try {
        for (const parsed of session.parse(sql)) {
          const text = sql.slice(parsed.start, parsed.end);
          const statement = session.prepare(parsed, text);
          const portal = session.portal(statement, []);
          const types = portal.fields.map((field) => session.picture.types.byOid(field.type.oid));
          const rows: (string | null)[][] = [];
          const outcome = await portal.fetch(0, (batch) => {
            for (let r = 0; r < batch.count; r++) {
              rows.push(
                batch.columns.map((column, c) =>
                  column[r] === null ? null : (types[c]?.output(column[r], session.evaluation) ?? String(column[r])),
                ),
              );
            }
          });
          out.push(...notices.splice(0));
          if (portal.fields.length > 0)
            out.push(
              ...formatRows(
                portal.fields.map((field) => field.name),
                rows,
              ),
            );
          else out.push(outcome.tag);
        }
        await session.sync();
      } catch (error) {
        out.push(...notices.splice(0), ...formatError(error));
      }
      return out;
    },
  };
}

describe('golden scripts', () => {
  const opened: TestEngine[] = [];
  afterAll(async () => {
    for (const engine of opened) await engine.close();
  });
  for (const file of readdirSync(folder).sort()) {
    it(`script ${file}`, async () => {
      const engine = await openEngine();
      opened.push(engine);
      const expected = readFileSync(folder + file, 'utf8');
      const actual = await runScript(expected, async () => scriptSession(engine, 'phantom'));
      const rewrites = process.env['PHANTOM_REWRITE'] !== undefined;
      if (rewrites) writeFileSync(folder + file, actual);
      expect(actual).toBe(rewrites ? actual : expected);
    });
  }
});
