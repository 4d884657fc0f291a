#!/bin/sh
# Runs the engine's tests as on processors that lack the newer instructions: an illegal one ends them.
#
#   Tests/check-old-processors.sh [BUILD FOLDER]        .build/debug unless given; needs Debian's qemu-user
set -eu
folder=${1:-.build/debug}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for processor in Nehalem:baseline Haswell:avx2; do
  echo "As on ${processor%:*}:"
  PIPE_EXPECTED_LEVEL=${processor#*:} qemu-x86_64 -cpu "${processor%:*}" "$folder"/*PackageTests.xctest \
    --testing-library swift-testing --filter 'InferenceTests' --no-parallel > "$log" 2>&1 || {
    cat "$log"
    exit 1
  }
  tail -n 1 "$log"
done
