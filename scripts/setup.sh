#!/bin/sh
# Installs what Strongroom needs on Debian or Ubuntu, as far as it is missing; --help says what.
set -eu

usage() {
  cat <<'TEXT'
usage: scripts/setup.sh [--for-tests] [--quiet] [--dry-run]

Makes a machine with Debian or Ubuntu, Node.js 20 or later and npm ready for Strongroom. Installs what is missing,
and nothing else: MariaDB's server, backup tool and hashicorp_key_management plugin (Debian packages; no service is
started), and node_modules, which brings the Node.js that Strongroom runs on.

  --for-tests   also what the tests need: awscli, python3-boto3, curl; a C compiler, MariaDB's headers and MariaDB's own
                test suite for the plugin; debootstrap and systemd-nspawn to boot a machine of their own; the compilers
                of SELinux and AppArmor; acl (together 1 GB)
  --quiet       print only what is done, and errors
  --dry-run     print what would be done, change nothing
TEXT
}

main() {
  read_arguments "$@"
  root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
  cd "$root"
  leave_own_runtime
  require_node_and_npm
  if everything_is_there; then
    [ -n "$quiet" ] || say 'everything is there'
    return
  fi
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  [ -n "$dry_run" ] || wait_for_other_setup
  install_packages
  install_node_modules
  [ -n "$dry_run$quiet" ] || say 'done'
}

read_arguments() {
  for_tests='' quiet='' dry_run=''
  for argument in "$@"; do
    case $argument in
      --for-tests) for_tests=yes ;;
      --quiet) quiet=yes ;;
      --dry-run) dry_run=yes ;;
      --help | -h) usage && exit ;;
      *) say "unknown option $argument" && usage >&2 && exit 2 ;;
    esac
  done
}

# npm runs its scripts with node_modules/.bin first on the PATH; npm ci must not run on the Node.js that it replaces.
leave_own_runtime() {
  PATH=$(printf '%s\n' "$PATH" | tr ':' '\n' | grep -v '/node_modules/\.bin/*$' | paste -sd: -)
  export PATH
}

require_node_and_npm() {
  { has node && has npm; } || fail "needs Node.js 20 or later with npm (this machine has no $(first_missing node npm)). Run:
  ${sudo_hint}apt-get install --yes nodejs npm
where that brings an older one, take it from https://nodejs.org/en/download"
  node_version=$(node -p 'process.versions.node') || fail "$(command -v node) does not run"
  [ "${node_version%%.*}" -ge 20 ] || fail "needs Node.js 20 or later; $(command -v node) is $node_version. Run:
  ${sudo_hint}npm install --global node@24"
}

everything_is_there() {
  missing=$(missing_packages)
  [ -z "$missing" ] && node_modules_are_current && runtime_works
}

# Two of them at a time (a test run and a demo) would pull node_modules from under each other.
wait_for_other_setup() {
  exec 9<"$root"
  if ! flock -n 9; then
    say 'waiting for another setup of this checkout'
    flock 9
  fi
  missing=$(missing_packages)
}

# --- Debian packages

missing_packages() {
  wanted='mariadb-server mariadb-backup mariadb-plugin-hashicorp-key-management'
  # An aws from elsewhere on the PATH doesn't count: the tests call the distribution's.
  # gcc brings the libraries of AddressSanitizer and UndefinedBehaviorSanitizer (libgcc-12-dev, libgcc-13-dev).
  [ -z "$for_tests" ] ||
    wanted="$wanted awscli python3-boto3 curl gcc libc6-dev libmariadbd-dev mariadb-test mariadb-test-data \
acl apparmor checkpolicy debootstrap selinux-utils semodule-utils strace systemd systemd-container"
  # shellcheck disable=SC2086 # a list of names
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status};' $wanted 2>/dev/null || true)
  list=''
  for package in $wanted; do
    case ";$installed" in
      *";$package installed;"*) ;;
      *) [ "$package" = awscli ] && not_packaged_here awscli || list="$list $package" ;;
    esac
  done
  echo "${list# }"
}

# Ubuntu 24.04 has no awscli; the tests that need it say so and skip.
not_packaged_here() {
  has apt-cache && has_candidate apt && ! has_candidate "$1"
}

has_candidate() {
  apt-cache policy "$1" 2>/dev/null | grep -q '^ .*:/'
}

install_packages() {
  [ -n "$missing" ] || return 0
  { has apt-get && has dpkg-query; } ||
    fail "needs $missing, and this system has no apt-get. On Debian or Ubuntu run:
  $(by_hand "$sudo_hint")"
  if [ -n "$dry_run" ]; then
    say "would install $missing"
    return
  fi
  choose_root_command
  forbid_service_starts
  say 'updating the package lists'
  logged $as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
  for package in $missing; do
    has_candidate "$package" || fail_unpackaged "$package"
  done
  keep_running_server
  say "installing $missing"
  # needrestart (Ubuntu) would restart services that have nothing to do with us.
  # shellcheck disable=SC2086
  logged $as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --no-install-recommends $missing
  allow_service_starts
}

choose_root_command() {
  as_root=''
  [ "$(id -u)" -ne 0 ] || return 0
  has sudo || fail "must install $missing, but is neither run by root nor is there sudo. Run as root:
  $(by_hand '')"
  [ -t 0 ] || sudo -n true 2>/dev/null || fail "must install $missing, but sudo asks for a password. Run:
  $(by_hand 'sudo ')"
  as_root=sudo
}

by_hand() {
  echo "$1apt-get update && $1apt-get install --yes --no-install-recommends $missing"
}

# The server packages start the distribution's mariadb service, which nobody asked for; this is Debian's way to say no.
forbid_service_starts() {
  policy=${STRONGROOM_SETUP_POLICY_FILE:-/usr/sbin/policy-rc.d}
  if [ -e "$policy" ] || [ -L "$policy" ]; then return; fi
  own_policy=yes
  # shellcheck disable=SC2016 # expanded by the inner shell
  $as_root sh -c 'printf "%s\n" "#!/bin/sh" "# from Strongroom setup.sh, which removes it again" "exit 101" >"$1" && chmod 755 "$1"' \
    sh "$policy"
}

allow_service_starts() {
  [ -z "${own_policy:-}" ] || $as_root rm -f "$policy"
  own_policy=''
}

clean_up() {
  allow_service_starts
  rm -f "${log:-}"
}

# A package of another version would bring a new server under a database that is in use.
keep_running_server() {
  [ -S /run/mysqld/mysqld.sock ] || return 0
  # shellcheck disable=SC2086
  if apt-get -s install --no-install-recommends $missing | grep -q '^Inst mariadb-server.* \['; then
    fail "installing $missing would upgrade the MariaDB server that runs on this machine. Run, when it suits:
  ${as_root:+$as_root }apt-get install --yes --no-install-recommends $missing"
  fi
}

fail_unpackaged() {
  fail "no package $1 here; needs MariaDB 10.9 or later, as in Debian 12, Ubuntu 24.04 and later, or from
  https://mariadb.org/download/?t=repo-config"
}

# --- node_modules

install_node_modules() {
  if ! node_modules_are_current; then
    if [ -n "$dry_run" ]; then
      say 'would install node_modules (npm ci)'
      return
    fi
    say 'installing node_modules (npm ci)'
    logged npm ci --no-audit --no-fund
  fi
  runtime_works && return
  if [ -n "$dry_run" ]; then
    say 'would repair the Node.js in node_modules (npm rebuild node)'
    return
  fi
  # An npm that is configured to ignore install scripts leaves the package empty.
  say 'installing the Node.js in node_modules (npm rebuild node)'
  logged npm rebuild node --ignore-scripts=false
  runtime_works || fail "node_modules/node/bin/node is not a Node.js 24 that runs on this machine. Run:
  cd $root && npm rebuild node --ignore-scripts=false --foreground-scripts"
}

# Modification times say nothing after a git checkout: compares what npm recorded with what the lock file asks for.
node_modules_are_current() {
  [ -f node_modules/.package-lock.json ] && node -e '
    const read = (file) => JSON.parse(require("fs").readFileSync(file, "utf8")).packages
    const wanted = read("package-lock.json")
    const present = read("node_modules/.package-lock.json")
    const same = (name) => present[name]
      ? present[name].version === wanted[name].version && present[name].integrity === wanted[name].integrity
      : wanted[name].optional
    const current = Object.keys(wanted).every((name) => name === "" || same(name)) &&
      Object.keys(present).every((name) => wanted[name])
    process.exit(current ? 0 : 1)' 2>/dev/null
}

runtime_works() {
  runtime_version=$(node_modules/node/bin/node -p 'process.versions.node' 2>/dev/null) &&
    [ "${runtime_version%%.*}" -ge 24 ]
}

# --- talking

has() { command -v "$1" >/dev/null 2>&1; }

first_missing() {
  for program in "$@"; do has "$program" || { echo "$program" && return; }; done
}

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# Runs a command whose output matters only when it fails.
logged() {
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null 9<&- || {
    tail -n 20 "$log" >&2
    fail "$* failed"
  }
  rm -f "$log"
}

sudo_hint=''
[ "$(id -u)" -eq 0 ] || sudo_hint='sudo '
main "$@"
