# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Does what `cma-test reserve` tells a user to do, step by step, as it is printed. Source it.
shopt -s extglob

# follow ADVICE: carries out the steps in that file. Words that it does not know are an error: they
# are then words that a user has to guess at.
follow() {
  local step line
  exec 3<"$1"
  IFS= read -r step <&3
  [[ $step == 'this machine boots with '* ]] || { echo "no headline: $step" && return 1; }
  while IFS= read -r step <&3; do
    case $step in
      'note: '* | 'and reboot') ;;
      'remove the file '*) rm "${step#remove the file }" || return ;;
      'then run:')
        while IFS= read -r line <&3 && [[ $line == '  '* ]]; do
          printf '# $ %s\n' "${line#  }"
          bash -euc "${line#  }" </dev/null || return
        done
        [[ $line == 'and reboot' ]] || { echo "unknown step: $line" && return 1; }
        ;;
      *:)
        # The line to be copied stands below its step, behind two blanks.
        IFS= read -r line <&3 || line=''
        [[ $line == '  '* ]] || { echo "no line to copy below: $step" && return 1; }
        copy "${step%:}" "${line#  }" || return
        ;;
      *) echo "unknown step: $step" && return 1 ;;
    esac
  done
  exec 3<&-
}

# copy STEP LINE: puts the line where the step says.
copy() {
  local step=$1 line=$2 place file label
  place=${step% @(in|of|file) *} file=${step##* @(in|of|file) }
  file=${file%, and leave the others}
  case $place in
    'make this the line') mkdir -p "$(dirname "$file")" && printf '%s\n' "$line" >"$file" ;;
    'write this line to the new')
      [[ ! -f $file ]] || { echo "$file is not new" && return 1; }
      mkdir -p "$(dirname "$file")" && printf '%s\n' "$line" >"$file"
      ;;
    'add this line at the end')
      # As an editor does it: a last line without an end gets one.
      [[ -z $(tail -c 1 "$file") ]] || echo >>"$file"
      printf '%s\n' "$line" >>"$file"
      ;;
    'make this the first line') replace "$file" "$line" 'NR == 1' ;;
    # WORD below 'label LABEL'.
    'make this the line with '*" below 'label "*"'")
      place=${place#make this the line with } label=${place#*"'label "}
      WORD=${place%% below *} LABEL=${label%\'} replace "$file" "$line" '
        tolower($1) == "label" { inside = $2 == ENVIRON["LABEL"] }
        inside && tolower($1) == ENVIRON["WORD"]'
      ;;
    # Of several lines that begin so, the last.
    'make this the line with '*)
      BEGINNING=${place#make this the line with } replace "$file" "$line" \
        '{ sub(/^[ \t]+/, "") } index($0, ENVIRON["BEGINNING"]) == 1'
      ;;
    *) echo "unknown step: $step" && return 1 ;;
  esac
}

# replace FILE LINE CONDITION: the last line of the file for which awk's condition is true.
replace() {
  local number
  number=$(awk "$3"' { n = NR } END { print n }' "$1")
  [[ -n $number ]] || { echo "no line to replace in $1" && return 1; }
  LINE=$2 awk -v number="$number" 'NR == number { $0 = ENVIRON["LINE"] } { print }' "$1" >"$1.new"
  mv "$1.new" "$1"
}
