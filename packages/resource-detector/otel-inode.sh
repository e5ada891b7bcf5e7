# shellcheck shell=sh
# Adds the identity of this container to OTEL_RESOURCE_ATTRIBUTES, for an OpenTelemetry SDK in any
# language. Source it before the application starts:
#
#     . /otel-inode.sh && exec my-application
#
# Adds nothing unless the shell is in a private cgroup namespace on cgroup v2: file system type
# cgroup2 (63677270), inode above 2. The boot ID is added where it can be read. What the variable
# held before stays, and sourcing twice adds nothing twice. Any POSIX shell, also busybox; works under
# `set -eu`. Needs `stat` (coreutils or busybox); without it nothing is added.
if [ "$(stat -f -c %t /sys/fs/cgroup 2>/dev/null)" = 63677270 ]; then
  _inode=$(stat -c %i /sys/fs/cgroup 2>/dev/null) || _inode=0
  case ,${OTEL_RESOURCE_ATTRIBUTES:-} in
    *,container.cgroup.inode=*) _inode=0 ;;
  esac
  if [ "$_inode" -gt 2 ]; then
    _boot_id=
    { read -r _boot_id </proc/sys/kernel/random/boot_id; } 2>/dev/null || :
    case $_boot_id in
      ????????-????-????-????-????????????) _boot_id=,host.boot.id=$_boot_id ;;
      *) _boot_id= ;;
    esac
    _before=${OTEL_RESOURCE_ATTRIBUTES:-}
    _before=${_before%,}
    OTEL_RESOURCE_ATTRIBUTES=${_before:+$_before,}container.cgroup.inode=$_inode$_boot_id
    export OTEL_RESOURCE_ATTRIBUTES
    unset _boot_id _before
  fi
  unset _inode
fi
