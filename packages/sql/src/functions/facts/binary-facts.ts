/** PostgreSQL 15's pg_proc: functions of bytea. The form of a line is told in definitions.ts. */
export const binaryFacts = `
721 get_byte 17,23 23 ix byteaGetByte
722 set_byte 17,23,23 17 ix byteaSetByte
723 get_bit 17,20 23 ix byteaGetBit
724 set_bit 17,20,23 17 ix byteaSetBit
749 overlay 17,17,23,23 17 ix byteaoverlay
752 overlay 17,17,23 17 ix byteaoverlay_no_len
1713 length 17,19 23 sx length_in_encoding
1714 convert_from 17,19 25 sx pg_convert_from
1717 convert_to 25,19 17 sx pg_convert_to
1813 convert 17,19,19 17 sx pg_convert
1946 encode 17,25 25 ix binary_encode
1947 decode 25,25 17 ix binary_decode
2005 bytealike 17,17 16 ix bytealike
2006 byteanlike 17,17 16 ix byteanlike
2007 like 17,17 16 ix bytealike
2008 notlike 17,17 16 ix byteanlike
2011 byteacat 17,17 17 ix byteacat
2012 substring 17,23,23 17 ix bytea_substr
2013 substring 17,23 17 ix bytea_substr_no_len
2014 position 17,17 23 ix byteapos
2015 btrim 17,17 17 ix byteatrim
2085 substr 17,23,23 17 ix bytea_substr
2086 substr 17,23 17 ix bytea_substr_no_len
2311 md5 25 25 ix md5_text
2321 md5 17 25 ix md5_bytea
3419 sha224 17 17 ix sha224_bytea
3420 sha256 17 17 ix sha256_bytea
3421 sha384 17 17 ix sha384_bytea
3422 sha512 17 17 ix sha512_bytea
6163 bit_count 17 20 ix bytea_bit_count
6195 ltrim 17,17 17 ix bytealtrim
6196 rtrim 17,17 17 ix byteartrim
`;
