// SPDX-License-Identifier: AGPL-3.0-or-later
// Cleans PDF files; loaded when the first one is chosen.

import { serve } from "./file-loop.js";
import { cleanPdf } from "./pdf.js";

serve(({ file }) => cleanPdf(file));
