# Everything comes from the distribution's packages; a missing one is named with the package that has it.
find_package(Threads REQUIRED)
function(wse_require_package name debian_package)
  find_package(${name} QUIET ${ARGN})
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "${name} was not found. On Debian: apt-get install ${debian_package}")
  endif()
endfunction()

find_path(SYSTEMC_INCLUDE_DIR systemc)
find_library(SYSTEMC_LIBRARY systemc)
if(NOT SYSTEMC_INCLUDE_DIR OR NOT SYSTEMC_LIBRARY)
  message(FATAL_ERROR "SystemC was not found. On Debian: apt-get install libsystemc-dev")
endif()
add_library(SystemC::systemc INTERFACE IMPORTED)
target_include_directories(SystemC::systemc SYSTEM INTERFACE ${SYSTEMC_INCLUDE_DIR})
target_link_libraries(SystemC::systemc INTERFACE ${SYSTEMC_LIBRARY} Threads::Threads)

# The library is built for one language standard and fails at link for another: find out now.
file(WRITE ${CMAKE_BINARY_DIR}/systemc_links.cpp
     "#include <systemc>\nint sc_main(int, char**) { sc_core::sc_start(); return 0; }\n")
try_compile(WSE_SYSTEMC_LINKS ${CMAKE_BINARY_DIR}/systemc_links ${CMAKE_BINARY_DIR}/systemc_links.cpp
            LINK_LIBRARIES SystemC::systemc CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON
            OUTPUT_VARIABLE WSE_SYSTEMC_LINK_LOG)
if(NOT WSE_SYSTEMC_LINKS)
  message(FATAL_ERROR "SystemC at ${SYSTEMC_LIBRARY} does not link from C++17. It was probably built for "
                      "another language standard.\n${WSE_SYSTEMC_LINK_LOG}")
endif()

wse_require_package(fmt libfmt-dev)
wse_require_package(spdlog libspdlog-dev)
wse_require_package(yaml-cpp libyaml-cpp-dev)
wse_require_package(nlohmann_json nlohmann-json3-dev)
wse_require_package(Eigen3 libeigen3-dev)
wse_require_package(GTest libgtest-dev)
wse_require_package(SQLite3 libsqlite3-dev)
find_package(Boost QUIET COMPONENTS program_options)
if(NOT Boost_FOUND)
  message(FATAL_ERROR "Boost was not found. On Debian: apt-get install libboost-program-options-dev")
endif()
