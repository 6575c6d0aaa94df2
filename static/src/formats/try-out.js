// SPDX-License-Identifier: AGPL-3.0-or-later
// Tries at the start all that a browser must be able to do at the end, on one byte and a key that is thrown away.

import { generateIdentity, open, recipientOf, seal } from "./age.js";
import { deriveMaster } from "./derive.js";
import { randomBytes, systemRandom } from "./random.js";

/**
 * What this browser lacks: `insecure` when the page did not come by a safe connection, without which a browser offers no
 * derivation of keys, and `unsupported` for anything else.
 *
 * @returns {Promise<import("./worker-calls.js").Lack | null>}
 */
export async function findLack() {
  try {
    const [given] = randomBytes(1, systemRandom);
    await deriveMaster("", new Uint8Array(1), 1);
    const identity = await generateIdentity();
    const file = new Blob([new Uint8Array([given])]).slice(0, 1);
    const plaintext = new Uint8Array(await file.arrayBuffer());
    const sealed = await seal(plaintext, [await recipientOf(identity)]);
    const [opened] = await open(sealed, identity);
    if (opened === given) return null;
  } catch {
    // Whatever it is, it would happen at the end too.
  }
  return globalThis.crypto?.subtle || globalThis.isSecureContext ? "unsupported" : "insecure";
}
