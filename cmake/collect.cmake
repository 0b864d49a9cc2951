# Sources are collected by suffix, so that a file cannot exist without being built, nor a test without
# being run: x.cc belongs to the library, x_test.cc to its folder's test program, x_fuzz.cc is a fuzz
# target of its own, x_bench.cc belongs to the micro-benchmarks.

function(wirehall_sources out folder)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${folder}/*.cc)
  list(FILTER found EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  set(${out} ${found} PARENT_SCOPE)
endfunction()

function(wirehall_suffixed out folder suffix)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${folder}/*_${suffix}.cc)
  set(${out} ${found} PARENT_SCOPE)
endfunction()
