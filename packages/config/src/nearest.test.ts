import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./nearest.js";

test("suggests what is one edit for every three characters away, and nothing further", () => {
  const keys = ["http", "grpc", "endpoint", "max_recv_msg_size_mib"];
  assert.equal(nearest("htttp", keys), "http");
  assert.equal(nearest("gprc", keys), "grpc", "a swap is one edit");
  assert.equal(nearest("GRPC", keys), "grpc", "case counts for nothing");
  assert.equal(nearest("endpont", keys), "endpoint");
  assert.equal(nearest("endpnt", keys), "endpoint", "two edits of six characters");
  assert.equal(nearest("endpt", keys), undefined, "three edits of five characters");
  assert.equal(nearest("max_recv_msg_size", keys), "max_recv_msg_size_mib");
  assert.equal(nearest("x", keys), undefined);
  assert.equal(nearest("", keys), undefined);
});

test("the first of several equally close candidates is suggested", () => {
  assert.equal(nearest("cat", ["bat", "hat"]), "bat");
});

test("words of 128 characters are compared, longer ones not", () => {
  const word = "a".repeat(128);
  assert.equal(nearest(word, [`${word.slice(1)}b`]), `${word.slice(1)}b`);
  assert.equal(nearest(`${word}a`, [word]), undefined);
  assert.equal(nearest(word, [`${word}a`]), undefined);
});
