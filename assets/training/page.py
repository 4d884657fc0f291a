"""docs/MODELS.md out of what was measured, beside the targets and the published figures."""
import pathlib
import platform

SETS = {"set5": "Set5", "set14": "Set14", "kodak24": "Kodak24"}
SIGMAS = (15, 25, 50)
# What each is meant to reach, by the same measure: the least, in dB.
TARGETS = {"sr-x2-fast": {"set5": 37.30, "set14": 32.80}, "sr-x2": {"set5": 37.60, "set14": 33.10}}
PUBLISHED = [  # name, KMAC per input pixel, Set5, Set14: x2, float, as their papers have them
    ("FSRCNN", "12.5", 37.00, 32.63), ("SESR-M5", "13.5", 37.39, 32.84), ("ECBSR-M10C32", "95", 37.76, 33.26),
    ("EDSR-baseline", "1,370", 37.99, 33.57)]

HEAD = """# The networks

All are trained by the scripts in `assets/training` from photos with free licences, run plane by plane, and are shipped
as int8 (QDQ) ONNX under the licence of this project. `pipe models NAME` prints a network's own card. This page is
written by `make score`.

PSNR in dB on luma (BT.601 studio swing), two border pixels left out, of files that `pipe run` wrote. fps: `pipe bench
model`, one plane of 1920x1080 in, all cores of the measuring machine ({machine}). A star: not
measured through `pipe run` this time; from the card, by onnxruntime. What is empty was not measured.
"""


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
                      *("| " + " | ".join(row) + " |" for row in rows if any(row[1:]))]) + "\n"


def number(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def figure(row, kept, measured, carded):
    """What `pipe run` gave; where that was not measured, what the card says, with a star."""
    value = kept.get(f"{row['key']}/{measured}")
    if value is None and f"int8_{carded}" in row["card"]:
        return f"{float(row['card'][f'int8_{carded}']):.2f}*"
    return number(value)


def loss(card, keys):
    """The largest loss of int8 against float, both through onnxruntime, from the card."""
    losses = [float(card[f"float_{k}"]) - float(card[f"int8_{k}"]) for k in keys if f"float_{k}" in card]
    return f"{max(losses):.2f}" if losses else ""


def upscalers(rows, kept):
    lines = []
    for row in rows:
        card = row["card"]
        cells = []
        for name in SETS:
            target = TARGETS.get(card["name"], {}).get(name)
            cells.append(figure(row, kept, name, name) + (f" (target {target:.2f})" if target else ""))
        lines.append([f"`{card['name']}`", card["kmac_per_pixel"], number(row["fps"], 1), *cells, loss(card, SETS)])
    lines.append(["bicubic", "", "", *(number(kept.get(f"bicubic/{name}")) for name in SETS), ""])
    lines += [[f"{name}, published", kmac, "", number(a), number(b), "", ""] for name, kmac, a, b in PUBLISHED]
    return table(["x2", "KMAC per input pixel", "fps", *SETS.values(), "int8 loss, dB"], lines)


def denoisers(rows, kept):
    lines = []
    for row in rows:
        for strength in ("told", "auto"):
            told, card = strength == "told", row["card"]
            cells = [figure(row, kept, f"{s}/{s if told else 'auto'}", f"kodak24_{s}" if told else "") for s in SIGMAS]
            first = [card["kmac_per_pixel"], number(row["fps"], 1)] if told else ["", ""]
            last = loss(card, [f"kodak24_{s}" for s in SIGMAS]) if told else ""
            lines.append([f"`{card['name']}`, strength {strength}", *first, *cells, last])
    lines.append(["the noisy pictures", "", "", *(number(kept.get(f"noisy/{s}")) for s in SIGMAS), ""])
    return table(["Kodak24", "KMAC per pixel", "fps", *(f"σ {s}" for s in SIGMAS), "int8 loss, dB"], lines)


def others(rows, kept, truths):
    """The same on every third picture, where the slow ones were run."""
    stems = [truth.stem for truth in truths[::3]]

    def bm3d(sigma, kind="bm3d"):
        values = [kept.get(f"{kind}/{sigma}/{stem}") for stem in stems]
        return None if None in values or not values else sum(values) / len(values)

    lines = [[f"`{row['card']['name']}`", *(number(kept.get(f"{row['key']}/third/{s}")) for s in SIGMAS)] for row in rows]
    lines.append(["BM3D (PyPI's `bm3d`, luma)", *(number(bm3d(s)) for s in SIGMAS)])
    lines.append(["CBM3D (the same package, RGB)", *(number(bm3d(s, "bm3d-rgb")) for s in SIGMAS)])
    found = [kept.get(f"nlmeans/{s}") for s in SIGMAS]
    lines.append(["ffmpeg's nlmeans (best strength)", *(f"{f[0]:.2f} ({f[1]:.1f})" if f else "" for f in found)])
    lines.append(["the noisy pictures", *(number(kept.get(f"noisy-third/{s}")) for s in SIGMAS)])
    return table([f"{len(stems)} of Kodak24", *(f"σ {s}" for s in SIGMAS)], lines)


def footage(rows, kept):
    columns = sorted({key.split("/", 1)[1] for key in kept if key.startswith("lanczos/")})
    lines = [[f"`{row['card']['name']}`", *(number(kept.get(f"{row['key']}/{c}")) for c in columns)] for row in rows]
    lines.append(["lanczos (ffmpeg)", *(number(kept.get(f"lanczos/{c}")) for c in columns)])
    return table(["x2 of H.264", *(c.replace("/", ", crf ") for c in columns)], lines) if columns else ""


def written(rows, kept, found):
    denoise = [row for row in rows if row["card"].get("task") == "denoise"]
    upscale = [row for row in rows if row not in denoise]
    parts = [HEAD.format(machine=machine()), "## Upscaling\n", upscalers(upscale, kept)]
    if footage(upscale, kept):
        parts += ["Clips that were halved and coded by x264; the first 24 frames, mean error as `pipe compare` has it:\n",
                  footage(upscale, kept)]
    if denoise:
        parts += ["## Denoising\n", "Gaussian noise of standard deviation σ on red, green and blue, clipped to 8 bits; "
                  "`strength` told, or measured by the stage:\n", denoisers(denoise, kept)]
    if denoise and "kodak24" in found:
        parts += ["Beside others, on the very same files:\n", others(denoise, kept, found["kodak24"])]
    notes = pathlib.Path(__file__).parent / "notes.md"
    return "\n".join(parts) + "\n" + notes.read_text()


def machine():
    try:
        lines = open("/proc/cpuinfo").read().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()
