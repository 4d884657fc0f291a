#!/usr/bin/env python3
"""Peak memory of `pipe run ocr.yml` over long documents and many, which must not grow with their length.

  Benchmarks/document_memory.py [--pages 500] [--base 50] [--pipe .build/release/pipe]

Makes small pages of text as pictures: one PDF of --base and one of --pages of them, and as many single pictures, reads
each with OCR, and prints the largest process's peak. Fails where a long run takes over 10 % more than its short one.
"""
import argparse
import multiprocessing
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zlib

LETTERS = "BT /F 20 Tf 1 0 0 1 20 {y} Tm ({text}) Tj ET"


def write_pdf(path, objects):
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    path.write_bytes(data + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
                     % (len(objects) + 1, table, len(objects) + 1, len(data)))


def stream(head, body):
    return b"<< %s /Length %d >> stream\n%s\nendstream" % (head, len(body), body)


def page_picture(folder, number):
    """A small grey picture of a few words that no other page has, as (width, height, samples)."""
    content = " ".join(LETTERS.format(y=150 - 30 * line, text=f"Page {number} line {line} of many") for line in range(4))
    source = folder / "page.pdf"
    write_pdf(source, [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F << /Type /Font "
        b"/Subtype /Type1 /BaseFont /Helvetica >> >> >> >>", stream(b"", content.encode())])
    data = subprocess.run(["pdftoppm", "-gray", "-r", "150", source], capture_output=True, check=True).stdout
    head = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
    return int(head[1]), int(head[2]), data[head.end():]


def picture_pdf(path, pictures):
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for width, height, samples in pictures:
        image = len(objects) + 1
        objects.append(stream(b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace "
                              b"/DeviceGray /Filter /FlateDecode" % (width, height), zlib.compress(samples)))
        objects.append(stream(b"", b"300 0 0 200 0 0 cm /I Do"))
        objects.append(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents %d 0 R /Resources << /XObject << /I "
                       b"%d 0 R >> >> >>" % (image + 1, image))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    write_pdf(path, objects)


def bitmap(path, picture):
    width, height, samples = picture
    stride = (width + 3) // 4 * 4
    rows = b"".join(samples[y * width:(y + 1) * width].ljust(stride, b"\xff") for y in reversed(range(height)))
    little = lambda value, count=4: value.to_bytes(count, "little")
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    head = b"BM" + little(1078 + len(rows)) + little(0) + little(1078) + little(40) + little(width) + little(height)
    path.write_bytes(head + little(1, 2) + little(8, 2) + little(0) + little(len(rows)) + little(5906) * 2 + little(256)
                     + little(0) + palette + rows)


def peak(options, source, out):
    """MiB of the largest process of a run."""
    child = subprocess.Popen([options.pipe, "run", options.pipeline, source, "-o", out, "-q"])
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"pipe failed on {source}")
    return usage.ru_maxrss / 1024


def make(folder, counts):
    """The documents of a run, by kind and number of pages."""
    pictures = [page_picture(folder, number) for number in range(max(counts))]
    for count in counts:
        picture_pdf(folder / f"one PDF {count}.pdf", pictures[:count])
        (folder / f"single pictures {count}").mkdir()
        for number, picture in enumerate(pictures[:count]):
            bitmap(folder / f"single pictures {count}" / f"{number}.bmp", picture)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--base", type=int, default=50)
    parser.add_argument("--pipe", default=".build/release/pipe")
    parser.add_argument("--pipeline", default="pipelines/ocr.yml")
    options = parser.parse_args()
    grown = False
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # In a process of its own: the kernel counts what this one has held as the peak of those that it starts.
        maker = multiprocessing.Process(target=make, args=(folder, (options.base, options.pages)))
        maker.start()
        maker.join()
        if maker.exitcode:
            raise SystemExit("the pages could not be made")
        for kind in ("one PDF", "single pictures"):
            peaks = []
            for count in (options.base, options.pages):
                source = folder / (f"{kind} {count}" + (".pdf" if kind == "one PDF" else ""))
                peaks.append(peak(options, source, folder / f"out of {kind} {count}"))
                print(f"{kind}, {count} pages: {peaks[-1]:.0f} MiB", flush=True)
            grown |= peaks[1] > peaks[0] * 1.1
            print(f"{kind}: {peaks[1] / peaks[0]:.3f} times the memory for {options.pages / options.base:.0f} times the pages")
    sys.exit(grown)


if __name__ == "__main__":
    main()
