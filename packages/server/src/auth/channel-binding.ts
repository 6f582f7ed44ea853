/**
 * What a client's proof is bound to over TLS, tls-server-end-point of RFC 5929: the hash of the certificate that the server shows. Who stands
 * between and shows a certificate of his own cannot hand on a proof that was made for it.
 *
 *   Certificate  ::=  SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, ... }, signature }
 *
 * The hash is that of the certificate's signature, and SHA-256 where that is MD5 or SHA-1. A signature without a hash of its own (Ed25519), or
 * with one among its parameters (RSA-PSS), has no such binding: none is offered then, as the RFC leaves it undefined.
 */
import { X509Certificate, createHash } from 'node:crypto';

/** Hashes by the signature's object identifier as DER in hex: RSA's begin with 2a864886f70d0101, ECDSA's with 2a8648ce3d04. */
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256',
  '2a864886f70d010105': 'sha256',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a864886f70d01010e': 'sha224',
  '2a8648ce3d0401': 'sha256',
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

/** Binding of a server that shows the first of these certificates (PEM); undefined where none is defined. */
export function endPointBinding(pem: string): Buffer | undefined {
  const { raw } = new X509Certificate(pem);
  const hash = HASHES[signatureAlgorithm(raw).toString('hex')];
  return hash === undefined ? undefined : createHash(hash).update(raw).digest();
}

/** The object identifier of a certificate's signature, which OpenSSL has read already: nothing in it can be wrong. */
function signatureAlgorithm(certificate: Buffer): Buffer {
  const signed = contentAt(certificate, contentAt(certificate, 0).start);
  const identifier = contentAt(certificate, contentAt(certificate, signed.end).start);
  return certificate.subarray(identifier.start, identifier.end);
}

/** Where the content of the DER element lies that begins there. */
function contentAt(bytes: Buffer, offset: number): { readonly start: number; readonly end: number } {
  const first = bytes.readUInt8(offset + 1);
  if (first < 0x80) return { start: offset + 2, end: offset + 2 + first };
  const lengthBytes = first & 0x7f;
  const start = offset + 2 + lengthBytes;
  return { start, end: start + bytes.readUIntBE(offset + 2, lengthBytes) };
}
