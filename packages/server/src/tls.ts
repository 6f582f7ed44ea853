/** Encryption of connections: certificate and key of the server, and who may show a certificate of their own. */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket, createSecureContext } from 'node:tls';
import { PhantomError } from '@phantom/base';

export interface TlsOptions {
  /** The server's certificate, with those between it and its authority, as PEM. */
  readonly certificate: string | Uint8Array;
  /** Its private key as PEM. */
  readonly key: string | Uint8Array;
  /** Authorities whose certificates clients may show, as PEM; undefined: no client is asked for one. */
  readonly clientAuthority?: string | Uint8Array;
}

/** First byte of a TLS connection: a handshake record. No start-up message is so long that it begins with it. */
export const TLS_HANDSHAKE = 0x16;
/** Name of our protocol in TLS's own negotiation; who begins with TLS at once has to offer it. */
const ALPN_PROTOCOL = 'postgresql';
/** Certificates between a client's and its authority, the client's included. */
const CHAIN_MAX = 8;

/** The same for a server of node:https, which asks clients for nothing. */
export function secureServerOptions({ certificate, key }: TlsOptions): {
  cert: string;
  key: string;
  minVersion: 'TLSv1.2';
} {
  return { cert: asText(certificate), key: asText(key), minVersion: 'TLSv1.2' };
}

/** Makes secure sockets out of plain ones. */
export class TlsSettings {
  private readonly context: SecureContext;
  /** Whose signature makes a client's certificate good. */
  private readonly authorities: readonly X509Certificate[];

  /** 22023 when certificate and key cannot be read, or do not belong together. */
  constructor({ certificate, key, clientAuthority }: TlsOptions) {
    try {
      this.authorities = clientAuthority === undefined ? [] : certificatesIn(asText(clientAuthority));
      this.context = createSecureContext({
        cert: asText(certificate),
        key: asText(key),
        minVersion: 'TLSv1.2',
        ...(clientAuthority === undefined ? {} : { ca: asText(clientAuthority) }),
      });
    } catch (error) {
      throw new PhantomError(
        '22023',
        `TLS cannot be set up: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** Wraps a socket whose next bytes are the client's hello. Nobody reads the plain socket any more. */
  secure(socket: Socket): TLSSocket {
    return new TLSSocket(socket, {
      isServer: true,
      secureContext: this.context,
      requestCert: this.authorities.length > 0,
      // Whether a certificate is needed is the rules' to say, once the user is known.
      rejectUnauthorized: false,
      ALPNProtocols: [ALPN_PROTOCOL],
    });
  }

  /** What a secure socket knows of its client after the handshake, which has proved that the key is the client's. */
  clientOf(socket: TLSSocket): ClientEncryption {
    const certificate = socket.getPeerX509Certificate();
    const name = certificate !== undefined && this.isGood(certificate) ? commonName(certificate) : undefined;
    return { certifiedName: name, isNegotiated: socket.alpnProtocol === ALPN_PROTOCOL };
  }

  /** True when a chain of at most CHAIN_MAX certificates, all of them valid now, leads to an authority. */
  private isGood(certificate: X509Certificate): boolean {
    const nowMs = Date.now();
    let current = certificate;
    for (let depth = 0; depth < CHAIN_MAX; depth++) {
      if (nowMs < Date.parse(current.validFrom) || nowMs > Date.parse(current.validTo)) return false;
      for (const authority of this.authorities) {
        const isValid = nowMs <= Date.parse(authority.validTo);
        if (isValid && current.checkIssued(authority) && current.verify(authority.publicKey)) return true;
      }
      const next = current.issuerCertificate;
      if (next === undefined || !next.ca || !current.checkIssued(next) || !current.verify(next.publicKey)) return false;
      current = next;
    }
    return false;
  }
}

function commonName(certificate: X509Certificate): string | undefined {
  return /^CN=(.+)$/m.exec(certificate.subject)?.[1];
}

/** What encryption tells of a client. */
export interface ClientEncryption {
  /** Common name of the certificate that the client has shown and that an authority of ours has signed. */
  readonly certifiedName: string | undefined;
  /** True when TLS was agreed to be for this protocol. */
  readonly isNegotiated: boolean;
}

/** The certificates of a PEM file. */
function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('there is no certificate in the authority');
  return blocks.map((block) => new X509Certificate(block));
}

function asText(pem: string | Uint8Array): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
}
