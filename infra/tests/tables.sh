#!/bin/sh
# Writes the tables of inputs and outputs in the module's README from the descriptions in the code, between the comments
# `<!-- inputs -->` and `<!-- outputs -->` and their ends. With --check nothing is written, and a README that differs is an
# error. It reads what `terraform fmt` makes of a file: one attribute a line, a block closed at the margin.
set -eu

cd "$(dirname "$0")/.."
written=$(mktemp)
inputs=$(mktemp)
outputs=$(mktemp)
trap 'rm -f "$written" "$inputs" "$outputs"' EXIT

rows() { # rows BLOCK FILE...: name, type, default and description of each block, as rows of a table
  block=$1
  shift
  awk -v block="$block" '
    function value(line) { sub(/^[^=]*= /, "", line); return line }
    function text(line) { line = substr(line, 2, length(line) - 2); gsub(/\\"/, "\"", line); gsub(/\|/, "\\|", line); return line }
    index($0, block " \"") == 1 { split($0, words, "\""); name = words[2]; type = ""; given = "required"; said = ""; next }
    name != "" && /^  description +=/ { said = text(value($0)) }
    name != "" && /^  type +=/ { type = value($0) }
    name != "" && /^  default +=/ { given = "`" value($0) "`" }
    name != "" && /^}/ {
      if (said == "") { print FILENAME ": " name " has no description" > "/dev/stderr"; exit 1 }
      if (block == "output") print "| `" name "` | " said " |"
      else print "| `" name "` | `" type "` | " given " | " said " |"
      name = ""
    }' "$@"
}

{
  printf '| name | type | default | |\n|---|---|---|---|\n'
  rows variable variables.tf settings.tf
} >"$inputs"
{
  printf '| name | |\n|---|---|\n'
  rows output outputs.tf
} >"$outputs"

awk -v inputs="$inputs" -v outputs="$outputs" '
  function insert(file) { while ((getline line < file) > 0) print line; close(file) }
  /^<!-- \/(inputs|outputs) -->$/ { is_old = 0 }
  !is_old { print }
  /^<!-- inputs -->$/ { insert(inputs); is_old = 1; found++ }
  /^<!-- outputs -->$/ { insert(outputs); is_old = 1; found++ }
  END { if (found != 2 || is_old) { print "README.md: the comments around the tables are not there" > "/dev/stderr"; exit 1 } }
' README.md >"$written"

if [ "${1:-}" = --check ]; then
  diff -u README.md "$written" || { echo "The tables in infra/README.md are old: run infra/tests/tables.sh" >&2; exit 1; }
else
  cat "$written" >README.md
fi
