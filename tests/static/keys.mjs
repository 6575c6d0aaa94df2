// SPDX-License-Identifier: AGPL-3.0-or-later
// The package's own Ed25519, for what tests sign.

import { ed25519 } from "../../static/node_modules/@noble/curves/ed25519.js";

/** The public key of a seed, 32 bytes each. */
export const publicKeyOf = (seed) => ed25519.getPublicKey(seed);

/** Whether this is the signature of the message by the key. */
export const verifies = (signature, message, publicKey) => ed25519.verify(signature, message, publicKey);
