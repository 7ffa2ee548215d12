# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=file.cpp -DFILES="a.html|b.html" -DPARTS="a.css|b.js" -P WseEmbed.cmake: page_templates() with the
# contents of the files. In each of them a line "/* include a.css */" or "// include b.js" stands for that part.
string(REPLACE "|" ";" FILES "${FILES}")
string(REPLACE "|" ";" PARTS "${PARTS}")

function(read_existing file result)
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "${file} is missing")
  endif()
  file(READ "${file}" content)
  set(${result} "${content}" PARENT_SCOPE)
endfunction()

set(text "#include \"page_templates.h\"\n\nnamespace wse::report {\n\n"
         "const std::map<std::string, std::string>& page_templates() {\n"
         "  static const std::map<std::string, std::string> kPages = {\n")
string(CONCAT text ${text})
foreach(file IN LISTS FILES)
  read_existing("${file}" content)
  foreach(part IN LISTS PARTS)
    get_filename_component(name "${part}" NAME)
    string(REPLACE "." "\\." form "${name}")
    string(REGEX MATCH "\n(/\\* include ${form} \\*/|// include ${form})\n" marker "${content}")
    if(marker STREQUAL "")
      message(FATAL_ERROR "${file} has no line that includes ${name}")
    endif()
    read_existing("${part}" part_content)
    string(REPLACE "${marker}" "\n${part_content}" content "${content}")
  endforeach()
  if(content MATCHES "\n(/\\*|//) include ([^ \n]+)")
    message(FATAL_ERROR "${file} includes ${CMAKE_MATCH_2}, which is not among ${PARTS}")
  endif()
  get_filename_component(name "${file}" NAME)
  string(APPEND text "      {\"${name}\", R\"wse_page(${content})wse_page\"},\n")
endforeach()
string(APPEND text "  };\n  return kPages;\n}\n\n}  // namespace wse::report\n")
file(WRITE "${OUTPUT}" "${text}")
