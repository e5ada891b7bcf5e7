/**
 * Flow-control window of a stream and of a connection, in bytes.
 *
 * HTTP/2 starts with 65,535, which is less than a third of a usual OTLP request: every request would
 * wait for the other side several times. 16 MiB is 1.3 Gbit/s at 100 ms of round trip.
 */
export const FLOW_CONTROL_WINDOW_BYTES = 16_777_216;
