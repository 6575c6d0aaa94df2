// SPDX-License-Identifier: AGPL-3.0-or-later
// The other side of the interoperation tests: npm age-encryption, from standard input to standard output.
//   node age_interop.mjs seal RECIPIENT…
//   node age_interop.mjs open IDENTITY
//   node age_interop.mjs recipient IDENTITY
//   node age_interop.mjs armor
import { readFileSync, writeFileSync } from "node:fs";
import { armor, Decrypter, Encrypter, identityToRecipient } from "../../static/node_modules/age-encryption/dist/index.js";

const input = () => new Uint8Array(readFileSync(0));

async function seal(...recipients) {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(input());
}

async function open(identity) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(input());
}

const commands = { seal, open, recipient: identityToRecipient, armor: () => armor.encode(input()) };
const [command, ...parameters] = process.argv.slice(2);
writeFileSync(1, await commands[command](...parameters));
