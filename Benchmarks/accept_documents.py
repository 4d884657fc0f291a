#!/usr/bin/env python3
"""Judges what `pipe run ocr.yml` makes of documents, by other programs: poppler-utils, qpdf and ffmpeg.

  Benchmarks/accept_documents.py [FOLDER ...] [--pipe .build/release/pipe] [--keep DIR]

Of every PDF and picture in the folders: the output opens, passes `qpdf --check`, has the input's pages and their sizes,
looks like it (mean difference of the drawn pages under 1 %), grows by no more than its text and 5 %, and holds each word
of the JSON where that says it stands; or the file is refused in one line. Without a folder, and after it: pages drawn
for this, turned, cropped, slanted, with units and origins of their own, whose words must stand where the same words
stand when they are set as text.
"""
import argparse
import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zlib

PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif"}


def ran(*command, ok=(0,)):
    result = subprocess.run([str(part) for part in command], capture_output=True)
    if result.returncode not in ok:
        raise AssertionError(f"{command[0]} ended with {result.returncode}: {result.stderr.decode(errors='replace')[-300:]}")
    return result


def page_sizes(pdf):
    """Of each page width, height and rotation as pdfinfo gives them."""
    text = ran("pdfinfo", "-l", "-1", pdf).stdout.decode(errors="replace")
    sizes = re.findall(r"Page +\d+ size: +([\d.]+) x ([\d.]+)", text)
    turns = re.findall(r"Page +\d+ rot: +(\d+)", text)
    return [(round(float(w), 1), round(float(h), 1), turn) for (w, h), turn in zip(sizes, turns)]


def grey(data):
    """Width, height and samples of a PGM."""
    head = re.match(rb"P5\s+(?:#.*\s+)*(\d+)\s+(\d+)\s+255\s", data)
    return int(head[1]), int(head[2]), data[head.end():]


def drawn(pdf, page, *size):
    return grey(ran("pdftoppm", "-gray", "-f", page, "-l", page, *size, pdf).stdout)


def drawn_picture(path):
    """A picture laid on white, with its own samples."""
    graph = "color=white[c];[c][0:v]scale2ref[b][v];[b][v]overlay=shortest=1:format=gbrp,format=rgb24,format=gray"
    return grey(ran("ffmpeg", "-v", "error", "-nostdin", "-i", path, "-filter_complex", graph, "-frames:v", "1", "-f",
                    "image2pipe", "-c:v", "pgm", "-").stdout)


def stored_picture(pdf, page):
    """The one picture of a page, sample by sample: drawing it would move it by a part of a pixel."""
    with tempfile.TemporaryDirectory() as folder:
        ran("pdfimages", "-png", "-f", page, "-l", page, pdf, pathlib.Path(folder, "picture"))
        return drawn_picture(*pathlib.Path(folder).iterdir())


def difference(a, b):
    """Mean difference of two grey pictures, 0 to 1."""
    assert a[:2] == b[:2], f"drawn as {a[:2]} and {b[:2]}"
    return sum(abs(x - y) for x, y in zip(a[2], b[2])) / max(len(a[2]), 1) / 255


def words_by_page(pdf):
    """(text, (left, top, right, bottom)) of every word, by page, in points of the page as shown."""
    text = ran("pdftotext", "-bbox", "-cropbox", pdf, "-").stdout.decode(errors="replace")
    pages = []
    for page in text.split("<page ")[1:]:
        found = re.findall(r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>', page)
        pages.append([(html.unescape(word), tuple(map(float, box))) for *box, word in found])
    return pages


def overlap(a, b):
    """Common area by joint area."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width * height / (area(a) + area(b) - width * height)


def cover(a, b):
    """Common area by the smaller one: a mark's box is as high as its line in a PDF, and as small as its ink in JSON."""
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    joint = area(a) + area(b)
    common = joint * overlap(a, b) / (1 + overlap(a, b))
    return common / max(min(area(a), area(b)), 1e-9)


def placed(expected, found, least, measure=overlap):
    """The share of expected words that are found with at least this overlap."""
    by_text = {}
    for word, box in found:
        by_text.setdefault(word, []).append(box)
    hits = sum(any(measure(box, other) >= least for other in by_text.get(word, [])) for word, box in expected)
    return hits / max(len(expected), 1)


def user_units(pdf):
    """poppler-utils tell sizes and places in units of user space, pipe in points."""
    found = {}
    content = json.loads(ran("qpdf", "--json=1", "--json-key=pages", "--json-key=objects", pdf, ok=(0, 3)).stdout)
    for number, page in enumerate(content["pages"], 1):
        found[number] = content["objects"][page["object"]].get("/UserUnit", 1)
    return found


def judge(source, output, text_file):
    """Measures of one output; raises AssertionError where it is wrong."""
    is_pdf = source.suffix.lower() == ".pdf"
    allowed = (0, 3) if is_pdf and ran("qpdf", "--check", source, ok=(0, 2, 3)).returncode else (0,)
    ran("qpdf", "--check", output, ok=allowed)
    sizes = page_sizes(output)
    if is_pdf:
        assert sizes == page_sizes(source), f"pages {page_sizes(source)} became {sizes}"
    worst = 0
    for page in range(1, len(sizes) + 1):
        if is_pdf:
            ours, theirs = (drawn(pdf, page, "-scale-to", 700) for pdf in (output, source))
        else:
            ours, theirs = stored_picture(output, page), drawn_picture(source)
        worst = max(worst, difference(ours, theirs))
    assert worst < 0.01, f"looks different by {worst:.2%}"

    document = json.loads(text_file.read_text())
    places = words_by_page(output)
    units = user_units(output)
    expected = found = 0
    for page in document["pages"]:
        unit = units.get(page["number"], 1)
        words = [(word["text"], tuple(value / unit for value in corners(word["box"])))
                 for block in page["blocks"] for line in block["lines"] for word in line["words"]]
        # What stood in the input is not ours to place.
        if page["source"] == "document":
            continue
        expected += len(words)
        found += placed(words, places[page["number"] - 1], 0.5, cover) * len(words)
    share = found / expected if expected else 1
    assert share >= 0.9, f"only {share:.1%} of {expected} words stand where they should"

    grown = output.stat().st_size - source.stat().st_size
    if is_pdf:
        # The font with its tables is 4 KiB; a word takes 40 bytes at most.
        limit = source.stat().st_size * 0.05 + 4096 + 40 * expected
        assert grown <= limit, f"grew by {grown} bytes, more than {limit:.0f}"
    return f"{len(sizes)} pages, {expected} words, {share:.1%} in place, difference {worst:.2%}, {grown:+} bytes"


def corners(box):
    return box[0], box[1], box[0] + box[2], box[1] + box[3]


def judge_folder(folder, options, work):
    outputs = work / "outputs"
    run = subprocess.run([options.pipe, "run", options.pipeline, str(folder), "-o", str(outputs), "--json"],
                         capture_output=True, text=True)
    assert run.returncode in (0, 1), f"pipe ended with {run.returncode}: {run.stderr}"
    events = [json.loads(line) for line in run.stdout.splitlines()]
    failures = 0
    for event in events:
        source = pathlib.Path(event["input"]) if event.get("input") else None
        if event["event"] == "failed":
            one_line = "\n" not in event["error"] and source.name in event["error"]
            failures += not one_line
            print(f"{'refused' if one_line else 'BADLY REFUSED':14} {event['error']}")
        elif event["event"] == "done":
            files = {pathlib.Path(path).suffix: pathlib.Path(path) for path in event["outputs"]}
            try:
                print(f"{'good':14} {source.name}: {judge(source, files['.pdf'], files['.json'])}")
            except (AssertionError, KeyError) as problem:
                failures += 1
                print(f"{'WRONG':14} {source.name}: {problem}")
    done = {pathlib.Path(event["input"]).name for event in events if event["event"] in ("done", "failed")}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PICTURES | {".pdf"} and path.name not in done:
            failures += 1
            print(f"{'FORGOTTEN':14} {path.name}")
    return failures


# Pages drawn for this: the same words once as text, once as a scan, on pages of every shape.
LINES = ["The quick brown fox jumps", "over seventeen lazy dogs", "while bright vixens watch",
         "from their winter garden", "and nobody counts sheep"]
WIDTH, HEIGHT = 400, 300
SHAPES = {
    "plain": ("/MediaBox [0 0 400 300]", "1 0 0 1 0 0"),
    "turned by 90": ("/MediaBox [0 0 300 400] /Rotate 90", "0 1 -1 0 300 0"),
    "turned by 180": ("/MediaBox [0 0 400 300] /Rotate 180", "-1 0 0 -1 400 300"),
    "turned by 270": ("/MediaBox [0 0 300 400] /Rotate 270", "0 -1 1 0 0 400"),
    "offset origin": ("/MediaBox [-90 50 310 350]", "1 0 0 1 -90 50"),
    "cropped": ("/MediaBox [0 0 600 600] /CropBox [100 120 500 420]", "1 0 0 1 100 120"),
    "cropped and turned": ("/MediaBox [0 0 600 600] /CropBox [50 60 350 460] /Rotate 90", "0 1 -1 0 350 60"),
    "unit of 2": ("/MediaBox [0 0 200 150] /UserUnit 2", ".5 0 0 .5 0 0"),
    "unit, offset, turned": ("/MediaBox [10 20 160 220] /UserUnit 2 /Rotate 270", "0 -.5 .5 0 10 220"),
    "slanted by 2 degrees": ("/MediaBox [0 0 400 300]", ".99939 .0349 -.0349 .99939 5.4 -6.9"),
}


def write_pdf(path, attributes, content, resources, extra=()):
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               f"<< /Type /Page /Parent 2 0 R {attributes} /Contents 4 0 R /Resources << {resources} >> >>".encode(),
               b"<< /Length %d >> stream\n%s\nendstream" % (len(content), content), *extra]
    data = b"%PDF-1.7\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    path.write_bytes(data + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
                     % (len(objects) + 1, table, len(objects) + 1, len(data)))


def set_text(path, attributes, matrix):
    lines = " ".join(f"1 0 0 1 40 {240 - 45 * index} Tm ({line}) Tj" for index, line in enumerate(LINES))
    write_pdf(path, attributes, f"q {matrix} cm BT /F 22 Tf {lines} ET Q".encode(),
              "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>")


def judge_shapes(options, work):
    scans = work / "shapes"
    texts = work / "set"
    scans.mkdir()
    texts.mkdir()
    set_text(texts / "scan.pdf", *SHAPES["plain"])
    width, height, samples = grey(ran("pdftoppm", "-gray", "-r", "200", texts / "scan.pdf").stdout)
    packed = zlib.compress(samples)
    image = (b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceGray "
             b"/Filter /FlateDecode /Length %d >> stream\n%s\nendstream" % (width, height, len(packed), packed))
    for name, (attributes, matrix) in SHAPES.items():
        set_text(texts / f"{name}.pdf", attributes, matrix)
        write_pdf(scans / f"{name}.pdf", attributes, f"q {matrix} cm {WIDTH} 0 0 {HEIGHT} 0 0 cm /I Do Q".encode(),
                  "/XObject << /I 5 0 R >>", [image])
    failures = judge_folder(scans, options, work)
    for name in SHAPES:
        expected = words_by_page(texts / f"{name}.pdf")[0]
        share = placed(expected, words_by_page(work / "outputs" / f"{name}.pdf")[0], 0.4)
        failures += share < 0.95
        print(f"{'good' if share >= 0.95 else 'WRONG':14} {name}: {share:.1%} of {len(expected)} words stand where they are seen")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="*", type=pathlib.Path)
    parser.add_argument("--pipe", default=".build/release/pipe")
    parser.add_argument("--pipeline", default="pipelines/ocr.yml")
    parser.add_argument("--keep", type=pathlib.Path, help="write outputs here and leave them")
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        top = options.keep or pathlib.Path(temporary)
        for number, folder in enumerate([*options.folder, None]):
            work = top / str(number)
            work.mkdir(parents=True)
            failures += judge_folder(folder, options, work) if folder else judge_shapes(options, work)
    print(f"{failures} wrong" if failures else "all good")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
