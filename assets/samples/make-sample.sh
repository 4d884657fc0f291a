#!/usr/bin/env bash
# Generates a small film with sound, subtitles and chapters, to try pipelines on: make-sample.sh FOLDER
set -euo pipefail
folder=${1:?usage: make-sample.sh FOLDER}
mkdir -p "$folder"
[ -s "$folder/zoom.mkv" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/zoom.srt" <<'SRT'
1
00:00:00,500 --> 00:00:02,000
A slow zoom into the Mandelbrot set.

2
00:00:02,200 --> 00:00:03,800
Fine lines show what upscaling is worth.
SRT
cat > "$work/chapters.txt" <<'META'
;FFMETADATA1
title=Zoom
[CHAPTER]
TIMEBASE=1/1000
START=0
END=2000
title=Far
[CHAPTER]
TIMEBASE=1/1000
START=2000
END=4000
title=Near
META
# Drawn large and halved, so that the picture is as sharp as a camera's.
ffmpeg -v error -y \
  -f lavfi -i "mandelbrot=size=1280x720:rate=25:maxiter=400:start_scale=0.6:end_scale=0.05:end_pts=100" \
  -f lavfi -i "sine=frequency=220:sample_rate=48000" \
  -i "$work/zoom.srt" -i "$work/chapters.txt" -map 0:v -map 1:a -map 2:s -map_metadata 3 -t 4 \
  -vf "scale=640:360:flags=area,format=yuv420p" -c:v libx264 -preset veryfast -crf 18 -c:a aac -b:a 96k -c:s srt \
  -metadata:s:a:0 language=eng -metadata:s:s:0 language=eng "$work/zoom.mkv"
mv "$work/zoom.mkv" "$folder/zoom.mkv"
