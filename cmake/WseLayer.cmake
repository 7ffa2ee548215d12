# wse_add_layer(NAME SOURCES a.cpp .. DEPENDS target ..) makes wse::NAME, which exports its own headers only. It
# installs under the same name.
include(GNUInstallDirs)
function(wse_add_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(wse_${name} STATIC ${ARG_SOURCES})
  add_library(wse::${name} ALIAS wse_${name})
  target_include_directories(wse_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                                                $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(wse_${name} PUBLIC cxx_std_17)
  target_link_libraries(wse_${name} PUBLIC ${ARG_DEPENDS}
                                    PRIVATE ${ARG_PRIVATE_DEPENDS} $<BUILD_INTERFACE:wse_compile_options>)
  set_target_properties(wse_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS wse_${name} EXPORT wse-tlm-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
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
