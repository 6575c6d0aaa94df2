// SPDX-License-Identifier: AGPL-3.0-or-later
// The return with a code: entry of the page /{lang}/return.

import { MailboxPage } from "./components/mailbox-page.js";
import { part, setting } from "./components/element.js";
import { loadStrings } from "./strings.js";

const root = part(document, "[data-return]");
await loadStrings(setting(root, "strings"));
new MailboxPage(root).start();
