#!/bin/sh
# Runs the engine's tests as on processors that lack the newer instructions, side by side: an illegal one ends them.
#
#   Tests/check-old-processors.sh [BUILD FOLDER]        .build/debug unless given; needs Debian's qemu-user
set -eu
folder=${1:-.build/debug}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

as_on() { # PROCESSOR LEVEL
  PIPE_EXPECTED_LEVEL=$2 qemu-x86_64 -cpu "$1" "$folder"/*PackageTests.xctest \
    --testing-library swift-testing --filter 'InferenceTests' --no-parallel > "$logs/$1" 2>&1
}

status=0
as_on Nehalem baseline & nehalem=$!
as_on Haswell avx2 & haswell=$!
wait "$nehalem" || { status=1; cat "$logs/Nehalem"; }
wait "$haswell" || { status=1; cat "$logs/Haswell"; }
for processor in Nehalem Haswell; do
  echo "As on $processor: $(tail -n 1 "$logs/$processor")"
done
exit "$status"
