# Files as part of a program: `wirehall_embed(target name [RELATIVE folder] file…)` makes a library whose header
# `embedded/name.h` lists the files with their bytes. A file is called by its name, or, where it lies below the
# folder, by its path from there. The assembler includes them, so nothing is converted.

function(wirehall_embed target name)
  cmake_parse_arguments(PARSE_ARGV 2 embed "" "RELATIVE" "")
  set(directory ${CMAKE_CURRENT_BINARY_DIR}/${target})
  set(entries "")
  set(blobs "")
  set(index 0)
  foreach(file ${embed_UNPARSED_ARGUMENTS})
    get_filename_component(file_name ${file} NAME)
    if(embed_RELATIVE)
      cmake_path(IS_PREFIX embed_RELATIVE ${file} below)
      if(below)
        file(RELATIVE_PATH file_name ${embed_RELATIVE} ${file})
      endif()
    endif()
    set(symbol "${name}_${index}")
    string(APPEND blobs
      "asm(\".section .rodata\\n.balign 16\\n.global ${symbol}_begin\\n${symbol}_begin:\\n"
      ".incbin \\\"${file}\\\"\\n.global ${symbol}_end\\n${symbol}_end:\\n.byte 0\\n.previous\\n\");\n"
      "extern \"C\" const char ${symbol}_begin[];\nextern \"C\" const char ${symbol}_end[];\n")
    string(APPEND entries
      "    {\"${file_name}\", std::string_view(${symbol}_begin, static_cast<std::size_t>(${symbol}_end - ${symbol}_begin))},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${directory}/embedded/${name}.h CONTENT
"// Made by cmake/embed.cmake.
#pragma once

#include <span>
#include <string_view>

namespace embedded {
struct File {
  std::string_view name;
  std::string_view bytes;
};
std::span<const File> ${name}();
}  // namespace embedded
" @ONLY)
  file(CONFIGURE OUTPUT ${directory}/${name}.cc CONTENT
"// Made by cmake/embed.cmake.
#include \"embedded/${name}.h\"

#include <vector>

${blobs}
namespace embedded {
std::span<const File> ${name}() {
  static const std::vector<File> files = {
${entries}  };
  return files;
}
}  // namespace embedded
" @ONLY)
  set_source_files_properties(${directory}/${name}.cc PROPERTIES OBJECT_DEPENDS "${embed_UNPARSED_ARGUMENTS}")
  add_library(${target} STATIC ${directory}/${name}.cc)
  target_include_directories(${target} PUBLIC ${directory})
endfunction()
