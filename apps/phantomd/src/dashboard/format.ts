/** Numbers as people read them: three digits that matter, and always their unit. */

const DASH = '–';

/** A value that may be missing. */
export type Maybe = number | null | undefined;

function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

function isMissing(value: Maybe): value is null | undefined {
  return value === null || value === undefined || Number.isNaN(value);
}

/** `1,234`, and from a million on `1.23 M`. */
export function count(value: Maybe): string {
  if (isMissing(value)) return DASH;
  for (const [size, unit] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
  ] as const)
    if (Math.abs(value) >= size) return `${short(value / size)} ${unit}`;
  return Number.isInteger(value) || Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : short(value);
}

/** `17.2/s` */
export function rate(value: Maybe): string {
  return isMissing(value) ? DASH : `${count(value)}/s`;
}

/** `512 B`, `1.5 KiB` */
export function bytes(value: Maybe): string {
  if (isMissing(value)) return DASH;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${short(size)} ${units[unit]}`;
}

/** Milliseconds: `12 us`, `3.41 ms`, `2.5 s`, `4 min 10 s`, `3 h 5 min`, `2 d 4 h`. */
export function duration(ms: Maybe): string {
  if (isMissing(ms)) return DASH;
  if (ms === 0) return '0 ms';
  if (Math.abs(ms) < 0.001) return '< 1 us';
  if (Math.abs(ms) < 1) return `${short(Math.round(ms * 1000))} us`;
  if (ms < 1000) return `${short(ms)} ms`;
  if (ms < 60_000) return `${short(ms / 1000)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `98.4 %` of a share from 0 to 1. */
export function percent(share: Maybe): string {
  return isMissing(share) ? DASH : `${(share * 100).toFixed(share > 0.9995 || share === 0 ? 0 : 1)} %`;
}

/** The time of the day, here. */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/**
 * The value below which a share of the observations of a histogram lies, interpolated within its bucket; undefined without observations,
 * and the last bound for what lies above all.
 */
export function quantile(bounds: readonly number[], counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (total <= 0) return undefined;
  let left = total * share;
  for (let i = 0; i < bounds.length; i++) {
    const n = counts[i] ?? 0;
    const upper = bounds[i] as number;
    if (left <= n && n > 0) {
      const lower = i === 0 ? 0 : (bounds[i - 1] as number);
      return lower + ((upper - lower) * left) / n;
    }
    left -= n;
  }
  return bounds.at(-1);
}
