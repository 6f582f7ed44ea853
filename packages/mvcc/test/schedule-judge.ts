/**
 * Whether what a schedule of transactions did is serializable, by what the database says of itself: each commit has its seq, each
 * transaction the seq of its snapshot, so the order of all versions is known, and who comes before whom is a matter of arithmetic.
 * (What only clients saw is judged in `@phantom/testkit/histories`, where the order of versions has to be guessed.)
 *
 *   key   v0 ── seq 4 by A ── seq 9 by B ──►        A comes before B
 *                 ▲ snapshot 7 of R                 A comes before R, R before B: the next version, and no later one
 *
 * Besides, who had ended comes before whoever begins later. A circle among serializable transactions is one too many; those at a
 * weaker level write versions and are in no circle.
 */

/** What one transaction did; it counts once it has committed. */
export interface Account {
  readonly name: string;
  readonly isSerializable: boolean;
  /** Moments of the schedule. */
  readonly began: number;
  ended: number;
  /** Seq of its snapshot, 0 as long as it has none. */
  snapshot: number;
  /** Seq of its commit; undefined when it has written nothing. */
  seq: number | undefined;
  /** By key, what it has read of others; undefined where there was nothing. */
  readonly seen: Map<number, string | undefined>;
  /** Keys that it was told to be there, whatever is in them. */
  readonly relied: Set<number>;
  /** By key, what it has written; undefined what it removed. */
  written: ReadonlyMap<number, string | undefined>;
}

interface Version {
  readonly seq: number;
  readonly value: string | undefined;
  /** Undefined: it was there before. */
  readonly by: Account | undefined;
}

type State = ReadonlyMap<number, string>;

/** The versions of one schedule. */
export class Judgement {
  /** What should not be. */
  readonly faults: string[] = [];
  private readonly accounts: readonly Account[];
  private readonly versions = new Map<number, Version[]>();
  private readonly next = new Map<Account, Map<Account, string>>();

  /** Of those who have committed, over the state from before. */
  constructor(before: State, accounts: readonly Account[]) {
    this.accounts = accounts;
    for (const [key, value] of before) this.versions.set(key, [{ seq: 0, value, by: undefined }]);
    for (const by of accounts) {
      for (const [key, value] of by.written) this.versionsOf(key).push({ seq: by.seq as number, value, by });
    }
    for (const versions of this.versions.values()) versions.sort((a, b) => a.seq - b.seq);
    for (const account of accounts) if (account.isSerializable) this.judgeSnapshot(account);
    this.addOverwrites();
    this.addTime();
    const circle = this.circle();
    if (circle !== undefined) this.faults.push(circle);
  }

  /** What is there afterwards. */
  get state(): State {
    const state = new Map<number, string>();
    for (const [key, versions] of this.versions) {
      const value = versions.at(-1)?.value;
      if (value !== undefined) state.set(key, value);
    }
    return state;
  }

  private versionsOf(key: number): Version[] {
    let versions = this.versions.get(key);
    if (versions === undefined) this.versions.set(key, (versions = [{ seq: 0, value: undefined, by: undefined }]));
    return versions;
  }

  /** What it saw is what its snapshot shows; what it wrote, nobody else has written meanwhile. */
  private judgeSnapshot(account: Account): void {
    const { name, snapshot, seen, written, seq } = account;
    for (const [key, value] of seen) {
      const versions = this.versionsOf(key);
      const at = versions.findLastIndex((version) => version.seq <= snapshot);
      const shown = versions[at] as Version;
      if (shown.value !== value)
        this.faults.push(`${name} read ${key} as ${value}, and ${snapshot} has ${shown.value}`);
      this.before(shown.by, account, `wrote ${key}, read by`);
      this.before(account, versions[at + 1]?.by, `read ${key} before`);
    }
    for (const key of account.relied) {
      const versions = this.versionsOf(key);
      const at = versions.findLastIndex((version) => version.seq <= snapshot);
      if (versions[at]?.value === undefined) this.faults.push(`${name} relied on ${key}, which ${snapshot} has not`);
      const madeAt = versions.findLastIndex(
        ({ value }, i) => i <= at && versions[i - 1]?.value === undefined && value !== undefined,
      );
      this.before(versions[madeAt]?.by, account, `made ${key}, relied on by`);
      const removal = versions.slice(at + 1).find(({ value }) => value === undefined);
      this.before(account, removal?.by, `relied on ${key} before`);
    }
    for (const key of snapshot === 0 ? [] : written.keys()) {
      const between = this.versionsOf(key).find((version) => version.seq > snapshot && version.seq < (seq as number));
      if (between !== undefined) this.faults.push(`${name} has overwritten ${key} of ${between.by?.name} unseen`);
    }
  }

  private addOverwrites(): void {
    for (const [key, versions] of this.versions) {
      for (let i = 1; i < versions.length; i++)
        this.before(versions[i - 1]?.by, versions[i]?.by, `wrote ${key}, overwritten by`);
    }
  }

  private addTime(): void {
    for (const one of this.accounts) {
      for (const other of this.accounts) {
        if (one.ended >= other.began) continue;
        this.before(one, other, 'had ended before');
        if (other.snapshot !== 0 && one.seq !== undefined && other.snapshot < one.seq)
          this.faults.push(`${other.name} began behind ${one.name}, and its snapshot is older`);
      }
    }
  }

  private before(one: Account | undefined, other: Account | undefined, why: string): void {
    if (one === other || one?.isSerializable !== true || other?.isSerializable !== true) return;
    let followers = this.next.get(one);
    if (followers === undefined) this.next.set(one, (followers = new Map()));
    if (!followers.has(other)) followers.set(other, why);
  }

  /** A shortest way from somebody back to itself, in words. */
  private circle(): string | undefined {
    let shortest: string[] | undefined;
    for (const start of this.next.keys()) {
      const ways = new Map<Account, string[]>([[start, []]]);
      for (const [account, way] of ways) {
        for (const [follower, why] of this.next.get(account) ?? []) {
          const longer = [...way, `${account.name} ${why} ${follower.name}`];
          if (follower === start && longer.length < (shortest?.length ?? Number.POSITIVE_INFINITY)) shortest = longer;
          if (!ways.has(follower)) ways.set(follower, longer);
        }
      }
    }
    return shortest?.join('; ');
  }
}
