/** Operators of trigonometry, in radians. Null or missing operands make the result null. */
import type { OperatorMaker } from './evaluate.js';
import { numberOf, unary } from './numbers.js';
import { strict } from './operands.js';

const DEGREE = Math.PI / 180;

const functions: Readonly<Record<string, (value: number) => number>> = {
  $sin: Math.sin,
  $cos: Math.cos,
  $tan: Math.tan,
  $asin: Math.asin,
  $acos: Math.acos,
  $atan: Math.atan,
  $sinh: Math.sinh,
  $cosh: Math.cosh,
  $tanh: Math.tanh,
  $asinh: Math.asinh,
  $acosh: Math.acosh,
  $atanh: Math.atanh,
  $degreesToRadians: (value) => value * DEGREE,
  $radiansToDegrees: (value) => value / DEGREE,
};

export const trigonometryOperators: Readonly<Record<string, OperatorMaker>> = {
  ...Object.fromEntries(Object.entries(functions).map(([name, apply]) => [name, unary(name, apply)])),
  $atan2: strict('$atan2', 2, 2, ([y, x]) => Math.atan2(Number(numberOf('$atan2', y)), Number(numberOf('$atan2', x)))),
};
