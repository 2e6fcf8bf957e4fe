#!/usr/bin/env bash
# Manual pages of the command and of each subcommand, from its own help: manual.sh GENERATOR BINARY FOLDER.
# GENERATOR is `generate-manual` of swift-argument-parser. What it leaves is put right here: it knows no character beyond ASCII,
# joins the lines of examples, calls a page assay.verify where `man assay verify` looks for assay-verify, and has pages for
# subcommands that are no user's.
set -euo pipefail
usage='usage: manual.sh GENERATOR BINARY FOLDER'
generator=${1:?$usage} folder=${3:?$usage}
binary=$(realpath "${2:?$usage}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$binary" --experimental-dump-help | sed 's/…/.../g' >"$work/help.json"
if LC_ALL=C grep -n '[^ -~]' "$work/help.json"; then
  echo "manual.sh: expected ASCII in every help, found characters that the generator drops" >&2; exit 1
fi
# Asked in the command's place.
printf '#!/bin/sh\nexec cat %q\n' "$work/help.json" >"$work/assay"
chmod +x "$work/assay"
# The same tree gives the same pages.
date=$(git log -1 --format=%cs 2>/dev/null || date -u +%F)
mkdir "$work/pages"
"$generator" "$work/assay" --multi-page --date "$date" --output-directory "$work/pages"
hidden='golden-probe|network-file-probe|host|help'
for name in ${hidden//|/ }; do rm -f "$work/pages/assay.$name.1"; done

install -d "$folder"
version=$("$binary" --version)
for page in "$work"/pages/*.1; do
  words=$(basename "$page" .1) name=$(basename "$page" .1 | tr . -)
  awk -v words="${words//./ }" -v name="$name" -v version="$version" -v hidden="$hidden" '
    # Blank lines part paragraphs, but for the first of a section and before what parts them itself.
    function out(line) {
      if (parts && line !~ /^\.(It|El|Sh|Bl)/ && last !~ /^\.Sh/) print ".Pp"
      parts = 0
      print line
      last = line
    }
    function literal(wanted) { # examples keep their lines
      if (wanted != inside) out(wanted ? ".Bd -literal -compact" : ".Ed")
      inside = wanted
    }
    { literal(/^ .*[^ ]/) }
    /^ *$|^\.Pp/ { parts = 1; next }
    /^\.Sh / { section = $2 }
    /^\.Dt / { $2 = toupper(name) }
    /^\.Os/ { $0 = ".Os assay " version }
    /^\.Nm/ { $0 = section == "NAME" ? ".Nm " name : ".Nm \"" words "\"" }
    /^\.Nd / { sub(/"/, ""); sub(/\.?"?$/, "") }
    /^\.Xr / { if ($2 ~ "[.](" hidden ")$") next; gsub(/\./, "-", $2) }
    /^\.Ex/ { $0 = name == "assay" ? "As EXIT CODES says above." : "That of every command:\n.Xr assay 1 ." }
    # A text that begins as a macro does is none.
    /^('"'"'|\.[^A-Z\\])/ { $0 = "\\&" $0 }
    { out($0) }
    END { literal(0); if (section !~ /SEE/) print ".Sh SEE ALSO\n.Xr assay 1" }
  ' "$page" >"$folder/$name.1"
  chmod 644 "$folder/$name.1"
done
