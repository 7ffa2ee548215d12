# cmake -DOUTPUT=file.cpp -DFILES="a.html|b.html" -P WseEmbed.cmake: page_templates() with the contents of the files.
string(REPLACE "|" ";" FILES "${FILES}")
set(text "#include \"page_templates.h\"\n\nnamespace wse::report {\n\n"
         "const std::map<std::string, std::string>& page_templates() {\n"
         "  static const std::map<std::string, std::string> kPages = {\n")
string(CONCAT text ${text})
foreach(file IN LISTS FILES)
  file(READ "${file}" content)
  get_filename_component(name "${file}" NAME)
  string(APPEND text "      {\"${name}\", R\"wse_page(${content})wse_page\"},\n")
endforeach()
string(APPEND text "  };\n  return kPages;\n}\n\n}  // namespace wse::report\n")
file(WRITE "${OUTPUT}" "${text}")
