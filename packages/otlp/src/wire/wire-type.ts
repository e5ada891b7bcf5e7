/** Wire types that OTLP uses; 3 and 4 (groups), 6 and 7 (never assigned) are refused. */
export const VARINT = 0;
/** Eight bytes, little endian. */
export const FIXED64 = 1;
/** A length and as many bytes. */
export const LENGTH_DELIMITED = 2;
/** Four bytes, little endian. */
export const FIXED32 = 5;
