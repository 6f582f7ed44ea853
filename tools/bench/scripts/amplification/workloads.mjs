/**
 * Five ways to use a table. Each has a `setUp`, of which nothing is counted but what it leaves on the disk, and a `run`; both
 * are given `rows`, numbers that look random, `key(number)`, `value(number)`, and a tree that is written and read in
 * batches.
 */
import { popular } from '../storage/random.mjs';

const BATCH_ROWS = 100;
const SCAN_ROWS = 100;

/** Writes the rows with these numbers, in this order. */
async function load(tree, count, numberOf) {
  for (let from = 0; from < count; from += BATCH_ROWS) {
    const numbers = Array.from({ length: Math.min(BATCH_ROWS, count - from) }, (_, i) => numberOf(from + i));
    await tree.put(numbers);
  }
}

export const WORKLOADS = {
  'load in order, then scans': {
    async run({ tree, rows, random }) {
      await load(tree, rows, (i) => i);
      for (let i = 0; i < 5; i++) await tree.scan(0, rows);
      for (let i = 0; i < rows / 40; i++) await tree.scan(random() % rows, SCAN_ROWS);
    },
  },
  'load in random order': {
    async run({ tree, rows, shuffled, random }) {
      const order = shuffled(rows);
      await load(tree, rows, (i) => order[i]);
      for (let i = 0; i < rows / 10; i++) await tree.get(random() % rows);
    },
  },
  'updates of few hot rows': {
    setUp: ({ tree, rows }) => load(tree, rows, (i) => i),
    async run({ tree, rows, random }) {
      const hot = Math.ceil(rows / 100);
      await load(tree, rows * 2, () => ((random() % hot) * 97) % rows);
      for (let i = 0; i < rows / 10; i++) await tree.get(random() % rows);
    },
  },
  'reads by Zipf, some updates': {
    setUp({ tree, rows, shuffled }) {
      const order = shuffled(rows);
      return load(tree, rows, (i) => order[i]);
    },
    async run({ tree, rows, random, shuffled }) {
      // The rows that are wanted most lie anywhere.
      const order = shuffled(rows);
      const wanted = () => order[popular(rows, random)];
      for (let i = 0; i < rows; i++) {
        if (i % 20 === 0) await tree.put([wanted()]);
        else await tree.get(wanted());
      }
    },
  },
  'time series, the oldest removed': {
    async run({ tree, rows }) {
      const kept = rows / 4;
      const step = rows / 20;
      for (let from = 0; from < rows; from += step) {
        await load(tree, step, (i) => from + i);
        if (from + step > kept) await tree.removeUpTo(from + step - kept);
        for (let i = 0; i < rows / 2000; i++) await tree.scan(from + step - SCAN_ROWS, SCAN_ROWS);
      }
    },
  },
};
