# wse_add_layer(NAME SOURCES a.cpp .. DEPENDS target ..) makes wse::NAME, which exports its own headers only.
function(wse_add_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(wse_${name} STATIC ${ARG_SOURCES})
  add_library(wse::${name} ALIAS wse_${name})
  target_include_directories(wse_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include)
  target_link_libraries(wse_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS} wse_compile_options)
endfunction()

# wse_add_test(NAME SOURCES .. DEPENDS .. LABELS unit [DISCOVER_TIMEOUT s]): every TEST is its own ctest process.
include(GoogleTest)
function(wse_add_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/testbenches/support/test_main.cpp)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/testbenches)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} SystemC::systemc GTest::gtest wse_compile_options)
  target_compile_definitions(${name} PRIVATE WSE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
               ENVIRONMENT "SYSTEMC_DISABLE_COPYRIGHT_MESSAGE=1")
endfunction()
