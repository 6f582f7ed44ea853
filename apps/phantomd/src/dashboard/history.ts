/** What the server remembers of its metrics, kept up to date here sample by sample. */

/** As GET /v1/dashboard tells it. */
export interface HistoryPart {
  readonly stepMs: number;
  readonly at: readonly number[];
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface Point {
  readonly at: number;
  readonly value: number | undefined;
}

export class History {
  private at: number[] = [];
  private series = new Map<string, (number | null)[]>();

  /** The moment of the newest sample, 0 without any. */
  get lastMs(): number {
    return this.at.at(-1) ?? 0;
  }

  clear(): void {
    this.at = [];
    this.series.clear();
  }

  /** Adds what is new, and lets go what is older than the window. */
  add(part: HistoryPart, windowMs: number): void {
    const before = this.at.length;
    this.at.push(...part.at);
    for (const name of new Set([...this.series.keys(), ...Object.keys(part.series)])) {
      const known = this.series.get(name) ?? Array.from({ length: before }, () => null);
      known.push(...(part.series[name] ?? part.at.map(() => null)));
      this.series.set(name, known);
    }
    const first = this.at.findIndex((at) => at >= this.lastMs - windowMs);
    if (first <= 0) return;
    this.at.splice(0, first);
    for (const values of this.series.values()) values.splice(0, first);
  }

  /** A gauge as it was. */
  values(name: string): Point[] {
    const values = this.series.get(name);
    return this.at.map((at, i) => ({ at, value: values?.[i] ?? undefined }));
  }

  /** What a counter gained a second. A counter that fell began anew with its process. */
  rates(name: string): Point[] {
    const values = this.series.get(name);
    return this.at.slice(1).map((at, i) => ({ at, value: this.gain(values, i, at) }));
  }

  /** One of two counters' gains as a share of both. */
  shares(name: string, other: string): Point[] {
    const others = this.rates(other);
    return this.rates(name).map(({ at, value }, i) => {
      const rest = others[i]?.value;
      const both = (value ?? 0) + (rest ?? 0);
      return { at, value: value === undefined || rest === undefined || both === 0 ? undefined : value / both };
    });
  }

  /** What each bucket of a histogram gained from one sample to the next. */
  buckets(name: string, count: number): { readonly at: number; readonly gains: readonly number[] }[] {
    const rings = Array.from({ length: count }, (_, i) => this.series.get(`${name}/${i}`));
    return this.at.slice(1).map((at, i) => ({
      at,
      gains: rings.map((ring) => Math.max(0, (ring?.[i + 1] ?? 0) - (ring?.[i] ?? ring?.[i + 1] ?? 0))),
    }));
  }

  private gain(values: readonly (number | null)[] | undefined, i: number, at: number): number | undefined {
    const [before, after] = [values?.[i], values?.[i + 1]];
    if (before === null || after === null || before === undefined || after === undefined || after < before)
      return undefined;
    return ((after - before) * 1000) / (at - (this.at[i] as number));
  }
}
