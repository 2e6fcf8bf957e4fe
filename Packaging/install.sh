#!/usr/bin/env bash
# Puts what was built, and what it reads, where programs of a system lie: install.sh BINARY PREFIX GENERATOR.
#   bin/assay, share/assay (golden files, suites, engines), include/assay.{h,rs}, manual pages, completions of bash, zsh and fish
# GENERATOR makes the manual pages: see manual.sh.
# `make install` and `make wheel` call it from the project's folder. DESTDIR goes before PREFIX, as packagers expect.
set -euo pipefail
usage='usage: install.sh BINARY PREFIX GENERATOR'
binary=${1:?$usage} prefix=${DESTDIR:-}${2:?$usage} generator=${3:?$usage}
cd "$(dirname "$0")/.."
share=$prefix/share/assay
# What an earlier version left there would be found, too.
rm -rf "$share"
install -d "$prefix/bin" "$prefix/include" "$share/Fixtures/data" "$share/Benchmarks/engines/python"
# Beside the old one first: a program that runs may be replaced, and not written into.
install -m 755 "$binary" "$prefix/bin/assay.new"
mv -f "$prefix/bin/assay.new" "$prefix/bin/assay"
install -m 644 Benchmarks/engines/include/assay.{h,rs} "$prefix/include/"

install -m 644 Fixtures/*.h5 Fixtures/MANIFEST.json Fixtures/*.md "$share/Fixtures/"
install -m 644 Fixtures/data/* "$share/Fixtures/data/"
install -m 644 Benchmarks/*.toml Benchmarks/*.py "$share/Benchmarks/"
install -m 755 Benchmarks/gpu.sh "$share/Benchmarks/"
install -m 644 LICENSE "$share/"
engines=$share/Benchmarks/engines
install -m 644 Benchmarks/engines/*.* "$engines/"
for folder in cheats examples include tutorials python/assay_engine; do
  install -d "$engines/$folder"
  install -m 644 Benchmarks/engines/$folder/*.* "$engines/$folder/"
done
install -m 644 Benchmarks/engines/python/{README.md,pyproject.toml} "$engines/python/"

Packaging/manual.sh "$generator" "$prefix/bin/assay" "$prefix/share/man/man1"

complete() { # shell, file
  install -d "$(dirname "$prefix/$2")"
  "$prefix/bin/assay" --generate-completion-script "$1" >"$prefix/$2"
}
complete bash share/bash-completion/completions/assay
complete zsh share/zsh/site-functions/_assay
complete fish share/fish/vendor_completions.d/assay.fish
