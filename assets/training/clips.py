"""Coded footage: clips that are halved, coded as H.264 and upscaled, against what they were."""
import json
import pathlib
import subprocess

CLIPS = {"cartoon": ("bbb/big-buck-bunny-480p-5s.mp4", 2), "run": ("openshot/run.mp4", 1),
         "flight": ("torchcodec/nasa_13013.mp4", 3)}
CRFS, FRAMES = (23, 28), 24


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def made(options, name, source, start):
    """The clip's truth, without loss, and {crf: its halved and coded copy}."""
    folder = options.work / "clips"
    folder.mkdir(exist_ok=True)
    truth = folder / f"{name}.mkv"
    if not truth.exists():
        ffmpeg("-ss", start, "-i", source, "-frames:v", FRAMES, "-vf", "crop=trunc(iw/4)*4:trunc(ih/4)*4",
               "-an", "-pix_fmt", "yuv420p", "-c:v", "ffv1", truth)
    coded = {}
    for crf in CRFS:
        coded[crf] = folder / f"{name}-{crf}.mp4"
        if not coded[crf].exists():
            ffmpeg("-i", truth, "-vf", "scale=iw/2:ih/2:flags=bicubic", "-c:v", "libx264", "-crf", crf, coded[crf])
    return truth, coded


def compared(options, output, truth):
    """Mean luma PSNR in dB, as `pipe compare` has it."""
    text = subprocess.run([options.pipe, "compare", output, truth, "--json"], check=True, capture_output=True, text=True)
    return json.loads(text.stdout)["results"][0]["psnr"]


def measure(options, results, model, key):
    for name, (path, start) in CLIPS.items():
        source = options.data / "video" / path
        if not source.exists():
            print(f"{path} is missing: left out")
            continue
        truth, coded = made(options, name, source, start)
        for crf, clip in coded.items():
            results.once(f"{key}/{name}/{crf}", lambda: upscaled(options, model, clip, truth))
            results.once(f"lanczos/{name}/{crf}", lambda: lanczos(options, clip, truth))


def upscaled(options, model, clip, truth):
    folder = options.work / "out"
    folder.mkdir(exist_ok=True)
    pipeline = options.work / "clip.yml"
    pipeline.write_text(
        'version: 1\nname: clip\ninputs: { include: ["**/*.mp4"] }\noutput: "{stem}.mkv"\n'
        f"stages:\n  - decode\n  - upscale: {{ model: {model} }}\n  - encode: {{ codec: ffv1 }}\n")
    subprocess.run([options.pipe, "run", pipeline, clip, "-o", folder, "-q", "--fresh"], check=True)
    return compared(options, folder / pathlib.Path(clip).with_suffix(".mkv").name, truth)


def lanczos(options, clip, truth):
    output = options.work / "lanczos.mkv"
    ffmpeg("-i", clip, "-vf", "scale=iw*2:ih*2:flags=lanczos", "-c:v", "ffv1", output)
    return compared(options, output, truth)
