// SPDX-License-Identifier: AGPL-3.0-or-later
// The return with a code: entry of the page /{lang}/return.

import { MailboxPage } from "./components/mailbox-page.js";
import { part, setting } from "./components/element.js";
import { standIn } from "./stand-ins.js";
import { loadStrings } from "./strings.js";

standIn();
const root = part(document, "[data-return]");
loadStrings(setting(root, "strings")).then(() => new MailboxPage(root).start());
