// SPDX-License-Identifier: AGPL-3.0-or-later
// Of Exif, the orientation alone: without it a photo would lie on its side.

const ORIENTATION_TAG = 0x0112;

/**
 * @param {Uint8Array} bytes a TIFF structure, which may continue after its end
 * @returns {number | null} 2 to 8, when a picture is stored rotated or mirrored
 */
export function readOrientation(bytes) {
  const tiff = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    const little = tiff.getUint16(0) === 0x4949;
    const directory = tiff.getUint32(4, little);
    const count = tiff.getUint16(directory, little);
    for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
      if (tiff.getUint16(entry, little) !== ORIENTATION_TAG) continue;
      const orientation = tiff.getUint16(entry + 8, little);
      return orientation >= 2 && orientation <= 8 ? orientation : null;
    }
  } catch {
    // A broken structure has no orientation.
  }
  return null;
}

/**
 * A TIFF structure with an orientation and nothing else.
 *
 * @param {number} orientation
 * @returns {number[]} 26 bytes
 */
export function orientationTiff(orientation) {
  return [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
}
