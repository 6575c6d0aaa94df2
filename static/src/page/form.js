// SPDX-License-Identifier: AGPL-3.0-or-later
// The report form: entry of the page /{lang}/{commission}/report.

import { ReportForm } from "./components/report-form.js";
import { part, setting } from "./components/element.js";
import { standIn } from "./stand-ins.js";
import { loadStrings } from "./strings.js";

standIn();
const root = part(document, "[data-report]");
loadStrings(setting(root, "strings")).then(() => new ReportForm(root).start());
