/** Numbers that look random and are the same every time. */

/** The next of 2^32 numbers, with each call; all of them depend on the seed alone. */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The numbers below `count`, in random order. */
export function shuffled(count, random) {
  const numbers = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random() % (i + 1);
    const kept = numbers[i];
    numbers[i] = numbers[j];
    numbers[j] = kept;
  }
  return numbers;
}

const KEY_BYTES = 16;

/**
 * Keys of 16 digits, made when they are asked for: an array of ten million buffers is a heap of a gigabyte, which V8 walks again and
 * again for whoever keeps memory of his own in this process, and for nobody else.
 */
export class Keys {
  #bytes;
  #order;

  /** The numbers of [0, length), in their order or in a given one. */
  constructor(bytes, order) {
    this.#bytes = bytes;
    this.#order = order;
  }

  static sequential(count) {
    const bytes = Buffer.allocUnsafeSlow(count * KEY_BYTES);
    for (let i = 0; i < count; i++) bytes.write(String(i).padStart(KEY_BYTES, '0'), i * KEY_BYTES, 'latin1');
    return new Keys(bytes, undefined);
  }

  get length() {
    return this.#order?.length ?? this.#bytes.length / KEY_BYTES;
  }

  at(i) {
    const number = this.#order === undefined ? i : this.#order[i];
    return this.#bytes.subarray(number * KEY_BYTES, (number + 1) * KEY_BYTES);
  }

  /** These keys in the order of those numbers. */
  inOrder(order) {
    return new Keys(this.#bytes, order);
  }
}

/** A number below `count` by Zipf's law: 0 is wanted as often as the next two together, 1 as the next three, and so on. */
export function popular(count, random) {
  return Math.floor(count ** (random() / 2 ** 32)) - 1;
}

/** Bytes from which values of 100 are cut that compress to about a half. */
export function valuePool(random) {
  const pool = Buffer.alloc(1 << 20);
  for (let at = 0; at < pool.length; at += 100) {
    for (let i = 0; i < 50 && at + i < pool.length; i++) pool[at + i] = random();
    pool.copy(pool, at + 50, at, Math.min(at + 50, pool.length));
  }
  return pool;
}
