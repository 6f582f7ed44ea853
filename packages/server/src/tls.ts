/**
 * Encryption of connections: certificate and key of the server, and who may show a certificate of their own.
 *
 * A server of node:tls that listens nowhere is handed the sockets whose next bytes are a hello. Whether a client's certificate is good
 * is said by OpenSSL then, all of it: chain, dates, purposes, lengths of paths, names that an authority is confined to.
 */
import { X509Certificate, constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { type Server, type TLSSocket, createSecureContext, createServer } from 'node:tls';
import { PhantomError } from '@phantom/base';
import type { ConnectionEncryption } from '@phantom/db/session';
import { endPointBinding } from './auth/channel-binding.js';

export interface TlsOptions {
  /** The server's certificate, with those between it and its authority, as PEM. */
  readonly certificate: string | Uint8Array;
  /** Its private key as PEM, without a passphrase. */
  readonly key: string | Uint8Array;
  /** Authorities whose certificates clients may show, as PEM; undefined: no client is asked for one. */
  readonly clientAuthority?: string | Uint8Array;
}

/** First byte of a TLS connection: a handshake record. No start-up message is so long that it begins with it. */
export const TLS_HANDSHAKE = 0x16;
/** Name of our protocol in TLS's own negotiation; who begins with TLS at once has to offer it. */
const ALPN_PROTOCOL = 'postgresql';

/** Bits of keys of ciphers that do not have them in their names, such as ChaCha20. */
const CIPHER_BITS = 256;

/** The same for a server of node:https, which asks clients for nothing. 22023 as of TlsSettings. */
export function secureServerOptions(options: TlsOptions): Omit<ContextOptions, 'ca'> {
  const { cert, key, minVersion } = contextOptions(options);
  return { cert, key, minVersion };
}

/** 22023 for what startServer would refuse of them, so that it can be known before a database is opened. */
export function checkTls(options: TlsOptions): void {
  contextOptions(options);
}

/** What encryption tells of a client. */
export interface ClientEncryption {
  /** Common name of the certificate that the client has shown and that an authority of ours has signed. */
  readonly certifiedName: string | undefined;
  /** What a proof of the client can be bound to: the server's certificate, as channel-binding.ts has it; undefined: it cannot. */
  readonly channelBinding: Buffer | undefined;
  /** As pg_stat_ssl tells of it. */
  readonly facts: ConnectionEncryption;
  /** True when TLS was agreed to be for this protocol. */
  readonly isNegotiated: boolean;
}

interface ContextOptions {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2';
  readonly ca?: string;
}

/** Who waits for the end of a handshake. */
type Secured = (secure: TLSSocket, encryption: ClientEncryption) => void;

/** Makes secure sockets out of plain ones. */
export class TlsSettings {
  private readonly server: Server;
  private readonly channelBinding: Buffer | undefined;
  /** By both ends of the connection. */
  private readonly handshakes = new Map<string, Secured>();

  /** 22023 when certificate and key cannot be read, or do not belong together. `onFailure` is told of handshakes that fail. */
  constructor(options: TlsOptions, handshakeTimeoutMs: number, onFailure: (reason: string) => void) {
    const context = contextOptions(options);
    this.channelBinding = endPointBinding(context.cert);
    this.server = createServer({
      ...context,
      requestCert: context.ca !== undefined,
      // Whether a certificate is needed is the rules' to say, once the user is known.
      rejectUnauthorized: false,
      ALPNProtocols: [ALPN_PROTOCOL],
      handshakeTimeout: handshakeTimeoutMs,
      // A certificate is looked at each time: nobody comes in by a ticket of earlier.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    this.server.on('secureConnection', (secure) => {
      const secured = this.handshakes.get(endsOf(secure));
      if (secured === undefined) secure.destroy();
      else secured(secure, encryptionOf(secure, this.channelBinding));
    });
    this.server.on('tlsClientError', (error) => onFailure(error.message));
  }

  /**
   * Takes a socket whose next bytes are the client's hello. Nobody reads or writes the plain one any more; it is closed with the secure
   * one, and when the handshake fails.
   */
  secure(socket: Socket, secured: Secured): void {
    const ends = endsOf(socket);
    this.handshakes.set(ends, secured);
    socket.once('close', () => {
      if (this.handshakes.get(ends) === secured) this.handshakes.delete(ends);
    });
    this.server.emit('connection', socket);
  }
}

/** What node:tls takes of the options. 22023 for what it would not, in words that say which of them is wrong. */
function contextOptions(options: TlsOptions): ContextOptions {
  const key = asText(options.key);
  if (/ENCRYPTED/.test(key))
    throw new PhantomError('22023', 'TLS cannot be set up: the private key has a passphrase', {
      hint: 'Nobody is there to type it. "openssl pkey -in KEY -out NEWKEY" writes the key without; let nobody else read it.',
    });
  const context: ContextOptions = {
    cert: asText(options.certificate),
    key,
    minVersion: 'TLSv1.2',
    ...(options.clientAuthority === undefined ? {} : { ca: asText(options.clientAuthority) }),
  };
  try {
    if (context.ca !== undefined) checkAuthority(context.ca);
    createSecureContext(context);
  } catch (error) {
    throw new PhantomError('22023', `TLS cannot be set up: ${error instanceof Error ? error.message : String(error)}`);
  }
  return context;
}

/** OpenSSL would take an empty one, which nobody fits. */
function checkAuthority(pem: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('there is no certificate in the authority');
  for (const block of blocks) new X509Certificate(block);
}

/** What a secure socket knows of its client after the handshake, which has proved that the key is the client's. */
function encryptionOf(secure: TLSSocket, channelBinding: Buffer | undefined): ClientEncryption {
  const certificate = secure.authorized ? secure.getPeerX509Certificate() : undefined;
  return {
    certifiedName: certificate === undefined ? undefined : commonName(certificate),
    facts: factsOf(secure, certificate),
    channelBinding,
    isNegotiated: secure.alpnProtocol === ALPN_PROTOCOL,
  };
}

function factsOf(secure: TLSSocket, certificate: X509Certificate | undefined): ConnectionEncryption {
  const { name } = secure.getCipher();
  return {
    version: secure.getProtocol() ?? '',
    cipher: name,
    bits: Number(/(?:AES_?|CAMELLIA|ARIA)(\d+)/.exec(name)?.[1] ?? CIPHER_BITS),
    certificate:
      certificate === undefined
        ? undefined
        : {
            subject: oneLine(certificate.subject),
            issuer: oneLine(certificate.issuer),
            serial: `0x${certificate.serialNumber}`,
          },
  };
}

/** `/C=DE/CN=alice`, as OpenSSL writes a name on one line. */
function oneLine(name: string): string {
  return name
    .split('\n')
    .map((part) => `/${part}`)
    .join('');
}

function commonName(certificate: X509Certificate): string | undefined {
  return /^CN=(.+)$/m.exec(certificate.subject)?.[1];
}

/** One connection of one server has these ends. */
function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

function asText(pem: string | Uint8Array): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
}
