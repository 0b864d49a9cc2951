# shellcheck shell=bash disable=SC2154 # a part of ./dev, whose variables and functions it uses
# Brings Wirehall where CMake does not find it: need_wirehall.

wirehall_version=@VERSION@
packages_of_wirehall=(libboost1.81-dev libcli11-dev libxxhash-dev libedit-dev) # only where it is built from its sources
packages_of_program=(libedit2) # what the program `wirehall` is linked with, and the project is not

# Whether CMake finds Wirehall: in .wirehall, in the system, or where CMAKE_PREFIX_PATH leads.
wirehall_is_here() {
  local known probe status=0
  known=$(sed -n 's/^wirehall_DIR:PATH=//p' "build/$preset/CMakeCache.txt" 2>/dev/null) || true
  if [[ $known ]] && grep -qsF "\"$wirehall_version\"" "$known/wirehallConfigVersion.cmake"; then return; fi
  probe=$(mktemp -d)
  printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(probe LANGUAGES CXX)' \
    "find_package(wirehall $wirehall_version REQUIRED)" >"$probe/CMakeLists.txt"
  cmake -G Ninja -S "$probe" -B "$probe/build" "-DCMAKE_PREFIX_PATH=$PWD/.wirehall" >"$probe/log" 2>&1 || status=1
  probe_log=$(<"$probe/log")
  rm -rf "$probe"
  return "$status"
}

# Puts what lies in a folder where CMakeLists.txt looks first, whole or not at all.
place_wirehall() {
  rm -rf .wirehall
  mv "$1" .wirehall
  rm -rf .wirehall.new
}

unpack_wirehall() {
  [[ -f $1 ]] || die "there is no file $1 (WIREHALL_DEB is a file, or an https:// address)"
  need_packages "${packages_of_program[@]}"
  say "unpacking $1 into .wirehall"
  rm -rf .wirehall.new
  dpkg-deb -x "$1" .wirehall.new
  [[ -d .wirehall.new/usr ]] || die "$1 is not Wirehall's package"
  place_wirehall .wirehall.new/usr
}

build_wirehall() {
  local source=$1
  need_packages "${packages_of_wirehall[@]}"
  if [[ ! -d $source ]]; then
    need_packages git
    rm -rf build/wirehall-source
    git clone --depth 1 "$source" build/wirehall-source || die "could not clone $source"
    source=build/wirehall-source
  fi
  say "building Wirehall from $source: this takes some minutes, once"
  cmake --fresh -G Ninja -S "$source" -B build/wirehall -DCMAKE_BUILD_TYPE=Release -DWIREHALL_TESTS=OFF \
    -DWIREHALL_BENCH=OFF
  cmake --build build/wirehall --target wirehall
  rm -rf .wirehall.new
  cmake --install build/wirehall --strip --prefix "$PWD/.wirehall.new" >/dev/null
  place_wirehall .wirehall.new
}

need_wirehall() {
  local packed
  wirehall_is_here && return
  packed=$(compgen -G 'vendor/wirehall_*.deb' | sort -V | tail -n 1) || true
  if [[ $packed ]]; then
    unpack_wirehall "$packed"
  elif [[ ${WIREHALL_DEB:-} == https://* ]]; then
    need_packages curl
    say "fetching $WIREHALL_DEB"
    mkdir -p build
    curl --fail --location --proto '=https' --no-progress-meter --output build/wirehall.deb "$WIREHALL_DEB" ||
      die "could not fetch $WIREHALL_DEB"
    unpack_wirehall build/wirehall.deb
  elif [[ ${WIREHALL_DEB:-} ]]; then
    unpack_wirehall "$WIREHALL_DEB"
  elif [[ ${WIREHALL_SOURCE:-} ]]; then
    build_wirehall "$WIREHALL_SOURCE"
  else
    die "Wirehall $wirehall_version is not installed. Do one of these, then run ./dev again:
  - put its Debian package (in Wirehall's sources, ./dev package makes it) into vendor/
  - export WIREHALL_DEB=FILE, or an https:// address of the package
  - export WIREHALL_SOURCE=FOLDER, or a git address, of its sources: they are built once
An installation elsewhere is found with CMAKE_PREFIX_PATH=FOLDER."
  fi
  wirehall_is_here || die "this is not Wirehall $wirehall_version, or not for this machine. CMake says:
$probe_log"
}
