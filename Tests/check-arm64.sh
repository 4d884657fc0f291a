#!/bin/sh
# Builds the kernels of arm64 and runs them on an emulated processor against sums made one by one.
#
# The compiler has no Linux library for that processor here, so they are built as Swift without a system, with the few
# functions that it needs. What is not built this way is the rest of the program, which has no code of its own for arm64.
#
#   Tests/check-arm64.sh        needs Debian's qemu-user, and the clang and lld that come with Swift
set -eu
cd "$(dirname "$0")/.."
tools=$(dirname "$(readlink -f "$(command -v swiftc)")")
[ -d "$tools/../lib/swift/embedded/Swift.swiftmodule" ] && [ -x "$tools/ld.lld" ] || {
  echo "not checked: this Swift cannot build for arm64"
  exit 0
}
build=.build/arm64
mkdir -p $build
printf 'module CKernelSupport { header "%s" export * }\n' "$PWD/Sources/CKernelSupport/include/CKernelSupport.h" \
  > $build/module.modulemap
compile() {
  swiftc -target aarch64-none-none-elf -swift-version 6 -wmo -O -parse-as-library -enable-experimental-feature Embedded \
    -enable-experimental-feature Extern -I $build "$@"
}
compile -module-name KernelBody -emit-module-path $build/KernelBody.swiftmodule -emit-module Sources/KernelBody/*.swift
compile -module-name KernelsBaseline -emit-module-path $build/KernelsBaseline.swiftmodule -emit-module \
  -c -o $build/kernels.o Sources/KernelsBaseline/*.swift
compile -module-name Check -c -o $build/check.o Tests/Support/ARM64/Check.swift
"$tools/clang" -target aarch64-linux-gnu -ffreestanding -fno-builtin -O1 -c -o $build/runtime.o \
  Tests/Support/ARM64/runtime.c
"$tools/ld.lld" -static -o $build/check $build/check.o $build/kernels.o $build/runtime.o
qemu-aarch64 $build/check
echo "arm64: as expected"
