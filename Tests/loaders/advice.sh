# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Does what `cma-test reserve` tells a user to do, step by step, as it is printed. Source it.

# follow ADVICE: carries out the steps in that file. Words that it does not know are an error: they
# are then words that a user has to guess at.
follow() {
  local step line='' headline
  exec 3<"$1"
  IFS= read -r headline <&3
  [[ $headline == 'this machine boots with '* ]] || {
    echo "no headline: $headline"
    return 1
  }
  while IFS= read -r step <&3; do
    case $step in
      'note: '*) ;;
      'make this the line in '*:) take_line && write_file "${step#make this the line in }" "$line" ;;
      'make this the first line in '*', and leave the others:')
        step=${step#make this the first line in }
        take_line && replace_line "${step%, and leave the others:}:" 1 "$line"
        ;;
      'make this the line with '*' below '*)
        take_line && replace_below "${step#make this the line with }" "$line"
        ;;
      'make this the line with '*' in '*:)
        step=${step#make this the line with }
        take_line && replace_last "${step#* in }" "${step%% in *}" "$line"
        ;;
      'add this line at the end of '*:)
        take_line && append_line "${step#add this line at the end of }" "$line"
        ;;
      'write this line to the new file '*:)
        step=${step#write this line to the new file }
        [[ ! -f ${step%:} ]] || { echo "${step%:} is not new"; return 1; }
        take_line && write_file "$step" "$line"
        ;;
      'remove the file '*) rm "${step#remove the file }" ;;
      'then run:')
        while IFS= read -r line <&3 && [[ $line == '  '* ]]; do
          printf '# $ %s\n' "${line#  }"
          bash -euc "${line#  }" </dev/null || return
        done
        step=$line
        [[ $step == 'and reboot' ]] || { echo "unknown step: $step"; return 1; }
        ;;
      'and reboot') ;;
      *)
        echo "unknown step: $step"
        return 1
        ;;
    esac || return
  done
  exec 3<&-
  [[ $step == '' || $step == 'and reboot' ]]
}

# The line to be copied stands below its step, behind two blanks.
take_line() {
  if ! IFS= read -r line <&3 || [[ $line != '  '* ]]; then
    echo "no line to copy below: $step"
    return 1
  fi
  line=${line#  }
}

# The rest takes FILE with the colon that ends the step.
write_file() {
  mkdir -p "$(dirname "${1%:}")"
  printf '%s\n' "$2" >"${1%:}"
}

append_line() {
  # As an editor does it: a last line without an end gets one.
  [[ -z $(tail -c 1 "${1%:}") ]] || echo >>"${1%:}"
  printf '%s\n' "$2" >>"${1%:}"
}

# replace_line FILE: NUMBER LINE
replace_line() {
  LINE=$3 awk -v number="$2" 'NR == number { $0 = ENVIRON["LINE"] } { print }' "${1%:}" >"${1%:}.new"
  mv "${1%:}.new" "${1%:}"
}

# replace_last FILE: BEGINNING LINE: of several lines that begin so, the last.
replace_last() {
  local number
  number=$(BEGINNING=$2 awk '
    { sub(/^[ \t]+/, "") } index($0, ENVIRON["BEGINNING"]) == 1 { n = NR } END { print n }' "${1%:}")
  [[ -n $number ]] || { echo "no line with $2 in ${1%:}"; return 1; }
  replace_line "$1" "$number" "$3"
}

# replace_below "WORD below 'label LABEL' in FILE:" LINE
replace_below() {
  local word=${1%% below *} label file number
  label=${1#*\'label } label=${label%%\' in *}
  file=${1##*\' in }
  number=$(WORD=$word LABEL=$label awk '
    tolower($1) == "label" { inside = $2 == ENVIRON["LABEL"] }
    inside && tolower($1) == ENVIRON["WORD"] { n = NR } END { print n }' "${file%:}")
  [[ -n $number ]] || { echo "no $word below $label in $file"; return 1; }
  replace_line "$file" "$number" "$2"
}
