#!/bin/sh
# Fails if a module of vector kernels emits code that another module might share.
#
# Generic code is emitted into whichever module specialises it, as a weak symbol, and the linker keeps one copy of each
# for the whole program. A copy made with AVX-512 would be an illegal instruction on a processor without it, so every
# weak symbol of these modules has to bear the module's own name.
#
#   Tests/check-isa-symbols.sh [BUILD FOLDER]        .build/debug unless given
set -eu
folder=${1:-.build/debug}
status=0
for module in KernelsAVX2 KernelsAVXVNNI KernelsVNNI; do
  objects=$(find -L "$folder/$module.build" -name '*.o')
  [ -n "$objects" ] || { echo "$folder: no objects of $module: build first" >&2; exit 2; }
  # Only code counts. The compiler's own helpers have no module's name; they must not touch a vector register.
  foreign=$(nm --defined-only $objects | awk -v own="$module" '$2 ~ /^[wW]$/ && $3 !~ own { print $3 }' | sort -u)
  for symbol in $foreign; do
    case $symbol in __swift_*)
      objdump --disassemble="$symbol" --no-show-raw-insn $objects | grep -q '%[xyz]mm' ||
        foreign=$(echo "$foreign" | grep -Fxv "$symbol" || true) ;;
    esac
  done
  if [ -n "$foreign" ]; then
    echo "$module emits symbols that others may share:" >&2
    echo "$foreign" >&2
    status=1
  fi
done
exit $status
