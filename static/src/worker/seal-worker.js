// SPDX-License-Identifier: AGPL-3.0-or-later
// The form's worker: it holds the receipt code and every key made from it. The page's side is page/seal-client.js.

import { Portal } from "./portal.js";
import { checkCharter, submitReport } from "./submit.js";
import { serve } from "./worker-loop.js";

serve(Portal, { checkCharter, submit: submitReport });
