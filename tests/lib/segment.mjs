// A second reader of the event log, written from docs/formats/event-log.md alone: what it finds
// must be what the program finds.

import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const NAME = /^[0-9a-f]{24}-\d{6}\.jsonl$/;
const UNNAMED = /^[0-9a-f]{24}-\d{6}\.jsonl\.new$/;  // a crash came before it was locked
const COMMIT_PREFIX = '{"log_commit":';
const COMMIT_LINE =
    /^\{"log_commit":\{"events":(0|[1-9]\d*),"bytes":(0|[1-9]\d*),"crc32c":"([0-9a-f]{8})"\}\} {0,4095}$/;
const MAX_EVENT_BYTES = 4 << 20;
const MAX_COMMIT_BYTES = 64 << 20;
const LF = 10;

const CRC_TABLE = Uint32Array.from({length: 256}, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/// CRC-32C (Castagnoli) as eight hex digits.
export function crc32c(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff];
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}

/// Of one segment's bytes: {commits: [{offset, end, lines}], damage: [{offset, end}], torn}.
/// Offsets are bytes. `torn` counts what follows the last good commit.
export function readSegment(bytes) {
  const commits = [];
  const damage = [];
  let suspects = [];
  let begin = 0;  // of the commit that is being collected
  let lineBegin = 0;
  let lines = [];
  for (let newline; (newline = bytes.indexOf(LF, lineBegin)) >= 0; lineBegin = newline + 1) {
    const line = bytes.toString('utf8', lineBegin, newline);
    if (!line.startsWith(COMMIT_PREFIX)) {
      lines.push(line);
      continue;
    }
    const end = newline + 1;
    if (isGood(line, lines, bytes.subarray(begin, lineBegin))) {
      commits.push({offset: begin, end, lines});
      // A bad commit with a good one after it is damage; otherwise it is a crash's torn tail.
      damage.push(...suspects);
      suspects = [];
    } else {
      suspects.push({offset: begin, end});
    }
    begin = end;
    lines = [];
  }
  return {commits, damage, torn: bytes.length - (commits.at(-1)?.end ?? 0)};
}

function isGood(commitLine, lines, bytes) {
  const found = COMMIT_LINE.exec(commitLine);
  return found !== null && lines.length > 0 && Number(found[1]) === lines.length
      && Number(found[2]) === bytes.length && found[3] === crc32c(bytes)
      && bytes.length <= MAX_COMMIT_BYTES
      && lines.every((line) => Buffer.byteLength(line) <= MAX_EVENT_BYTES);
}

/// The segments of a store, oldest first: [{path, commits, damage, torn}].
export function readStore(store) {
  const folder = join(store, 'log');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => !UNNAMED.test(name)).sort().map((name) => {
    if (!NAME.test(name)) throw new Error(`${name} is no segment's name`);
    const path = join(folder, name);
    return {path, ...readSegment(readFileSync(path))};
  });
}

/// Every committed line of a store.
export function committedLines(store) {
  return readStore(store).flatMap(({commits}) => commits.flatMap(({lines}) => lines));
}
