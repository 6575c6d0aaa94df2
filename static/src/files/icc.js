// SPDX-License-Identifier: AGPL-3.0-or-later
// Colour profiles (ICC.1:2022) without what names a device, a person or a day: numbers that make colours, no texts.

const HEADER_BYTES = 128;
const ENTRY_BYTES = 12;
const TAGS_MAX = 100;
// Of the header: version, class and spaces of colour; the signature; intent and illuminant.
const HEADER_KEPT = [
  [8, 24],
  [36, 40],
  [64, 80],
];
const KEPT = new Set(
  "wtpt bkpt rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC chad lumi cicp A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 gamt".split(" "),
);

/**
 * The profile with its numbers alone. One that is plain already comes back with the same bytes.
 *
 * @param {Uint8Array} profile
 * @returns {Uint8Array<ArrayBuffer> | null} null for one that can't be read: a picture does without it
 */
export function plainProfile(profile) {
  try {
    return rebuild(profile, new DataView(profile.buffer, profile.byteOffset, profile.length));
  } catch {
    return null;
  }
}

/** @param {Uint8Array} profile @param {DataView} view */
function rebuild(profile, view) {
  const tags = readTags(profile, view);
  if (view.getUint32(36) !== 0x61637370 || tags === null) return null;
  const head = HEADER_BYTES + 4 + ENTRY_BYTES * tags.length;
  const offsets = new Map();
  let size = head;
  for (const { from, length } of tags) {
    if (offsets.has(from)) continue;
    offsets.set(from, size);
    size += (length + 3) & ~3;
  }
  const plain = new Uint8Array(size);
  const out = new DataView(plain.buffer);
  out.setUint32(0, size);
  for (const [from, until] of HEADER_KEPT) plain.set(profile.subarray(from, until), from);
  out.setUint32(HEADER_BYTES, tags.length);
  tags.forEach(({ name, from, length }, index) => {
    const at = HEADER_BYTES + 4 + ENTRY_BYTES * index;
    out.setUint32(at, name);
    out.setUint32(at + 4, offsets.get(from));
    out.setUint32(at + 8, length);
    plain.set(profile.subarray(from, from + length), offsets.get(from));
  });
  return plain;
}

/** @param {Uint8Array} profile @param {DataView} view */
function readTags(profile, view) {
  const count = view.getUint32(HEADER_BYTES);
  if (count > TAGS_MAX) return null;
  const tags = [];
  for (let index = 0; index < count; index += 1) {
    const at = HEADER_BYTES + 4 + ENTRY_BYTES * index;
    const [name, from, length] = [view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8)];
    if (from + length > profile.length) return null;
    if (KEPT.has(String.fromCharCode(...profile.subarray(at, at + 4)))) tags.push({ name, from, length });
  }
  // Two tags share their bytes or have nothing in common; else the sizes would not add up.
  const lengths = new Map(tags.map(({ from, length }) => [from, length]));
  return tags.every(({ from, length }) => lengths.get(from) === length) ? tags : null;
}
