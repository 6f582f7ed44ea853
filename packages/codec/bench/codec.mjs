/**
 * Nanoseconds of the codec's frequent operations: `node packages/codec/bench/codec.mjs` after a build. CPU time, median of
 * seven runs; read fields in place through `columnSource`, as query compilers do.
 */
import { ByteWriter } from '@phantom/base';
import { Decimal, Jsonb, StorageKind, columnSource, keyCode, readHelpers, rowCodec, rowLayout } from '../dist/index.js';

const ROUNDS = 300_000;

function measure(name, work) {
  const times = [];
  for (let run = 0; run < 7; run++) {
    const start = process.cpuUsage();
    work(ROUNDS);
    const used = process.cpuUsage(start);
    times.push(((used.user + used.system) * 1000) / ROUNDS);
  }
  times.sort((a, b) => a - b);
  console.log(`${name.padEnd(44)} ${times[3].toFixed(1).padStart(8)} ns`);
}

const of = (kind) => ({ kind });
const layout = rowLayout(1, [
  of(StorageKind.Int32),
  of(StorageKind.Text),
  of(StorageKind.Text),
  of(StorageKind.Float64),
  of(StorageKind.Bool),
  of(StorageKind.Decimal),
]);
const codec = rowCodec(layout);
const writer = new ByteWriter(1024);
const values = [12345, 'Anna Karenina!', 'anna.karenina@example.com', 3.25, true, Decimal.fromString('19.90')];

measure('encode a row of 6 columns', (rounds) => {
  for (let i = 0; i < rounds; i++) {
    writer.reset();
    codec.encode(values, writer);
  }
});
const row = writer.take();
console.log(`  (${row.length} bytes)`);
const into = [];
measure('decode the row', (rounds) => {
  for (let i = 0; i < rounds; i++) codec.decode(row, 0, row.length, into);
});
const names = { buffer: 'b', start: 's', end: 'e', helpers: 'h', layout: 'l' };
const loop = (index) =>
  new Function(
    'b',
    's',
    'e',
    'h',
    'l',
    'rounds',
    `let x; for (let i = 0; i < rounds; i++) { x = ${columnSource(layout, index, names)}; } return x;`,
  );
for (const [index, name] of [
  [0, 'int4'],
  [3, 'float8'],
  [1, 'text of 14'],
  [2, 'text of 25'],
  [5, 'numeric'],
]) {
  const read = loop(index);
  measure(`read ${name} in place`, (rounds) => read(row, 0, row.length, readHelpers, layout, rounds));
}
const column = (kind) => ({ storage: of(kind), descending: false, nullable: false, nullsFirst: false });
for (const [kind, value, name] of [
  [StorageKind.Int32, 12345, 'int4'],
  [StorageKind.Text, 'Anna Karenina!', 'text of 14'],
  [StorageKind.Decimal, Decimal.fromString('19.90'), 'numeric'],
  [StorageKind.Uuid, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'uuid'],
]) {
  const key = keyCode([column(kind)]);
  const tuple = [value];
  measure(`key of ${name}`, (rounds) => {
    for (let i = 0; i < rounds; i++) {
      writer.reset();
      key.encode(tuple, writer);
    }
  });
}
const a = Decimal.fromString('12.34');
const b = Decimal.fromString('56.78');
measure('decimal add', (rounds) => {
  let sum = a;
  for (let i = 0; i < rounds; i++) sum = sum.add(b);
  return sum;
});
const document = Jsonb.of({
  name: 'Anna',
  address: { city: 'Moskva', street: 'Tverskaya', zip: '101000' },
  orders: [
    { id: 1, total: 12.5 },
    { id: 2, total: 99 },
  ],
  tags: ['a', 'b', 'c'],
});
const city = [new TextEncoder().encode('address'), new TextEncoder().encode('city')];
measure('document path of two steps, as text', (rounds) => {
  let text;
  for (let i = 0; i < rounds; i++) text = document.fieldAt(city[0]).fieldAt(city[1]).text();
  return text;
});
