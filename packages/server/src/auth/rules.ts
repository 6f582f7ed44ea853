/**
 * Who may come in from where, and by what proof: rules like those of PostgreSQL's pg_hba.conf, the first that fits counts.
 *
 *   # connection  databases   users      address        method
 *   local         all         all                       trust
 *   host          all         all        127.0.0.1/32   trust
 *   hostssl       shop,test   +clerks    10.0.0.0/8     scram-sha-256
 *   hostssl       all         reports    all            cert
 *   host          all         all        all            reject
 *
 * connection  local: by a socket in the file system; host: any by the network; hostssl: encrypted; hostnossl: not encrypted
 * databases   names, `all`, `sameuser` (named as the user), `samerole` (as a role that the user is a member of), or `replication`,
 *             which nobody asks for here
 * users       names, `all`, or `+role` for the role's members
 * address     all, loopback, an address or a network (address/bits, or address and mask); a local rule has none
 * method      trust, scram-sha-256, cert (the certificate's common name is the user's), reject
 *
 * A word in quotes is a name, whatever it says. What PostgreSQL has besides, such as files of names, patterns and options of methods, is
 * refused by its name: a rule that nobody fits by mistake would let the next one decide.
 *
 * Without rules of your own: from loopback, and by a socket in the file system, a role with a password proves it and one without is trusted; from elsewhere
 * everybody comes encrypted and with a password.
 */
import { BlockList, isIP } from 'node:net';
import { PhantomError, isPhantomError } from '@phantom/base';
import type { ListedRule } from '@phantom/db/session';

export type AuthenticationMethod = 'trust' | 'scram-sha-256' | 'cert' | 'reject';

/** Who asks to come in. */
export interface Applicant {
  readonly user: string;
  readonly database: string;
  /** As the socket has it; undefined for what is not a network. */
  readonly address: string | undefined;
  /** True for what came by a socket in the file system. */
  readonly isUnix: boolean;
  /** True for what came from this machine, by whatever way. */
  readonly isLoopback: boolean;
  readonly isEncrypted: boolean;
  /** Whether the user is a member of a role. */
  isMemberOf(role: string): boolean;
}

/** Whether an applicant fits one word of a rule. */
type Test = (applicant: Applicant) => boolean;

/** A rule, and how it was written. */
interface Rule {
  readonly written: WrittenRule;
  readonly connection: 'local' | 'host' | 'hostssl' | 'hostnossl';
  readonly databases: readonly Test[];
  readonly users: readonly Test[];
  readonly address: Test;
  readonly method: AuthenticationMethod;
}

/** The parts of a rule, as texts. */
export interface WrittenRule {
  readonly connection: string;
  readonly databases: readonly string[];
  readonly users: readonly string[];
  /** A keyword, or an address without its mask; undefined for a local rule. */
  readonly address: string | undefined;
  /** Mask of an address. */
  readonly mask: string | undefined;
  readonly method: string;
}

/** One part of a field; between parts are commas, between fields spaces. */
interface Word {
  readonly text: string;
  /** True for what stood in quotes: a name and no keyword. */
  readonly isQuoted: boolean;
}

type Field = readonly Word[];

const CONNECTIONS = new Set(['local', 'host', 'hostssl', 'hostnossl']);
const METHODS = new Set(['trust', 'scram-sha-256', 'cert', 'reject']);
/** Rules of one server. */
const RULES_MAX = 1000;

export class AuthenticationRules {
  private readonly rules: readonly Rule[];

  /** Reads rules, one a line; 22023 with the number of the line that is none. */
  constructor(text: string) {
    const rules: Rule[] = [];
    for (const [i, line] of text.split('\n').entries()) {
      const wrong = (what: string): PhantomError =>
        new PhantomError('22023', `rule of authentication in line ${i + 1}: ${what}`, { data: { line: i + 1 } });
      const rule = ruleOf(line, wrong);
      if (rule !== undefined) rules.push(rule);
    }
    if (rules.length > RULES_MAX) throw new PhantomError('54000', `more than ${RULES_MAX} rules of authentication`);
    this.rules = rules;
  }

  /** The method of the first rule that fits; undefined when none does. */
  methodFor(applicant: Applicant): AuthenticationMethod | undefined {
    return this.rules.find((rule) => fits(rule, applicant))?.method;
  }
}

/** Rules as they are written, line by line, with what is wrong with those that are none. */
export function listRules(text: string): ListedRule[] {
  const listed: ListedRule[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    try {
      const rule = ruleOf(line, (what) => new PhantomError('22023', what));
      if (rule !== undefined) listed.push({ line: i + 1, ...given(rule.written) });
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      listed.push({ line: i + 1, error: error.message });
    }
  }
  return listed;
}

/** A rule without what it does not have. */
function given({ address, mask, ...rule }: WrittenRule): Omit<ListedRule, 'line'> {
  return { ...rule, ...(address === undefined ? {} : { address }), ...(mask === undefined ? {} : { mask }) };
}

/** The rule of a line; undefined for an empty one and a comment. */
function ruleOf(line: string, wrong: Wrong): Rule | undefined {
  const fields = fieldsOf(line, wrong);
  return fields.length === 0 ? undefined : readRule(fields, wrong);
}

function fits(rule: Rule, applicant: Applicant): boolean {
  if ((rule.connection === 'local') !== applicant.isUnix) return false;
  if (rule.connection === 'hostssl' && !applicant.isEncrypted) return false;
  if (rule.connection === 'hostnossl' && applicant.isEncrypted) return false;
  return (
    rule.databases.some((test) => test(applicant)) &&
    rule.users.some((test) => test(applicant)) &&
    rule.address(applicant)
  );
}

type Wrong = (what: string) => PhantomError;

/** The fields of a line, up to a comment; none for an empty one. */
function fieldsOf(line: string, wrong: Wrong): Field[] {
  const fields: Field[] = [];
  let rest = line.trimStart();
  while (rest !== '' && !rest.startsWith('#')) {
    const words: Word[] = [];
    for (;;) {
      const match = /^(?:"((?:[^"]|"")*)"|([^\s,"#]+))/.exec(rest);
      if (match === null) throw wrong(`there is no name where "${rest}" begins`);
      const [whole, quoted, plain] = match;
      words.push({ text: quoted?.replaceAll('""', '"') ?? (plain as string), isQuoted: quoted !== undefined });
      rest = rest.slice(whole.length);
      if (!rest.startsWith(',')) break;
      rest = rest.slice(1).trimStart();
    }
    if (!/^(\s|#|$)/.test(rest)) throw wrong(`a space is missing before "${rest}"`);
    fields.push(words);
    rest = rest.trimStart();
  }
  return fields;
}

function readRule(fields: readonly Field[], wrong: Wrong): Rule {
  const word = (field: Field | undefined): string => (field?.length === 1 ? (field[0] as Word).text : '');
  const connection = word(fields[0]);
  if (!CONNECTIONS.has(connection)) throw wrong(`"${connection}" is no connection: local, host, hostssl or hostnossl`);
  const isLocal = connection === 'local';
  // A mask may stand beside its address.
  const isMasked = !isLocal && isIP(word(fields[4])) !== 0;
  const count = isLocal ? 4 : isMasked ? 6 : 5;
  const method = word(fields[count - 1]);
  if (fields.length < count || (fields.length > count && !METHODS.has(method))) {
    const parts = isLocal ? 'local, databases, users' : 'connection, databases, users, address';
    throw wrong(`a rule is ${parts} and method`);
  }
  if (!METHODS.has(method)) throw wrong(`"${method}" is no method: trust, scram-sha-256, cert or reject`);
  if (fields.length > count) throw wrong(`"${word(fields[count])}": methods have no options here`);
  if (method === 'cert' && connection !== 'hostssl') throw wrong('certificates are shown in hostssl connections alone');
  const texts = (field: Field | undefined): string[] => (field ?? []).map(({ text }) => text);
  const test = isLocal ? undefined : addressTest(word(fields[3]), isMasked ? word(fields[4]) : undefined, wrong);
  return {
    written: {
      connection,
      databases: texts(fields[1]),
      users: texts(fields[2]),
      ...writtenAddress(isLocal ? undefined : word(fields[3]), isMasked ? word(fields[4]) : undefined),
      method,
    },
    connection: connection as Rule['connection'],
    databases: (fields[1] as Field).map((name) => databaseTest(name, wrong)),
    users: (fields[2] as Field).map((name) => userTest(name, wrong)),
    // A local rule says nothing of addresses: it takes all that there are.
    address: test ?? (() => true),
    method: method as AuthenticationMethod,
  };
}

function databaseTest({ text, isQuoted }: Word, wrong: Wrong): Test {
  if (isQuoted) return ({ database }) => database === text;
  refuseForeign(text, wrong);
  switch (text) {
    case 'all':
      return () => true;
    case 'sameuser':
      return ({ database, user }) => database === user;
    case 'samerole':
      return (applicant) => applicant.isMemberOf(applicant.database);
    case 'replication':
      return () => false;
    default:
      return ({ database }) => database === text;
  }
}

function userTest({ text, isQuoted }: Word, wrong: Wrong): Test {
  if (isQuoted) return ({ user }) => user === text;
  refuseForeign(text, wrong);
  if (text === 'all') return () => true;
  if (text.startsWith('+')) return (applicant) => applicant.isMemberOf(text.slice(1));
  return ({ user }) => user === text;
}

/** What PostgreSQL would take for something else than a name. */
function refuseForeign(text: string, wrong: Wrong): void {
  if (text.startsWith('@')) throw wrong(`"${text}": names in files of their own are not supported`);
  if (text.startsWith('/')) throw wrong(`"${text}": patterns of names are not supported`);
  if (text === 'samegroup') throw wrong('"samegroup" is an old name of samerole');
}

function addressTest(text: string, mask: string | undefined, wrong: Wrong): Test {
  if (text === 'all' && mask === undefined) return () => true;
  if (text === 'loopback' && mask === undefined) return (applicant) => applicant.isLoopback;
  const [address, bits] = text.split('/', 2) as [string, string?];
  const version = isIP(address);
  const bitsMax = version === 4 ? 32 : 128;
  let prefix = bitsMax;
  if (bits !== undefined) prefix = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  else if (mask !== undefined) prefix = isIP(mask) === version ? bitsOfMask(mask) : Number.NaN;
  if (version === 0 || !(prefix <= bitsMax) || (bits !== undefined && mask !== undefined))
    throw wrong(
      `"${mask === undefined ? text : `${text} ${mask}`}" is no address: all, loopback, address/bits, or address and mask`,
    );
  const list = new BlockList();
  list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
  return (applicant) => {
    const plain = applicant.address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
    const kind = isIP(plain);
    return kind !== 0 && list.check(plain, kind === 4 ? 'ipv4' : 'ipv6');
  };
}

/** An address and its mask by themselves, as PostgreSQL lists them; of a keyword the keyword. */
function writtenAddress(
  text: string | undefined,
  mask: string | undefined,
): { readonly address: string | undefined; readonly mask: string | undefined } {
  const [address, bits] = (text ?? '').split('/', 2) as [string, string?];
  const version = isIP(address);
  if (version === 0) return { address: text, mask: undefined };
  return { address, mask: mask ?? maskText(version, bits === undefined ? undefined : Number(bits)) };
}

/** A mask that begins with so many ones; all of them when none are given. */
function maskText(version: number, ones: number | undefined): string {
  const part = (at: number, bits: number): number => {
    const set = Math.min(Math.max((ones ?? 128) - at * bits, 0), bits);
    return 2 ** bits - 2 ** (bits - set);
  };
  if (version === 4) return [0, 1, 2, 3].map((at) => part(at, 8)).join('.');
  const groups = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => part(at, 16).toString(16)).join(':');
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

/** How many ones a mask of IPv4 begins with; NaN for one with holes, and for IPv6, where nobody writes masks. */
function bitsOfMask(mask: string): number {
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  const ones = bits.indexOf('0');
  if (!/^1*0*$/.test(bits)) return Number.NaN;
  return ones === -1 ? bits.length : ones;
}
