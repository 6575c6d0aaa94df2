// SPDX-License-Identifier: AGPL-3.0-or-later
// What a file is, by its first bytes: never by its name, nor by the type that the browser made from that name.

import { latin } from "./sliding-window.js";

const START_BYTES = 32;
// A reader of PDF looks for its mark in the first kilobyte.
const PDF_START_BYTES = 1024;

/** @typedef {import("../formats/worker-calls.js").FileKind} FileKind */

/** Brands of ISO base media files (ISO/IEC 14496-12), by their beginnings. @type {[RegExp, FileKind, string][]} */
const BRANDS = [
  [/^(hei|hev|mif1|msf1)/, "heic", "image/heic"],
  [/^avi[fs]/, "heic", "image/avif"],
  [/^qt/, "other", "video/quicktime"],
  [/^M4[AB]/, "other", "audio/mp4"],
  [/^3g/, "other", "video/3gpp"],
  [/^/, "other", "video/mp4"],
];
const TOLD_BY_BYTES = /^(image\/(jpe?g|png|webp|hei[cf]|avif)|application\/pdf|video\/(mp4|quicktime|3gpp)|audio\/mp4)/;

/**
 * @param {import("./sliding-window.js").SlidingWindow} file
 * @param {string} claimed media type, by the browser
 * @returns {Promise<{ kind: FileKind, type: string }>} the type is empty when neither bytes nor browser tell it
 */
export async function kindOf(file, claimed) {
  const start = latin(await file.read(0, START_BYTES));
  if (start.startsWith("\xff\xd8\xff")) return { kind: "jpeg", type: "image/jpeg" };
  if (start.startsWith("\x89PNG\r\n")) return { kind: "png", type: "image/png" };
  if (/^RIFF[^]{4}WEBP/.test(start)) return { kind: "webp", type: "image/webp" };
  if (start.slice(4, 8) === "ftyp") return brandOf(start.slice(8, 12));
  if (latin(await file.read(0, PDF_START_BYTES)).includes("%PDF-")) return { kind: "pdf", type: "application/pdf" };
  return { kind: "other", type: TOLD_BY_BYTES.test(claimed) ? "" : claimed };
}

/** @param {string} brand @returns {{ kind: FileKind, type: string }} */
function brandOf(brand) {
  const [, kind, type] = /** @type {[RegExp, FileKind, string]} */ (BRANDS.find(([form]) => form.test(brand)));
  return { kind, type };
}
