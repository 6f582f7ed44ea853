/**
 * WebAssembly written down as expressions: just what the floors above need for their few loops over bytes that must be fast
 * from the first call on, and no tool to build it. Each function here gives the bytes of one instruction behind those of its
 * operands, so that code reads from the outside in:
 *
 *      set(place, add(get(place), i32(1)))          place = place + 1
 *
 * Control flow is `when`, `whileTrue` and `giveBack` only, so that no branch has to count how deep it stands. Opcodes are those
 * of the WebAssembly core specification, appendix "Index of Instructions".
 */

export type Code = readonly number[];

const MAGIC_AND_VERSION: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const I32 = 0x7f;
const NO_RESULT = 0x40;
const END = 0x0b;
/** All loads and stores may be unaligned. */
const NO_ALIGNMENT = 0;

/** A number below 2^32 in seven bits a byte. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let left = value >>> 0;
  for (; left >= 0x80; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  bytes.push(left);
  return bytes;
}

function signed(value: number): Code {
  const bytes: number[] = [];
  let left = value | 0;
  for (; left < -64 || left > 63; left >>= 7) bytes.push((left & 0x7f) | 0x80);
  bytes.push(left & 0x7f);
  return bytes;
}

type Unary = (operand: Code) => Code;
type Binary = (left: Code, right: Code) => Code;
const binary =
  (opcode: number): Binary =>
  (left, right) => [...left, ...right, opcode];
const load =
  (opcode: number): Unary =>
  (address) => [...address, opcode, NO_ALIGNMENT, 0];
const store =
  (opcode: number): Binary =>
  (address, value) => [...address, ...value, opcode, NO_ALIGNMENT, 0];

export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const get = (local: number): Code => [0x20, local];
export const set = (local: number, value: Code): Code => [...value, 0x21, local];

export const isZero: Unary = (operand) => [...operand, 0x45];
export const equal = binary(0x46);
export const notEqual = binary(0x47);
export const less = binary(0x49);
export const greater = binary(0x4b);
export const atMost = binary(0x4d);
export const atLeast = binary(0x4f);
export const add = binary(0x6a);
export const subtract = binary(0x6b);
export const multiply = binary(0x6c);
export const and = binary(0x71);
export const or = binary(0x72);
export const exclusiveOr = binary(0x73);
export const shiftLeft = binary(0x74);
export const shiftRight = binary(0x76);
export const rotateLeft = binary(0x77);
/** Of two numbers of 64 bits, as those below. */
export const equal64 = binary(0x51);
export const atMost64 = binary(0x58);
export const add64 = binary(0x7c);
/** A number of 32 bits, not negative, as one of 64. */
export const to64: Unary = (operand) => [...operand, 0xad];

export const load8 = load(0x2d);
export const load16 = load(0x2f);
export const load32 = load(0x28);
export const load64 = load(0x29);
export const store8 = store(0x3a);
export const store16 = store(0x3b);
export const store32 = store(0x36);
export const store64 = store(0x37);

/** So many bytes from an address on become zero. */
export const clear: Binary = (address, bytes) => [...address, ...i32(0), ...bytes, 0xfc, 0x0b, 0];

/** Numbers of locals, to be given names; the parameters come first. */
export const LOCALS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] as const;

/** Adds to a local. */
export const increase = (local: number, by: Code): Code => set(local, add(get(local), by));

export function when(condition: Code, ...body: readonly Code[]): Code {
  return [...condition, 0x04, NO_RESULT, ...body.flat(), END];
}

export function whileTrue(condition: Code, ...body: readonly Code[]): Code {
  // A loop in a block: branch 1 leaves the block, branch 0 begins the loop again.
  return [0x02, NO_RESULT, 0x03, NO_RESULT, ...isZero(condition), 0x0d, 1, ...body.flat(), 0x0c, 0, END, END];
}

/** Leaves the function with a value. */
export const giveBack: Unary = (value) => [...value, 0x0f];

/** A function of 32-bit numbers, the first locals, that gives one back. `locals` counts the others. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly locals: number;
  readonly body: readonly Code[];
}

/** What is used of the interface; the types of Node do not have it. */
declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<object>;
};

const PAGE_BYTES = 65_536;

/** The memory of a module: it neither grows nor moves. */
export class WasmMemory {
  readonly buffer: ArrayBuffer;
  private readonly memory: object;
  private readonly pages: number;

  constructor(bytes: number) {
    this.pages = Math.ceil(bytes / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: this.pages, maximum: this.pages });
    this.memory = memory;
    this.buffer = memory.buffer;
  }

  /** Functions over this memory, by their names. Takes about 0.3 ms, and several in a process that has just begun. */
  instantiate(functions: readonly WasmFunction[]): unknown {
    return this.instanceOf(new WebAssembly.Module(assemble(functions, this.pages)));
  }

  /** As `instantiate`, compiled by a thread of V8's meanwhile. */
  async instantiateLater(functions: readonly WasmFunction[]): Promise<unknown> {
    return this.instanceOf(await WebAssembly.compile(assemble(functions, this.pages)));
  }

  private instanceOf(module: object): unknown {
    return new WebAssembly.Instance(module, { memory: { memory: this.memory } }).exports;
  }
}

/** A module of functions over a memory that is imported as `memory.memory`. */
function assemble(functions: readonly WasmFunction[], memoryPages: number): Uint8Array<ArrayBuffer> {
  const text = (value: string): Code => sized([...new TextEncoder().encode(value)]);
  const types = functions.map(({ parameters }) => [
    0x60,
    ...sized(Array.from({ length: parameters }, () => I32)),
    1,
    I32,
  ]);
  const bodies = functions.map(({ locals, body }) => sized([1, ...unsigned(locals), I32, ...body.flat(), END]));
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, types),
    ...section(2, [[...text('memory'), ...text('memory'), 2, 0, ...unsigned(memoryPages)]]),
    ...section(
      3,
      functions.map((_, i) => unsigned(i)),
    ),
    ...section(
      7,
      functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]),
    ),
    ...section(10, bodies),
  ]);
}

function section(kind: number, items: readonly Code[]): Code {
  return [kind, ...sized([...unsigned(items.length), ...items.flat()])];
}

function sized(bytes: Code): Code {
  return [...unsigned(bytes.length), ...bytes];
}
