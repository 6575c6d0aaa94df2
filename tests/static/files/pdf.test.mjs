// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { PDF_BYTES_MAX, cleanPdf } from "../../../static/src/files/pdf.js";

const latin = (text) => Buffer.from(text, "latin1");

/** A PDF of these objects by number: texts, or `[entries, content]` for a stream. */
function pdf(objects, trailer = "/Root 1 0 R") {
  const parts = [latin("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")];
  for (const [number, object] of Object.entries(objects)) parts.push(made(number, object));
  return Buffer.concat([...parts, latin(`trailer\n<< /Size 99 ${trailer} >>\nstartxref\n0\n%%EOF\n`)]);
}

function made(number, object) {
  if (typeof object === "string") return latin(`${number} 0 obj\n${object}\nendobj\n`);
  const [entries, content] = object;
  const head = latin(`${number} 0 obj\n<< ${entries} /Length ${content.length} >>\nstream\n`);
  return Buffer.concat([head, content, latin("\nendstream\nendobj\n")]);
}

const segment = (code, content) => Buffer.concat([Buffer.from([0xff, code, 0, content.length + 2]), content]);
const JPEG = Buffer.concat([
  Buffer.from([0xff, 0xd8]),
  segment(0xe1, latin("Exif\0\0canary-gps")),
  segment(0xfe, latin("canary-comment")),
  segment(0xc0, Buffer.from([8, 0, 1, 0, 1, 1, 1, 0x11, 0])),
  segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
  Buffer.from([1, 2, 3, 0xff, 0xd9]),
  latin("canary-trailer"),
]);
const PAGE = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /A 5 0 R >> >> >>";
const PLAIN = {
  1: "<< /Type /Catalog /Pages 2 0 R >>",
  2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  3: PAGE,
  4: ["", latin("BT (words of the page) Tj ET")],
  5: ["/Type /XObject /Subtype /Image /Width 1 /Height 1 /Filter /DCTDecode", JPEG],
};

async function clean(bytes) {
  const result = await cleanPdf(new Blob([bytes]));
  return { ...result, text: result.blob && Buffer.from(await result.blob.arrayBuffer()).toString("latin1") };
}

const HIDDEN = {
  "author and dates": pdf({ ...PLAIN, 9: "<< /Author (canary) /CreationDate (canary) >>" }, "/Root 1 0 R /Info 9 0 R /ID [(canary) (canary)]"),
  "XMP of the document": pdf({ ...PLAIN, 1: "<< /Type /Catalog /Pages 2 0 R /Metadata 9 0 R >>", 9: ["/Type /Metadata", latin("<x:xmpmeta>canary</x:xmpmeta>")] }),
  "XMP of a picture": pdf({ ...PLAIN, 5: ["/Subtype /Image /Filter /DCTDecode /Metadata 9 0 R", JPEG], 9: ["", latin("canary")] }),
  "makers' own data": pdf({ ...PLAIN, 3: PAGE.replace("/Parent", "/PieceInfo << /X << /Private (canary) >> >> /LastModified (canary) /Parent") }),
  "who wrote a note": pdf({ ...PLAIN, 3: PAGE.replace("/Parent", "/Annots [<< /Subtype /Text /Rect [0 0 1 1] /T (canary) /M (canary) /NM (canary) /Contents (kept) >>] /Parent") }),
  "words for what is seen": pdf({ ...PLAIN, 1: "<< /Type /Catalog /Pages 2 0 R /StructTreeRoot 9 0 R >>", 9: "<< /K [<< /Alt (C:\\\\canary) >>] >>" }),
  "a link to a folder": pdf({ ...PLAIN, 3: PAGE.replace("/Parent", "/Annots [<< /Subtype /Link /Rect [0 0 1 1] /A << /S /URI /URI (file:///home/canary/x) >> >>] /Parent") }),
  "an older revision": Buffer.concat([pdf({ ...PLAIN, 4: ["", latin("canary")], 9: "(canary)" }), pdf({ 4: PLAIN[4] }).subarray(9)]),
  "what nothing refers to": pdf({ ...PLAIN, 9: ["", latin("canary")], 10: "<< /X (canary) >>" }),
  "comments between the objects": Buffer.concat([pdf(PLAIN), latin("% canary\n")]),
  "a small picture of the page": pdf({ ...PLAIN, 3: PAGE.replace("/Parent", "/Thumb 9 0 R /Parent"), 9: ["", latin("canary")] }),
  "all of it inside an object stream": pdf(
    { ...PLAIN, 9: ["/Type /ObjStm /N 1 /First 6 /Filter /FlateDecode", deflateSync(latin("10 0   << /Author (canary) >>"))] },
    "/Root 1 0 R /Info 10 0 R",
  ),
};

for (const [what, bytes] of Object.entries(HIDDEN)) {
  test(`a PDF loses ${what}, and its page stays`, async () => {
    assert.ok(bytes.includes("canary"));
    const { problem, text, type, blob } = await clean(bytes);
    assert.deepEqual([problem, type], [null, "application/pdf"]);
    assert.ok(!text.includes("canary"), text);
    assert.ok(text.includes("words of the page") && text.includes("/DCTDecode") && text.includes("\x01\x02\x03\xff\xd9"));
    assert.equal((await clean(Buffer.from(await blob.arrayBuffer()))).text, text);
  });
}

test("a colour profile in a PDF loses the names of its device", async () => {
  const profile = Buffer.alloc(156);
  profile.write("acsp", 36);
  profile.write("canary", 48);
  profile.writeUInt32BE(1, 128);
  profile.write("desc", 132);
  profile.writeUInt32BE(144, 136);
  profile.writeUInt32BE(12, 140);
  profile.write("canary-name", 144);
  const page = PAGE.replace("/Resources <<", "/Resources << /ColorSpace << /C [/ICCBased 9 0 R] >>");
  const { problem, text } = await clean(pdf({ ...PLAIN, 3: page, 9: ["/N 3 /Filter /FlateDecode", deflateSync(profile)] }));
  assert.deepEqual([problem, text.includes("canary"), text.includes("acsp")], [null, false, true]);
});

const catalog = (entries) => pdf({ ...PLAIN, 1: `<< /Type /Catalog /Pages 2 0 R ${entries} >>` });
const LOCKED = {
  "is encrypted": pdf({ ...PLAIN, 9: "<< /Filter /Standard >>" }, "/Root 1 0 R /Encrypt 9 0 R"),
  "is signed": catalog("/AcroForm << /Fields [<< /FT /Sig /T (s) /V << /ByteRange [0 1 2 3] >> >>] >>"),
  "runs a program": catalog("/OpenAction << /S /JavaScript /JS (x) >>"),
  "carries a file": catalog("/Names << /EmbeddedFiles << /Names [(a) << /Type /Filespec /EF << >> >>] >> >>"),
  "has a form in XML": catalog("/AcroForm << /XFA (x) >>"),
  "holds JPEG 2000": pdf({ ...PLAIN, 5: ["/Subtype /Image /Filter /JPXDecode", latin("x")] }),
};

for (const [what, bytes] of Object.entries(LOCKED)) {
  test(`a PDF that ${what} is not cleaned, and says so`, async () => {
    const { problem, blob } = await clean(bytes);
    assert.deepEqual([problem, blob], ["locked", null]);
  });
}

test("a PDF that is cut short or broken, or holds a picture that can't be cleaned, is not cleaned", async () => {
  const whole = pdf(PLAIN);
  const inline = deflateSync(Buffer.concat([latin("BI /F /DCT ID "), JPEG, latin(" EI")]));
  const broken = [
    latin("%PDF-1.7"),
    latin("%PDF-1.7\nnothing"),
    whole.subarray(0, 200),
    pdf({ ...PLAIN, 5: ["/Subtype /Image /Filter /DCTDecode", JPEG.subarray(0, 60)] }),
    pdf({ ...PLAIN, 5: ["/Subtype /Image /Filter [/FlateDecode /DCTDecode]", deflateSync(JPEG)] }),
    pdf({ ...PLAIN, 4: ["/Filter /FlateDecode", inline] }),
    pdf({ ...PLAIN, 1: "<< /Type /Nothing >>" }),
  ];
  for (const [index, bytes] of broken.entries()) {
    const { problem, blob } = await clean(bytes);
    assert.deepEqual([index, problem, blob], [index, "damaged", null]);
  }
});

test("a PDF above the bound is not even read", async () => {
  const { problem } = await cleanPdf({ size: PDF_BYTES_MAX + 1, arrayBuffer: () => assert.fail() });
  assert.equal(problem, "large");
});
