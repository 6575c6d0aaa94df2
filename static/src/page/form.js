// SPDX-License-Identifier: AGPL-3.0-or-later
// The report form: entry of the page /{lang}/{commission}/report.

import { ReportForm } from "./components/report-form.js";
import { part, setting } from "./components/element.js";
import { loadStrings } from "./strings.js";

const root = part(document, "[data-report]");
await loadStrings(setting(root, "strings"));
new ReportForm(root).start();
