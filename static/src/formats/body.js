// SPDX-License-Identifier: AGPL-3.0-or-later
// The body of an answer, of which a device takes no more than it can need: a portal that lies must not fill its memory.
// Every browser that reads our script (ES2022) has bodies that are streams.

const FIRST_BYTES = 16_384;

/**
 * @param {Response} response
 * @param {number} bytesMax
 * @param {() => void} [onMove] called for everything that comes
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>} null for a longer one, whose rest is not asked for
 */
export async function readBody(response, bytesMax, onMove) {
  const reader = response.body?.getReader();
  let bytes = new Uint8Array(FIRST_BYTES);
  let size = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    onMove?.();
    if (size + value.length > bytesMax) {
      // What comes of it concerns nobody.
      reader.cancel().catch(() => {});
      return null;
    }
    if (size + value.length > bytes.length) {
      const larger = new Uint8Array(2 * (size + value.length));
      larger.set(bytes);
      bytes = larger;
    }
    bytes.set(value, size);
    size += value.length;
  }
  return bytes.subarray(0, size);
}
