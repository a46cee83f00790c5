# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's log from a mark on, for every test: read from /dev/kmsg, where each message has a
# number, so that a message which the ring buffer lost is noticed. Source it, in any shell; needs
# awk, grep, sed, tail, mktemp and timeout, of GNU or of busybox. Uses file descriptor 8.

# What no working module makes the kernel say: an extended regular expression. This is the only place
# where it is written; a test may add to it what its module says itself.
kernel_fault='(^|[^A-Z_])BUG[: ]|WARNING:|Oops|Call [Tt]race|[Gg]eneral protection|KASAN|KCSAN|KFENCE|UBSAN'
kernel_fault="$kernel_fault|INFO: (task|rcu|possible|trying to register)|rcu.*detected.*stall|hard LOCKUP"
kernel_fault="$kernel_fault|[Kk]ernel panic|Unable to handle|Internal error|unreferenced object|nobody cared"

kernel_log=''

# log_read TEXT: reads from file descriptor 8 up to the message TEXT and prints all of it; fails when
# messages are lost or TEXT does not come. GNU's grep takes no file that cannot tell its position, and
# the sed of busybox looks one message ahead, for which it would wait; awk of either reads too little.
if grep --version >/dev/null 2>&1; then
  log_read() { timeout 60 sed "/;$1\$/q" <&8; }
else
  log_read() { timeout 60 grep -m 1 -B 100000 "^[0-9]*,[0-9]*,.*;$1\$" <&8; }
fi

# log_line: writes its arguments as a message of the user into the kernel's log.
log_line() { printf '%s\n' "$*" >/dev/kmsg; }

# mark_log: what follows is about the messages from here on. Call it in the shell itself, not in a
# subshell, which would take the file descriptor with it.
mark_log() {
  [ -n "$kernel_log" ] || kernel_log=$(mktemp) || return 1
  : >"$kernel_log"
  log_mark="cma-test: mark $(cat /proc/sys/kernel/random/uuid)"
  exec 8</dev/kmsg
  log_line "$log_mark" || return 1
  # A read fails with EPIPE when the oldest messages, which are of no concern, go at this moment; the
  # next one goes on after them.
  for _ in 1 2 3 4 5; do
    if log_read "$log_mark" >"$kernel_log" 2>/dev/null; then
      log_seen=$(tail -n 1 "$kernel_log")
      case $log_seen in
        *";$log_mark") printf '%s\n' "$log_seen" >"$kernel_log" && return 0 ;;
      esac
    fi
  done
  echo "the kernel's log shows no mark that is written to it" >&2
  return 1
}

# log_take: takes over what has come since the last time. To be called now and then where more may come
# than the ring buffer holds. Fails when some were lost, as all that reads the log does from then on.
log_take() {
  [ -n "$kernel_log" ] || {
    echo "the kernel's log has no mark: mark_log was not called"
    return 1
  }
  log_end="cma-test: end $(cat /proc/sys/kernel/random/uuid)"
  log_line "$log_end" || return 1
  if log_read "$log_end" >>"$kernel_log" 2>/dev/null; then
    case $(tail -n 1 "$kernel_log") in
      *";$log_end") return 0 ;;
    esac
  fi
  echo "the kernel's log was overrun: messages since the mark are lost"
  # A gap, for whoever reads the rest later.
  echo lost >>"$kernel_log"
  return 1
}

# log_since: prints the messages since the mark, without priority and time. Fails, and says so, when
# they are not all that there were.
log_since() {
  log_take || return 1
  awk -v mark="$log_mark" '
    /^ / { next } # what belongs to the message before
    {
      split($0, head, ",")
      number = head[2]
      text = substr($0, index($0, ";") + 1)
      if (NR == 1) whole = text == mark
      else if (number != last + 1) whole = 0
      last = number
      if (text ~ /^cma-test: (mark|end) /) next
      gsub(/\\x0a/, "\n", text)
      print text
    }
    END {
      if (whole) exit 0
      print "the log of the kernel has a gap: messages since the mark are lost"
      exit 1
    }' "$kernel_log"
}

# log_forget: what follows is about the messages after those that log_since or kernel_is_quiet has seen
# last. Where some were lost they stay so, until mark_log.
log_forget() {
  ! grep -x lost "$kernel_log" >/dev/null || return 1
  log_seen=$(tail -n 1 "$kernel_log")
  case $log_seen in
    *';cma-test: end '*) log_mark=${log_seen#*;} && printf '%s\n' "$log_seen" >"$kernel_log" ;;
  esac
}

# kernel_is_quiet: that in no message since the mark the kernel reports a fault; else prints those that
# do. Fails as well when messages are lost.
kernel_is_quiet() {
  quiet_log=$(log_since) || {
    printf '%s\n' "$quiet_log" | tail -n 1
    return 1
  }
  ! printf '%s\n' "$quiet_log" | grep -E "$kernel_fault"
}
