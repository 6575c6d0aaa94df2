// SPDX-License-Identifier: AGPL-3.0-or-later
// Tells kinds of files and cleans pictures; loaded when the first file is chosen.

import { clean } from "./clean.js";
import { serve } from "./file-loop.js";
import { endingFor, isRevealing } from "./names.js";
import { thumbnailOf } from "./thumbnail.js";

serve(async ({ file, name }) => {
  const cleaned = await clean(file);
  const picture = await thumbnailOf(cleaned);
  return { ...cleaned, picture, revealing: isRevealing(name), ending: endingFor(cleaned.kind, name) };
});
