// SPDX-License-Identifier: AGPL-3.0-or-later
// The return page's worker: it holds the receipt code and every key made from it. The page's side is page/mailbox-client.js.

import { closeMailbox, deleteMessages, openMailbox, sendFollowUp } from "./mailbox.js";
import { MailboxPortal } from "./mailbox-portal.js";
import { serve } from "./worker-loop.js";

serve(MailboxPortal, { openMailbox, followUp: sendFollowUp, deleteMessages, closeMailbox });
