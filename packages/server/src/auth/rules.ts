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
 * users       names, `all`, or `+role` for the role's members
 * address     all, loopback, an address or a network (address/bits); a local rule has none
 * method      trust, scram-sha-256, cert (the certificate's common name is the user's), reject
 *
 * Without rules of your own: from loopback, and by a socket in the file system, a role with a password proves it and one without is trusted; from elsewhere
 * everybody comes encrypted and with a password.
 */
import { BlockList, isIP } from 'node:net';
import { PhantomError } from '@phantom/base';

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

interface Rule {
  readonly connection: 'local' | 'host' | 'hostssl' | 'hostnossl';
  readonly databases: readonly string[];
  readonly users: readonly string[];
  readonly fits: (applicant: Applicant) => boolean;
  readonly method: AuthenticationMethod;
}

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
      const words = line.replace(/#.*$/, '').trim().split(/\s+/);
      if (words[0] === '') continue;
      rules.push(readRule(words, i + 1));
    }
    if (rules.length > RULES_MAX) throw new PhantomError('54000', `more than ${RULES_MAX} rules of authentication`);
    this.rules = rules;
  }

  /** The method of the first rule that fits; undefined when none does. */
  methodFor(applicant: Applicant): AuthenticationMethod | undefined {
    return this.rules.find((rule) => fits(rule, applicant))?.method;
  }
}

function fits(rule: Rule, applicant: Applicant): boolean {
  if ((rule.connection === 'local') !== applicant.isUnix) return false;
  if (rule.connection === 'hostssl' && !applicant.isEncrypted) return false;
  if (rule.connection === 'hostnossl' && applicant.isEncrypted) return false;
  const { user, database } = applicant;
  const isDatabase = rule.databases.some(
    (name) => name === 'all' || name === database || (name === 'sameuser' && database === user),
  );
  const isUser = rule.users.some(
    (name) => name === 'all' || name === user || (name.startsWith('+') && applicant.isMemberOf(name.slice(1))),
  );
  return isDatabase && isUser && rule.fits(applicant);
}

type Words = [connection: string, databases: string, users: string, address: string, method: string];

function readRule(words: readonly string[], line: number): Rule {
  const wrong = (what: string): PhantomError =>
    new PhantomError('22023', `rule of authentication in line ${line}: ${what}`, { data: { line } });
  const isLocal = words[0] === 'local';
  if (words.length !== (isLocal ? 4 : 5)) {
    const parts = isLocal ? 'local, databases, users' : 'connection, databases, users, address';
    throw wrong(`a rule is ${parts} and method`);
  }
  // A local rule says nothing of addresses: it takes all that there are.
  const [connection, databases, users, address, method] = (isLocal ? words.toSpliced(3, 0, 'all') : words) as Words;
  if (!CONNECTIONS.has(connection)) throw wrong(`"${connection}" is no connection: local, host, hostssl or hostnossl`);
  if (!METHODS.has(method)) throw wrong(`"${method}" is no method: trust, scram-sha-256, cert or reject`);
  if (method === 'cert' && connection !== 'hostssl') throw wrong('certificates are shown in hostssl connections alone');
  const test = addressTest(address);
  if (test === undefined) throw wrong(`"${address}" is no address: all, loopback, or address/bits`);
  return {
    connection: connection as Rule['connection'],
    databases: databases.split(','),
    users: users.split(','),
    fits: test,
    method: method as AuthenticationMethod,
  };
}

function addressTest(text: string): ((applicant: Applicant) => boolean) | undefined {
  if (text === 'all') return () => true;
  if (text === 'loopback') return (applicant) => applicant.isLoopback;
  const [address = '', bits] = text.split('/', 2);
  const version = isIP(address);
  if (version === 0) return undefined;
  const bitsMax = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? bitsMax : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bitsMax) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
  return (applicant) => {
    const plain = applicant.address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
    const kind = isIP(plain);
    return kind !== 0 && list.check(plain, kind === 4 ? 'ipv4' : 'ipv6');
  };
}
