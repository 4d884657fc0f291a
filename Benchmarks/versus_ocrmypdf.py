#!/usr/bin/env python3
"""Times `pipe run ocr.yml` in turn with OCRmyPDF on one PDF, and with bare Tesseract on pictures; prints medians.

  Benchmarks/versus_ocrmypdf.py FOLDER [--pairs 5] [--pipe .build/release/pipe] [--jobs 2]

FOLDER holds pictures of pages. The PDF is made of them, laid on white, each page 11 inches long: OCRmyPDF refuses pages
that are not opaque. The others run as their users would make them fast: `OMP_THREAD_LIMIT=1 ocrmypdf -j2 --output-type
pdf -O0`, and as many `tesseract` commands at once as there are jobs, one thread each. pipe writes PDF, text and JSON in
both. Every command must end with 0. Run it with nothing else running.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import resource
import statistics
import struct
import subprocess
import tempfile
import time


def ran(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, **options)
    if result.returncode:
        raise SystemExit(f"{command[0]} ended with {result.returncode}:\n{result.stderr.decode(errors='replace')}")
    return result.stdout


def measured(body):
    """Wall and CPU seconds of what a function runs in child processes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    body()
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def flattened(picture):
    """Width, height and deflated PNG rows of a picture laid on white."""
    graph = "color=white[c];[c][0:v]scale2ref[b][v];[b][v]overlay=shortest=1:format=gbrp,format=rgb24"
    data = ran("ffmpeg", "-v", "error", "-nostdin", "-i", picture, "-filter_complex", graph, "-frames:v", "1", "-f",
               "image2pipe", "-c:v", "png", "-compression_level", "6", "-")
    width, height = struct.unpack(">II", data[16:24])
    rows, at = b"", 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            rows += data[at + 8:at + 8 + length]
        at += 12 + length
    return width, height, rows


def write_pdf(pictures, path):
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R >>"}
    kids = []
    for picture in pictures:
        width, height, rows = flattened(picture)
        points = [side * 792 / max(width, height) for side in (width, height)]
        image, content, page = len(objects) + 2, len(objects) + 3, len(objects) + 4
        draw = b"%f 0 0 %f 0 0 cm /I Do" % tuple(points)
        objects[image] = (
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter "
            b"/FlateDecode /DecodeParms << /Predictor 15 /Colors 3 /Columns %d >> /Length %d >> stream\n%s\nendstream"
            % (width, height, width, len(rows), rows))
        objects[content] = b"<< /Length %d >> stream\n%s\nendstream" % (len(draw), draw)
        objects[page] = (b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %f %f] /Contents %d 0 R /Resources << /XObject "
                         b"<< /I %d 0 R >> >> >>" % (*points, content, image))
        kids.append(b"%d 0 R" % page)
    objects[2] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    data, places = b"%PDF-1.4\n", {}
    for number in sorted(objects):
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    table = b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
    path.write_bytes(data + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
                     % (len(objects) + 1, table, len(objects) + 1, len(data)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--pipe", default=".build/release/pipe")
    parser.add_argument("--pipeline", default="pipelines/ocr.yml")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    pictures = sorted(path for path in options.folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif"))
    if not pictures:
        raise SystemExit(f"there are no pictures in {options.folder}")
    pages = len(pictures)
    one_thread = {**os.environ, "OMP_THREAD_LIMIT": "1"}

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        pdf = folder / "pages.pdf"
        write_pdf(pictures, pdf)
        rounds = iter(range(10**6))

        def pipe(source):
            ran(options.pipe, "run", options.pipeline, source, "-o", folder / f"out{next(rounds)}", "-q")

        def ocrmypdf():
            ran("ocrmypdf", f"-j{options.jobs}", "--output-type", "pdf", "-O0", "-q", pdf, folder / "ocrmypdf.pdf",
                env=one_thread)

        def tesseract():
            with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
                list(pool.map(lambda path: ran("tesseract", path, folder / path.stem, env=one_thread), pictures))

        version = re.search(rb"[\d.]+", ran("ocrmypdf", "--version"))[0].decode()
        contests = [(f"one PDF of {pages} pages", pdf, f"ocrmypdf {version}", ocrmypdf),
                    (f"{pages} pictures", options.folder, f"{options.jobs} tesseract", tesseract)]
        for title, source, name, other in contests:
            ours, theirs = [], []
            for pair in range(options.pairs + 1):
                a, b = measured(lambda: pipe(source)), measured(other)
                if pair:  # the first pair warms the file cache
                    ours.append(a)
                    theirs.append(b)
            print(title)
            for label, rows in (("pipe", ours), (name, theirs)):
                wall, cpu = (statistics.median(column) for column in zip(*rows))
                print(f"  {label:16} {pages * 60 / wall:6.1f} pages a minute, {wall:6.2f} s wall, {cpu:6.2f} s CPU")
            wall, cpu = (statistics.median(b[i] / a[i] for a, b in zip(ours, theirs)) for i in (0, 1))
            print(f"  pipe is {wall:.2f} times as fast with {1 / cpu:.2f} of the CPU time, median of {options.pairs} pairs")


if __name__ == "__main__":
    main()
