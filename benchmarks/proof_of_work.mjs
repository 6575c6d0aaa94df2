// SPDX-License-Identifier: AGPL-3.0-or-later
// The script's search for benchmarks/proof_of_work.py: how many hashes it tries in a second.
//
//     node benchmarks/proof_of_work.mjs           measures in Node, beside one WebCrypto digest after the other
//     node benchmarks/proof_of_work.mjs bundle    prints the measurement for a browser: `measure()` after it

import { fileURLToPath } from "node:url";
import { build } from "../static/node_modules/esbuild/lib/main.js";
import { doWork } from "../static/src/formats/work.js";

const BITS = 12;
const MS = 3000;

/** Hashes a second of the search: each of the sixteen tried every number up to the one that it found. */
export function measure(now = () => performance.now()) {
  const fill = (bytes) => globalThis.crypto.getRandomValues(bytes);
  const begun = now();
  let hashes = 0;
  while (now() - begun < MS) {
    const work = atob(doWork({ challenge: new Uint8Array(16), bits: BITS }, "submissions", new Uint8Array(32), fill, () => {}));
    const nonces = new DataView(Uint8Array.from(work.slice(32), (character) => character.charCodeAt(0)).buffer);
    for (let at = 0; at < nonces.byteLength; at += 4) hashes += nonces.getUint32(at) + 1;
  }
  return Math.round((1000 * hashes) / (now() - begun));
}

/** The same with WebCrypto, which gives each hash back through the event loop. */
export async function measureWebCrypto() {
  const input = new Uint8Array(40);
  const begun = performance.now();
  let hashes = 0;
  for (; performance.now() - begun < MS; hashes++) await globalThis.crypto.subtle.digest("SHA-256", input);
  return Math.round((1000 * hashes) / (performance.now() - begun));
}

async function main() {
  if (process.argv[2] !== "bundle") {
    console.log(JSON.stringify({ search: measure(() => process.cpuUsage().user / 1000), webcrypto: await measureWebCrypto() }));
    return;
  }
  const contents = `export { doWork } from "../static/src/formats/work.js"; ${measure} ${measureWebCrypto}
    const BITS = ${BITS}, MS = ${MS}; Object.assign(globalThis, { measure, measureWebCrypto });`;
  const resolveDir = fileURLToPath(new URL(".", import.meta.url));
  const stdin = { contents: contents.replace("export {", "import {"), resolveDir };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, write: false, format: "iife" });
  console.log(outputFiles[0].text);
}

await main();
