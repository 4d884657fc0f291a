#!/bin/sh
# Makes the README's pictures: make.sh PIPE PHOTOS, with chelsea.png (CC0, Stefan van der Walt) and astronaut.png (NASA,
# public domain) in PHOTOS; both are in PyPI's scikit-image, under skimage/data. Needs ffmpeg.
set -eu
pipe=$(realpath "$1") photos=$(realpath "$2") here=$(realpath "$(dirname "$0")")
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
convert() { ffmpeg -nostdin -v error -y -i "$1" -vf "$2" -pix_fmt rgb24 "$3"; }
stages() { printf 'version: 1\ninputs: { include: ["*.png"] }\noutput: "{stem}-ours.png"\nstages: [decode, %s, save]\n' "$1"; }

# Half the size, and doubled again.
convert "$photos/chelsea.png" "crop=448:300:0:0" truth.png
convert truth.png "scale=iw/2:ih/2:flags=bicubic+accurate_rnd" small.png
convert small.png "scale=iw*2:ih*2:flags=neighbor" input.png
convert small.png "scale=iw*2:ih*2:flags=bicubic+accurate_rnd" bicubic.png
stages "upscale" > upscale.yml
"$pipe" run upscale.yml small.png -o . -q --fresh
"$pipe" compare input.png bicubic.png small-ours.png truth.png --image "$here/upscale.png"

# Noise put in and taken out.
convert "$photos/astronaut.png" "crop=480:480:0:0" truth.png
convert truth.png "format=gbrp,noise=alls=40:allf=t:all_seed=5" noisy.png
stages "denoise" > denoise.yml
"$pipe" run denoise.yml noisy.png -o . -q --fresh
"$pipe" compare noisy.png noisy-ours.png truth.png --image "$here/denoise.png"

# 256 colours are enough, and small.
for name in upscale denoise; do
  ffmpeg -nostdin -v error -y -i "$here/$name.png" -vf "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none" \
    "$name.png" && cp "$name.png" "$here/$name.png"
done
