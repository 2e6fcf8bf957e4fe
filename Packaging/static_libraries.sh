#!/usr/bin/env bash
# Archives of the libraries that `Package.swift` finds by pkg-config, and descriptions of them that name these: static_libraries.sh
# FOLDER makes FOLDER/static, in which a linker finds no shared library, FOLDER/pkgconfig, and
# FOLDER/no_icu_data.o, which stands for the data of Foundation's ICU, with the option that says so.
set -euo pipefail
folder=${1:?usage: static_libraries.sh FOLDER}
mkdir -p "$folder/static" "$folder/pkgconfig"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")/.."
rm -f "$folder"/static/* "$folder"/pkgconfig/*

library() { # name of the description, its archive, further archives
  local name=$1 libs="-L$folder/static" directory archive word
  shift
  directory=$(pkg-config --variable=libdir "$name")
  directory=${directory:-$(pkg-config --libs-only-L "$name" | tr ' ' '\n' | sed -n 's/^-L//p' | head -n 1)}
  for word in "$@"; do
    archive=""
    for place in "${directory:-/nowhere}" "/usr/lib/$(uname -m)-linux-gnu" /usr/lib64 /usr/lib; do
      [[ -f $place/lib$word.a ]] && archive=$place/lib$word.a && break
    done
    [[ -n $archive ]] || {
      echo "static_libraries.sh: expected lib$word.a, which $name needs, found none: install its development package" >&2
      exit 1
    }
    ln -sf "$archive" "$folder/static/lib$word.a"
    libs+=" -l$word"
  done
  printf 'Name: %s\nDescription: archives alone\nVersion: %s\nCflags: %s\nLibs: %s -lm -ldl\n' \
    "$name" "$(pkg-config --modversion "$name")" "$(pkg-config --cflags "$name")" "$libs" >"$folder/pkgconfig/$name.pc"
}

library hdf5 hdf5 sz aec z
# Pictures, where their libraries are there.
for pair in "libpng png16 z" "libjpeg jpeg"; do
  read -r name archives <<<"$pair"
  # shellcheck disable=SC2086
  if pkg-config --exists "$name"; then library "$name" $archives; fi
done

# No data for Foundation's ICU: a symbol that the linker knows before it meets the archive that has them.
toolchain=$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")/..
icu=$toolchain/lib/swift_static/linux/lib_FoundationICU.a
[[ -f $icu ]] || {
  echo "static_libraries.sh: expected Swift's static libraries at $icu, found none" >&2
  exit 1
}
data=$(nm "$icu" 2>/dev/null | sed -n 's/.* R \(icudt[0-9]*_dat\)$/\1/p' | head -n 1)
"$toolchain/bin/clang" -Os -fPIC -c Packaging/no_icu_data.c -o "$folder/no_icu_data.o"
# By the name that has ICU's version in it.
echo "--defsym=${data:?no data in $icu}=no_icu_data" >"$folder/no_icu_data.txt"
