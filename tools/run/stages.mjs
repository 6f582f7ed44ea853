// Runs stages side by side, each after those it names, and says how long each took.
//
// A stage that fails does not stop the others, unless they need it: one run tells all that is wrong.

/**
 * `stages`: `{ name, after: [names], needs?: [names], run(say) }`. `after` orders, `needs` skips when one of them failed; `run`
 * resolves with `{ ok, output }`, and `say` prints a line at once.
 * Resolves with `{ name, state: 'ok' | 'failed' | 'skipped', seconds }` in the order of their ends.
 */
export async function runStages(stages, limit) {
  const known = new Set(stages.map(({ name }) => name));
  const ended = new Map();
  const waiting = new Set(stages);
  const results = [];
  const width = Math.max(...stages.map(({ name }) => name.length));
  const print = (name, text) => console.log(`${name.padEnd(width)}  ${text}`);

  const end = (stage, state, seconds) => {
    ended.set(stage.name, state);
    results.push({ name: stage.name, state, seconds });
  };
  const work = async (stage) => {
    const startedAt = performance.now();
    const { ok, output } = await stage.run((line) => print(stage.name, line));
    const seconds = (performance.now() - startedAt) / 1000;
    if (!ok) console.log(output);
    print(stage.name, `${ok ? 'ok' : 'FAILED'} in ${seconds.toFixed(1)} s`);
    end(stage, ok ? 'ok' : 'failed', seconds);
  };
  const lane = async () => {
    for (;;) {
      const next = [...waiting].find(({ after }) => after.every((name) => !known.has(name) || ended.has(name)));
      if (next !== undefined) {
        waiting.delete(next);
        if (next.needs?.some((name) => known.has(name) && ended.get(name) !== 'ok')) {
          print(next.name, 'skipped: what it needs has failed');
          end(next, 'skipped', 0);
        } else {
          await work(next);
        }
      } else if (waiting.size === 0) {
        return;
      } else {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return results;
}
