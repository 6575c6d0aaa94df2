// SPDX-License-Identifier: AGPL-3.0-or-later
// Prints the C2SP test vectors of age as JSON: { name: base64 of the file }.
import * as vectors from "../../static/node_modules/cctv-age/index.js";

const encoded = Object.entries(vectors).map(([name, file]) => [name, Buffer.from(file).toString("base64")]);
process.stdout.write(JSON.stringify(Object.fromEntries(encoded)));
