# wse_add_rtl_twin(NAME name KIND router|sram|tile TOP module SOURCES a.sv .. SIZE n [PARAMS SLOTS=6 ..] [MUTANTS n] [STRICT])
# builds RTL of a user with Verilator, checks its pins against the contract (docs/cosim.md), and makes it known as
# rtl:NAME. SIZE: what it holds, wavelets in a queue of a router, words in an SRAM bank or in the memory of a tile. STRICT: every
# warning of Verilator's is an error. Does nothing where there is no Verilator.
find_package(verilator QUIET HINTS $ENV{VERILATOR_ROOT} /usr/share/verilator)
if(WSE_SANITIZE)
  set(verilator_FOUND FALSE)  # generated code, minutes to build and nothing of ours
elseif(NOT verilator_FOUND)
  message(STATUS "No RTL twins: install verilator")
endif()
set_property(GLOBAL PROPERTY WSE_RTL_TWINS "")

# Pins of the contract, and their width.
set(WSE_RTL_PINS_router in:clk:1 in:rst:1 in:in_valid:5 in:in_data:160 in:in_color:25 in:in_control:5 in:in_advance:5
    in:in_credit:120 out:out_valid:5 out:out_data:160 out:out_color:25 out:out_control:5 out:out_advance:5
    out:out_credit:120 in:cfg_write:1 in:cfg_kind:3 in:cfg_color:5 in:cfg_value:32 in:mutant:5)
set(WSE_RTL_PINS_sram in:clk:1 in:rst:1 in:enable:1 in:write:1 in:address:16 in:bytes:4 in:write_data:32 out:read_data:32
    out:valid:1 in:mutant:5)
set(WSE_RTL_PINS_tile in:clk:1 in:rst:1 in:in_valid:1 in:in_data:32 in:in_color:5 in:in_control:1 in:in_advance:1
    in:in_credit:24 out:out_valid:1 out:out_data:32 out:out_color:5 out:out_control:1 out:out_advance:1 out:out_credit:24
    out:busy:1 out:finished:1 out:fault:1 in:cfg_write:1 in:cfg_kind:3 in:cfg_address:16 in:cfg_value:32
    in:probe_kind:1 in:probe_address:16 out:probe_data:32 in:mutant:5)

function(wse_check_pins name header pins)
  file(READ ${header} text)
  set(wrong "")
  foreach(pin ${pins})
    string(REPLACE ":" ";" parts ${pin})
    list(GET parts 0 direction)
    list(GET parts 1 pin_name)
    list(GET parts 2 width)
    if(NOT text MATCHES "VL_(IN|OUT)[0-9W]*\\(&${pin_name},([0-9]+),([0-9]+)")
      list(APPEND wrong "  ${pin_name}: is missing, ${direction}put of ${width} bits")
      continue()
    endif()
    set(found_direction ${CMAKE_MATCH_1})
    math(EXPR found "${CMAKE_MATCH_2} - ${CMAKE_MATCH_3} + 1")
    string(TOLOWER ${found_direction} found_direction)
    if(NOT found_direction STREQUAL direction)
      list(APPEND wrong "  ${pin_name}: is an ${found_direction}put, must be an ${direction}put")
    elseif(NOT found EQUAL width)
      list(APPEND wrong "  ${pin_name}: has ${found} bits, must have ${width}")
    endif()
  endforeach()
  if(wrong)
    list(JOIN wrong "\n" wrong)
    message(FATAL_ERROR "wse_add_rtl_twin: the pins of ${name} break the contract of docs/cosim.md:\n${wrong}")
  endif()
endfunction()

function(wse_add_rtl_twin)
  cmake_parse_arguments(ARG "STRICT" "NAME;KIND;TOP;SIZE;MUTANTS" "SOURCES;PARAMS" ${ARGN})
  foreach(needed NAME KIND TOP SOURCES SIZE)
    if(NOT ARG_${needed})
      message(FATAL_ERROR "wse_add_rtl_twin: ${needed} must be given")
    endif()
  endforeach()
  if(NOT DEFINED WSE_RTL_PINS_${ARG_KIND})
    message(FATAL_ERROR "wse_add_rtl_twin: KIND ${ARG_KIND} must be router, sram or tile")
  endif()
  if(NOT ARG_MUTANTS)
    set(ARG_MUTANTS 0)
  endif()
  if(NOT verilator_FOUND)
    return()
  endif()
  set(library wse_rtl_${ARG_NAME})
  set(prefix V${ARG_NAME})
  set(sources "")
  foreach(source ${ARG_SOURCES})
    get_filename_component(source ${source} ABSOLUTE)
    list(APPEND sources ${source})
  endforeach()
  list(TRANSFORM ARG_PARAMS PREPEND "-G")
  set(lint -Wno-lint -Wno-fatal)
  if(ARG_STRICT)
    set(lint -Wall)
  endif()
  set(factory ${CMAKE_CURRENT_BINARY_DIR}/${library}.cpp)
  file(CONFIGURE OUTPUT ${factory} @ONLY CONTENT "// Written by wse_add_rtl_twin.
#include \"@prefix@.h\"
#include \"verilated_@ARG_KIND@.h\"
#include \"rtl_twins.h\"

namespace wse::cosim {
void add_rtl_twin_@ARG_NAME@(RtlTwins& all);
void add_rtl_twin_@ARG_NAME@(RtlTwins& all) {
  add_@ARG_KIND@_twin<@prefix@>(all, {\"@ARG_NAME@\", \"@ARG_SOURCES@\", @ARG_SIZE@, @ARG_MUTANTS@});
}
}  // namespace wse::cosim
")
  add_library(${library} STATIC ${factory})
  target_include_directories(${library} PRIVATE ${wse_tlm_SOURCE_DIR}/cosim/src ${wse_tlm_SOURCE_DIR}/cosim/include)
  target_link_libraries(${library} PRIVATE wse::fabric wse::memory)
  target_compile_features(${library} PRIVATE cxx_std_17)
  target_compile_options(${library} PRIVATE -w)
  verilate(${library} SOURCES ${sources} PREFIX ${prefix} TOP_MODULE ${ARG_TOP} TRACE OPT_FAST -O1 OPT_SLOW -O0 OPT_GLOBAL -O2
           VERILATOR_ARGS ${lint} -O3 --x-assign fast --x-initial fast --noassert ${ARG_PARAMS})
  # The model's headers are for the factory alone.
  set_target_properties(${library} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "" INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ""
                                              INTERFACE_COMPILE_DEFINITIONS "" INTERFACE_COMPILE_OPTIONS "" INTERFACE_COMPILE_FEATURES "")
  wse_check_pins(${ARG_NAME} ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${library}.dir/${prefix}.dir/${prefix}.h
                 "${WSE_RTL_PINS_${ARG_KIND}}")
  install(TARGETS ${library} EXPORT wse-tlm-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  set_property(GLOBAL APPEND PROPERTY WSE_RTL_TWINS ${ARG_NAME})
endfunction()

# Writes add_rtl_twins() for all of them, and gives the file's name and the libraries.
function(wse_finish_rtl_twins file libraries)
  get_property(names GLOBAL PROPERTY WSE_RTL_TWINS)
  set(declarations "")
  set(calls "")
  set(all "")
  foreach(name ${names})
    string(APPEND declarations "void add_rtl_twin_${name}(RtlTwins& all);\n")
    string(APPEND calls "  add_rtl_twin_${name}(all);\n")
    list(APPEND all wse_rtl_${name})
  endforeach()
  if(NOT names)
    set(calls "  (void)all;\n")
  endif()
  set(written ${CMAKE_CURRENT_BINARY_DIR}/rtl_twins.cpp)
  file(CONFIGURE OUTPUT ${written} @ONLY CONTENT "// Written by the build.
#include \"rtl_twins.h\"

namespace wse::cosim {
@declarations@
void add_rtl_twins(RtlTwins& all) {
@calls@}
}  // namespace wse::cosim
")
  set(${file} ${written} PARENT_SCOPE)
  set(${libraries} ${all} PARENT_SCOPE)
endfunction()
