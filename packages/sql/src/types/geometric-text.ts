/**
 * Texts of the geometric types. PostgreSQL writes one form of each and reads several:
 *
 *   point     (x,y)                     also x,y
 *   lseg      [(x,y),(x,y)]             also ((x,y),(x,y)) (x,y),(x,y) x,y,x,y
 *   box       (x,y),(x,y)               the same; any two opposite corners
 *   path      ((x,y),...) [(x,y),...]   closed and open; also (x,y,...) (x,y),... x,y,...
 *   polygon   ((x,y),...)               also (x,y,...) (x,y),... x,y,...
 *   line      {a,b,c}                   also two of its points, as a segment's
 *   circle    <(x,y),r>                 also ((x,y),r) (x,y),r x,y,r
 *
 * A reader goes over the text once; where a point's parentheses could be those around all points, what follows decides: they
 * are around all of them when another one opens right behind, or none does anywhere. A comma between two points may be missing.
 */
import { PhantomError } from '@phantom/base';
import { lineOfPoints } from '../functions/geometry/lines.js';
import { isZero } from '../functions/geometry/arithmetic.js';
import { boxOf } from '../functions/geometry/boxes.js';
import { formatFloat8, parseFloat8 } from './float-types.js';
import type { Box, Circle, Line, Path, Point, Polygon, Segment } from './geometric-values.js';
import { invalidText } from './sql-errors.js';

const SPACE = /[ \t\n\r\f\v]*/y;
/** What C's strtod would take for a number, the hexadecimal form aside. */
const NUMBER = /[+-]?(?:infinity|inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)/iy;

class FigureReader {
  private readonly typeName: string;
  private readonly text: string;
  private at = 0;

  constructor(typeName: string, text: string) {
    this.typeName = typeName;
    this.text = text;
    this.skipSpace();
  }

  invalid(): PhantomError {
    return invalidText(this.typeName, this.text);
  }

  private skipSpace(): void {
    SPACE.lastIndex = this.at;
    SPACE.exec(this.text);
    this.at = SPACE.lastIndex;
  }

  /** Takes the character, and blanks behind it. */
  accept(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    this.skipSpace();
    return true;
  }

  expect(character: string): void {
    if (!this.accept(character)) throw this.invalid();
  }

  end(): void {
    if (this.at < this.text.length) throw this.invalid();
  }

  number(): number {
    this.skipSpace();
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.invalid();
    this.at = NUMBER.lastIndex;
    this.skipSpace();
    return /nan/i.test(match[0]) ? Number.NaN : parseFloat8(match[0]);
  }

  point(): Point {
    this.skipSpace();
    const isEnclosed = this.accept('(');
    const x = this.number();
    this.expect(',');
    const y = this.number();
    if (isEnclosed) this.expect(')');
    return { x, y };
  }

  /** Takes a parenthesis that is around all that follows. */
  acceptOuter(): boolean {
    if (this.text[this.at] !== '(') return false;
    const isOnly = this.text.lastIndexOf('(') === this.at;
    return (isOnly || this.opensTwice()) && this.accept('(');
  }

  /** Whether two parentheses open here, one right behind the other. */
  opensTwice(): boolean {
    SPACE.lastIndex = this.at + 1;
    SPACE.exec(this.text);
    return this.text[this.at] === '(' && this.text[SPACE.lastIndex] === '(';
  }

  /** So many points, in brackets where that is allowed: they make a path an open one. */
  points(count: number, bracketed: boolean): { points: Point[]; isOpen: boolean } {
    const isOpen = this.text[this.at] === '[';
    if (isOpen && !bracketed) throw this.invalid();
    const isEnclosed = isOpen ? this.accept('[') : this.acceptOuter();
    const points: Point[] = [];
    while (points.length < count) {
      points.push(this.point());
      if (this.text[this.at] === ',') this.at++;
    }
    if (isEnclosed) {
      if (!(isOpen && this.accept(']'))) this.expect(')');
    }
    return { points, isOpen };
  }

  /** How many points the text's commas make; an error where they leave a coordinate over. */
  countPoints(): number {
    const commas = this.text.split(',').length - 1;
    if (commas % 2 === 0) throw this.invalid();
    return (commas + 1) / 2;
  }
}

export function readPoint(text: string): Point {
  const reader = new FigureReader('point', text);
  const point = reader.point();
  reader.end();
  return point;
}

function readTwo(typeName: string, text: string, bracketed: boolean): Segment {
  const reader = new FigureReader(typeName, text);
  const [start, end] = reader.points(2, bracketed).points as [Point, Point];
  reader.end();
  return { start, end };
}

export const readSegment = (text: string): Segment => readTwo('lseg', text, true);

export function readBox(text: string): Box {
  const { start, end } = readTwo('box', text, false);
  return boxOf(start, end);
}

export function readPath(text: string): Path {
  const reader = new FigureReader('path', text);
  const count = reader.countPoints();
  const isOnly = text.trimStart().startsWith('(') && text.indexOf('(') === text.lastIndexOf('(') && reader.accept('(');
  const { points, isOpen } = reader.points(count, true);
  if (isOnly) reader.expect(')');
  reader.end();
  return { closed: !isOpen, points };
}

export function readPolygon(text: string): Polygon {
  const reader = new FigureReader('polygon', text);
  const { points } = reader.points(reader.countPoints(), false);
  reader.end();
  return { points };
}

/** 22P02 unless the coefficients make a line. */
export function checkLine(line: Line, state: '22P02' | '22P03'): Line {
  if (isZero(line.a) && isZero(line.b))
    throw new PhantomError(state, 'invalid line specification: A and B cannot both be zero');
  return line;
}

export function readLine(text: string): Line {
  const reader = new FigureReader('line', text);
  if (!reader.accept('{')) {
    const { start, end } = readTwo('line', text, true);
    return lineOfPoints(start, end, '22P02');
  }
  const a = reader.number();
  reader.expect(',');
  const b = reader.number();
  reader.expect(',');
  const c = reader.number();
  reader.expect('}');
  reader.end();
  return checkLine({ a, b, c }, '22P02');
}

export function readCircle(text: string): Circle {
  const reader = new FigureReader('circle', text);
  const isAngled = reader.accept('<');
  const isEnclosed = !isAngled && reader.opensTwice() && reader.accept('(');
  const center = reader.point();
  reader.accept(',');
  const radius = reader.number();
  if (radius < 0) throw reader.invalid();
  if (isAngled && !reader.accept('>')) reader.expect(')');
  if (isEnclosed) reader.expect(')');
  reader.end();
  return { center, radius };
}

/** Writes the texts, by the setting extra_float_digits. */
export class FigureWriter {
  private readonly digits: number;

  constructor(extraFloatDigits: number) {
    this.digits = extraFloatDigits;
  }

  private number(value: number): string {
    return formatFloat8(value, this.digits);
  }

  point({ x, y }: Point): string {
    return `(${this.number(x)},${this.number(y)})`;
  }

  private points(points: readonly Point[]): string {
    return points.map((point) => this.point(point)).join(',');
  }

  segment({ start, end }: Segment): string {
    return `[${this.points([start, end])}]`;
  }

  box({ high, low }: Box): string {
    return this.points([high, low]);
  }

  path({ closed, points }: Path): string {
    return closed ? `(${this.points(points)})` : `[${this.points(points)}]`;
  }

  polygon({ points }: Polygon): string {
    return `(${this.points(points)})`;
  }

  line({ a, b, c }: Line): string {
    return `{${this.number(a)},${this.number(b)},${this.number(c)}}`;
  }

  circle({ center, radius }: Circle): string {
    return `<${this.point(center)},${this.number(radius)}>`;
  }
}
